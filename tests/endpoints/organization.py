"""An organization that exists only as arithmetic: accounts × Regions × keys, behind one endpoint.

Answers STS, Organizations, KMS and AWS Config as far as an inventory asks them, each after ``latency``
seconds. Which account is asked shows in the access key, which AssumeRole makes of the role's account.

    python -m tests.endpoints.organization ACCOUNTS KEYS LATENCY [REGION …]     prints its URL, and serves
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Any
from urllib.parse import parse_qs

OWN = "100000000000"
CREATED = 1_709_337_600
_STS = """<{0}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{0}Result>{1}</{0}Result></{0}Response>"""
_CREDENTIALS = (
    "<Credentials><AccessKeyId>{access_key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
    "<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
)
_SCOPE = re.compile(rb"Credential=([A-Z0-9]+)/\d+/([a-z0-9-]+)/([a-z-]+)/")
Shape = dict[str, Any]


def account_id(number: int) -> str:
    return str(int(OWN) + number)


def key_id(account: str, region: str, number: int) -> str:
    return f"{number:08x}-{int(account) % 0xFFFF:04x}-4000-8000-{sum(map(ord, region)):012x}"


class Organization:
    """``denied`` are accounts in which no role can be assumed; ``calls`` counts what was asked.

    ``recorded`` are the Regions that AWS Config's aggregator has; none: there is no aggregator.
    """

    def __init__(
        self,
        accounts: int,
        keys: int,
        latency: float = 0.0,
        *,
        denied: frozenset[str] = frozenset(),
        recorded: Sequence[str] = (),
    ) -> None:
        self.accounts = accounts
        self.keys = keys
        self.latency = latency
        self.denied = denied
        self.recorded = recorded
        self.calls: Counter[str] = Counter()
        self.refused: set[str] = set()
        """Access keys that are refused."""
        self.issued: list[str] = []

    def answer(self, account: str, region: str, target: str, body: bytes) -> tuple[int, str]:
        """Status and text of a response; ``target`` is X-Amz-Target, or "" for STS."""
        if not target:
            return self._sts({name: values[0] for name, values in parse_qs(body.decode()).items()}, account)
        operation = target.rpartition(".")[2]
        self.calls[operation] += 1
        shape: Shape = json.loads(body or b"{}")
        return 200, json.dumps(_OPERATIONS[operation](self, account, region, shape))

    def _sts(self, form: Mapping[str, str], account: str) -> tuple[int, str]:
        action = form["Action"]
        self.calls[action] += 1
        if action == "AssumeRole":
            assumed = form["RoleArn"].split(":")[4]
            if assumed in self.denied:
                return 403, (
                    "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User is not authorized to "
                    f"perform: sts:AssumeRole on resource: {form['RoleArn']}</Message></Error>"
                    "</ErrorResponse>"
                )
            self.issued.append(f"ASIA{assumed}{len(self.issued)}")
            return 200, _STS.format(action, _CREDENTIALS.format(access_key=self.issued[-1]))
        who = f"<Arn>arn:aws:iam::{account}:user/me</Arn><UserId>me</UserId><Account>{account}</Account>"
        return 200, _STS.format(action, who)

    def _list_accounts(self, _account: str, _region: str, params: Shape) -> Shape:
        first = int(params.get("NextToken", 0))
        last = min(first + 20, self.accounts)
        listed = [
            {"Id": account_id(number), "Name": f"team-{number:03}", "Status": "ACTIVE"}
            for number in range(first, last)
        ]
        return {"Accounts": listed, **({"NextToken": str(last)} if last < self.accounts else {})}

    def _page(self, params: Shape, most: int) -> tuple[range, Shape]:
        first, limit = int(params.get("Marker", 0)), int(params.get("Limit", most))
        last = min(first + min(limit, most), self.keys)
        more = last < self.keys
        return range(first, last), {"Truncated": more, **({"NextMarker": str(last)} if more else {})}

    def _list_keys(self, account: str, region: str, params: Shape) -> Shape:
        numbers, more = self._page(params, 1000)
        ids = [key_id(account, region, number) for number in numbers]
        arn = f"arn:aws:kms:{region}:{account}:key/"
        return {"Keys": [{"KeyId": each, "KeyArn": arn + each} for each in ids], **more}

    def _list_aliases(self, account: str, region: str, params: Shape) -> Shape:
        if "KeyId" in params:
            numbers, more = (
                range(int(params["KeyId"][-45:].rpartition("/")[2][:8], 16), 0),
                {"Truncated": False},
            )
        else:
            numbers, more = self._page(params, 100)
        return {"Aliases": [self._alias(account, region, number) for number in numbers], **more}

    def _alias(self, account: str, region: str, number: int) -> Shape:
        name = f"alias/service-{number:03}"
        return {
            "AliasName": name,
            "AliasArn": f"arn:aws:kms:{region}:{account}:{name}",
            "TargetKeyId": key_id(account, region, number),
        }

    def metadata(self, account: str, region: str, each: str) -> Shape:
        return {
            "AWSAccountId": account,
            "KeyId": each,
            "Arn": f"arn:aws:kms:{region}:{account}:key/{each}",
            "CreationDate": CREATED,
            "Enabled": True,
            "Description": "",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": "Enabled",
            "Origin": "AWS_KMS",
            "KeyManager": "CUSTOMER",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "MultiRegion": False,
        }

    def _describe_key(self, account: str, region: str, params: Shape) -> Shape:
        return {"KeyMetadata": self.metadata(account, region, params["KeyId"].rpartition("/")[2])}

    def _rotation(self, _account: str, _region: str, params: Shape) -> Shape:
        return {"KeyId": params["KeyId"], "KeyRotationEnabled": True, "RotationPeriodInDays": 365}

    def _policy(self, account: str, _region: str, _params: Shape) -> Shape:
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
        return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}

    # AWS Config

    def _aggregators(self, _account: str, _region: str, _params: Shape) -> Shape:
        source = {"RoleArn": f"arn:aws:iam::{OWN}:role/config", "AllAwsRegions": True}
        aggregator = {"ConfigurationAggregatorName": "all", "OrganizationAggregationSource": source}
        return {"ConfigurationAggregators": [aggregator] if self.recorded else []}

    def _select(self, _account: str, _region: str, params: Shape) -> Shape:
        make = self._key_item if "AWS::KMS::Key" in params["Expression"] else self._alias_item
        accounts = re.findall(r"'(\d{12})'", params["Expression"])
        first, each = int(params.get("NextToken", 0)), self.keys * len(self.recorded)
        total = len(accounts) * each
        last = min(first + params["Limit"], total)
        results = []
        for at in range(first, last):
            region, number = divmod(at % each, self.keys)
            results.append(json.dumps(make(accounts[at // each], self.recorded[region], number)))
        return {"Results": results, **({"NextToken": str(last)} if last < total else {})}

    def _key_item(self, account: str, region: str, number: int) -> Shape:
        told = self.metadata(account, region, key_id(account, region, number))
        told["customerMasterKeySpec"] = told.pop("KeySpec")
        return {
            "accountId": account,
            "awsRegion": region,
            "arn": told["Arn"],
            "resourceId": told["KeyId"],
            "configurationItemCaptureTime": "2026-11-29T08:00:00.000Z",
            "configuration": {name[:1].lower() + name[1:]: value for name, value in told.items()},
            "tags": [{"key": "team", "value": account[-3:], "tag": f"team={account[-3:]}"}],
            "supplementaryConfiguration": {"KeyRotationStatus": True},
        }

    def _alias_item(self, account: str, region: str, number: int) -> Shape:
        alias = self._alias(account, region, number)
        return {
            "accountId": account,
            "awsRegion": region,
            "resourceId": alias["AliasName"],
            "configuration": {name: alias[name] for name in ("AliasName", "TargetKeyId")},
        }

    # Serving

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                lowered = request.lower()
                at = lowered.index(b"content-length:")
                length = int(lowered[at + 15 : lowered.index(b"\r\n", at)])
                body = await reader.readexactly(length) if length else b""
                scope = _SCOPE.search(request)
                assert scope is not None
                access_key, region = scope[1].decode(), scope[2].decode()
                at = lowered.find(b"x-amz-target:")
                target = request[at + 13 : lowered.index(b"\r\n", at)].strip().decode() if at > 0 else ""
                account = access_key[4:16] if access_key.startswith("ASIA") else OWN
                await asyncio.sleep(self.latency)
                if access_key in self.refused:
                    status, text = 400, '{"__type": "UnrecognizedClientException", "message": "No."}'
                else:
                    status, text = self.answer(account, region, target, body)
                kind = "application/x-amz-json-1.1" if target else "text/xml"
                head = f"HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {len(text.encode())}"
                answer = f"{head}\r\n\r\n{text}"
                writer.write(answer.encode())
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


_OPERATIONS: Mapping[str, Callable[[Organization, str, str, Shape], Shape]] = {
    "ListAccounts": Organization._list_accounts,
    "DescribeConfigurationAggregators": Organization._aggregators,
    "SelectAggregateResourceConfig": Organization._select,
    "ListKeys": Organization._list_keys,
    "ListAliases": Organization._list_aliases,
    "DescribeKey": Organization._describe_key,
    "GetKeyRotationStatus": Organization._rotation,
    "GetKeyPolicy": Organization._policy,
}


async def serve(organization: Organization, ready: Callable[[str], None]) -> None:
    """Serve until cancelled; ``ready`` gets the URL."""
    server = await asyncio.start_server(organization.handle, "127.0.0.1", 0)
    ready(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    async with server:
        await server.serve_forever()


@contextmanager
def serving(organization: Organization) -> Iterator[str]:
    """The URL at which an organization is served, by a thread of this process."""
    urls: SimpleQueue[str] = SimpleQueue()
    loop = asyncio.new_event_loop()

    async def work() -> None:
        async with asyncio.TaskGroup() as tasks:
            served = tasks.create_task(serve(organization, urls.put))
            await stopped.wait()
            served.cancel()

    stopped = asyncio.Event()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        thread = threading.Thread(target=runner.run, args=(work(),))
        thread.start()
        try:
            yield urls.get(timeout=30)
        finally:
            loop.call_soon_threadsafe(stopped.set)
            thread.join()


if __name__ == "__main__":
    asyncio.run(
        serve(
            Organization(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), recorded=sys.argv[4:]),
            lambda url: print(url, flush=True),
        )
    )
