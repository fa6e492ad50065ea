#!/usr/bin/env python3
"""Fails when a file includes a header its folder may not see.

The table below is the architecture; docs/architecture.md draws it.
"""
import pathlib
import re
import sys

# folder -> (folders it may include, besides itself; library headers it may include)
PURE = ("common/base", "common/error", "common/value")
ROUTING = "services/routing"
BRIDGE = "services/bridge"
LAYERS = {
    "common/base": ((), ()),
    "common/error": (("common/base",), ()),
    "common/value": (("common/base", "common/error"), ()),
    "common/json": (PURE, ("jansson.h",)),
    "common/clock": (("common/base",), ()),
    "common/log": (("common/base", "common/error", "common/clock"), ()),
    "common/metrics": (("common/base", "common/error"), ()),
    "common/config": (("common/base", "common/error", "common/log"), ("yaml.h",)),
    "common/service": (("common/base", "common/config", "common/error", "common/log"), ()),
    "common/mailbox": (("common/base", "common/clock"), ()),
    "common/http": (("common/base", "common/error", "common/log", "common/metrics"), ("microhttpd.h",)),
    "common/rpc": (("common", "google", "grpc"), ("grpc/", "protobuf-c/")),
    f"{ROUTING}/domain": (PURE, ()),
    f"{ROUTING}/matching": ((*PURE, f"{ROUTING}/domain"), ()),
    # The writer only prints a value as text: a call's attributes are made, not parsed.
    f"{ROUTING}/operations": ((*PURE, "common/json/writer.h", f"{ROUTING}/domain", f"{ROUTING}/matching"), ()),
    f"{ROUTING}/telemetry": (("common/log", "common/metrics"), ()),
    f"{ROUTING}/postgres": (("common", f"{ROUTING}/telemetry",), ("libpq-fe.h",)),
    f"{ROUTING}/store": (("common", f"{ROUTING}/telemetry", f"{ROUTING}/domain", f"{ROUTING}/operations", f"{ROUTING}/postgres"),
                         ("libpq-fe.h",)),
    f"{ROUTING}/wire": (("common", "cordboard", "google", f"{ROUTING}/domain"), ("protobuf-c/",)),
    f"{ROUTING}/shard": (("common", f"{ROUTING}/telemetry", f"{ROUTING}/domain", f"{ROUTING}/matching", f"{ROUTING}/operations",
                          f"{ROUTING}/store/store.h"), ()),
    f"{ROUTING}/outlets": (("common", f"{ROUTING}/telemetry", "cordboard", "google", f"{ROUTING}/domain", f"{ROUTING}/operations",
                            f"{ROUTING}/wire", f"{ROUTING}/shard/shard.h", f"{ROUTING}/store/store.h"),
                           ("protobuf-c/",)),
    f"{ROUTING}/rpc": (("common", f"{ROUTING}/telemetry", "cordboard", "google", f"{ROUTING}/domain", f"{ROUTING}/operations",
                        f"{ROUTING}/wire", f"{ROUTING}/outlets", f"{ROUTING}/shard/shard.h"),
                       ("protobuf-c/",)),
    ROUTING: (("common", "cordboard", "google", "proto_descriptor_set.h", ROUTING), ()),
    f"{BRIDGE}/domain": (PURE, ()),
    f"{BRIDGE}/operations": ((*PURE, f"{BRIDGE}/domain"), ()),
    f"{BRIDGE}/telemetry": (("common/log", "common/metrics"), ()),
    f"{BRIDGE}/calls": (("common", f"{BRIDGE}/telemetry", f"{BRIDGE}/domain", f"{BRIDGE}/operations",
                         f"{BRIDGE}/media/media.h", f"{BRIDGE}/media/prompt.h"), ()),
    f"{BRIDGE}/sip": (("common", f"{BRIDGE}/telemetry", f"{BRIDGE}/domain", f"{BRIDGE}/operations", f"{BRIDGE}/calls"),
                      ("sofia-sip/",)),
    f"{BRIDGE}/media": (("common", f"{BRIDGE}/telemetry", f"{BRIDGE}/domain"), ("sndfile.h",)),
    f"{BRIDGE}/link": (("common", f"{BRIDGE}/telemetry", "cordboard", "google", f"{BRIDGE}/domain", f"{BRIDGE}/operations",
                        f"{BRIDGE}/calls"), ("protobuf-c/",)),
    f"{BRIDGE}/rpc": (("common", f"{BRIDGE}/telemetry", "cordboard", "google", f"{BRIDGE}/domain", f"{BRIDGE}/operations",
                       f"{BRIDGE}/calls"), ("protobuf-c/",)),
    BRIDGE: (("common", "cordboard", "google", "proto_descriptor_set.h", BRIDGE), ()),
    "services/ctl": (("common", "cordboard", "google", "proto_descriptor_set.h"), ("protobuf-c/",)),
}
GUARDED = ("grpc/", "protobuf-c/", "libpq-fe.h", "sofia-sip/", "jansson.h", "microhttpd.h", "sndfile.h",
           "yaml.h")  # libraries only some folders see
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def layer_of(path):
    return max((name for name in LAYERS if path.startswith(name + "/")), key=len, default=None)


def main(root):
    errors = 0
    for source in sorted(root.glob("**/*.[ch]")):
        path = source.relative_to(root).as_posix()
        layer = layer_of(path)
        if layer is None:
            if path.startswith(("common/", "services/")):
                print(f"{path}: in no layer; add its folder to the table")
                errors += 1
            continue
        folders, libraries = LAYERS[layer]
        for number, line in enumerate(source.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quote, target = match.groups()
            if quote == '"':
                allowed = layer_of(target) == layer or target.startswith(folders)
            else:
                allowed = not target.startswith(GUARDED) or target.startswith(libraries)
            if not allowed:
                print(f"{path}:{number}: {layer} may not include {target}")
                errors += 1
    return errors != 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
