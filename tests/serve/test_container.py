"""The Dockerfile and docs/compose.yaml: what a container runs, run here, and who reaches it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.serve.process import Served, serving
from tests.serve.test_readme_session import README

TOP = README.parent
DOCKERFILE = (TOP / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
COMPOSE = yaml.safe_load((TOP / "docs" / "compose.yaml").read_text(encoding="utf-8"))
PORT = "4599"


def _instruction(name: str) -> list[str]:
    """The arguments of the only instruction of its name, as JSON gives them."""
    ((arguments),) = re.findall(rf"^{name} .*?(\[.*\])$", DOCKERFILE, re.MULTILINE)
    return [str(each) for each in json.loads(arguments)]


def _arguments(command: Sequence[str]) -> list[str]:
    """What follows ``kms-tui serve`` in the container, with any free port."""
    program, subcommand, *arguments = [*_instruction("ENTRYPOINT"), *command]
    assert (program, subcommand) == ("kms-tui", "serve")
    arguments[arguments.index(PORT)] = "0"
    return arguments


def _asked(served: Served, host: str, path: str, target: str = "", **body: Any) -> tuple[int, Any]:
    port = urlsplit(served.url).port
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Host": f"{host}:{port}", "Content-Type": "application/x-amz-json-1.1"}
    if target:
        connection.request(
            "POST", path, json.dumps(body), {**headers, "X-Amz-Target": f"TrentService.{target}"}
        )
    else:
        connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    said = answer.status, json.loads(answer.read())
    connection.close()
    return said


def _healthy(served: Served) -> subprocess.CompletedProcess[bytes]:
    """The health check's command, with the port of this server."""
    program, flag, code = _instruction("HEALTHCHECK")
    assert program == "python"
    code = code.replace(f":{PORT}/", f":{urlsplit(served.url).port}/")
    return subprocess.run([sys.executable, flag, code], capture_output=True, timeout=30, check=False)


def test_the_container_serves_whoever_reaches_it_by_its_name(tmp_path: Path) -> None:
    with serving(tmp_path, *_arguments(_instruction("CMD"))) as served:
        assert _healthy(served).returncode == 0
        status, made = _asked(served, "kms", "/", "CreateKey")
        assert (status, made["KeyMetadata"]["KeyState"]) == (200, "Enabled")
        assert _asked(served, "kms", "/_kms-tui/health")[1]["keys"] == 1
        assert _asked(served, "page.example", "/", "ListKeys")[0] == 403
        assert _asked(served, "page.example", "/_kms-tui/health")[0] == 403
        assert served.stop()[0] == 0
    assert _healthy(served).returncode != 0


def test_the_application_of_the_compose_file_finds_its_key(tmp_path: Path) -> None:
    kms, app = COMPOSE["services"]["kms"], COMPOSE["services"]["app"]
    assert app["depends_on"] == {"kms": {"condition": "service_healthy"}}
    assert app["environment"]["AWS_ENDPOINT_URL_KMS"] == f"http://kms:{PORT}"
    assert app["environment"]["AWS_ENDPOINT_URL_STS"] == f"http://kms:{PORT}"
    assert kms["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
    (mount,) = kms["volumes"]
    seed, inside, _ = mount.split(":")
    command = [str(TOP / "docs" / seed) if each == inside else each for each in kms["command"]]
    assert command != kms["command"]
    with serving(tmp_path, *_arguments(command)) as served:
        key_id = app["command"][-1]
        status, found = _asked(served, "kms", "/", "DescribeKey", KeyId=key_id)
        assert (status, found["KeyMetadata"]["KeyState"]) == (200, "Enabled")
        assert served.exports["AWS_REGION"] == app["environment"]["AWS_REGION"]


def test_the_image_is_of_what_the_package_needs_and_its_port_is_told() -> None:
    ignored = (TOP / ".dockerignore").read_text(encoding="utf-8").split()
    kept = {pattern[1:] for pattern in ignored if pattern.startswith("!")}
    assert ignored[0] == "*"
    sources = {
        source
        for line in re.findall(r"^COPY (?!--)(.*)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert sources == kept
    assert all((TOP / source).exists() for source in sources)
    assert f"EXPOSE {PORT}\n" in DOCKERFILE
    assert _instruction("ENTRYPOINT")[_instruction("ENTRYPOINT").index("--port") + 1] == PORT


def test_it_runs_as_nobody_in_particular() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER (?!root|0\b)\w+$", last, re.MULTILINE)
