"""Requests against botocore's KMS service model, refused in the wording of the service's own front end.

Types, required members, enums, patterns, lengths and ranges all come from the model. The tables say where the
service validates otherwise: as AWS answers, or as it is documented.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from kms_tui.backend.service_model import Shape, compiled, parts_of, service_model, shape_named
from kms_tui.kms.arn import ALIAS_PREFIX
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.operations import Trait, has

MAXIMA: Mapping[tuple[str, str], int] = {
    ("ListAliasesRequest", "Limit"): 100,
    ("ListGrantsRequest", "Limit"): 100,
    ("ListRetirableGrantsRequest", "Limit"): 100,
    ("ListResourceTagsRequest", "Limit"): 50,
}
"""Limits that the documentation of a member gives, lower than its shape's."""

UNLIMITED = frozenset({"PolicyType"})
"""Shapes whose maximum the service answers with LimitExceededException, after validation."""

PATTERNS: Mapping[str, tuple[str, str]] = {"KeyIdType": (r"^\p{ASCII}+$", r"[\x00-\x7f]+")}
"""Shape -> a pattern that the model does not have: as the service shows it, and for Python's ``re``."""

_KEY_SPECS = (
    *("RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"),
    *("ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", "SYMMETRIC_DEFAULT"),
    *("HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512", "SM2", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87"),
)
_SIGNING = tuple(
    f"{scheme}_SHA_{bits}"
    for scheme in ("RSASSA_PSS", "RSASSA_PKCS1_V1_5", "ECDSA")
    for bits in (256, 384, 512)
)

SHOWN: Mapping[str, tuple[str, ...]] = {
    # The service lists the specs of KMS keys here, although it takes AES_128 and AES_256.
    "DataKeySpec": _KEY_SPECS,
    "EncryptionAlgorithmSpec": ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE", "SYMMETRIC_DEFAULT"),
    "KeySpec": (*_KEY_SPECS, "ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"),
    "KeyUsageType": (
        *("ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"),
        "ENCAPSULATE_DECAPSULATE",
    ),
    "MacAlgorithmSpec": ("HMAC_SHA_384", "HMAC_SHA_256", "HMAC_SHA_224", "HMAC_SHA_512"),
    "SigningAlgorithmSpec": (
        *(*_SIGNING, "ED25519_SHA_512", "ED25519_PH_SHA_512", "SM2DSA", "ML_DSA_SHAKE_256"),
    ),
}
"""Enum -> its values as the refusal of any other lists them, where that is not the model's order."""

ALSO_TAKEN: Mapping[str, frozenset[str]] = {"SigningAlgorithmSpec": frozenset({"SYMMETRIC_DEFAULT"})}
"""Enum -> values besides its own that pass validation, to be found incompatible with the key instead."""


Problems = list[str]
Check = Callable[[Any, str, Problems], Any]
"""Takes a value, its path and the list of problems so far; gives the value in its normal form."""

_TOO_LONG = "Member must have length less than or equal to {}"
_TOO_SHORT = "Member must have length greater than or equal to {}"
_NULL = "Value{} at '{}' failed to satisfy constraint: Member must not be null"


@dataclass(frozen=True, slots=True)
class RequestRules:
    """What may be sent for one operation."""

    members: Mapping[str, tuple[Check, str]]
    """Each member's check, and its name in problems."""
    takes_alias: bool
    required: Mapping[str, str]
    """Required members, each with what is wrong where it is missing."""
    recordable: tuple[str, ...]
    """Members that may be written to the record of events: no secrets, no bytes."""


@cache
def request_of(operation: str) -> RequestRules:
    """How an operation's request is checked; KeyError for an operation that KMS does not have."""
    shape = shape_named(service_model()["operations"][operation]["input"]["shape"])
    members = parts_of(shape)
    checks = {
        member: _integer(shape_named(inner) | {"max": MAXIMA[shape["name"], member]}, {})
        if (shape["name"], member) in MAXIMA
        else _check_of(inner)
        for member, inner in members.items()
    }
    return RequestRules(
        {member: (check, _camel(member)) for member, check in checks.items()},
        has(operation, Trait.TAKES_ALIAS),
        {member: missing_member(operation, member) for member in shape.get("required", ())},
        tuple(member for member, inner in members.items() if _is_recordable(inner)),
    )


def can_answer(operation: str, code: str) -> bool:
    """Whether the model lists an error among those of an operation."""
    return any(error["shape"] == code for error in service_model()["operations"][operation].get("errors", ()))


def missing_member(operation: str, member: str) -> str:
    """The problem of a request without a required member; a secret is not said to be null."""
    model = service_model()
    members = model["shapes"][model["operations"][operation]["input"]["shape"]]["members"]
    return _missing(_camel(member), members[member]["shape"])


def _missing(path: str, shape: str) -> str:
    return _NULL.format("" if service_model()["shapes"][shape].get("sensitive") else " null", path)


def _camel(member: str) -> str:
    return member[0].lower() + member[1:]


@cache
def enum_values(shape: str) -> frozenset[str]:
    """The values of one of the model's enums."""
    return frozenset(service_model()["shapes"][shape]["enum"])


def check_request(operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters in their normal form, without null members.

    Raises ValidationException, SerializationException for a value of the wrong type, or InvalidArnException
    for an alias in place of a key.
    """
    request = request_of(operation)
    problems: Problems = []
    checked = {}
    for name, value in params.items():
        if value is None:
            continue
        member = request.members.get(name)
        if member is None:
            raise ServiceError(
                "ValidationException",
                f'Unknown parameter in input: "{name}", must be one of: {", ".join(request.members)}',
            )
        check, path = member
        checked[name] = check(value, path, problems)
    if not request.takes_alias and _is_alias(checked.get("KeyId", "")):
        raise ServiceError("InvalidArnException", "Key Aliases are not supported for this operation.")
    problems += [problem for name, problem in request.required.items() if name not in checked]
    if problems:
        raise validation_error(problems)
    return checked


def _is_alias(reference: str) -> bool:
    return reference.startswith(ALIAS_PREFIX) or f":{ALIAS_PREFIX}" in reference


def validation_error(problems: Sequence[str]) -> ServiceError:
    """The ValidationException that lists all problems of a request."""
    count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
    return ServiceError("ValidationException", f"{count}: {'; '.join(problems)}")


@compiled
def _is_recordable(shape: Shape, parts: Mapping[str, bool]) -> bool:
    is_secret = shape.get("sensitive") or shape["name"] in ("GrantTokenType", "PolicyType")
    return not is_secret and shape["type"] != "blob" and all(parts.values())


def _wrong_type(value: Any, wanted: str) -> ServiceError:
    kinds = ((bool, "BOOLEAN_VALUE"), ((int, float), "NUMBER_VALUE"), (str, "STRING_VALUE"))
    found = next((kind for python_type, kind in kinds if isinstance(value, python_type)), "VALUE")
    return ServiceError("SerializationException", f"{found} can not be converted to {wanted}")


def _failed(value: object, path: str, constraint: str, *, sensitive: bool = False) -> str:
    shown = "Value" if sensitive else f"Value '{value}'"
    return f"{shown} at '{path}' failed to satisfy constraint: {constraint}"


def _size_constraints(shape: Shape) -> list[tuple[Callable[[int], bool], str]]:
    low, high = shape.get("min", 0), None if shape["name"] in UNLIMITED else shape.get("max")
    constraints: list[tuple[Callable[[int], bool], str]] = []
    if high is not None:
        constraints.append((range(high + 1).__contains__, _TOO_LONG.format(high)))
    if low:
        constraints.append((range(low, sys.maxsize).__contains__, _TOO_SHORT.format(low)))
    return constraints


def _text_constraints(shape: Shape) -> list[tuple[Callable[[str], object], str]]:
    """What a string must be besides of the right length."""
    constraints: list[tuple[Callable[[str], object], str]] = []
    shown, expression = PATTERNS.get(shape["name"], (shape.get("pattern"),) * 2)
    if expression is not None:
        text = f"Member must satisfy regular expression pattern: {shown}"
        constraints.append((re.compile(expression, re.ASCII).fullmatch, text))
    if "enum" in shape:
        allowed = ALSO_TAKEN.get(shape["name"], frozenset()) | frozenset(shape["enum"])
        values = ", ".join(SHOWN.get(shape["name"], shape["enum"]))
        constraints.append((allowed.__contains__, f"Member must satisfy enum value set: [{values}]"))
    return constraints


def _string(shape: Shape, _parts: Mapping[str, Check]) -> Check:
    of_size, of_text = _size_constraints(shape), _text_constraints(shape)
    sensitive = bool(shape.get("sensitive"))

    def check_string(value: Any, path: str, problems: Problems) -> str:
        if not isinstance(value, str):
            raise _wrong_type(value, "a String")
        if not value.isascii():
            _utf8(value, "a String")
        size = len(value)
        for fits, text in of_size:
            if not fits(size):
                problems.append(_failed(value, path, text, sensitive=sensitive))
        for matches, text in of_text:
            if not matches(value):
                problems.append(_failed(value, path, text, sensitive=sensitive))
        return value

    return check_string


def _utf8(value: str, kind: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError:
        # Not chained: the error holds the text, which may be a secret.
        raise ServiceError("SerializationException", f"Invalid UTF-8 in {kind}") from None


def _blob(shape: Shape, _parts: Mapping[str, Check]) -> Check:
    constraints = _size_constraints(shape)

    def check_blob(value: Any, path: str, problems: Problems) -> bytes:
        if isinstance(value, str):
            value = _utf8(value, "a Blob")
        if not isinstance(value, (bytes, bytearray)):
            raise _wrong_type(value, "a Blob")
        size = len(value)
        for fits, text in constraints:
            if not fits(size):
                problems.append(_failed("", path, text, sensitive=True))
        return bytes(value)

    return check_blob


def _integer(shape: Shape, _parts: Mapping[str, Check]) -> Check:
    low, high = shape.get("min"), shape.get("max")

    def check_integer(value: Any, path: str, problems: Problems) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong_type(value, "an Integer")
        if high is not None and value > high:
            problems.append(_failed(value, path, f"Member must have value less than or equal to {high}"))
        if low is not None and value < low:
            problems.append(_failed(value, path, f"Member must have value greater than or equal to {low}"))
        return value

    return check_integer


def _boolean(_shape: Shape, _parts: Mapping[str, Check]) -> Check:
    def check_boolean(value: Any, path: str, problems: Problems) -> bool:
        if not isinstance(value, bool):
            raise _wrong_type(value, "a Boolean")
        return value

    return check_boolean


def _timestamp(_shape: Shape, _parts: Mapping[str, Check]) -> Check:
    def check_timestamp(value: Any, path: str, problems: Problems) -> datetime:
        try:
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                return datetime.fromtimestamp(value, UTC)
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except (TypeError, ValueError, OverflowError, OSError) as error:
            raise _wrong_type(value, "a Timestamp") from error
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    return check_timestamp


def _list(shape: Shape, parts: Mapping[str, Check]) -> Check:
    member_shape, check_member = shape_named(parts_of(shape)["member"]), parts["member"]
    constraints = _size_constraints(shape)
    is_text = member_shape["type"] == "string"
    of_member = [*_size_constraints(member_shape), *_text_constraints(member_shape)] if is_text else []
    texts = ", ".join(text for _, text in of_member)

    def check_list(value: Any, path: str, problems: Problems) -> list[Any]:
        if not isinstance(value, (list, tuple)):
            raise _wrong_type(value, "a List")
        for fits, text in constraints:
            if not fits(len(value)):
                problems.append(_failed(f"[{', '.join(map(str, value))}]", path, text))
        # Of a list of strings the service shows the whole list and every constraint of its members.
        of_members: Problems = []
        checked = [
            check_member(member, f"{path}.{position}.member", of_members)
            for position, member in enumerate(value, 1)
        ]
        if is_text and of_members:
            shown = f"[{', '.join(value)}]"
            of_members = [_failed(shown, path, f"Member must satisfy constraint: [{texts}]")]
        problems += of_members
        return checked

    return check_list


def _map(_shape: Shape, parts: Mapping[str, Check]) -> Check:
    check_key, check_value = parts["key"], parts["value"]

    def check_map(value: Any, path: str, problems: Problems) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _wrong_type(value, "a Map")
        return {
            check_key(key, path, problems): check_value(inner, f"{path}.{key}.member", problems)
            for key, inner in value.items()
        }

    return check_map


def _structure(shape: Shape, parts: Mapping[str, Check]) -> Check:
    inner_shapes = parts_of(shape)
    required = {member: inner_shapes[member] for member in shape.get("required", ())}

    def check_structure(value: Any, path: str, problems: Problems) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _wrong_type(value, "a Structure")
        checked = {}
        for name, inner in value.items():
            if name not in parts:
                raise ServiceError(
                    "ValidationException",
                    f'Unknown parameter in {path}: "{name}", must be one of: {", ".join(parts)}',
                )
            if inner is not None:
                checked[name] = parts[name](inner, f"{path}.{_camel(name)}", problems)
        problems += [
            _missing(f"{path}.{_camel(name)}", member)
            for name, member in required.items()
            if name not in checked
        ]
        return checked

    return check_structure


_CHECKS: Mapping[str, Callable[[Shape, Mapping[str, Check]], Check]] = {
    "string": _string,
    "blob": _blob,
    "integer": _integer,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "list": _list,
    "map": _map,
    "structure": _structure,
}


@compiled
def _check_of(shape: Shape, parts: Mapping[str, Check]) -> Check:
    return _CHECKS[shape["type"]](shape, parts)
