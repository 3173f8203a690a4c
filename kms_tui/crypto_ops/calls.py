"""The API calls of a request: how each is made, sent, and its answer read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.check import check_size, limit_of
from kms_tui.crypto_ops.inputs import Entered, FromFile, InputError, InputField, read_whole
from kms_tui.crypto_ops.request import NUMBER_OF_BYTES, OperationRequest, number_of_bytes
from kms_tui.crypto_ops.results import Result, read_answer
from kms_tui.crypto_ops.scratchpad_operations import OperationName
from kms_tui.envelope.streams import Progress
from kms_tui.kms.keyspecs import RAW, SYMMETRIC_DEFAULT
from kms_tui.kms.model import Secret

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OperationCall:
    """One API call; ``params`` may hold secrets, so the repr leaves them out. Members may be None."""

    operation: str
    params: Params = field(repr=False)
    region: str

    @property
    def given(self) -> dict[str, Any]:
        """The members that are sent."""
        return {name: value for name, value in self.params.items() if value is not None}


def call_of(
    request: OperationRequest, data: Secret | None = None, *, message_type: str = ""
) -> OperationCall:
    """The call of a request with ``data`` as its main input.

    ``message_type`` is set if a digest is sent instead of the message.
    """
    members = _MEMBERS[request.operation.name](request, data.reveal() if data else b"")
    if message_type:
        members = {**members, "MessageType": message_type}
    return OperationCall(request.operation.api, members, request.region)


def _key(request: OperationRequest) -> Params:
    return {"KeyId": request.key.arn if request.key else None}


def _context(request: OperationRequest) -> Params:
    return {"EncryptionContext": dict(request.context) or None}


def _encryption_algorithm(request: OperationRequest) -> str | None:
    return None if request.algorithm in ("", SYMMETRIC_DEFAULT) else request.algorithm


def _encrypt(request: OperationRequest, data: bytes) -> Params:
    return {
        **_key(request),
        "Plaintext": data,
        **_context(request),
        "EncryptionAlgorithm": _encryption_algorithm(request),
    }


def _decrypt(request: OperationRequest, data: bytes) -> Params:
    return {
        "CiphertextBlob": data,
        **_key(request),
        **_context(request),
        "EncryptionAlgorithm": _encryption_algorithm(request),
    }


def _re_encrypt(request: OperationRequest, data: bytes) -> Params:
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


def _data_key(request: OperationRequest, _: bytes) -> Params:
    spec = request.settings.get("data_key_spec")
    by_number = spec == NUMBER_OF_BYTES
    return {
        **_key(request),
        "KeySpec": None if by_number else spec,
        "NumberOfBytes": number_of_bytes(request.settings, "number_of_bytes") if by_number else None,
        **_context(request),
    }


def _key_pair(request: OperationRequest, _: bytes) -> Params:
    return {**_key(request), "KeyPairSpec": request.settings.get("key_pair_spec"), **_context(request)}


def _sign(request: OperationRequest, data: bytes) -> Params:
    message_type = request.settings.get("message_type", RAW)
    return {
        **_key(request),
        "Message": data,
        "MessageType": message_type,
        "SigningAlgorithm": request.algorithm,
    }


def _verify(request: OperationRequest, data: bytes) -> Params:
    return {**_sign(request, data), "Signature": signature_for_kms(request)}


def signature_for_kms(request: OperationRequest) -> bytes:
    """The signature to verify; one of ECDSA written as r‖s as the DER that Verify takes."""
    from kms_tui.signing.signature_forms import SignatureForm, read_signature  # cryptography: slow to import

    read = read_signature(request.second_data, request.signing_spec)
    return request.second_data if read is None else read.write(SignatureForm.DER)


def _generate_mac(request: OperationRequest, data: bytes) -> Params:
    return {**_key(request), "Message": data, "MacAlgorithm": request.algorithm}


def _verify_mac(request: OperationRequest, data: bytes) -> Params:
    return {**_generate_mac(request, data), "Mac": request.second_data}


def _derive(request: OperationRequest, data: bytes) -> Params:
    return {**_key(request), "KeyAgreementAlgorithm": request.algorithm, "PublicKey": data}


def _encapsulate(request: OperationRequest, _: bytes) -> Params:
    return {**_key(request), "EncapsulationAlgorithm": request.algorithm}


def _decapsulate(request: OperationRequest, data: bytes) -> Params:
    return {**_encapsulate(request, data), "SharedSecretCiphertextBlob": data}


def _random(request: OperationRequest, _: bytes) -> Params:
    return {"NumberOfBytes": number_of_bytes(request.settings, "random_bytes")}


_MEMBERS: Mapping[OperationName, Callable[[OperationRequest, bytes], Params]] = {
    OperationName.ENCRYPT: _encrypt,
    OperationName.DECRYPT: _decrypt,
    OperationName.RE_ENCRYPT: _re_encrypt,
    OperationName.DATA_KEY: _data_key,
    OperationName.DATA_KEY_ENCRYPTED: _data_key,
    OperationName.KEY_PAIR: _key_pair,
    OperationName.KEY_PAIR_ENCRYPTED: _key_pair,
    OperationName.SIGN: _sign,
    OperationName.VERIFY: _verify,
    OperationName.VERIFY_OFFLINE: lambda request, _: _key(request),
    OperationName.GENERATE_MAC: _generate_mac,
    OperationName.VERIFY_MAC: _verify_mac,
    OperationName.DERIVE: _derive,
    OperationName.ENCAPSULATE: _encapsulate,
    OperationName.DECAPSULATE: _decapsulate,
    OperationName.PUBLIC_KEY: lambda request, _: _key(request),
    OperationName.ENCRYPT_OFFLINE: lambda request, _: _key(request),
    OperationName.RANDOM: _random,
}


def in_region(kms: Kms, region: str) -> Kms:
    return kms if region == kms.region else kms.in_region(region)


def send(kms: Kms, call: OperationCall) -> Result:
    return read_answer(call.operation, kms.call(call.operation, **call.params))


def whole_input(request: OperationRequest) -> Secret | None:
    """The main input, read whole and checked by its real size."""
    if request.given is None or request.role is None:
        return None
    data = read_whole(request.given, request.role)
    if not len(data):
        raise InputError(InputField.INPUT, "The file is empty.")
    limit = limit_of(request.operation, request.described_key, request.settings)
    if limit is not None:
        check_size(request, limit, len(data))
    return data


def with_second_read(request: OperationRequest) -> OperationRequest:
    """The request with its second input read, if that is a file."""
    if not isinstance(request.second, FromFile):
        return request
    return replace(request, second=Entered(read_whole(request.second, request.operation.roles[1])))


def direct(request: OperationRequest, kms: Kms, _: Progress) -> Result:
    """Make a request that is a single API call."""
    return send(kms, call_of(request, whole_input(request)))
