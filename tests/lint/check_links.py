#!/usr/bin/env python3
"""Fails when a module's library needs a symbol of an outside library that it has no business with.

What check_layers.py says of includes, this says of what is linked: no RPC handler can reach libpq, not even
by a declaration of its own. Reads the archives in BUILD_DIR.
"""
import os
import pathlib
import re
import subprocess
import sys

# library's symbols -> folders whose modules may use them
OWNERS = {
    "libpq": (re.compile(r"PQ[a-z]\w+$"), ("services/routing/postgres", "services/routing/store")),
    "libgrpc": (re.compile(r"grpc_\w+$"), ("common/rpc",)),
    "jansson": (re.compile(r"json_(object|array|string|integer|real|loadb?|dumps?|delete|unpack)(_\w+)?$"),
                ("common/json",)),
    "libmicrohttpd": (re.compile(r"MHD_\w+$"), ("common/http",)),
    "Sofia-SIP": (re.compile(r"(nta|su_root|tport|sip|msg)_\w+$"), ("services/bridge/sip",)),
}


def undefined(archive):
    listed = subprocess.run(["nm", "--undefined-only", "--format=posix", str(archive)],
                            check=True, capture_output=True, text=True).stdout
    return {line.split()[0] for line in listed.splitlines() if " U" in line}


def defined(archives):
    names = set()
    for archive in archives:
        listed = subprocess.run(["nm", "--defined-only", "--extern-only", "--format=posix", str(archive)],
                                check=True, capture_output=True, text=True).stdout
        names.update(line.split()[0] for line in listed.splitlines() if len(line.split()) > 1)
    return names


def main():
    build = pathlib.Path(os.environ["BUILD_DIR"])
    archives = sorted([*build.glob("common/**/lib*.a"), *build.glob("services/**/lib*.a")])
    ours = defined(archives)  # a function of ours may begin like one of theirs
    errors = 0
    for archive in archives:
        folder = archive.parent.relative_to(build).as_posix()
        foreign = sorted(undefined(archive) - ours)
        for library, (pattern, owners) in OWNERS.items():
            if not folder.startswith(owners):
                for symbol in (name for name in foreign if pattern.match(name)):
                    print(f"{folder}: needs {symbol} of {library}; only {', '.join(owners)} may")
                    errors += 1
    if not archives:
        print("nothing is built")
    return errors != 0 or not archives


if __name__ == "__main__":
    sys.exit(main())
