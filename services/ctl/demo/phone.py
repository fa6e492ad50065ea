"""Real phones for the demo: baresip, which speaks from a file and records what it hears."""
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import voice

CONFIG = """\
module_path {modules}
module g711.so
module aufile.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
sip_listen {host}:{port}
net_interface {host}
audio_source aufile,{folder}/speech.wav
snd_path {folder}
rtp_ports {first_rtp}-{last_rtp}
"""
ACCOUNT = "<sip:{user}@{host};transport=udp>;regint=0;answermode={mode};audio_codecs=PCMA/8000/1,PCMU/8000/1\n"


class PhoneFailed(Exception):
    pass


def module_folder():
    for folder in ("/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules"):
        if pathlib.Path(folder, "aufile.so").exists():
            return folder
    raise PhoneFailed("baresip's modules are not installed (Debian package baresip-core)")


def port_is_free(host, port):
    """SIP takes a port for UDP and TCP, and baresip takes the next one for TLS."""
    for kind, number in ((socket.SOCK_DGRAM, port), (socket.SOCK_STREAM, port), (socket.SOCK_STREAM, port + 1)):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, number))
            except OSError:
                return False
    return True


def free_port(host, first):
    for port in range(first, first + 200, 2):
        if port_is_free(host, port):
            return port
    raise PhoneFailed(f"no free port for a phone from {first} on")


class Phone:
    """samples: what it says; the folder is emptied, and has its log and recordings afterwards."""

    def __init__(self, folder, user, host, port, samples, answers):
        self.folder = pathlib.Path(folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        if not shutil.which("baresip"):
            raise PhoneFailed("baresip is not installed (Debian package baresip-core)")
        if not port_is_free(host, port):
            raise PhoneFailed(f"{host}:{port}, the address of {user}'s phone, is taken or not of this machine")
        voice.write(self.folder / "speech.wav", samples)
        first_rtp = 30000 + port % 10000
        (self.folder / "config").write_text(CONFIG.format(
            modules=module_folder(), host=host, port=port, folder=self.folder, first_rtp=first_rtp,
            last_rtp=first_rtp + 50))
        (self.folder / "accounts").write_text(
            ACCOUNT.format(user=user, host=host, mode="auto" if answers else "manual"))
        (self.folder / "contacts").touch()
        self.log = self.folder / "log"
        self.command = ["baresip", "-4", "-f", str(self.folder)]
        self.process = None

    def start(self, dial=None):
        """Waits until it is ready, or dials as soon as it is."""
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                self.command + (["-e", f"/dial {dial}"] if dial else []), stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True)
        deadline = time.monotonic() + 20
        while "baresip is ready" not in self.said():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise PhoneFailed(f"baresip does not start; see {self.log}")
            time.sleep(0.02)

    def said(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def stop(self):
        """Hangs up and ends it."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def heard(self):
        """The samples of everything that it heard."""
        return [s for path in sorted(self.folder.glob("dump-*-dec.wav")) for s in voice.read(path)]
