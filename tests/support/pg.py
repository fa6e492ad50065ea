"""A private PostgreSQL for tests, in a temporary directory on a UNIX socket; also as root.

    with Cluster() as cluster:
        database = cluster.create_database()
        start_something(database.url)
        assert database.value("SELECT count(*) FROM tasks") == "3"

Needs the server's programs and psql, nothing else. `durable=True` for tests about durability.
"""
import ctypes
import glob
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time


def die_with_parent():
    """In the child: a test that is killed leaves no server behind. 1 is PR_SET_PDEATHSIG."""
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def binaries():
    """The directory of the newest server; initdb is not in PATH on Debian."""
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    if found:
        return pathlib.Path(max(found, key=lambda path: int(path.split("/")[4]))).parent
    in_path = shutil.which("initdb")
    if not in_path:
        raise RuntimeError("initdb not found: install the package postgresql")
    return pathlib.Path(in_path).parent


class Database:
    def __init__(self, url):
        self.url = url

    def sql(self, text):
        """Runs SQL that must succeed; the rows as tab-separated lines."""
        done = subprocess.run(
            [binaries() / "psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1",
             "-d", self.url, "-c", text],
            capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(f"{text}: {done.stderr.strip()}")
        return done.stdout

    def rows(self, text):
        return [line.split("\t") for line in self.sql(text).splitlines()]

    def value(self, text):
        return self.sql(text).rstrip("\n")

    def audit(self):
        """What must hold at rest and does not: [[rule, where], ...]; empty when all is well."""
        return self.rows(pathlib.Path(__file__).with_name("audit.sql").read_text())


class Cluster:
    def __init__(self, durable=False, settings=None):
        self.settings = {
            "listen_addresses": "", "max_connections": "100", "shared_buffers": "64MB",
            "unix_socket_permissions": "0700"}
        if not durable:
            self.settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        self.settings |= settings or {}
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cordboard-pg-"))
        self.log = open(self.directory / "postgres.log", "ab")
        self.process = None
        self.made = 0
        self.user = {}
        if os.geteuid() == 0:  # PostgreSQL refuses root
            for name in ("postgres", "nobody"):
                try:
                    entry = pwd.getpwnam(name)
                except KeyError:
                    continue
                self.user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
                os.chown(self.directory, entry.pw_uid, entry.pw_gid)
                break
        try:
            self._run("initdb", "-D", str(self.directory / "data"), "-U", "cordboard", "-A", "trust",
                      "--locale=C", "-E", "UTF8", "-N", "--no-instructions")
            self.start()
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _run(self, program, *arguments):
        subprocess.run([binaries() / program, *arguments], stdin=subprocess.DEVNULL, stdout=self.log,
                       stderr=self.log, cwd="/", check=True, timeout=120, **self.user)

    def url(self, database="postgres"):
        return f"host='{self.directory}' port=5432 user=cordboard dbname={database}"

    def start(self):
        options = [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        self.process = subprocess.Popen(
            [binaries() / "postgres", "-D", str(self.directory / "data"), "-c",
             f"unix_socket_directories={self.directory}", *options],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd="/",
            start_new_session=True, preexec_fn=die_with_parent, **self.user)
        deadline = time.monotonic() + 60
        while subprocess.run([binaries() / "pg_isready", "-q", "-d", self.url()]).returncode:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.directory / "postgres.log").read_text()[-2000:])
            time.sleep(0.02)

    def create_database(self):
        self.made += 1
        name = f"test_{self.made}"
        Database(self.url()).sql(f"CREATE DATABASE {name} STRATEGY file_copy")
        return Database(self.url(name))

    def halt(self, how=signal.SIGINT):
        """Ends the server (SIGINT fast, SIGQUIT immediate, SIGKILL crash); start() begins it anew."""
        if self.process and self.process.poll() is None:
            self.signal_all(signal.SIGCONT)
            self.process.send_signal(how)
        if self.process:
            self.process.wait(timeout=60)

    def signal_all(self, number):
        """To the postmaster and all its processes: SIGSTOP is a server that hangs."""
        postmaster = self.process.pid
        for entry in os.listdir("/proc"):
            try:
                if not entry.isdigit():
                    continue
                stat = pathlib.Path("/proc", entry, "stat").read_text()  # 123 (postgres) S 45 ...
                if int(entry) == postmaster or int(stat.rsplit(")", 1)[1].split()[1]) == postmaster:
                    os.kill(int(entry), number)
            except (ProcessLookupError, FileNotFoundError):
                pass

    def pause(self):
        self.signal_all(signal.SIGSTOP)

    def resume(self):
        self.signal_all(signal.SIGCONT)

    def stop(self):
        self.halt()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)
