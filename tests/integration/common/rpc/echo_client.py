"""A gRPC client of another implementation (grpcio) against common/rpc."""
import concurrent.futures
import os
import pathlib
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "support"))
import stubs  # noqa: E402,F401

import grpc  # noqa: E402
from google.protobuf import descriptor_pb2, descriptor_pool  # noqa: E402
from google.rpc import error_details_pb2, status_pb2  # noqa: E402
from grpc.health.v1 import health_pb2, health_pb2_grpc  # noqa: E402
from grpc.reflection.v1 import reflection_pb2, reflection_pb2_grpc  # noqa: E402
from grpc.reflection.v1alpha import reflection_pb2 as alpha_pb2  # noqa: E402
from grpc.reflection.v1alpha import reflection_pb2_grpc as alpha_pb2_grpc  # noqa: E402
from cordboard.test.v1 import echo_pb2, echo_pb2_grpc  # noqa: E402

BUILD = pathlib.Path(os.environ["BUILD_DIR"])
REFLECTIONS = ((reflection_pb2, reflection_pb2_grpc), (alpha_pb2, alpha_pb2_grpc))
SERVICES = {"cordboard.test.v1.EchoService", "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}


def start_server(*arguments):
    server = subprocess.Popen([BUILD / "tests/support/echo/echo_server", *arguments],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return server, int(server.stdout.readline())


def drain(server):
    """Reads on what the server prints of its calls, so that it never waits for us."""
    threading.Thread(target=server.stdout.read, daemon=True).start()


def details(error):
    """What google.rpc clients do: the status in the trailing metadata, its details by type."""
    raw = dict(error.trailing_metadata())["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(raw)
    assert status.code == error.code().value[0], status
    assert status.message == error.details(), status
    found = {}
    for detail in status.details:
        for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest, error_details_pb2.RetryInfo):
            message = kind()
            if detail.Unpack(message):
                found[kind.__name__] = message
    return found


class EchoTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server, port = start_server()
        drain(cls.server)
        cls.target = f"127.0.0.1:{port}"
        cls.channel = grpc.insecure_channel(cls.target)
        cls.echo = echo_pb2_grpc.EchoServiceStub(cls.channel)

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()
        cls.server.stdin.close()
        assert cls.server.wait(20) == 0

    def fails(self, code, call):
        with self.assertRaises(grpc.RpcError) as raised:
            call()
        self.assertEqual(raised.exception.code(), code, raised.exception)
        return raised.exception

    def test_reflection_lists_and_describes_everything(self):
        for messages, services in REFLECTIONS:
            ask = services.ServerReflectionStub(self.channel).ServerReflectionInfo
            listed = next(iter(ask(iter([messages.ServerReflectionRequest(list_services="*")]))))
            names = {s.name for s in listed.list_services_response.service}
            self.assertEqual(names, SERVICES)
            pool = descriptor_pool.DescriptorPool()
            questions = [messages.ServerReflectionRequest(file_containing_symbol=n) for n in sorted(names)]
            for reply in ask(iter(questions)):
                self.add_files(pool, reply.file_descriptor_response.file_descriptor_proto)
            for name in names:
                self.assertTrue(pool.FindServiceByName(name).methods)
            method = pool.FindServiceByName("cordboard.test.v1.EchoService").methods_by_name["Echo"]
            self.assertIn("by_name", method.input_type.fields_by_name)

    @staticmethod
    def add_files(pool, raws):
        files = [descriptor_pb2.FileDescriptorProto.FromString(raw) for raw in raws]
        names = {f.name for f in files}
        for f in files:  # the answer must be closed over imports
            assert names >= set(f.dependency), f.name
        for f in reversed(files):
            pool.Add(f)

    def test_reflection_finds_each_kind_of_symbol_and_says_when_there_is_none(self):
        messages, services = REFLECTIONS[0]
        ask = services.ServerReflectionStub(self.channel).ServerReflectionInfo
        known = ["cordboard.test.v1.EchoRequest", "cordboard.test.v1.EchoService.Chat",
                 "cordboard.test.v1.EchoRequest.Manner", "cordboard.test.v1.EchoRequest.text",
                 "cordboard.test.v1.EchoRequest.DEFERRED", "google.protobuf.Struct"]
        replies = list(ask(messages.ServerReflectionRequest(file_containing_symbol=n) for n in known + ["no.Such"]))
        for reply in replies[:-1]:
            self.assertTrue(reply.file_descriptor_response.file_descriptor_proto, reply)
        self.assertEqual(replies[-1].error_response.error_code, grpc.StatusCode.NOT_FOUND.value[0])
        self.assertEqual(replies[-1].original_request.file_containing_symbol, "no.Such")
        by_name = next(iter(ask(iter([messages.ServerReflectionRequest(
            file_by_filename="cordboard/test/v1/echo.proto")]))))
        self.assertGreater(len(by_name.file_descriptor_response.file_descriptor_proto), 5)

    def test_health_checks_and_watches(self):
        health = health_pb2_grpc.HealthStub(self.channel)
        for name in ("", *SERVICES - {s for s in SERVICES if "reflection" in s}):
            reply = health.Check(health_pb2.HealthCheckRequest(service=name))
            self.assertEqual(reply.status, health_pb2.HealthCheckResponse.SERVING)
        self.fails(grpc.StatusCode.NOT_FOUND, lambda: health.Check(health_pb2.HealthCheckRequest(service="no")))
        watch = health.Watch(health_pb2.HealthCheckRequest(service="no"))
        self.assertEqual(next(watch).status, health_pb2.HealthCheckResponse.SERVICE_UNKNOWN)
        watch.cancel()

    def test_unary_carries_everything_there_and_back(self):
        for manner in (echo_pb2.EchoRequest.DIRECT, echo_pb2.EchoRequest.DEFERRED):
            reply = self.echo.Echo(echo_pb2.EchoRequest(text="Grüß Gott", labels={"a": "b"}, manner=manner,
                                                        body=b"\0" * 300000),
                                   timeout=10, metadata=(("x-request-id", "my-id-7"),))
            self.assertEqual((reply.text, reply.labels, len(reply.body)), ("Grüß Gott", {"a": "b"}, 300000))
            self.assertEqual(reply.request_id, "my-id-7")
            self.assertTrue(5000 < reply.remaining_ms <= 10500, reply.remaining_ms)
        reply = self.echo.Echo(echo_pb2.EchoRequest(), metadata=(("x-request-id", "has space"),))
        self.assertRegex(reply.request_id, "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-")
        self.assertEqual(reply.remaining_ms, -1)

    def test_errors_carry_details(self):
        error = self.fails(grpc.StatusCode.RESOURCE_EXHAUSTED,
                           lambda: self.echo.Echo(echo_pb2.EchoRequest(fail_reason="OVERLOADED")))
        found = details(error)
        self.assertEqual(found["ErrorInfo"].reason, "OVERLOADED")
        self.assertEqual(found["ErrorInfo"].domain, "cordboard.dev")
        self.assertEqual(found["ErrorInfo"].metadata, {"asked": "OVERLOADED"})
        self.assertEqual(found["BadRequest"].field_violations[0].field, "fail_reason")
        self.assertEqual(found["RetryInfo"].retry_delay.ToMilliseconds(), 1500)
        self.assertEqual(dict(error.trailing_metadata())["grpc-retry-pushback-ms"], "1500")

    def test_internal_errors_tell_the_request_id_only(self):
        error = self.fails(grpc.StatusCode.INTERNAL,
                           lambda: self.echo.Echo(echo_pb2.EchoRequest(fail_reason="INTERNAL"),
                                                  metadata=(("x-request-id", "id-9"),)))
        self.assertNotIn("secret", error.details() + str(details(error)))
        self.assertIn("id-9", error.details())

    def test_unknown_method_is_answered_at_once(self):
        for path in ("/cordboard.test.v1.EchoService/Nope", "/no.Such/Thing"):
            call = self.channel.unary_unary(path)
            error = self.fails(grpc.StatusCode.UNIMPLEMENTED, lambda: call(b"", timeout=5))
            self.assertEqual(details(error)["ErrorInfo"].reason, "METHOD_UNKNOWN")
            self.assertEqual(details(error)["ErrorInfo"].metadata["method"], path)

    def test_malformed_and_hostile_messages_fail_alone(self):
        raw = self.channel.unary_unary("/cordboard.test.v1.EchoService/Echo")
        deep = b""
        for _ in range(2000):
            size, header = len(deep), b""
            while size > 127:
                header += bytes([size & 127 | 128])
                size >>= 7
            deep = b"\x32" + header + bytes([size]) + deep
        for bad, field in ((b"\x0a\xff", None), (b"\x0a\x02\xc3\x28", "text"), (b"\x0a\x01\x00", "text"),
                           (deep, "nested"), (b"\x82\x01\x00" * 300000, None)):
            error = self.fails(grpc.StatusCode.INVALID_ARGUMENT, lambda: raw(bad, timeout=5))
            found = details(error)
            self.assertEqual(found["ErrorInfo"].reason, "MESSAGE_INVALID")
            if field:
                self.assertTrue(found["BadRequest"].field_violations[0].field.startswith(field))
        self.assertEqual(self.echo.Echo(echo_pb2.EchoRequest(text="alive")).text, "alive")

    def test_oversize_message_fails_alone(self):
        ok = self.echo.Echo.future(echo_pb2.EchoRequest(text="x", manner=echo_pb2.EchoRequest.NEVER))
        self.fails(grpc.StatusCode.RESOURCE_EXHAUSTED,
                   lambda: self.echo.Echo(echo_pb2.EchoRequest(body=b"\0" * (1 << 21)), timeout=5))
        self.assertFalse(ok.done())
        ok.cancel()

    def test_compressed_requests_are_refused(self):
        with grpc.insecure_channel(self.target, compression=grpc.Compression.Gzip) as channel:
            echo = echo_pb2_grpc.EchoServiceStub(channel)
            request = echo_pb2.EchoRequest(body=b"\0" * 100000)
            self.fails(grpc.StatusCode.UNIMPLEMENTED, lambda: echo.Echo(request, timeout=5))

    def test_large_metadata_up_to_the_limit_does_not_hurt_the_connection(self):
        reply = self.echo.Echo(echo_pb2.EchoRequest(text="x"), metadata=(("x-big", "y" * 40000),))
        self.assertEqual(reply.text, "x")

    def test_deadline(self):
        start = time.monotonic()
        self.fails(grpc.StatusCode.DEADLINE_EXCEEDED,
                   lambda: self.echo.Echo(echo_pb2.EchoRequest(manner=echo_pb2.EchoRequest.NEVER), timeout=0.3))
        self.assertLess(time.monotonic() - start, 3)

    def test_server_stream_paced_by_the_reader(self):
        replies = list(self.echo.Repeat(echo_pb2.RepeatRequest(count=500, body_bytes=1000, paced=True)))
        self.assertEqual([r.index for r in replies], list(range(500)))

    def test_server_stream_ends_with_its_error_after_what_was_sent(self):
        stream = self.echo.Repeat(echo_pb2.RepeatRequest(count=3, fail_reason="STREAM_COMPACTED"))
        seen = []
        error = self.fails(grpc.StatusCode.OUT_OF_RANGE, lambda: seen.extend(r.index for r in stream) or
                           [seen.append(r.index) for r in stream])
        self.assertEqual(details(error)["ErrorInfo"].reason, "STREAM_COMPACTED")

    def test_a_stream_that_outruns_its_reader_ends_too_slow(self):
        stream = self.echo.Repeat(echo_pb2.RepeatRequest(count=1000, body_bytes=1000))
        error = self.fails(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: list(stream))
        self.assertEqual(details(error)["ErrorInfo"].reason, "STREAM_TOO_SLOW")

    def test_chat_in_order_and_to_the_end(self):
        replies = list(self.echo.Chat(echo_pb2.EchoRequest(text=str(i)) for i in range(300)))
        self.assertEqual([(r.text, r.index) for r in replies], [(str(i), i) for i in range(300)])

    def test_chat_refused_midway(self):
        asked = [echo_pb2.EchoRequest(text="a"), echo_pb2.EchoRequest(fail_reason="STATE_FORBIDS")]
        replies = self.echo.Chat(iter(asked))
        self.assertEqual(next(replies).text, "a")
        self.fails(grpc.StatusCode.FAILED_PRECONDITION, lambda: next(replies))

    def test_200_calls_at_once(self):
        def call(i):
            manner = echo_pb2.EchoRequest.DEFERRED if i % 2 else echo_pb2.EchoRequest.DIRECT
            return self.echo.Echo(echo_pb2.EchoRequest(text=str(i), manner=manner), timeout=30).text
        with concurrent.futures.ThreadPoolExecutor(200) as pool:
            self.assertEqual(list(pool.map(call, range(2000))), [str(i) for i in range(2000)])

    def test_a_client_that_reads_nothing_is_let_go(self):
        server, port = start_server("100")
        # One flow control window and no more, else the library reads ahead for us.
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.http2.bdp_probe", 0)]) as channel:
            echo = echo_pb2_grpc.EchoServiceStub(channel)
            stream = echo.Repeat(echo_pb2.RepeatRequest(count=60, body_bytes=16000))
            path, code, _, peer = server.stdout.readline().split()
            self.assertEqual((path, code), ("/cordboard.test.v1.EchoService/Repeat", "1"))
            self.assertTrue(peer.startswith("ipv4:127.0.0.1:"), peer)
            self.fails(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: list(stream))
        server.stdin.close()
        self.assertEqual(server.wait(20), 0)
        server.stdout.close()

    def test_stop_tells_watchers_streams_and_callers(self):
        server, port = start_server()
        drain(server)
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            health = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
            self.assertEqual(next(health).status, health_pb2.HealthCheckResponse.SERVING)
            more = threading.Event()
            echo = echo_pb2_grpc.EchoServiceStub(channel)

            def talk():
                yield echo_pb2.EchoRequest(text="x")
                more.wait(20)
            chat = echo.Chat(talk())
            self.assertEqual(next(chat).text, "x")
            stuck = echo.Echo.future(echo_pb2.EchoRequest(manner=echo_pb2.EchoRequest.NEVER))
            echo.Echo(echo_pb2.EchoRequest())
            server.stdin.close()
            self.assertEqual(next(health).status, health_pb2.HealthCheckResponse.NOT_SERVING)
            error = self.fails(grpc.StatusCode.UNAVAILABLE, lambda: next(chat))
            self.assertEqual(details(error)["ErrorInfo"].reason, "SHUTTING_DOWN")
            self.fails(grpc.StatusCode.UNAVAILABLE, lambda: next(health))
            self.assertIsNotNone(stuck.exception(20))
            self.assertEqual(server.wait(20), 0)
            more.set()


if __name__ == "__main__":
    unittest.main()
