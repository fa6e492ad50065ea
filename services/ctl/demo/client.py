"""Calls to the running system, by way of the program `cordboard`: JSON in, JSON out."""
import json
import subprocess
import threading
import time


class CallFailed(Exception):
    """An error answer; the text is what `cordboard` said."""


class Client:
    def __init__(self, program, routing, bridge):
        self.command = [str(program), f"--routing-address={routing}", f"--bridge-address={bridge}"]

    def rpc(self, method, **request):
        """The answer. That the service cannot be reached is believed at the third time."""
        for _ in range(2):
            try:
                return self.try_rpc(method, request)
            except CallFailed as failure:
                if " cannot be reached: " not in str(failure):
                    raise
            time.sleep(0.3)
        return self.try_rpc(method, request)

    def try_rpc(self, method, request):
        done = subprocess.run([*self.command, "rpc", method, json.dumps(request)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise CallFailed(done.stderr.strip().removeprefix("cordboard: "))
        return json.loads(done.stdout)

    def create(self, method, **request):
        """Creates a resource, unless it is there already; True when it was made now."""
        try:
            self.rpc(method, **request)
        except CallFailed as failure:
            if not str(failure).startswith("ALREADY_EXISTS"):
                raise
            return False
        return True

    def stream(self, method, take, **first):
        return Stream([*self.command, "rpc", method, json.dumps(first)], take)


class Stream:
    """A streaming call: `take` gets each answer, on a thread of the stream."""

    def __init__(self, command, take):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.thread = threading.Thread(target=self._read, args=(take,), daemon=True)
        self.thread.start()

    def _read(self, take):
        for line in self.process.stdout:
            take(json.loads(line))

    def send(self, **message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def failure(self):
        """Why it has ended; None while it goes on."""
        return None if self.process.poll() is None else self.process.stderr.read().strip() or "the stream has ended"

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
        self.thread.join()
