"""The rtp_party program and audio.py against each other: what one party says the other hears."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[4]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import audio  # noqa: E402

PROGRAM = pathlib.Path(os.environ["BUILD_DIR"]) / "tests" / "support" / "rtp_party"


def start(*arguments):
    party = subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.PIPE, text=True)
    line = party.stdout.readline()
    return party, int(line.removeprefix("port="))


def talk(listener_arguments, speaker_arguments):
    """Returns (exit code, output) of the listener."""
    listener, port = start(*listener_arguments)
    speaker, _ = start("--to", f"127.0.0.1:{port}", "--seconds", "20", *speaker_arguments)
    output, _ = listener.communicate(timeout=30)
    speaker.terminate()
    speaker.communicate(timeout=10)
    return listener.returncode, output


class RtpPartyTest(unittest.TestCase):
    def test_hears_a_tone_and_records_it(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "heard.wav"
            code, output = talk(["--hear", "1000", "--not", "440", "--seconds", "2", "--record", str(path)],
                                ["--tone", "1000"])
            self.assertEqual(code, 0, output)
            self.assertIn("heard hz=1000", output)
            heard = audio.load(path)
            self.assertGreater(audio.heard_seconds(heard, 1000), 1.0)
            self.assertAlmostEqual(audio.level(heard, 1000, 0.5, 1.0), -15.2, delta=0.5)
            self.assertLess(audio.level(heard, 440, 0.5, 1.0), -50)

    def test_fails_when_the_wanted_tone_is_missing(self):
        code, output = talk(["--hear", "1000", "--seconds", "1.5"], ["--tone", "440"])
        self.assertEqual(code, 1)
        self.assertIn("missed hz=1000", output)

    def test_fails_when_an_unwanted_tone_is_heard(self):
        code, output = talk(["--not", "440", "--seconds", "1.5"], ["--tone", "440"])
        self.assertEqual(code, 1)
        self.assertIn("unwanted hz=440", output)

    def test_fails_when_the_other_is_mute(self):
        code, _ = talk(["--hear", "440", "--seconds", "1.5"], ["--tone", "440", "--mute"])
        self.assertEqual(code, 1)

    def test_ends_once_all_is_heard_in_either_law(self):
        code, output = talk(["--hear", "700", "--until-heard", "--law", "alaw", "--seconds", "20"],
                            ["--tone", "700", "--law", "alaw"])
        self.assertEqual(code, 0, output)

    def test_finds_a_voice_by_its_pitch(self):
        code, output = talk(["--hear", "150", "--not", "220", "--seconds", "2.5"], ["--voice", "150"])
        self.assertEqual(code, 0, output)

    def test_counts_digits(self):
        _, output = talk(["--seconds", "2"], ["--tone", "700", "--dial", "42#"])
        self.assertIn("digits=42#", output)


if __name__ == "__main__":
    unittest.main()
