"""The API calls that requests become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kms_tui.kms.keyspecs import RAW, SYMMETRIC_DEFAULT
from kms_tui.kms.model import Secret
from kms_tui.scratch.operations import Name
from kms_tui.scratch.request import Request
from kms_tui.scratch.settings import NUMBER_OF_BYTES, number_of_bytes

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One API call; ``params`` may hold secrets, so it stays out of the repr. Members may be None."""

    operation: str
    params: Params = field(repr=False)
    region: str

    @property
    def given(self) -> dict[str, Any]:
        """The members that are sent."""
        return {name: value for name, value in self.params.items() if value is not None}


def call_of(request: Request, data: Secret | None = None, *, message_type: str = "") -> ApiCall:
    """The call that a request becomes with ``data`` as its main input.

    ``message_type`` is set where not the message itself goes to KMS but its digest.
    """
    members = _MEMBERS[request.operation.name](request, data.reveal() if data else b"")
    if message_type:
        members = {**members, "MessageType": message_type}
    return ApiCall(request.operation.api, members, request.region)


def _key(request: Request) -> Params:
    return {"KeyId": request.key.arn if request.key else None}


def _context(request: Request) -> Params:
    return {"EncryptionContext": dict(request.context) or None}


def _encryption_algorithm(request: Request) -> str | None:
    return None if request.algorithm in ("", SYMMETRIC_DEFAULT) else request.algorithm


def _encrypt(request: Request, data: bytes) -> Params:
    return {
        **_key(request),
        "Plaintext": data,
        **_context(request),
        "EncryptionAlgorithm": _encryption_algorithm(request),
    }


def _decrypt(request: Request, data: bytes) -> Params:
    return {
        "CiphertextBlob": data,
        **_key(request),
        **_context(request),
        "EncryptionAlgorithm": _encryption_algorithm(request),
    }


def _re_encrypt(request: Request, data: bytes) -> Params:
    destination = request.destination
    algorithm = request.settings.get("destination_algorithm")
    return {
        "CiphertextBlob": data,
        "SourceKeyId": request.key.arn if request.key else None,
        "SourceEncryptionContext": dict(request.context) or None,
        "SourceEncryptionAlgorithm": _encryption_algorithm(request),
        "DestinationKeyId": destination.key.arn if destination else None,
        "DestinationEncryptionContext": dict(destination.context) or None if destination else None,
        "DestinationEncryptionAlgorithm": None if algorithm == SYMMETRIC_DEFAULT else algorithm,
    }


def _data_key(request: Request, _: bytes) -> Params:
    spec = request.settings.get("data_key_spec")
    by_number = spec == NUMBER_OF_BYTES
    return {
        **_key(request),
        "KeySpec": None if by_number else spec,
        "NumberOfBytes": number_of_bytes(request.settings, "number_of_bytes") if by_number else None,
        **_context(request),
    }


def _key_pair(request: Request, _: bytes) -> Params:
    return {**_key(request), "KeyPairSpec": request.settings.get("key_pair_spec"), **_context(request)}


def _sign(request: Request, data: bytes) -> Params:
    message_type = request.settings.get("message_type", RAW)
    return {
        **_key(request),
        "Message": data,
        "MessageType": message_type,
        "SigningAlgorithm": request.algorithm,
    }


def _verify(request: Request, data: bytes) -> Params:
    return {**_sign(request, data), "Signature": request.second_data}


def _generate_mac(request: Request, data: bytes) -> Params:
    return {**_key(request), "Message": data, "MacAlgorithm": request.algorithm}


def _verify_mac(request: Request, data: bytes) -> Params:
    return {**_generate_mac(request, data), "Mac": request.second_data}


def _derive(request: Request, data: bytes) -> Params:
    return {**_key(request), "KeyAgreementAlgorithm": request.algorithm, "PublicKey": data}


def _encapsulate(request: Request, _: bytes) -> Params:
    return {**_key(request), "EncapsulationAlgorithm": request.algorithm}


def _decapsulate(request: Request, data: bytes) -> Params:
    return {**_encapsulate(request, data), "SharedSecretCiphertextBlob": data}


def _random(request: Request, _: bytes) -> Params:
    return {"NumberOfBytes": number_of_bytes(request.settings, "random_bytes")}


_MEMBERS: Mapping[Name, Callable[[Request, bytes], Params]] = {
    Name.ENCRYPT: _encrypt,
    Name.DECRYPT: _decrypt,
    Name.RE_ENCRYPT: _re_encrypt,
    Name.DATA_KEY: _data_key,
    Name.DATA_KEY_ENCRYPTED: _data_key,
    Name.KEY_PAIR: _key_pair,
    Name.KEY_PAIR_ENCRYPTED: _key_pair,
    Name.SIGN: _sign,
    Name.VERIFY: _verify,
    Name.VERIFY_OFFLINE: lambda request, _: _key(request),
    Name.GENERATE_MAC: _generate_mac,
    Name.VERIFY_MAC: _verify_mac,
    Name.DERIVE: _derive,
    Name.ENCAPSULATE: _encapsulate,
    Name.DECAPSULATE: _decapsulate,
    Name.PUBLIC_KEY: lambda request, _: _key(request),
    Name.ENCRYPT_OFFLINE: lambda request, _: _key(request),
    Name.RANDOM: _random,
}
