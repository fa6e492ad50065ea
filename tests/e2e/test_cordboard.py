"""The program `cordboard` against a real routing service: calls, streams, the timeline, exit codes."""
import json
import pathlib
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from routing import BUILD, PROGRAM, RoutingService, RoutingTest, Workspace, wait_for  # noqa: E402,F401

from google.protobuf import descriptor_pool  # noqa: E402
from cordboard.bridge.v1 import call_service_pb2, conference_service_pb2  # noqa: E402,F401

CORDBOARD = BUILD / "services/ctl/cordboard"
WELL, ERROR_ANSWER, WRONG_COMMAND = 0, 1, 2


def cordboard(*words, text="", **variables):
    return subprocess.run([CORDBOARD, *words], input=text, capture_output=True, text=True, timeout=30, check=False,
                          env={"PATH": "/usr/bin:/bin"} | {f"CORDBOARD_CTL_{k}": v for k, v in variables.items()})


class Cordboard(RoutingTest):
    @classmethod
    def setUpClass(cls):
        cls.service = RoutingService(heartbeat="1s")
        cls.addClassCleanup(cls.service.remove)

    def run_here(self, *words, text=""):
        return cordboard(*words, text=text, ROUTING_ADDRESS=self.service.address)

    def test_a_call_takes_and_gives_json(self):
        made = self.run_here("rpc", "WorkspaceService/CreateWorkspace",
                             '{"workspaceId": "json", "workspace": {"displayName": "a \\"b\\" {[,:]}"}}')
        self.assertEqual(made.returncode, WELL, made.stderr)
        self.assertEqual(json.loads(made.stdout)["displayName"], 'a "b" {[,:]}')
        for name in ("GetWorkspace", "cordboard.routing.v1.WorkspaceService/GetWorkspace"):
            got = self.run_here("rpc", name, '{"name": "workspaces/json"}')
            self.assertEqual(got.stdout, made.stdout)
        empty = self.run_here("rpc", "ListTasks", '{"parent": "workspaces/json"}')
        self.assertEqual((empty.returncode, json.loads(empty.stdout)), (WELL, {}))

    def test_an_error_answer_is_shown_with_its_details(self):
        done = self.run_here("rpc", "CreateTask", '{"parent": "workspaces/none", "task": {}}')
        self.assertEqual((done.returncode, done.stdout), (ERROR_ANSWER, ""))
        self.assertTrue(done.stderr.startswith("cordboard: NOT_FOUND, "), done.stderr)
        Workspace(self.service, "details")
        done = self.run_here("rpc", "CreateTask", '{"parent": "workspaces/details", "task": {"attributes": "{"}}')
        self.assertEqual(done.returncode, ERROR_ANSWER)
        self.assertIn("cordboard: INVALID_ARGUMENT, JSON_INVALID: ", done.stderr)
        for detail in ("  field: task.attributes\n", "  line: 1\n", "  column: 2\n"):
            self.assertIn(detail, done.stderr)

    def test_a_service_that_is_not_there_is_one_line(self):
        done = cordboard("rpc", "ListWorkspaces", "--routing-address=127.0.0.1:1")
        self.assertEqual(done.returncode, ERROR_ANSWER)
        self.assertRegex(done.stderr, r"^cordboard: 127\.0\.0\.1:1 cannot be reached: .*; does the service run\?\n$")

    def test_a_wrong_command_is_one_line_and_code_2(self):
        for words in ((), ("dance",), ("rpc",), ("rpc", "NoSuchMethod"), ("watch", "demo", "soon"),
                      ("watch", "demo", "1", "2"), ("methods", "a", "b"), ("--no-such-flag=1", "methods")):
            done = self.run_here(*words)
            self.assertEqual((done.returncode, done.stdout), (WRONG_COMMAND, ""), words)
            self.assertRegex(done.stderr, r"^cordboard: .*\n$", words)
        done = self.run_here("rpc", "GetTask", '{"nme": "x"}')
        self.assertEqual(done.returncode, WRONG_COMMAND)
        self.assertIn("  field: nme\n", done.stderr)

    def test_every_method_of_the_protos_is_listed(self):
        pool, wanted = descriptor_pool.Default(), set()
        for package in ("routing", "bridge"):
            for proto in pathlib.Path("proto/cordboard", package, "v1").glob("*_service.proto"):
                file = pool.FindFileByName(f"cordboard/{package}/v1/{proto.name}")
                for service in file.services_by_name.values():
                    wanted |= {f"{service.name}/{method.name}" for method in service.methods}
        listed = {line.split()[0] for line in cordboard("methods").stdout.splitlines()}
        self.assertEqual(listed, wanted)

    def test_a_stream_is_lines_of_json_both_ways(self):
        acme = Workspace(self.service, "lines")
        acme.add_worker("ada")
        commands = [{"open": {"worker": "workspaces/lines/workers/ada"}},
                    {"commandNumber": 7, "setActivity": {"activity": "workspaces/lines/activities/available"}}]
        process = subprocess.Popen([CORDBOARD, f"--routing-address={self.service.address}", "rpc",
                                    "AttachWorkerSession"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        # Two commands at once, the second without its newline yet.
        process.stdin.write("\n".join(map(json.dumps, commands)))
        process.stdin.flush()
        self.assertIn("snapshot", json.loads(process.stdout.readline()))
        process.stdin.write("\n")
        process.stdin.flush()
        for line in process.stdout:
            answer = json.loads(line)
            if "result" in answer:
                break
        self.assertEqual(answer["result"]["commandNumber"], "7")
        self.assertTrue(answer["result"]["worker"]["available"])
        process.stdin.close()
        self.assertEqual(process.wait(20), WELL)
        process.stdout.close()

    def test_a_watch_prints_the_timeline_and_goes_on_after_a_restart(self):
        acme = Workspace(self.service, "timeline")
        process = subprocess.Popen([CORDBOARD, "watch", "timeline", "0", f"--routing-address={self.service.address}"],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")), daemon=True)
        reader.start()

        def seen(word):
            return wait_for(word, lambda: [line for line in lines if word in line])
        seen("workflow.created")
        self.service.kill()
        self.service.start()
        acme.create_task("t1")
        seen("task.created")
        self.assertRegex(lines[0], r"^\d\d:\d\d:\d\d\.\d{3}      1  workspace.created +client +Workspace timeline ")
        numbers = [int(line.split()[1]) for line in lines]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))


if __name__ == "__main__":
    unittest.main()
