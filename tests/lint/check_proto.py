#!/usr/bin/env python3
"""Checks the public API's .proto files: style, standard methods, and wire compatibility.

    check_proto.py proto/                    style only
    check_proto.py proto/ --against old.pb   also refuses breaking changes against a saved descriptor set
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2 as d

SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*$")
UPPER = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$")
PASCAL = re.compile(r"([A-Z][a-z0-9]+)+$")
UNSIGNED = {d.FieldDescriptorProto.TYPE_UINT32, d.FieldDescriptorProto.TYPE_UINT64,
            d.FieldDescriptorProto.TYPE_FIXED32, d.FieldDescriptorProto.TYPE_FIXED64}
STANDARD = ("Get", "List", "Create", "Update", "Delete")
TIMESTAMP = ".google.protobuf.Timestamp"
DURATION = ".google.protobuf.Duration"


def compile_protos(root):
    files = sorted(p.relative_to(root).as_posix() for p in root.glob("**/*.proto"))
    with tempfile.NamedTemporaryFile(suffix=".pb") as out:
        subprocess.run(["protoc", f"-I{root}", "-I/usr/include", "--include_source_info",
                        f"--descriptor_set_out={out.name}", *files], check=True)
        return d.FileDescriptorSet.FromString(out.read())


class Linter:
    def __init__(self, files):
        self.errors = []
        self.messages = {}  # package -> name -> message, over all files
        for f in files.file:
            self.messages.setdefault(f.package, {}).update((m.name, m) for m in f.message_type)

    def want(self, ok, where, what):
        if not ok:
            self.errors.append(f"{where}: {what}")

    def file(self, f):
        documented = {tuple(l.path) for l in f.source_code_info.location if l.leading_comments.strip()}
        self.comment = lambda path, where: self.want(tuple(path) in documented, where, "needs a comment")
        self.want(f.syntax == "proto3", f.name, "must be proto3")
        self.want(re.search(r"\.v\d+$", f.package), f.name, "package must end in a version, as in .v1")
        self.want(str(pathlib.PurePosixPath(f.name).parent) == f.package.replace(".", "/"), f.name,
                  "directory must match the package")
        self.want(SNAKE.match(pathlib.PurePosixPath(f.name).stem), f.name, "file name must be snake_case")
        for i, m in enumerate(f.message_type):
            self.message(m, [4, i], f"{f.name}: {m.name}")
        for i, e in enumerate(f.enum_type):
            self.enum(e, [5, i], f"{f.name}: {e.name}")
        for i, s in enumerate(f.service):
            self.service(s, [6, i], f"{f.name}: {s.name}", self.messages[f.package])

    def message(self, m, path, where):
        if m.options.map_entry:
            return
        self.comment(path, where)
        self.want(PASCAL.match(m.name), where, "message must be PascalCase")
        for i, x in enumerate(m.field):
            at = f"{where}.{x.name}"
            self.comment(path + [2, i], at)
            self.want(SNAKE.match(x.name), at, "field must be lower_snake_case")
            self.want(x.type not in UNSIGNED, at, "no unsigned integers: many languages lack them")
            self.want(x.type_name != TIMESTAMP or x.name.endswith(("_time", "_times")), at,
                      "a Timestamp's name ends in _time")
            self.want(not re.match(r"is_", x.name), at, "a boolean drops the is_")
        for i, n in enumerate(m.nested_type):
            self.message(n, path + [3, i], f"{where}.{n.name}")
        for i, e in enumerate(m.enum_type):
            self.enum(e, path + [4, i], f"{where}.{e.name}")

    def enum(self, e, path, where):
        self.comment(path, where)
        zero = re.sub(r"(?<!^)(?=[A-Z])", "_", e.name).upper() + "_UNSPECIFIED"
        self.want(e.value[0].name == zero and e.value[0].number == 0, where, f"first value must be {zero} = 0")
        for i, v in enumerate(e.value):
            self.comment(path + [2, i], f"{where}.{v.name}")
            self.want(UPPER.match(v.name), f"{where}.{v.name}", "enum value must be UPPER_SNAKE_CASE")

    def service(self, s, path, where, messages):
        self.comment(path, where)
        self.want(s.name.endswith("Service"), where, "service name ends in Service")
        for i, r in enumerate(s.method):
            at = f"{where}.{r.name}"
            self.comment(path + [2, i], at)
            request, response = (t.split(".")[-1] for t in (r.input_type, r.output_type))
            self.want(request == r.name + "Request", at, f"request must be {r.name}Request")
            verb = next((v for v in STANDARD if r.name.startswith(v)), None)
            noun = r.name[len(verb or ""):]
            if verb in ("Get", "Create", "Update"):
                self.want(response == noun, at, f"{verb} must return the {noun} itself")
            elif verb == "Delete":
                self.want(r.output_type == ".google.protobuf.Empty", at, "Delete must return Empty")
            elif verb is None:
                resource = response in messages and any(f.name == "name" for f in messages[response].field)
                self.want(resource or response == r.name + "Response", at,
                          f"must return {r.name}Response or the resource it changed")
            fields = {f.name for f in messages[request].field} if request in messages else set()
            if verb == "List":
                self.want({"page_size", "page_token"} <= fields, at, "List needs page_size and page_token")
                self.want(response == r.name + "Response" and response in messages and
                          any(f.name == "next_page_token" for f in messages[response].field),
                          at, "List response needs next_page_token")
            if verb == "Update":
                self.want("update_mask" in fields, at, "Update needs update_mask")
            if verb == "Create":
                self.want("request_id" in fields, at, "Create needs request_id, so that a retry is safe")


def symbols(files):
    """Everything a client may depend on, flattened to name -> shape."""
    out = {}

    def walk(prefix, m):
        out[prefix] = "message"
        for f in m.field:
            out[f"{prefix}.{f.number}"] = (f.name, f.type, f.type_name, f.label,
                                           m.oneof_decl[f.oneof_index].name if f.HasField("oneof_index") else "")
        for e in m.enum_type:
            enum(f"{prefix}.{e.name}", e)
        for n in m.nested_type:
            walk(f"{prefix}.{n.name}", n)

    def enum(prefix, e):
        out[prefix] = "enum"
        for v in e.value:
            out[f"{prefix}.{v.name}"] = v.number

    for f in files.file:
        for m in f.message_type:
            walk(f"{f.package}.{m.name}", m)
        for e in f.enum_type:
            enum(f"{f.package}.{e.name}", e)
        for s in f.service:
            for r in s.method:
                out[f"{f.package}.{s.name}/{r.name}"] = (r.input_type, r.output_type,
                                                         r.client_streaming, r.server_streaming)
    return out


def main():
    p = argparse.ArgumentParser()
    p.add_argument("root", type=pathlib.Path)
    p.add_argument("--against", type=pathlib.Path)
    p.add_argument("--save", type=pathlib.Path)
    args = p.parse_args()
    files = compile_protos(args.root)
    linter = Linter(files)
    for f in files.file:
        if not f.name.startswith(("google/", "grpc/")):  # wire definitions of others keep their names
            linter.file(f)
    if args.against:
        old = symbols(d.FileDescriptorSet.FromString(args.against.read_bytes()))
        new = symbols(files)
        linter.errors += [f"breaking: {k} was {v}, is {new.get(k, 'gone')}" for k, v in old.items() if new.get(k) != v]
    if args.save:
        args.save.write_bytes(files.SerializeToString())
    print("\n".join(linter.errors) or f"{len(files.file)} files, no findings")
    return bool(linter.errors)


if __name__ == "__main__":
    sys.exit(main())
