"""Services that parameters, secrets, queues and tables are written to, as AWS does it, with faults."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from botocore import xform_name

from kms_tui.backend.base import Services
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.model import CallerIdentity

ACCOUNT, REGION = "111122223333", "eu-west-1"
OLD = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-1111-1111-1111-111111111111"
NEW = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/22222222-2222-2222-2222-222222222222"
_PAGE = 50

Hook = Callable[[str, str, Mapping[str, Any]], None]
"""Told the operation, the resource and the params; it may raise."""


def _nothing(operation: str, resource: str, params: Mapping[str, Any]) -> None:
    """The hook where no fault is on order."""


class StoredServices:
    """The state of one account. ``before`` and ``after`` are called round each call, within its lock."""

    def __init__(self) -> None:
        self.parameters: dict[str, list[dict[str, Any]]] = {}
        self.secrets: dict[str, dict[str, Any]] = {}
        self.queues: dict[str, str] = {}
        self.tables: dict[str, str] = {}
        self.slow_tables: dict[str, list[str]] = {}
        """Table -> the keys that it still tells, before that it was given."""
        self.updating: list[str] = []
        """What tables tell of their encryption, the last first; ENABLED after that."""
        self.functions: dict[str, dict[str, Any]] = {}
        self.refuses_functions = False
        """Whether an update is taken, and not made."""
        self.gone_keys: set[str] = set()
        """Keys under which nothing can be decrypted any more."""
        self.calls: list[tuple[str, str]] = []
        self.before: Hook = _nothing
        self.after: Hook = _nothing
        self._lock = threading.RLock()

    @property
    def region(self) -> str:
        return REGION

    def offers(self, service: str) -> bool:
        return True

    def in_region(self, region: str) -> Services:
        return self

    def add_parameter(self, name: str, key: str = OLD, *, versions: int = 1, **members: Any) -> None:
        self.parameters[name] = [
            {
                "Name": name,
                "Value": f"value of {name} {version}",
                "Type": "SecureString",
                "KeyId": key,
                "Version": version,
                "Labels": [],
                "Tier": "Standard",
                "Policies": [],
                **members,
            }
            for version in range(1, versions + 1)
        ]

    def add_secret(self, name: str, key: str = OLD, **members: Any) -> None:
        stages = {"v1": ["AWSCURRENT"]}
        self.secrets[name] = {"Name": name, "KmsKeyId": key, "VersionIdsToStages": stages, **members}

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        resource = next(
            (
                str(params[name])
                for name in ("Name", "SecretId", "QueueUrl", "QueueName", "TableName", "FunctionName")
                if name in params
            ),
            "",
        )
        with self._lock:
            self.before(operation, resource, params)
            answer = deepcopy(getattr(self, f"_{xform_name(operation)}")(params))
            self.calls.append((operation, resource))
            self.after(operation, resource, params)
            return dict(answer)

    def _history(self, name: str) -> list[dict[str, Any]]:
        if name not in self.parameters:
            raise ServiceError("ParameterNotFound", "", operation="GetParameterHistory")
        return self.parameters[name]

    def _get_parameter_history(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        history = self._history(params["Name"])
        start = int(params.get("NextToken", 0))
        page = deepcopy(history[start : start + _PAGE])
        for each in page:
            if params.get("WithDecryption") and each["KeyId"] in self.gone_keys:
                raise ServiceError("InvalidKeyId", "the key is gone", operation="GetParameterHistory")
            each["Value"] = each["Value"] if params.get("WithDecryption") else "sealed"
        more = {"NextToken": str(start + _PAGE)} if len(history) > start + _PAGE else {}
        return {"Parameters": page, **more}

    def _get_parameter(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        name, _, number = params["Name"].partition(":")
        assert params["WithDecryption"]
        (found,) = [each for each in self._history(name) if each["Version"] == int(number)]
        if found["KeyId"] in self.gone_keys:
            raise ServiceError("InvalidKeyId", "the key is gone", operation="GetParameter")
        return {"Parameter": {member: found[member] for member in ("Name", "Type", "Value", "Version")}}

    def _put_parameter(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        history = self._history(params["Name"])
        if params["Value"] == "sealed":
            raise AssertionError("a sealed value was written")
        version = history[-1]["Version"] + 1
        members = {name: value for name, value in params.items() if name != "Overwrite"}
        history.append({"Labels": [], "Tier": "Standard", "Policies": [], **members, "Version": version})
        return {"Version": version, "Tier": history[-1]["Tier"]}

    def _label_parameter_version(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        history = self._history(params["Name"])
        for each in history:
            each["Labels"] = [label for label in each["Labels"] if label not in params["Labels"]]
        history[-1]["Labels"] += params["Labels"]
        return {"InvalidLabels": [], "ParameterVersion": history[-1]["Version"]}

    def _secret(self, params: Mapping[str, Any]) -> dict[str, Any]:
        if params["SecretId"] not in self.secrets:
            raise ServiceError("ResourceNotFoundException", "", operation="DescribeSecret")
        return self.secrets[params["SecretId"]]

    def _describe_secret(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._secret(params)

    def _update_secret(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        secret = self._secret(params)
        secret["KmsKeyId"] = params["KmsKeyId"]
        secret["updates"] = secret.get("updates", 0) + 1
        return {"Name": secret["Name"]}

    def _get_queue_url(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"QueueUrl": f"https://sqs/{params['QueueName']}"}

    def _get_queue_attributes(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"Attributes": {"KmsMasterKeyId": self.queues[params["QueueUrl"].rpartition("/")[2]]}}

    def _set_queue_attributes(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self.queues[params["QueueUrl"].rpartition("/")[2]] = params["Attributes"]["KmsMasterKeyId"]
        return {}

    def _describe_table(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        name = params["TableName"]
        still = self.slow_tables.get(name, [])
        key = still.pop() if still else self.tables[name]
        under_way = self.updating.pop() if self.updating else "ENABLED"
        return {"Table": {"SSEDescription": {"KMSMasterKeyArn": key, "Status": under_way}}}

    def _get_function_configuration(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.functions[params["FunctionName"]]

    def _update_function_configuration(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        function = self.functions[params["FunctionName"]]
        failed = {"LastUpdateStatus": "Failed", "LastUpdateStatusReason": "the key is not accessible"}
        function |= {"KMSKeyArn": params["KMSKeyArn"], **(failed if self.refuses_functions else {})}
        if not self.refuses_functions:
            function["LastUpdateStatus"] = "Successful"
        return function

    def _update_table(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self.tables[params["TableName"]] = params["SSESpecification"]["KMSMasterKeyId"]
        return {}


class FakeKms:
    """KMS with both keys: what each alias means, the grants, and the state of the new key."""

    region, account_id, partition = REGION, ACCOUNT, "aws"

    def __init__(self) -> None:
        self.aliases: dict[str, str] = {"alias/orders": OLD}
        self.grants: dict[str, list[dict[str, Any]]] = {OLD: [], NEW: []}
        self.state = "Enabled"
        self.may_encrypt = True

    def in_region(self, region: str) -> FakeKms:
        return self

    def caller(self) -> CallerIdentity:
        return CallerIdentity()

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return dict(getattr(self, f"_{xform_name(operation)}")(params))

    def _describe_key(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        named = str(params["KeyId"])
        arn = self.aliases.get(named, named)
        if "alias/" in arn:
            raise ServiceError("NotFoundException", "", operation="DescribeKey")
        state = self.state if arn == NEW else "Enabled"
        return {"KeyMetadata": {"KeyId": arn.rpartition("/")[2], "Arn": arn, "KeyState": state}}

    def _encrypt(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        assert (params["KeyId"], params["DryRun"]) == (NEW, True)
        code = "DryRunOperationException" if self.may_encrypt else "AccessDeniedException"
        raise ServiceError(code, "", operation="Encrypt")

    def _list_grants(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"Grants": self.grants[params["KeyId"]], "Truncated": False}

    def _create_grant(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self.grants[params["KeyId"]].append({**params, "GrantId": "g-new"})
        return {"GrantId": "g-new", "GrantToken": "token"}


class Killed(BaseException):
    """The program ends here, without a word."""


def failing(error: KmsTuiError, *operations: str, resource: str = "", times: int = 1) -> Hook:
    """A hook that raises ``error`` so many times for some operations, on one resource or on all."""
    left = [times]

    def hook(operation: str, named: str, params: Mapping[str, Any]) -> None:
        if operation in operations and resource in ("", named) and left[0]:
            left[0] -= 1
            raise error

    return hook


@contextmanager
def no_faults(services: StoredServices) -> Iterator[None]:
    """Calls in the block meet no fault."""
    before, after = services.before, services.after
    services.before = services.after = _nothing
    try:
        yield
    finally:
        services.before, services.after = before, after
