#!/bin/sh
# Installs the packages of packages.txt that are missing, and says which. Needs nothing but Debian 12
# and root, or sudo. Says nothing when all are there.
set -eu

list=$(dirname "$0")/packages.txt
missing=
for package in $(sed 's/#.*//' "$list"); do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "Installing from Debian:$missing"
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null; then
    as_root=sudo
else
    echo "install_packages.sh: these packages are missing, and there is neither root nor sudo" >&2
    exit 1
fi

# Some packages would start a service on its usual port, as PostgreSQL does. Cordboard and its tests
# start their own, so nothing is started now, unless this machine has a policy of its own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
    trap '$as_root rm -f "$policy"' EXIT
fi

log=$(mktemp)
if ! { $as_root apt-get -q update &&
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q install -y --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "install_packages.sh: apt-get failed; all of its output is in $log" >&2
    exit 1
fi
rm -f "$log"
