#!/usr/bin/env python3
"""Builds and tests everything: what `make test` does.

    run_tests.py [--jobs 2] [--only dev,asan,tsan,clang]

Each step is a CMake preset, built into build/<preset>; ccache makes the second time short. Output of a
test is shown when it fails. The end: the slowest tests, and "N passed, N failed", where the single tests
inside a Criterion or unittest program are counted.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
CRITERION = re.compile(r"Synthesis: Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)")
UNITTEST = re.compile(r"^Ran (\d+) tests? in ", re.MULTILINE)
UNITTEST_END = re.compile(r"^FAILED \((?:failures=(\d+))?(?:, )?(?:errors=(\d+))?", re.MULTILINE)

# preset, targets to build (none: all), how ctest chooses its tests (none: no test is run)
STEPS = (
    ("dev", (), ()),
    ("asan", (), ("-L", "unit|integration|fuzz")),
    ("tsan", ("threads_tests",), ("-L", "threads")),
    ("clang", (), None),
)


def run(*command):
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def quiet(*command):
    """Shows the output only when the command fails."""
    done = subprocess.run(command, cwd=ROOT, check=False, text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        print(done.stdout[-20000:])
    return done.returncode == 0


def count(case):
    """How many tests inside this one passed and failed."""
    ok = case.get("status") == "run"
    output = case.findtext("system-out") or ""
    passed, failed = 0, 0
    for tested in CRITERION.findall(output):
        passed += int(tested[1])
        failed += int(tested[2]) + int(tested[3])
    for ran in UNITTEST.findall(output):
        passed += int(ran)
    for end in UNITTEST_END.findall(output):
        bad = sum(int(n) for n in end if n)
        passed, failed = passed - bad, failed + bad
    if ok:
        return max(passed, 1), 0
    return max(passed, 0), max(failed, 1)


class Tests:
    def __init__(self, jobs):
        self.jobs = str(jobs)
        self.passed = 0
        self.failed = []  # names
        self.failures = 0
        self.times = []  # (seconds, name)

    def fail(self, name):
        self.failed.append(name)
        self.failures += 1

    def build(self, preset, targets):
        wanted = ("--target", *targets) if targets else ()
        return (quiet("cmake", "--preset", preset, "-DCMAKE_COLOR_DIAGNOSTICS=OFF") and
                quiet("cmake", "--build", "--preset", preset, "-j", self.jobs, *wanted))

    def ctest(self, preset, choice):
        folder = ROOT / "build" / preset
        junit = folder / "tests.xml"
        junit.unlink(missing_ok=True)
        ok = run("ctest", "--test-dir", str(folder), "-j", self.jobs, "--output-on-failure", "--no-tests=error",
                 "--test-output-size-passed", "1000000", "--test-output-size-failed", "1000000",
                 "--output-junit", str(junit), *choice)
        if not junit.exists():
            self.fail(f"{preset}: ctest")
            return
        bad = 0
        for case in ElementTree.parse(junit).getroot().iter("testcase"):
            name = f"{preset}: {case.get('name')}"
            passed, failed = count(case)
            self.passed += passed
            self.failures += failed
            self.times.append((float(case.get("time") or 0), name))
            if failed:
                self.failed.append(name)
                bad += 1
        if not ok and bad == 0:
            self.fail(f"{preset}: ctest")

    def step(self, preset, targets, choice):
        start = time.monotonic()
        print(f"== {preset}: build", flush=True)
        if not self.build(preset, targets):
            self.fail(f"{preset}: build")
            return
        built = time.monotonic()
        if choice is None:
            self.passed += 1  # that it builds without a warning is the test
        else:
            print(f"== {preset}: test", flush=True)
            self.ctest(preset, choice)
        print(f"== {preset}: built in {built - start:.0f} s, tested in {time.monotonic() - built:.0f} s\n", flush=True)

    def report(self):
        print("Slowest:")
        for seconds, name in sorted(self.times, reverse=True)[:10]:
            print(f"  {seconds:7.1f} s  {name}")
        if self.failed:
            print("Failed:")
            for name in self.failed:
                print(f"  {name}")
        print(f"{self.passed} passed, {self.failures} failed")
        return 0 if self.failures == 0 and self.times else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="presets, separated by commas")
    args = parser.parse_args()
    only = [name for name in args.only.split(",") if name]
    tests = Tests(args.jobs)
    for preset, targets, choice in STEPS:
        if not only or preset in only:
            tests.step(preset, targets, choice)
    return tests.report()


if __name__ == "__main__":
    sys.exit(main())
