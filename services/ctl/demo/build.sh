#!/bin/sh
# Builds the release programs that the demo runs; quiet, unless it fails. build.sh JOBS
set -eu

log=$(mktemp)
trap 'rm -f "$log"' EXIT
[ -e build/release/services/bridge/cordboard-bridge ] || echo "Building a release; the first time this takes some minutes"
if ! { cmake --preset release &&
    cmake --build --preset release -j "$1" --target cordboard cordboard-bridge cordboard-routing; } >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    echo "make run: the build has failed" >&2
    exit 1
fi
