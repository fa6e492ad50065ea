#!/usr/bin/env python3
"""Fails when clang-format would change a C or proto file; with --fix, changes it."""
import subprocess
import sys

from sources import ROOT, tracked


def main():
    mode = ["-i"] if "--fix" in sys.argv[1:] else ["--dry-run", "-Werror"]
    return subprocess.run(["clang-format", *mode, *tracked(".c", ".h", ".proto")], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
