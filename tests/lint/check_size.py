#!/usr/bin/env python3
"""Fails when a file is too long: sources 700 lines, headers 200. Functions are clang-tidy's part."""
import sys

from sources import ROOT, tracked

LIMITS = {".c": 700, ".h": 200, ".py": 700}


def main():
    errors = 0
    for ending, limit in LIMITS.items():
        for name in tracked(ending):
            lines = len((ROOT / name).read_text().splitlines())
            if lines > limit:
                print(f"{name}: {lines} lines; {limit} are the limit. Which idea can have a file of its own?")
                errors += 1
    return errors != 0


if __name__ == "__main__":
    sys.exit(main())
