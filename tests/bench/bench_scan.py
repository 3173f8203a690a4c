"""What a scan of many resources costs: calls, time and memory, on moto's server in a process of its own.

    python -m tests.bench.bench_scan [--each 1000]

An account with so many resources of each kind is made first, half of them under one key, the others under
what their services use by default. Then it is scanned in a fresh process, at the pace that the table of
scanners keeps to on AWS, and without any.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kms_tui.evidence.scanners import SCANNERS
from tests.bench.bench_serve import MOTO, running

REGION = "eu-west-1"
_NO_PACE = 1_000_000.0
_TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",'
    '"Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
)
_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "any",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}

Make = Callable[[int, dict[str, Any]], object]
"""Makes the resource of a number; the mapping has its service's member for the key, or is empty."""


def makers(client: Callable[[str], Any]) -> Iterator[tuple[Make, str]]:
    """What makes a resource of each kind, and the member of its request that names a key."""
    s3, ec2, rds, secrets = client("s3"), client("ec2"), client("rds"), client("secretsmanager")
    ssm, functions, tables = client("ssm"), client("lambda"), client("dynamodb")
    queues, topics, logs, efs = client("sqs"), client("sns"), client("logs"), client("efs")
    role = client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=_TRUST)["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("f.py", "")
    place = {"LocationConstraint": REGION}
    owner = {"MasterUsername": "owner", "MasterUserPassword": "not kept anywhere"}
    table = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    function = {"Runtime": "python3.12", "Role": role, "Handler": "f.x", "Code": {"ZipFile": code.getvalue()}}
    instance = {"DBInstanceClass": "db.t3.micro", "Engine": "postgres", "AllocatedStorage": 20, **owner}
    cluster = {"Engine": "aurora-postgresql", **owner}

    def bucket(number: int, key: dict[str, Any]) -> None:
        s3.create_bucket(Bucket=f"bucket-{number}", CreateBucketConfiguration=place)
        rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", **key}}]
        s3.put_bucket_encryption(
            Bucket=f"bucket-{number}", ServerSideEncryptionConfiguration={"Rules": rules}
        )

    def dynamodb_table(number: int, key: dict[str, Any]) -> None:
        sse = {"SSESpecification": {"Enabled": True, "SSEType": "KMS", **key}} if key else {}
        tables.create_table(TableName=f"table-{number}", **sse, **table)

    yield bucket, "KMSMasterKeyID"
    yield (
        lambda _, key: ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1, Encrypted=True, **key),
        "KmsKeyId",
    )
    yield (
        lambda number, key: rds.create_db_instance(
            DBInstanceIdentifier=f"db-{number}", StorageEncrypted=bool(key), **key, **instance
        ),
        "KmsKeyId",
    )
    yield (
        lambda number, key: rds.create_db_cluster(
            DBClusterIdentifier=f"cluster-{number}", StorageEncrypted=bool(key), **key, **cluster
        ),
        "KmsKeyId",
    )
    yield (
        lambda number, key: secrets.create_secret(Name=f"secret-{number}", SecretString="x", **key),
        "KmsKeyId",
    )
    yield (
        lambda number, key: ssm.put_parameter(Name=f"/p/{number}", Value="x", Type="SecureString", **key),
        "KeyId",
    )
    yield (
        lambda number, key: functions.create_function(FunctionName=f"f-{number}", **key, **function),
        "KMSKeyArn",
    )
    yield dynamodb_table, "KMSMasterKeyId"
    yield (
        lambda number, key: queues.create_queue(QueueName=f"queue-{number}", Attributes=key),
        "KmsMasterKeyId",
    )
    yield (lambda number, key: topics.create_topic(Name=f"topic-{number}", Attributes=key), "KmsMasterKeyId")
    yield lambda number, key: logs.create_log_group(logGroupName=f"/g/{number}", **key), "kmsKeyId"
    yield (
        lambda number, key: efs.create_file_system(CreationToken=f"t{number}", Encrypted=True, **key),
        "KmsKeyId",
    )


def fill(url: str, each: int) -> str:
    """Make the account; the id of the key that half of it is under."""
    import botocore.session
    from botocore.config import Config

    session = botocore.session.Session()

    def client(service: str) -> Any:
        config = Config(max_pool_connections=16, retries={"mode": "standard"})
        return session.create_client(service, region_name=REGION, endpoint_url=url, config=config)

    key = client("kms").create_key()["KeyMetadata"]
    with ThreadPoolExecutor(8) as pool:
        for make, member in makers(client):
            keys = [{member: key["Arn"]} if number % 2 else {} for number in range(each)]
            list(pool.map(make, range(each), keys))
    return str(key["KeyId"])


def scan(url: str, key_id: str, *, paced: bool) -> dict[str, float]:
    """Scan in this process; its figures."""
    from kms_tui.backend.aws import connect
    from kms_tui.evidence.scans import ScanRun

    backend = connect(region=REGION, endpoint_url=url)
    from kms_tui.backend.kms_facade import Kms

    kms = Kms(backend)
    kms.caller()
    before = peak_megabytes()
    scanners = [scanner if paced else replace(scanner, rate=_NO_PACE) for scanner in SCANNERS]
    started = time.perf_counter()
    found = ScanRun(kms, backend.services, lambda: datetime.now(UTC), scanners).run()
    seconds = time.perf_counter() - started
    assert not found.unchecked, found.unchecked
    return {
        "resources": found.checked,
        "uses": len(found.uses(key_id)),
        "calls": sum(section.calls for section in found.sections),
        "seconds": seconds,
        "before": before,
        "peak": peak_megabytes(),
    }


def peak_megabytes() -> float:
    """The most memory that this process has had so far (proc(5): VmHWM)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_scan", description=__doc__)
    parser.add_argument("--each", type=int, default=1000, help="resources of each kind")
    parser.add_argument("--scan", nargs=3, metavar=("URL", "KEY_ID", "PACE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    os.environ.update(_ENVIRONMENT)
    if arguments.scan:
        url, key_id, pace = arguments.scan
        print(json.dumps(scan(url, key_id, paced=pace == "paced")))
        return
    with running(MOTO) as server:
        started = time.perf_counter()
        key_id = fill(server.url, arguments.each)
        seconds = time.perf_counter() - started
        print(f"made {arguments.each:,} of each of twelve kinds in {seconds:.0f} s")
        for pace in ("unpaced", "paced"):
            command = [sys.executable, "-m", "tests.bench.bench_scan", "--scan", server.url, key_id, pace]
            figures = json.loads(
                subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            )
            print(
                f"{pace}: {figures['resources']:,.0f} resources, {figures['uses']:,.0f} under the key; "
                f"{figures['calls']:,.0f} calls in {figures['seconds']:.1f} s; "
                f"VmHWM {figures['before']:.0f} MB before, {figures['peak']:.0f} MB after"
            )


if __name__ == "__main__":
    main()
