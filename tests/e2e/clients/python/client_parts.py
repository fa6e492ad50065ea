"""What the tests of the routing API share: requests by kind of resource, streams, a record of what was
called.
"""
import pathlib
import queue
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "support"))
import routing as r  # noqa: E402

import grpc  # noqa: E402
from google.protobuf import field_mask_pb2  # noqa: E402


class Recorder(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor,
               grpc.StreamStreamClientInterceptor):
    """Remembers which methods answered."""

    def __init__(self):
        self.methods = set()

    def intercept_unary_unary(self, go_on, call, request):
        done = go_on(call, request)
        if done.code() == grpc.StatusCode.OK:
            self.methods.add(call.method)
        return done

    def intercept_unary_stream(self, go_on, call, request):
        self.methods.add(call.method)
        return go_on(call, request)

    intercept_stream_stream = intercept_unary_stream


def mask(*paths):
    return field_mask_pb2.FieldMask(paths=paths)


class Kind:
    """What all resources have in common: requests by the names in the API."""

    def __init__(self, test, workspace, noun, collection, stub, messages, message, plural=None):
        self.workspace, self.noun, self.collection = workspace, noun, collection
        self.stub, self.messages = stub, messages
        self.message = message
        self.camel = message.DESCRIPTOR.name
        self.plural = plural or self.camel + "s"

    def call(self, method, **fields):
        return getattr(self.stub, method)(getattr(self.messages, method + "Request")(**fields), timeout=20)

    def name(self, resource_id):
        return f"{self.workspace}/{self.collection}/{resource_id}"

    def create(self, resource_id, request_id="", **fields):
        return self.call("Create" + self.camel, parent=self.workspace, request_id=request_id,
                         **{self.noun + "_id": resource_id, self.noun: self.message(**fields)})

    def get(self, resource_id):
        return self.call("Get" + self.camel, name=self.name(resource_id))

    def update(self, resource_id, paths, etag="", request_id="", **fields):
        more = {"update_mask": mask(*paths)} if paths is not None else {}
        return self.call("Update" + self.camel, request_id=request_id, **more,
                         **{self.noun: self.message(name=self.name(resource_id), etag=etag, **fields)})

    def delete(self, resource_id, etag=""):
        return self.call("Delete" + self.camel, name=self.name(resource_id), etag=etag)

    def page(self, page_size=0, page_token=""):
        answer = self.call("List" + self.plural, parent=self.workspace, page_size=page_size,
                           page_token=page_token)
        return list(answer.ListFields()[0][1]) if answer.ListFields() else [], answer.next_page_token


class FakeWorkspace:
    """A name without a workspace behind it."""

    def __init__(self, workspace_id, service=None):
        self.name, self.service = f"workspaces/{workspace_id}", service


class Outgoing(queue.Queue):
    """Requests of a stream; None ends it."""

    def __iter__(self):
        return iter(self.get, None)


def first(answers, wanted):
    for answer in answers:
        if wanted(answer):
            return answer
    raise AssertionError("the stream ended")


class Session:
    """A worker's desktop."""

    def __init__(self, service, worker):
        self.messages = r.worker_session_service_pb2.AttachWorkerSessionRequest
        self.outgoing = Outgoing()
        self.responses = service.sessions.AttachWorkerSession(iter(self.outgoing), timeout=30)
        self.number = 0
        self.sequence = 0
        self.events = []  # all that came
        self.read = 0  # of them, by event()
        self.outgoing.put(self.messages(open=self.messages.Open(worker=worker)))

    def close(self):
        self.outgoing.put(None)
        self.responses.cancel()

    def next(self, wanted):
        for response in self.responses:
            assert response.sequence >= self.sequence or not response.events, response
            self.sequence = max(response.sequence, self.sequence)
            self.events += response.events
            if wanted(response):
                return response
        raise AssertionError("the session ended")

    def command(self, **command):
        self.number += 1
        self.outgoing.put(self.messages(command_number=self.number, **command))
        return self.next(lambda m: m.HasField("result") and m.result.command_number == self.number).result

    def event(self, event_type):
        while True:
            while self.read < len(self.events):
                self.read += 1
                if self.events[self.read - 1].event_type == event_type:
                    return self.events[self.read - 1]
            self.next(lambda m: m.events)
