#!/usr/bin/env python3
"""Fails when a state is written outside the noun it belongs to.

The state of a task, reservation, call or leg changes in its file in domain/, where the transition is
checked against a table. Other modules have machines of their own: a file may write the state of a struct that its
own folder defines.
"""
import functools
import re
import sys

from sources import ROOT, tracked

WRITES = re.compile(r"\b(?P<object>\w+)(?:->|\.)state = ")


@functools.cache
def own_structs(folder):
    return {kind for path in (ROOT / folder).glob("*.[ch]")
            for kind in re.findall(r"^struct (\w+) {", path.read_text(), re.MULTILINE)}


def main():
    errors = 0
    for name in tracked(".c"):
        parts = name.split("/")
        if parts[0] != "services" or "domain" in parts:
            continue
        text = (ROOT / name).read_text()
        folder = name.rpartition("/")[0]
        for number, line in enumerate(text.splitlines(), 1):
            match = WRITES.search(line)
            if match and not any(kind in own_structs(folder)
                                 for kind in re.findall(rf"struct (\w+) \*?{match['object']}\b", text)):
                print(f"{name}:{number}: writes a state; call the function of its noun in domain/")
                errors += 1
    return errors != 0


if __name__ == "__main__":
    sys.exit(main())
