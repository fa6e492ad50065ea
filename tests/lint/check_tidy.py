#!/usr/bin/env python3
"""Runs clang-tidy over every source of the build in BUILD_DIR, and remembers what was clean.

A file is looked at again when it, a header of the project that it includes, or a .clang-tidy has changed.
The memory is in $XDG_CACHE_HOME/cordboard-tidy (~/.cache), so that it serves every clone.

    check_tidy.py [--jobs 2] [file ...]
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

from sources import ROOT, tracked

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "cordboard-tidy"
INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


class Project:
    def __init__(self, build):
        self.build = build
        self.texts = {}
        configs = b"".join((ROOT / name).read_bytes() for name in tracked(".clang-tidy"))
        version = subprocess.run(["clang-tidy", "--version"], check=True, capture_output=True).stdout
        self.base = hashlib.sha256(configs + version).digest()

    def text(self, name):
        """A file of the project, or what the build has made from protos; nothing for other headers."""
        if name not in self.texts:
            path = ROOT / name
            if not path.is_file():
                path = next(iter(self.build.glob(f"proto/*.gen/{name}")), None)
            self.texts[name] = path.read_bytes() if path else b""
        return self.texts[name]

    def closure(self, name):
        """The file and everything of the project that it includes, in one fixed order."""
        seen, todo = set(), [name]
        while todo:
            this = todo.pop()
            if this not in seen:
                seen.add(this)
                todo += [found.decode() for found in INCLUDE.findall(self.text(this))]
        return sorted(seen)

    def key(self, name, command):
        digest = hashlib.sha256(self.base)
        digest.update(" ".join(re.findall(r"-[DUOfmW]\S+|-std=\S+", command)).replace(str(ROOT), "").encode())
        for part in self.closure(name):
            digest.update(part.encode() + b"\0" + self.text(part) + b"\0")
        return digest.hexdigest()


def check(build, name):
    done = subprocess.run(["clang-tidy", "--quiet", "-p", str(build), str(ROOT / name)],
                          check=False, text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    findings = re.findall(r"^\S+?:\d+:\d+: (?:error|warning): .*\n.*$", done.stdout, re.MULTILINE)
    return done.returncode == 0, "\n".join(findings) or done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()
    build = pathlib.Path(os.environ.get("BUILD_DIR", ROOT / "build" / "dev"))
    project = Project(build)
    CACHE.mkdir(parents=True, exist_ok=True)

    wanted = set(args.files or tracked(".c"))
    todo = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else ""
        if name in wanted:
            key = project.key(name, entry["command"])
            if not (CACHE / key).exists():
                todo[name] = key

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for name, (ok, output) in zip(todo, pool.map(lambda name: check(build, name), todo)):
            if ok:
                (CACHE / todo[name]).touch()
            else:
                failed += 1
                print(output.replace(f"{ROOT}/", ""))
    print(f"{len(wanted)} files, {len(todo)} looked at, {failed} with findings")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
