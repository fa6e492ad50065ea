#!/usr/bin/env python3
"""Builds the fuzz targets with clang and runs each for a while: what `make fuzz` does.

    run_fuzzers.py [--jobs 2] [--seconds 60] [name ...]

A run starts from the seeds in tests/fuzz/<name>.corpus and what earlier runs found, which is kept in
build/fuzz/found/<name>, so the sources stay as they are. An input that breaks something is kept there
too, as crash-..., and belongs into the corpus once it is mended.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "fuzz"
INPUT_BYTES_MAX = 64 * 1024


def fuzz(name, program, seconds):
    found = BUILD / "found" / name
    found.mkdir(parents=True, exist_ok=True)
    log = BUILD / "found" / f"{name}.log"
    with log.open("w") as out:
        done = subprocess.run([str(program), f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES_MAX}",
                               "-print_final_stats=1", "-timeout=10", "-verbosity=0", f"-artifact_prefix={found}/",
                               str(found), str(ROOT / "tests" / "fuzz" / f"{name}.corpus")],
                              env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1"},
                              check=False, stdout=out, stderr=subprocess.STDOUT)
    said = log.read_text(errors="replace")
    stats = dict(re.findall(r"^stat::(\w+):\s+(\d+)", said, re.MULTILINE))
    print(f"{name}: {stats.get('number_of_executed_units', '?')} runs in {seconds} s, "
          f"{stats.get('new_units_added', '?')} new inputs kept", flush=True)
    if done.returncode != 0:
        print(said[-6000:])
    return done.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()

    for command in (["cmake", "--preset", "fuzz"],
                    ["cmake", "--build", "--preset", "fuzz", "-j", str(args.jobs), "--target", "fuzzers"]):
        done = subprocess.run(command, cwd=ROOT, check=False, text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            print(done.stdout[-20000:])
            return 1

    targets = {p.name.removeprefix("fuzz_"): p for p in (BUILD / "fuzzers").glob("fuzz_*")}
    unknown = [name for name in args.names if name not in targets]
    if unknown:
        print(f"no such target: {', '.join(unknown)}; there are {', '.join(sorted(targets))}")
        return 2

    failed = [name for name in args.names or sorted(targets) if not fuzz(name, targets[name], args.seconds)]
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
