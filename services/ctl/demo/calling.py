"""`make call`: one call through the running system, with two real phones that speak.

The caller dials the German line; Anna becomes available, accepts the reservation over her session,
her phone rings and answers; both talk, the caller hangs up, Anna completes the task. Printed is what
the event stream says, as it says it, and at the end what each side heard.
"""
import fcntl
import json
import pathlib
import queue
import random
import sys
import time

import voice
import workspace
from client import CallFailed, Client
from phone import Phone, PhoneFailed, free_port

STEP_S = 60
WAIT_S = 2  # how long the caller waits, with wait audio, until there is an agent
WORKER = f"{workspace.NAME}/workers/anna"


class Failed(Exception):
    pass


def running_system(data):
    """The addresses that `make run` wrote down, if it still runs."""
    try:
        with open(data / "run.lock", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # who runs holds it
    except BlockingIOError:
        try:
            return json.loads((data / "run.json").read_text())
        except FileNotFoundError:
            raise Failed("the system is just starting, or stopping; try again") from None
    except FileNotFoundError:
        pass
    raise Failed(f"nothing runs with the data in {data}; start `make run` first, in another terminal")


def last_part(name):
    return name.rsplit("/", 1)[-1]


def who(event):
    party = event.get("call", {}).get("party")
    worker = event.get("reservation", {}).get("worker") or event.get("worker", {}).get("name")
    return last_part(party or worker or event["actor"])


def local_time(event):
    """12:00:05.123, here, of 2026-01-31T12:00:05.123456Z."""
    text, _, fraction = event["eventTime"].rstrip("Z").partition(".")
    seconds = time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S")) - time.timezone
    return time.strftime("%H:%M:%S", time.localtime(seconds)) + f".{fraction[:3]:0<3}"


def print_line(when, event_type, party, words):
    print(f"  {when}  {event_type:<29} {party:<8} {words}", flush=True)


def print_dialog(request, party, words):
    """What a phone does; all the other lines come from the event stream."""
    now = time.time()
    print_line(time.strftime("%H:%M:%S", time.localtime(now)) + f".{int(now * 1000) % 1000:03}", request, party, words)


class Call:
    def __init__(self, client, system, data, talk_s, mute):
        self.client, self.system, self.data = client, system, data
        self.talk_s, self.mute = talk_s, mute
        self.number = f"+496990009{random.randrange(1000):03}"
        self.events = queue.Queue()
        self.results = queue.Queue()
        self.snapshots = queue.Queue()
        self.task = None
        self.reservation = None
        self.commands = 0
        self.watch = self.session = None
        self.parts = []  # phones to be stopped, in order
        self.done = False

    # --- what comes in ---

    def take_watched(self, message):
        for event in message.get("events", ()):
            self.events.put(event)

    def take_session(self, message):
        if "snapshot" in message:
            self.snapshots.put(message)
        if "result" in message:
            self.results.put(message["result"])

    def concerns_us(self, event):
        task = event.get("task", {})
        if not self.task and task.get("call", {}).get("callerNumber") == self.number:
            self.task = task["name"]
        return task.get("name", "") == self.task or event["resource"] == WORKER

    def words_of(self, event):
        """The event's description, with "the task" for the long name of ours."""
        words = event.get("description", "")
        return words if not self.task else words.replace(
            f"Task {last_part(self.task)}", "The task").replace(f"task {last_part(self.task)}", "the task")

    def wait_for(self, event_type):
        """Prints the timeline up to the next event of this type and returns that."""
        while True:
            event = self.next_of(self.events, f"the call: {event_type} is missing")
            if not self.concerns_us(event):
                continue
            print_line(local_time(event), event["eventType"], who(event), self.words_of(event))
            if event["eventType"] in ("task.canceled", "reservation.canceled", "reservation.timeout"):
                raise Failed(event.get("description", event["eventType"]))
            if event["eventType"] == event_type:
                return event

    def check(self):
        for stream in (self.watch, self.session):
            if stream and stream.failure():
                raise Failed(stream.failure())
        for phone in (self.agent, self.caller):
            if phone.process and phone.process.poll() is not None:
                raise Failed(f"a phone has ended; see {phone.log}")

    def next_of(self, answers, what):
        deadline = time.monotonic() + STEP_S
        while True:
            try:
                return answers.get(timeout=0.1)
            except queue.Empty:
                self.check()
                if time.monotonic() > deadline:
                    raise Failed(f"nothing comes of {what}") from None

    def command(self, kind, **fields):
        """What the worker does, over the session."""
        self.commands += 1
        self.session.send(commandNumber=self.commands, **{kind: fields})
        status = self.next_of(self.results, f"the worker's {kind}").get("status", {})
        if status.get("code"):
            raise Failed(f"{kind}: {status.get('message')}")

    # --- the story ---

    def prepare(self):
        worker = self.client.rpc("GetWorker", name=WORKER)
        contact = json.loads(worker["attributes"])["contact_uri"]
        user, _, address = contact.removeprefix("sip:").partition("@")
        host, _, port = address.partition(":")
        length = self.talk_s + 40
        spoken = {"caller": voice.speech(voice.CALLER_HZ, length), "agent": voice.speech(voice.AGENT_HZ, length)}
        if self.mute:
            spoken[self.mute] = [0.0] * len(spoken[self.mute])
        self.agent = Phone(self.data / "phones/agent", user, host, int(port), spoken["agent"], answers=True)
        self.caller = Phone(self.data / "phones/caller", self.number, "127.0.0.1",
                            free_port("127.0.0.1", int(port) + 100), spoken["caller"], answers=False)
        self.parts += [self.caller, self.agent]
        self.agent.start()
        print(f"Two phones (baresip): Anna's waits at {contact}, a caller's is {self.number}.\n", flush=True)
        self.tidy()
        self.session = self.client.stream("AttachWorkerSession", self.take_session, open={"worker": WORKER})
        now = self.next_of(self.snapshots, "the worker's session").get("sequence", 0)
        self.watch = self.client.stream("WatchEvents", self.take_watched, parent=workspace.NAME, afterSequence=now)

    def tidy(self):
        """Anna goes Offline, and what a call that was broken off may have left to her is over."""
        self.client.rpc("SetWorkerActivity", name=WORKER, activity=f"{workspace.NAME}/activities/offline",
                        rejectPendingReservations=True)
        for r in self.client.rpc("ListReservations", parent=WORKER).get("reservations", ()):
            if r["state"] in ("ACCEPTED", "WRAPPING"):
                self.client.rpc("CompleteReservation", name=r["name"])

    def make(self):
        number = workspace.GERMAN_NUMBER
        print_dialog("INVITE", "caller", f"{self.number} dials {number} at {self.system['sip']}.")
        self.caller.start(dial=f"sip:{number}@{self.system['sip']}")
        self.wait_for("call.answered")
        time.sleep(WAIT_S)
        self.command("setActivity", activity=f"{workspace.NAME}/activities/available")
        offered = self.wait_for("reservation.created")["reservation"]
        if offered["worker"] != WORKER:
            raise Failed(f"the call was offered to {last_part(offered['worker'])}, who is available, and not to Anna")
        self.reservation = offered["name"]
        self.command("accept", reservation=self.reservation)
        self.wait_for("reservation.accepted")
        time.sleep(self.talk_s)
        print_dialog("BYE", "caller", "The caller hangs up.")
        self.caller.stop()
        self.wait_for_end()

    def wait_for_end(self):
        # The phone that has hung up is no longer looked after.
        self.caller.process = None
        self.wait_for("task.wrapup")
        self.command("complete", reservation=self.reservation)
        self.wait_for("task.completed")
        self.command("setActivity", activity=f"{workspace.NAME}/activities/offline")
        self.wait_for("worker.activity.update")
        self.done = True

    def close(self):
        for phone in self.parts:
            phone.stop()
        for stream in (self.watch, self.session):
            if stream:
                stream.close()
        if self.session and not self.done:
            try:
                self.tidy()
            except CallFailed:
                pass  # the next call does it

    def report(self):
        """Prints what each side heard; True when each heard the other, and nobody else."""
        self.agent.stop()
        both = True
        print("\nWhat each side heard:")
        for listener, phone, speaker in (("caller", self.caller, "agent"), ("agent", self.agent, "caller")):
            samples = phone.heard()
            talk = max(0, len(samples) - int(self.talk_s * voice.RATE))
            waiting = voice.Heard(samples[:talk]) if listener == "caller" else None
            heard = voice.Heard(samples[talk:])
            well = heard.is_only(speaker)
            both = both and well
            before = f"wait audio, {waiting.seconds:.1f} s at {waiting.level:.1f} dBFS; then " if waiting else ""
            print(f"  {listener:<7} {before}{'' if well else 'NOT '}the {speaker}'s voice, "
                  f"{heard.seconds:.1f} s at {heard.level:.1f} dBFS")
        print("Both heard each other." if both else f"That is not as it should be. The recordings: {self.data}/phones",
              flush=True)
        return both


def call(data, talk_s, mute):
    """The exit code."""
    data = pathlib.Path(data).resolve()
    the_call = None
    try:
        system = running_system(data)
        client = Client(system["cordboard"], system["routing"], system["bridge"])
        the_call = Call(client, system, data, talk_s, mute)
        the_call.prepare()
        the_call.make()
        return 0 if the_call.report() else 1
    except (Failed, CallFailed, PhoneFailed) as failure:
        print(f"make call: {failure}", file=sys.stderr, flush=True)
        return 1
    except OSError as failure:
        print(f"make call: {failure.filename or data}: {failure.strerror}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print("\nThe call is broken off.", flush=True)
        return 1
    finally:
        if the_call:
            the_call.close()
