"""Makes the stubs in ${BUILD_DIR}/python importable: `import stubs` first, then
`from cordboard.routing.v1 import task_service_pb2_grpc`.

Two packages of ours share their first name with installed ones, so those are widened.
"""
import os
import pathlib
import sys

import google
import grpc

FOLDER = pathlib.Path(os.environ.get("BUILD_DIR", "build/dev")) / "python"
sys.path.insert(0, str(FOLDER))
google.__path__.append(str(FOLDER / "google"))
grpc.__path__.append(str(FOLDER / "grpc"))
