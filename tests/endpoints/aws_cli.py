"""The AWS CLI, imported once: a program ``aws`` whose runs are forks of one process.

Each run is a process of its own with the caller's arguments, environment, folder and streams. It begins where
the imports and the reading of the models, most of a second of CPU, are over.
"""

from __future__ import annotations

import array
import gc
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

_PROGRAM = """#!{python} -ISs
import array, json, os, socket, sys
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect({address!r})
    asked.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
    run = dict(arguments=sys.argv[1:], environment=dict(os.environ), folder=os.getcwd())
    asked.sendall(json.dumps(run).encode())
    asked.shutdown(socket.SHUT_WR)
    os._exit(int(asked.recv(8) or 255))
"""
_servers: list[subprocess.Popen[bytes]] = []
"""Whose standard inputs stay open."""
_STREAMS = 3
_SERVICES = ("kms", "ssm", "s3", "secretsmanager", "sts")
"""Those whose models are read before the first run."""


@cache
def warm_aws_cli(data_path: str = "") -> Path:
    """The folder with the program ``aws``, for PATH; AWS_DATA_PATH, which each run must have also.

    The process behind it ends, and takes the folder away, when this one does.
    """
    folder = Path(tempfile.mkdtemp(prefix="aws-cli-"))
    address = str(folder / "socket")
    program = folder / "aws"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    places = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "HOME": str(folder)}
    given = {"AWS_DATA_PATH": data_path} if data_path else {}
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        program.write_text(_PROGRAM.format(python=sys.executable, address=address))
        program.chmod(0o755)
        server = subprocess.Popen(
            [sys.executable, "-m", __name__, str(listening.fileno()), str(folder)],
            stdin=subprocess.PIPE,
            pass_fds=[listening.fileno()],
            cwd=Path(__file__).parents[2],
            env={**kept, **places, **given},
            start_new_session=True,
        )
        _servers.append(server)
    return folder


def _serve(listening: socket.socket, folder: str) -> None:
    """Until standard input, of which the starter holds the other end, is at its end."""
    main = _warm()
    gc.collect()
    gc.freeze()
    while sys.stdin not in select.select([listening, sys.stdin], [], [])[0]:
        asked, _ = listening.accept()
        if os.fork() == 0:
            os._exit(_run(asked, main))
        asked.close()
        _reap()
    shutil.rmtree(folder, ignore_errors=True)


def _reap() -> None:
    """Let go of the runs that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _warm() -> Callable[[], int]:
    from awscli.botocore import hooks, loaders
    from awscli.clidriver import create_clidriver, main

    from tests.endpoints.model_files import name_events_once, read_models_once

    read_models_once(loaders)
    name_events_once(hooks)
    session = create_clidriver().session
    session.get_available_services()
    session.get_data("cli")
    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    for service in _SERVICES:
        session.create_client(service, region_name="eu-west-1", **keys)
    started: Callable[[], int] = main
    return started


def _run(asked: socket.socket, main: Callable[[], int]) -> int:
    from awscli.customizations import assumerole

    _, sent, _, _ = asked.recvmsg(1, socket.CMSG_SPACE(_STREAMS * array.array("i").itemsize))
    streams = array.array("i", sent[0][2])
    with asked.makefile("rb") as file:
        run = json.load(file)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    models = os.environ["AWS_DATA_PATH"]  # the AWS CLI adds its own as it is imported
    os.environ.clear()
    os.environ.update({**run["environment"], "AWS_DATA_PATH": models})
    # A path of the home that was there as the AWS CLI was imported.
    assumerole.CACHE_DIR = os.path.expanduser("~/.aws/cli/cache")
    os.chdir(run["folder"])
    sys.argv = ["aws", *run["arguments"]]
    try:
        code: object = main()
    except SystemExit as ended:
        code = ended.code
    for written in (sys.stdout, sys.stderr):
        written.flush()
    asked.sendall(str(code or 0).encode())
    return 0


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as inherited:
        _serve(inherited, sys.argv[2])
