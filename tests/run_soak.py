#!/usr/bin/env python3
"""Runs the stories, faults and random lives over and over, with new seeds, until the time is over or one fails.

    run_soak.py --seconds 3600 [--jobs 2]
"""
import argparse
import os
import pathlib
import random
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
KINDS = "e2e|integration|unit.sim|operations.random|threads"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    build = ROOT / "build" / "dev"
    subprocess.run(["cmake", "--preset", "dev"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", build, "-j", str(arguments.jobs)], check=True, stdout=subprocess.DEVNULL)
    end = time.monotonic() + arguments.seconds
    rounds = 0
    while True:
        seed = random.randrange(1, 1 << 31)
        print(f"round {rounds + 1}, SEED={seed}", flush=True)
        done = subprocess.run(["ctest", "--test-dir", build, "-R", KINDS, "-j", str(arguments.jobs), "--output-on-failure",
                               "--progress"], env=os.environ | {"SEED": str(seed)})
        rounds += 1
        if done.returncode != 0:
            print(f"failed in round {rounds}; repeat it with SEED={seed}")
            return 1
        if time.monotonic() > end:
            print(f"{rounds} rounds passed")
            return 0


if __name__ == "__main__":
    sys.exit(main())
