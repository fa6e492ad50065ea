"""What `make run` and `make call` do, told by the scripts behind them: the programs start with a demo
workspace, a real call goes through them, Ctrl-C leaves nothing behind, and a second run goes on.
"""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEMO = ROOT / "services/ctl/demo"
BUILD = pathlib.Path(os.environ.get("BUILD_DIR", "build/dev")).resolve()
START_S = 150
STOP_S = 60
STEPS = [
    "task.created", "call.received", "task-queue.entered", "call.answered", "worker.activity.update",
    "reservation.created", "call.ringing", "conference.started", "reservation.accepted", "conference.ended",
    "call.ended", "task.wrapup", "reservation.completed", "task.completed"]

sys.path.insert(0, str(DEMO))
import voice  # noqa: E402


def processes_with(text):
    """Process ids, and command lines, of those that have the text in their command line."""
    found = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in line and int(entry.parent.name) != os.getpid():
            found[int(entry.parent.name)] = line
    return found


class Demo:
    """program, programs: the demo itself, and where the services are if it is to be told."""

    def __init__(self, data, program=(sys.executable, DEMO / "demo.py"), programs=BUILD):
        self.data = data
        self.out = data.with_suffix(".out")
        self.program = program
        self.run = [*program, "run", "--data", str(data), *(["--programs", str(programs)] if programs else [])]
        self.process = None

    def start(self, *flags):
        with open(self.out, "wb") as out:
            self.process = subprocess.Popen([*self.run, *flags], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=out)
        deadline = time.monotonic() + START_S
        while "Ctrl-C stops everything" not in self.said():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"it does not start: {self.said()}")
            time.sleep(0.05)

    def refused(self, *flags):
        """Starts what must not start: its exit code and what it says."""
        done = subprocess.run([*self.run, *flags], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=START_S, check=False)
        return done.returncode, done.stderr

    def said(self):
        return self.out.read_text(errors="replace")

    def stop(self, number=signal.SIGINT):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(STOP_S) if self.process else None

    def state(self):
        return json.loads((self.data / "run.json").read_text())

    def call(self, *flags):
        return subprocess.run([*self.program, "call", "--data", str(self.data), *flags], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=180, check=False)

    def rpc(self, method, **request):
        state = self.state()
        return json.loads(subprocess.run(
            [state["cordboard"], f"--routing-address={state['routing']}", "rpc", method, json.dumps(request)],
            capture_output=True, text=True, timeout=30, check=True).stdout)


class MakeRun(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="cordboard-demo-")
        self.addCleanup(self.folder.cleanup)
        os.chmod(self.folder.name, 0o755)
        self.demo = Demo(pathlib.Path(self.folder.name) / "data")
        self.addCleanup(self.demo.stop)

    def assert_nothing_left(self):
        self.assertEqual(processes_with(self.folder.name), {})
        self.assertFalse((self.demo.data / "run.json").exists())

    def test_a_call_goes_through_and_a_second_run_goes_on_with_the_data(self):
        self.demo.start("--ephemeral")
        self.assertTrue(processes_with(f"{self.demo.data}/routing"), "the test must be able to see processes")
        called = self.demo.call("--seconds", "4")
        self.assertEqual(called.returncode, 0, called.stdout + called.stderr)
        events = re.findall(r"^  \d\d:\d\d:\d\d\.\d{3}  (\S+) ", called.stdout, re.MULTILINE)
        self.assertEqual([step for step in events if step in STEPS][:len(STEPS)], STEPS)
        for listener, speaker in (("caller", "agent"), ("agent", "caller")):
            self.assertRegex(called.stdout, rf"\n  {listener} .*the {speaker}'s voice, \d\.\d s at -\d+\.\d dBFS\n")
        self.assertNotIn("NOT", called.stdout)
        self.assertRegex(called.stdout, r"wait audio, [1-9]\.\d s at -[1-4]\d\.\d dBFS")
        self.assertIn("Both heard each other.", called.stdout)

        before = self.demo.rpc("ListEvents", parent="workspaces/demo", pageSize=1000)["events"]
        self.assertEqual(self.demo.stop(), 0, self.demo.said())
        self.assertIn("Stopping ... done.", self.demo.said())
        self.assert_nothing_left()

        self.demo.start("--ephemeral")
        self.assertIn("demo     as it was left", self.demo.said())
        after = self.demo.rpc("ListEvents", parent="workspaces/demo", pageSize=1000)["events"]
        self.assertEqual(after[:len(before)], before)
        self.assertEqual(self.demo.stop(signal.SIGTERM), 0, self.demo.said())
        self.assert_nothing_left()

    def test_a_call_with_a_dumb_side_fails(self):
        self.demo.start("--ephemeral")
        for mute, deaf in (("agent", "caller"), ("caller", "agent")):
            called = self.demo.call("--seconds", "4", "--mute", mute)
            self.assertEqual(called.returncode, 1, called.stdout + called.stderr)
            self.assertRegex(called.stdout, rf"\n  {deaf} .*NOT the {mute}'s voice, 0\.[0-3] s")
            self.assertRegex(called.stdout, rf"\n  {mute} .*[^T] the {deaf}'s voice")

    def test_a_call_that_is_broken_off_does_not_stand_in_the_way_of_the_next(self):
        self.demo.start("--ephemeral")
        with subprocess.Popen([*self.demo.program, "call", "--data", str(self.demo.data), "--seconds", "60"],
                              stdout=subprocess.PIPE, text=True) as broken:
            while "reservation.accepted" not in broken.stdout.readline():
                self.assertIsNone(broken.poll())
            broken.send_signal(signal.SIGINT)
            self.assertIn("The call is broken off.", broken.stdout.read())
            self.assertEqual(broken.wait(STOP_S), 1)
        self.assertEqual(processes_with(f"{self.demo.data}/phones"), {})
        called = self.demo.call("--seconds", "3")
        self.assertEqual(called.returncode, 0, called.stdout + called.stderr)

    def test_a_service_that_dies_ends_everything_with_its_log_named(self):
        self.demo.start("--ephemeral")
        (bridge,) = processes_with(f"--sip-listen-address={self.demo.state()['sip']} ")
        os.kill(bridge, signal.SIGKILL)
        self.assertEqual(self.demo.process.wait(STOP_S), 1)
        self.assertIn("make run: the bridge has ended (signal 9)", self.demo.said())
        self.assertIn("bridge.log", self.demo.said())
        self.assert_nothing_left()

    def test_a_taken_port_is_said_in_one_line(self):
        with socket.socket() as taken:
            try:
                taken.bind(("127.0.0.1", 7012))
                taken.listen()
            except OSError:
                pass  # taken already, which will do
            code, said = self.demo.refused()
        self.assertEqual(code, 1)
        self.assertRegex(said, r"^make run: 127\.0\.0\.1:\d+ \(.*\) is taken by another program\n$")
        self.assert_nothing_left()

    def test_a_second_run_with_the_same_data_is_refused(self):
        self.demo.start("--ephemeral")
        code, said = self.demo.refused("--ephemeral")
        self.assertEqual(code, 1)
        self.assertRegex(said, r"^make run: another `make run` uses .*; stop it first\n$")
        self.assertTrue(self.demo.rpc("ListWorkspaces"), "the first is not disturbed")

    def test_a_missing_program_is_said_in_one_line(self):
        code, said = Demo(self.demo.data, programs=self.folder.name).refused("--ephemeral")
        self.assertEqual(code, 1)
        self.assertRegex(said, r"^make run: cordboard is not in .*\n$")

    def test_a_call_into_nothing_says_what_to_do(self):
        called = self.demo.call()
        self.assertEqual(called.returncode, 1)
        self.assertRegex(called.stderr, r"^make call: nothing runs .*; start `make run` first, in another terminal\n$")


class Ear(unittest.TestCase):
    """The check of `make call` can fail."""

    def setUp(self):
        self.caller = voice.speech(voice.CALLER_HZ, 4)
        self.agent = voice.speech(voice.AGENT_HZ, 4)

    def test_each_voice_is_known_and_is_not_the_other(self):
        for samples, name, other in ((self.caller, "caller", "agent"), (self.agent, "agent", "caller")):
            heard = voice.Heard([s / 4 for s in samples])
            self.assertTrue(heard.is_only(name), heard.shares)
            self.assertFalse(heard.is_only(other), heard.shares)

    def test_both_voices_at_once_silence_and_a_tone_are_nobody(self):
        silence = [0.0] * voice.RATE * 3
        both = [a + b for a, b in zip(self.caller, self.agent)]
        tone = voice.syllable(__import__("random").Random(1), 440, 3)
        for samples in (silence, both, tone):
            heard = voice.Heard(samples)
            self.assertFalse(heard.is_only("caller") or heard.is_only("agent"), heard.shares)


if __name__ == "__main__":
    unittest.main()
