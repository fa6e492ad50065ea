"""Every method of both services, with requests that nobody should send: empty, random by their
descriptors, and no protobuf at all. Nothing may crash, hang or fail inside, and every refusal says
why in an ErrorInfo.

    CORDBOARD_SEED=7 CORDBOARD_ROUNDS=500 ctest --preset dev -R e2e.bad_input
"""
import os
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "support"))
import routing as r  # noqa: E402
import telephony  # noqa: E402
from routing import Workspace, details, wait_for  # noqa: E402

import grpc  # noqa: E402
from google.protobuf import descriptor_pb2  # noqa: E402
from google.protobuf.descriptor import FieldDescriptor as Field  # noqa: E402
from google.protobuf.message_factory import MessageFactory  # noqa: E402
from grpc.health.v1 import health_pb2  # noqa: E402
from grpc.reflection.v1 import reflection_pb2  # noqa: E402
from grpc.reflection.v1alpha import reflection_pb2 as reflection_alpha_pb2  # noqa: E402

SEED = int(os.environ.get("CORDBOARD_SEED", "1"))
ROUNDS = int(os.environ.get("CORDBOARD_ROUNDS", "40"))
CALL_S = 20
COMMON = (health_pb2, reflection_pb2, reflection_alpha_pb2)
ROUTING = (r.activity_service_pb2, r.bridge_link_service_pb2, r.event_service_pb2, r.inbound_route_service_pb2,
           r.reservation_service_pb2, r.task_channel_service_pb2, r.task_queue_service_pb2, r.task_service_pb2,
           r.trunk_service_pb2, r.worker_service_pb2, r.worker_session_service_pb2, r.workflow_service_pb2,
           r.workspace_service_pb2)
BRIDGE = (telephony.call_service_pb2, telephony.conference_service_pb2)

COLLECTIONS = ("activities", "taskChannels", "workers", "taskQueues", "workflows", "tasks", "reservations", "trunks",
               "inboundRoutes", "calls", "conferences")
IDS = ("ada", "everyone", "main", "voice", "offline", "available", "t1", "x" * 63, "x" * 64, "Ä", "a b", "-", "..", "*")
TEXTS = ("", "/", "workspaces", "workspaces/", "workspaces//tasks/t1", "workspaces/bad/", "/workspaces/bad", "\x01\n\x7f",
         "\u202e\U0010ffff", "'; drop table task; --", "%s%n%99999d", "x" * 70000, "{}", "[]", "null", "{", '{"a":' * 5000,
         '{"a": 1e999}', '{"a": "\\u0000"}', '{"a": "\\ud800"}', '{"a": 1, "a": 2}', "1==1", "a HAS", "((((((((((" * 500,
         "1==" * 3000, "a IN [" + "1," * 5000 + "1]", '{"task_routing": {"filters": []}}',
         '{"task_routing": {"filters": [{"targets": [{}]}], "default_filter": {"queue": "nobody"}}}',
         "AAAA", "-1", "9223372036854775808", "W/\"1\"", "127.0.0.1/33", "::/0", "sip:", "sip:a@[::1", "00000000")
INTEGERS = (0, 1, -1, 2, 50, 1000, 2**31 - 1, -2**31)
LONG_INTEGERS = INTEGERS + (2**63 - 1, -2**63, 315576000000, 253402300800)


class Requests:
    """Random messages by their descriptors, repeatable by seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.factory = MessageFactory()

    def name(self):
        """A resource's name, mostly well-formed."""
        parts = ["workspaces", self.random.choice(("bad", "bad", "gone"))]
        for _ in range(self.random.randrange(3)):
            parts += [self.random.choice(COLLECTIONS), self.random.choice(IDS)]
        return "/".join(parts)

    def text(self):
        kind = self.random.randrange(4)
        return self.name() if kind < 2 else self.random.choice(IDS if kind == 2 else TEXTS)

    def value(self, field, depth):
        if field.type == Field.TYPE_MESSAGE:
            return self.message(field.message_type, depth + 1)
        if field.type == Field.TYPE_STRING:
            return self.text()
        if field.type == Field.TYPE_BYTES:
            return self.random.randbytes(self.random.randrange(50))
        if field.type == Field.TYPE_BOOL:
            return self.random.random() < 0.5
        if field.type == Field.TYPE_ENUM:
            return self.random.choice((0, 1, 2, 3, 99, -1))
        if field.type in (Field.TYPE_DOUBLE, Field.TYPE_FLOAT):
            return self.random.choice((0.0, -1.0, 1e300 if field.type == Field.TYPE_DOUBLE else 1e30, float("nan")))
        numbers = LONG_INTEGERS if field.cpp_type in (Field.CPPTYPE_INT64, Field.CPPTYPE_UINT64) else INTEGERS
        unsigned = field.cpp_type in (Field.CPPTYPE_UINT32, Field.CPPTYPE_UINT64)
        return self.random.choice([number for number in numbers if number >= 0 or not unsigned])

    def message(self, descriptor, depth=0):
        message = self.factory.GetPrototype(descriptor)()
        for field in descriptor.fields:
            if depth > 4 or self.random.random() < 0.3:
                continue
            if field.label != Field.LABEL_REPEATED:
                value = self.value(field, depth)
                if field.type == Field.TYPE_MESSAGE:
                    getattr(message, field.name).CopyFrom(value)
                else:
                    setattr(message, field.name, value)
            elif not field.message_type or not field.message_type.GetOptions().map_entry:
                getattr(message, field.name).extend(
                    self.value(field, depth) for _ in range(self.random.choice((0, 1, 2, 20))))
        return message

    def bytes(self, descriptor):
        """One request as it goes over the wire."""
        kind = self.random.randrange(10)
        if kind == 0:
            return self.random.randbytes(self.random.randrange(200))
        packed = self.message(descriptor).SerializeToString()
        if kind == 1 and packed:  # one byte of it is another one
            at = self.random.randrange(len(packed))
            packed = packed[:at] + bytes([self.random.randrange(256)]) + packed[at + 1:]
        return packed if kind != 2 else packed[:self.random.randrange(len(packed) + 1)]


def methods(modules):
    """(path, method descriptor) of all services."""
    for module in modules:
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                yield f"/{service.full_name}/{method.name}", method


def is_streaming(method):
    """(client, server); this version of the library does not tell by the descriptor itself."""
    proto = descriptor_pb2.ServiceDescriptorProto()
    method.containing_service.CopyToProto(proto)
    found = next(m for m in proto.method if m.name == method.name)
    return found.client_streaming, found.server_streaming


def send(channel, path, method, packed):
    """Calls the method with these requests, already packed; None, or the error."""
    client_streams, server_streams = is_streaming(method)
    try:
        if client_streams:
            for _ in channel.stream_stream(path)(iter(packed), timeout=CALL_S):
                pass
        elif server_streams:
            call = channel.unary_stream(path)(packed[0], timeout=CALL_S)
            next(call, None)
            call.cancel()
        else:
            channel.unary_unary(path)(packed[0], timeout=CALL_S)
    except grpc.RpcError as error:
        return error
    return None


class BadInput(r.RoutingTest):
    @classmethod
    def setUpClass(cls):
        cls.service = r.RoutingService(heartbeat="1s")
        cls.addClassCleanup(cls.service.remove)
        cls.bridge = telephony.Bridge(cls.service.address)
        cls.addClassCleanup(cls.bridge.remove)
        cls.make_workspace()

    @classmethod
    def make_workspace(cls):
        workspace = Workspace(cls.service, "bad")
        workspace.add_worker("ada", activity="available", capacities={"voice": 1})
        workspace.create_task("t1")

    def workspace_exists(self):
        listed = self.service.workspaces.ListWorkspaces(r.workspace_service_pb2.ListWorkspacesRequest())
        return any(workspace.name == "workspaces/bad" for workspace in listed.workspaces)

    @classmethod
    def tearDownClass(cls):
        assert cls.service.metric("cordboard_routing_sweep_mended_total") == 0
        assert cls.bridge.stop() == 0, cls.bridge.log()[-3000:]
        assert cls.service.stop() == 0, "the service must end cleanly"

    def check(self, path, method, packed, seed):
        channel = self.bridge.channel if path.startswith("/cordboard.bridge.") else self.service.channel
        error = send(channel, path, method, packed)
        what = f"{path}, seed {seed}: {[request[:300] for request in packed]}: {error}"
        self.assertIsNone(self.service.process.poll(), what)
        self.assertIsNone(self.bridge.process.poll(), f"{what}\n{self.bridge.log()[-3000:]}")
        if not error:
            return
        self.assertNotIn(error.code(), (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.UNAVAILABLE,
                                        grpc.StatusCode.DEADLINE_EXCEEDED), what)
        info = details(error).get("ErrorInfo")
        self.assertTrue(info and info.reason and info.domain, what)
        self.assertTrue(error.details(), what)

    def all_methods(self):
        return [*methods(COMMON), *methods(ROUTING), *methods(BRIDGE)]

    def test_a_request_without_any_field_is_answered(self):
        for path, method in self.all_methods():
            self.check(path, method, [b""], 0)

    def test_a_stream_without_any_request_is_answered(self):
        for path, method in self.all_methods():
            if is_streaming(method)[0]:
                self.check(path, method, [], 0)

    def test_random_requests_are_answered_and_leave_the_services_whole(self):
        for number in range(ROUNDS):
            seed = SEED * 1000000 + number
            requests = Requests(seed)
            if not self.workspace_exists():  # a request may well have deleted it
                self.make_workspace()
            for path, method in self.all_methods():
                count = requests.random.randrange(1, 6) if is_streaming(method)[0] else 1
                self.check(path, method, [requests.bytes(method.input_type) for _ in range(count)], seed)
        self.assertNotIn("poisoned", self.service.log())
        after = Workspace(self.service, "after")
        after.add_worker("ada", activity="available", capacities={"voice": 1})
        after.create_task("t1", channel="voice")
        after.accept(after.offer("t1").name)
        wait_for("the link is up", lambda: "link_up" in self.bridge.log())


if __name__ == "__main__":
    unittest.main(verbosity=2)
