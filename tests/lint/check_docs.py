#!/usr/bin/env python3
"""Fails when a document names something that is not there.

In README.md and docs/: relative links must lead somewhere; a path in backticks that starts with one of our
folders must exist (it may contain * and {a,b}); a `make x` must be a target.
"""
import re
import sys

from sources import ROOT, tracked

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"(?:common|services|proto|tests|docs|migrations|docker|\.ci)/[\w./*{},-]*$")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def expand(pattern):
    match = re.search(r"\{([^}]*)\}", pattern)
    if not match:
        return [pattern]
    return [whole for choice in match[1].split(",")
            for whole in expand(pattern[:match.start()] + choice + pattern[match.end():])]


def missing_paths(text):
    for code in CODE.findall(text):
        if PATH.match(code):
            for pattern in expand(code.rstrip("/.")):
                if not any(ROOT.glob(pattern)):
                    yield f"there is no {code}"
                    break


def missing_links(document, text):
    for target in LINK.findall(text):
        path = target.split("#", 1)[0]
        if path and not re.match(r"[a-z]+:", path) and not (document.parent / path).exists():
            yield f"the link {target} leads nowhere"


def missing_targets(text, targets):
    for target in re.findall(r"`make ([a-z-]+)", text):
        if target not in targets:
            yield f"make has no target {target}"


def main():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    errors = []
    for name in tracked(".md"):
        if name != "README.md" and not name.startswith("docs/"):
            continue
        text = (ROOT / name).read_text()
        prose = FENCE.sub("", text)
        for what in (*missing_paths(prose), *missing_links(ROOT / name, prose), *missing_targets(text, targets)):
            errors.append(f"{name}: {what}")
    print("\n".join(errors) or "no findings")
    return bool(errors)


if __name__ == "__main__":
    sys.exit(main())
