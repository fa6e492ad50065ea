#!/usr/bin/python3
"""Tries Cordboard out on one machine: `run` starts everything, `call` makes a call through it."""
import argparse
import os
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True  # the folder may belong to somebody else
sys.path.insert(0, str(FOLDER))

import calling  # noqa: E402
import running  # noqa: E402


def main():
    parser = argparse.ArgumentParser(prog="cordboard-demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="starts the services with a demo workspace, until Ctrl-C")
    run.add_argument("--programs", default=FOLDER.parents[2] / "bin",
                     help="build tree, or folder with the programs [%(default)s]")
    run.add_argument("--ephemeral", action="store_true", help="takes ports that are free, not the usual ones")
    call = commands.add_parser("call", help="calls in, answers, and shows what happens")
    call.add_argument("--seconds", type=float, default=6, help="how long they talk [%(default)s]")
    call.add_argument("--mute", choices=("caller", "agent"), help="who says nothing: to see it noticed")
    for command in (run, call):
        command.add_argument("--data", default="data", help="folder for everything that is kept [%(default)s]")
    arguments = parser.parse_args()
    if arguments.command == "run":
        return running.run(arguments.programs, arguments.data, arguments.ephemeral,
                           os.environ.get("CORDBOARD_DEMO_CALL", "cordboard-demo call"))
    return calling.call(arguments.data, arguments.seconds, arguments.mute)


if __name__ == "__main__":
    sys.exit(main())
