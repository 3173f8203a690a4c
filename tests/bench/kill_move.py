"""``kms-tui move`` killed with SIGKILL at random moments, and resumed, over moto's SSM and Secrets Manager.

    python -m tests.bench.kill_move [--parameters 500] [--secrets 200] [--kills 100]

Nothing may be lost and nothing be done twice: at the end each parameter has two versions with one value, the
newer one under the new key and with the label, and each secret names the new key. So has a parameter whose
program was killed before it could say what it had written.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import boto3

from tests.endpoints.moto import MotoEndpoint

_REGION = "eu-west-1"
_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": _REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


class Account:
    """moto's account with parameters and secrets under a key."""

    def __init__(self, url: str, parameters: int, secrets: int) -> None:
        self._url = url
        kms, self.ssm, self.secrets = (self._client(name) for name in ("kms", "ssm", "secretsmanager"))
        self.old, self.new = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
        for number in range(parameters):
            name = f"/p/{number}"
            self.ssm.put_parameter(Name=name, Value=f"value {number}", Type="SecureString", KeyId=self.old)
            self.ssm.label_parameter_version(Name=name, Labels=["live"])
        for number in range(secrets):
            self.secrets.create_secret(Name=f"s{number}", SecretString="x", KmsKeyId=self.old)
        self._counts = parameters, secrets

    def _client(self, name: str) -> Any:
        make: Any = boto3.client
        return make(name, region_name=_REGION, endpoint_url=self._url)

    def check(self) -> list[str]:
        """What is not as it should be at the end."""
        wrong = []
        parameters, secrets = self._counts
        for number in range(parameters):
            history = self.ssm.get_parameter_history(Name=f"/p/{number}", WithDecryption=True)["Parameters"]
            found = [(each["KeyId"], each["Value"], each["Labels"]) for each in history]
            value = f"value {number}"
            if found != [(self.old, value, []), (self.new, value, ["live"])]:
                wrong.append(f"/p/{number}: {found}")
        for number in range(secrets):
            if self.secrets.describe_secret(SecretId=f"s{number}")["KmsKeyId"] != self.new:
                wrong.append(f"s{number} is under the old key")
        return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parameters", type=int, default=500)
    parser.add_argument("--secrets", type=int, default=200)
    parser.add_argument("--kills", type=int, default=100)
    args = parser.parse_args()
    os.environ.update(_ENVIRONMENT)
    chance = random.Random(20)
    with MotoEndpoint() as endpoint, tempfile.TemporaryDirectory() as folder:
        account = Account(endpoint.url, args.parameters, args.secrets)
        command = [sys.executable, "-m", "kms_tui", "move", account.old, "--endpoint-url", endpoint.url]
        command += ["--region", _REGION, "--allow-service-writes", "--yes"]
        environment = {**os.environ, "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder}
        journals = Path(folder)
        kills = runs = 0
        while True:
            runs += 1
            begun = any(journals.rglob("*.jsonl"))
            program = subprocess.Popen(
                command if begun else [*command, "--to", account.new],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            if kills < args.kills and _is_writing(journals, program):
                time.sleep(chance.random() * 0.4)
                program.send_signal(signal.SIGKILL)
                program.wait()
                kills += 1
                continue
            if program.wait() == 0:
                break
            if runs > 2 * args.kills + 5:
                sys.exit("the campaign does not end")
        wrong = account.check()
    print(f"{args.parameters} parameters, {args.secrets} secrets, {kills} kills, {runs} runs")
    print("\n".join(wrong) or "nothing is lost, nothing was done twice")
    sys.exit(bool(wrong))


def _is_writing(journals: Path, program: subprocess.Popen[bytes]) -> bool:
    """Whether the program has begun to write its journal, which it may end before."""
    before = _size(journals)
    while program.poll() is None:
        if _size(journals) > before:
            return True
        time.sleep(0.01)
    return False


def _size(journals: Path) -> int:
    return sum(path.stat().st_size for path in journals.rglob("*.jsonl"))


if __name__ == "__main__":
    main()
