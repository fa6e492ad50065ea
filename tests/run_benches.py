#!/usr/bin/env python3
"""Builds a release and runs the benches, or the ones that are named: what `make bench` does.

    run_benches.py [--jobs 2] [name ...]

A bench is registered with add_bench() and prints lines `RESULT <name>[.<variant>] <value> <unit>`, its
bound as <name>.bound and the share of the bound it reaches as <name>.ratio.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"


def registered():
    """name -> (command, environment) of every bench, as CMake registered it."""
    shown = subprocess.run(["ctest", "--test-dir", str(BUILD), "--show-only=json-v1", "-L", "bench"],
                           check=True, capture_output=True, text=True).stdout
    benches = {}
    for test in json.loads(shown)["tests"]:
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        environment = dict(pair.split("=", 1) for pair in properties.get("ENVIRONMENT", []))
        benches[test["name"].removeprefix("bench.")] = (test["command"], environment)
    return benches


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()

    for command in (["cmake", "--preset", "release"],
                    ["cmake", "--build", "--preset", "release", "-j", str(args.jobs)]):
        done = subprocess.run(command, cwd=ROOT, check=False, text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            print(done.stdout[-20000:])
            return 1

    benches = registered()
    unknown = [name for name in args.names if name not in benches]
    if unknown:
        print(f"no such bench: {', '.join(unknown)}; there are {', '.join(sorted(benches))}")
        return 2

    failed = []
    for name in args.names or sorted(benches):
        command, environment = benches[name]
        print(f"== {name}", flush=True)
        if subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False).returncode != 0:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
