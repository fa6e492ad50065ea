#!/usr/bin/env python3
"""check_links.py can fail: an RPC handler that calls libpq, declared by hand, is found; a store that does is
not; and a build without libraries is no success.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).with_name("check_links.py")
CALLS_LIBPQ = "void *PQexec(void *, const char *);\nvoid *handler(void *c) { return PQexec(c, \"SELECT 1\"); }\n"


class CheckLinks(unittest.TestCase):
    def check(self, folder, source):
        with tempfile.TemporaryDirectory() as build:
            if folder:
                library = pathlib.Path(build, folder, "libmodule.a")
                library.parent.mkdir(parents=True)
                objects = library.with_name("module.o")
                subprocess.run(["cc", "-x", "c", "-c", "-o", objects, "-"], input=source, text=True, check=True)
                subprocess.run(["ar", "rc", library, objects], check=True)
            return subprocess.run([sys.executable, CHECK], env={**os.environ, "BUILD_DIR": build},
                                  capture_output=True, text=True, check=False)

    def test_a_handler_that_calls_libpq_is_found(self):
        done = self.check("services/routing/rpc", CALLS_LIBPQ)
        self.assertEqual(done.returncode, 1)
        self.assertIn("services/routing/rpc: needs PQexec of libpq", done.stdout)

    def test_the_store_may_call_libpq(self):
        self.assertEqual(self.check("services/routing/store", CALLS_LIBPQ).returncode, 0)

    def test_a_handler_without_is_fine(self):
        self.assertEqual(self.check("services/routing/rpc", "int handler(void) { return 0; }\n").returncode, 0)

    def test_nothing_built_is_no_success(self):
        self.assertEqual(self.check(None, "").returncode, 1)


if __name__ == "__main__":
    unittest.main()
