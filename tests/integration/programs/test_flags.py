"""What a program does with its flags and settings before it starts anything: test_flags.py <program>"""
import os
import pathlib
import re
import subprocess
import sys
import unittest

PROGRAM = sys.argv.pop(1)
NAME = os.path.basename(PROGRAM)
PREFIX = NAME.upper().replace("-", "_") + "_"


def run(*flags, **variables):
    environment = {PREFIX + name: value for name, value in variables.items()}
    return subprocess.run([PROGRAM, *flags], env={"PATH": "/usr/bin:/bin", **environment},
                          capture_output=True, text=True, timeout=20, check=False)


class Flags(unittest.TestCase):
    def test_version_is_the_name_and_a_number(self):
        done = run("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, rf"^{NAME} \d+\.\d+\.\d+\n$")

    def test_help_names_every_setting_of_the_table(self):
        help_text = run("--help").stdout
        table = run("--print-settings").stdout
        settings = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
        self.assertGreater(len(settings), 5)
        for setting in settings:
            self.assertIn("--" + setting.replace("_", "-") + "=", help_text)

    def test_settings_are_in_the_order_of_their_names(self):
        table = run("--print-settings").stdout
        settings = [name.removesuffix("_file") for name in re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)]
        self.assertEqual(settings, sorted(settings))

    def test_check_config_accepts_the_defaults_and_shows_them(self):
        done = run("--check-config")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("# default", done.stdout)

    def test_every_bad_and_unknown_setting_is_reported_by_name(self):
        done = run("--log-format=xml", "--no-such-flag=1", LOG_LEVEL="loud", NO_SUCH_VARIABLE="1")
        self.assertEqual(done.returncode, 2)
        for name in ("--log-format", "--no-such-flag", PREFIX + "LOG_LEVEL", PREFIX + "NO_SUCH_VARIABLE"):
            self.assertIn(f"{NAME}: {name}: ", done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 4)
        self.assertEqual(done.stdout, "")

    def test_a_settings_file_that_is_not_there_is_reported(self):
        missing = str(pathlib.Path("/nonexistent") / "settings.yaml")
        done = run("--config", missing, "--check-config")
        self.assertEqual(done.returncode, 2)
        self.assertIn(missing, done.stderr)


if __name__ == "__main__":
    unittest.main()
