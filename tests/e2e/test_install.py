"""What `cmake --install` leaves behind works where it is, also when that is not where it was configured for."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from test_make_run import BUILD, Demo  # noqa: E402


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="cordboard-install-")
        cls.addClassCleanup(cls.folder.cleanup)
        os.chmod(cls.folder.name, 0o755)
        cls.prefix = pathlib.Path(cls.folder.name) / "prefix"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", cls.prefix], check=True, stdout=subprocess.DEVNULL)

    def test_the_programs_are_there(self):
        for name in ("cordboard", "cordboard-routing", "cordboard-bridge"):
            done = subprocess.run([self.prefix / "bin" / name, "--version"], capture_output=True, text=True, check=True)
            self.assertTrue(done.stdout.startswith(name + " "), done.stdout)
        self.assertEqual(sorted(p.name for p in (self.prefix / "bin").iterdir()),
                         ["cordboard", "cordboard-bridge", "cordboard-demo", "cordboard-routing"])

    def test_the_demo_runs_from_there(self):
        demo = Demo(pathlib.Path(self.folder.name) / "data", program=[self.prefix / "bin/cordboard-demo"], programs=None)
        self.addCleanup(demo.stop)
        demo.start("--ephemeral")
        self.assertIn("cordboard-demo call", demo.said())
        self.assertTrue(demo.state()["cordboard"].startswith(str(self.prefix)))
        self.assertEqual(demo.stop(), 0, demo.said())

    def test_the_routing_service_takes_the_migrations_that_were_installed_with_it(self):
        migrations = self.prefix / "share/cordboard/migrations"
        aside = migrations.with_name("aside")
        migrations.rename(aside)
        migrations.mkdir()
        try:
            done = subprocess.run(
                [self.prefix / "bin/cordboard-routing", "--listen-address=127.0.0.1:0", "--status-address=127.0.0.1:0",
                 f"--data-directory={self.folder.name}/none"], capture_output=True, text=True, timeout=120, check=False)
        finally:
            migrations.rmdir()
            aside.rename(migrations)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.prefix}/bin/../share/cordboard/migrations has no migrations", done.stderr)


if __name__ == "__main__":
    unittest.main()
