"""What the demo's services do when a move to another key writes to them, and the reads of secrets for that.

They take what such a move writes, and nothing else: any other member is not available (UnavailableError).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from kms_tui.backend.local.keys.key_lookup import key_of
from kms_tui.backend.local.store.sources import to_datetime
from kms_tui.demo.demo_answers import DemoRegion, function_configuration, table_description
from kms_tui.demo.demo_resources import Resource, Shape
from kms_tui.kms.errors import ServiceError, UnavailableError
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.model import KeyUsage

Params = Mapping[str, Any]
Answer = Callable[[Resource], Shape]

_BAD_KEY = {
    "dynamodb": "ValidationException",
    "lambda": "InvalidParameterValueException",
    "logs": "InvalidParameterException",
    "secretsmanager": "EncryptionFailure",
    "sns": "InvalidParameter",
    "sqs": "InvalidAttributeValue",
    "ssm": "InvalidKeyId",
}
"""Service -> the error of a write that names a key which cannot be used; S3 does not look at it.

Source: the errors of the operations in the service models, and PutBucketEncryption's text there.
"""
_OF_SSM = "alias/aws/ssm"
_OF_VERSIONS = ("Value", "Description", "AllowedPattern", "Tier", "DataType")
"""What PutParameter takes, and a version keeps."""
_OF_PARAMETER = ("Name", "Type", "Version", "LastModifiedDate", "DataType")
"""What GetParameter tells beside the value."""
_MOST_LABELS = 10


def _require_key(place: DemoRegion, call: tuple[str, str], reference: str) -> None:
    """The service's own error where KMS does not let the caller encrypt with a key."""
    service, operation = call
    try:
        key = key_of(place.backend.begin("Encrypt"), reference, KeyUsage.ENCRYPT_DECRYPT)
    except ServiceError as error:
        raise ServiceError(_BAD_KEY[service], str(error), operation=operation) from error
    if key.spec != SYMMETRIC_DEFAULT:
        message = f"{reference} is no symmetric key"
        raise ServiceError(_BAD_KEY[service], message, operation=operation)


def _require_only(call: tuple[str, str], given: Params, *known: str) -> None:
    if set(given) - set(known):
        raise UnavailableError(*call)


def _moved(
    place: DemoRegion, call: tuple[str, str], kind: str, asked: str, key: str, answer: Answer
) -> Shape:
    """Put a resource under a key, "" for none; the answer is made of it as it is then."""
    found = place.find(call, kind, asked)
    if key:
        _require_key(place, call, key)
    moved = replace(found, key=key)
    place.resources.put(moved)
    return answer(moved)


def _nothing(moved: Resource) -> Shape:
    return {}


def _update_secret(place: DemoRegion, params: Params) -> Shape:
    call = ("secretsmanager", "UpdateSecret")
    _require_only(call, params, "SecretId", "KmsKeyId")
    key = str(params.get("KmsKeyId", ""))
    asked = str(params["SecretId"])
    return _moved(place, call, "secret", asked, key, lambda it: {"ARN": it.long_name, "Name": it.name})


def _put_bucket_encryption(place: DemoRegion, params: Params) -> Shape:
    call = ("s3", "PutBucketEncryption")
    _require_only(call, params, "Bucket", "ServerSideEncryptionConfiguration")
    found = place.find(call, "bucket", str(params["Bucket"]))
    place.resources.put(replace(found, configuration=dict(params["ServerSideEncryptionConfiguration"])))
    return {}


def _set_queue_attributes(place: DemoRegion, params: Params) -> Shape:
    call = ("sqs", "SetQueueAttributes")
    _require_only(call, params["Attributes"], "KmsMasterKeyId")
    key = str(params["Attributes"].get("KmsMasterKeyId", ""))
    return _moved(place, call, "queue", str(params["QueueUrl"]), key, _nothing)


def _set_topic_attributes(place: DemoRegion, params: Params) -> Shape:
    call = ("sns", "SetTopicAttributes")
    if params["AttributeName"] != "KmsMasterKeyId":
        raise UnavailableError(*call)
    key = str(params.get("AttributeValue", ""))
    return _moved(place, call, "topic", str(params["TopicArn"]), key, _nothing)


def _associate_key(place: DemoRegion, params: Params) -> Shape:
    call = ("logs", "AssociateKmsKey")
    _require_only(call, params, "logGroupName", "kmsKeyId")
    asked = str(params["logGroupName"])
    return _moved(place, call, "log group", asked, str(params["kmsKeyId"]), _nothing)


def _update_table(place: DemoRegion, params: Params) -> Shape:
    call = ("dynamodb", "UpdateTable")
    _require_only(call, params, "TableName", "SSESpecification")
    key = str(params["SSESpecification"].get("KMSMasterKeyId", ""))
    asked = str(params["TableName"])
    return _moved(place, call, "table", asked, key, lambda it: {"TableDescription": table_description(it)})


def _update_function(place: DemoRegion, params: Params) -> Shape:
    call = ("lambda", "UpdateFunctionConfiguration")
    _require_only(call, params, "FunctionName", "KMSKeyArn")
    key = str(params.get("KMSKeyArn", ""))
    return _moved(place, call, "function", str(params["FunctionName"]), key, function_configuration)


# Parameters


def _versions(place: DemoRegion, parameter: Resource) -> tuple[Shape, ...]:
    """The versions of a parameter, the oldest first; one that was never written to has one."""
    if parameter.versions:
        return parameter.versions
    given = {"Value": f"the demo's {parameter.name}"}
    first = _version(place, parameter.name, 1, parameter.key or _OF_SSM, given)
    return (first | {"Labels": [parameter.label] if parameter.label else []},)


def _version(place: DemoRegion, name: str, number: int, key: str, given: Params) -> Shape:
    made = {
        "Name": name,
        "Type": "SecureString",
        "KeyId": key,
        "LastModifiedDate": to_datetime(place.backend.store.now()),
        "LastModifiedUser": place.backend.caller().arn,
        "Version": number,
        "Labels": [],
        "Tier": "Standard",
        "DataType": "text",
        "Policies": [],
    }
    return made | {member: given[member] for member in _OF_VERSIONS if member in given}


def _put_parameter(place: DemoRegion, params: Params) -> Shape:
    call = ("ssm", "PutParameter")
    _require_only(call, params, "Name", "Type", "KeyId", "Overwrite", *_OF_VERSIONS)
    if params.get("Type", "SecureString") != "SecureString" or not params.get("Overwrite"):
        raise UnavailableError(*call)
    key = str(params.get("KeyId", _OF_SSM))
    _require_key(place, call, key)
    name = str(params["Name"])
    found = place.resources.find("parameter", place.region, name)
    earlier = _versions(place, found) if found is not None else ()
    made = _version(place, name, len(earlier) + 1, key, params)
    parameter = found or Resource("parameter", name, region=place.region)
    place.resources.put(replace(parameter, key=key, versions=(*earlier, made)))
    return {"Version": made["Version"], "Tier": made["Tier"]}


def _parameter_history(place: DemoRegion, params: Params) -> Shape:
    call = ("ssm", "GetParameterHistory")
    found = place.find(call, "parameter", str(params["Name"]))
    answered = []
    for version in _versions(place, found):
        if params.get("WithDecryption"):
            _require_key(place, call, version["KeyId"])
            answered.append(version)
        else:
            answered.append(version | {"Value": _sealed(version)})
    return {"Parameters": answered}


def _parameter(place: DemoRegion, params: Params) -> Shape:
    """The newest version, or the one whose number follows the name; decrypted alone."""
    call = ("ssm", "GetParameter")
    name, _, number = str(params["Name"]).partition(":")
    versions = _versions(place, place.find(call, "parameter", name))
    found = [each for each in versions if str(each["Version"]) == number] if number else versions
    if not found:
        raise ServiceError("ParameterVersionNotFound", number, operation=call[1])
    version = found[-1]
    if params.get("WithDecryption"):
        _require_key(place, call, version["KeyId"])
    value = version["Value"] if params.get("WithDecryption") else _sealed(version)
    kept = {member: version[member] for member in _OF_PARAMETER if member in version}
    return {"Parameter": kept | {"Value": value} | ({"Selector": f":{number}"} if number else {})}


def _sealed(version: Shape) -> str:
    return base64.b64encode(f"{version['Name']}:{version['Version']}".encode()).decode()


def _label_version(place: DemoRegion, params: Params) -> Shape:
    """A label is of one version: it moves there from another. Names of AWS's and numbers are none."""
    call = ("ssm", "LabelParameterVersion")
    found = place.find(call, "parameter", str(params["Name"]))
    versions = _versions(place, found)
    number = int(params.get("ParameterVersion", len(versions)))
    if not 1 <= number <= len(versions):
        raise ServiceError("ParameterVersionNotFound", str(number), operation=call[1])
    labels = list(dict.fromkeys(map(str, params["Labels"])))
    invalid = [each for each in labels if each.lower().startswith(("aws", "ssm")) or each[:1].isdigit()]
    valid = [each for each in labels if each not in invalid]

    def labelled(version: Shape) -> Shape:
        kept = [each for each in version["Labels"] if each not in valid]
        return version | {"Labels": kept + (valid if version["Version"] == number else [])}

    after = tuple(map(labelled, versions))
    if len(after[number - 1]["Labels"]) > _MOST_LABELS:
        raise ServiceError("ParameterVersionLabelLimitExceeded", str(number), operation=call[1])
    place.resources.put(replace(found, versions=after))
    return {"InvalidLabels": invalid, "ParameterVersion": number}


WRITES: Mapping[tuple[str, str], Callable[[DemoRegion, Params], Shape]] = {
    ("dynamodb", "UpdateTable"): _update_table,
    ("lambda", "UpdateFunctionConfiguration"): _update_function,
    ("logs", "AssociateKmsKey"): _associate_key,
    ("s3", "PutBucketEncryption"): _put_bucket_encryption,
    ("secretsmanager", "UpdateSecret"): _update_secret,
    ("sns", "SetTopicAttributes"): _set_topic_attributes,
    ("sqs", "SetQueueAttributes"): _set_queue_attributes,
    ("ssm", "GetParameter"): _parameter,
    ("ssm", "GetParameterHistory"): _parameter_history,
    ("ssm", "LabelParameterVersion"): _label_version,
    ("ssm", "PutParameter"): _put_parameter,
}
"""Call -> what it does; whoever calls holds the lock of the resources."""
