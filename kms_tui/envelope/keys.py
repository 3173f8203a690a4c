"""The Encryption SDK's master keys over our ``Backend``, like its own KMS provider over boto3."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from aws_encryption_sdk.key_providers.base import (
    MasterKey,
    MasterKeyConfig,
    MasterKeyProvider,
    MasterKeyProviderConfig,
)
from aws_encryption_sdk.structures import DataKey, EncryptedDataKey, MasterKeyInfo

from kms_tui.backend.base import Backend
from kms_tui.envelope.errors import AlteredError, KeysRefusedError, OtherKeysError, Refusal
from kms_tui.envelope.header import KMS_PROVIDER
from kms_tui.envelope.streams import ProgressKind, ProgressStep
from kms_tui.kms.arn import Arn
from kms_tui.kms.errors import KmsTuiError, ServiceError

_REGION = re.compile(r"[a-z]{2,10}(-[a-z]{1,20}){1,3}-[0-9]{1,2}\Z")
"""A region becomes part of a host name, and a header can name any text: only this form is accepted."""


class _KeyConfig(MasterKeyConfig):  # type: ignore[misc]
    provider_id = KMS_PROVIDER

    def __init__(
        self,
        key_id: str,
        backend: Backend,
        on_step: Callable[[ProgressStep], None],
        asked_as: str | None = None,
    ) -> None:
        super().__init__(key_id)
        self.backend = backend
        self.on_step = on_step
        self.asked_as = asked_as or key_id


class BackendMasterKey(MasterKey):  # type: ignore[misc]
    """One KMS key in the region of its backend. Raises the backend's own errors."""

    provider_id = KMS_PROVIDER
    _config_class = _KeyConfig

    def _generate_data_key(self, algorithm: Any, encryption_context: Mapping[str, str]) -> DataKey:
        key = self.key_id.decode()
        answer = self._call(
            "GenerateDataKey", encryption_context, KeyId=key, NumberOfBytes=algorithm.kdf_input_len
        )
        self.config.on_step(ProgressStep(ProgressKind.DATA_KEY_ASKED, answer["KeyId"]))
        return DataKey(_info(answer["KeyId"]), bytes(answer["Plaintext"]), bytes(answer["CiphertextBlob"]))

    def _encrypt_data_key(
        self, data_key: DataKey, algorithm: Any, encryption_context: Mapping[str, str]
    ) -> EncryptedDataKey:
        key = self.key_id.decode()
        answer = self._call("Encrypt", encryption_context, KeyId=key, Plaintext=data_key.data_key)
        self.config.on_step(ProgressStep(ProgressKind.DATA_KEY_COPIED, answer["KeyId"]))
        return EncryptedDataKey(_info(answer["KeyId"]), bytes(answer["CiphertextBlob"]))

    def _decrypt_data_key(
        self, encrypted_data_key: EncryptedDataKey, algorithm: Any, encryption_context: Mapping[str, str]
    ) -> DataKey:
        key = self.key_id.decode()
        blob = encrypted_data_key.encrypted_data_key
        answer = self._call("Decrypt", encryption_context, KeyId=self.config.asked_as, CiphertextBlob=blob)
        if answer["KeyId"] != key:
            raise AlteredError(f"KMS opened its data key with {answer['KeyId']}, not with {key}")
        self.config.on_step(ProgressStep(ProgressKind.DATA_KEY_DECRYPTED, key))
        return DataKey(encrypted_data_key.key_provider, bytes(answer["Plaintext"]), blob)

    def owns_data_key(self, data_key: Any) -> bool:
        """Always for KMS keys: the provider has already chosen the ARN to try, maybe of another replica."""
        return bool(data_key.key_provider.provider_id == KMS_PROVIDER)

    def _call(self, operation: str, context: Mapping[str, str], **params: Any) -> Mapping[str, Any]:
        if context:
            params["EncryptionContext"] = dict(context)
        backend: Backend = self.config.backend
        return backend.call(operation, params)


class _ProviderConfig(MasterKeyProviderConfig):  # type: ignore[misc]
    def __init__(
        self, backend: Backend, on_step: Callable[[ProgressStep], None], only: str | None = None
    ) -> None:
        super().__init__()
        self.backend = backend
        self.on_step = on_step
        self.only = only


class BackendKeys(MasterKeyProvider):  # type: ignore[misc]
    """The keys of one backend and of the other regions that it reaches.

    Sealing uses the keys added with ``add_master_key``: ids, ARNs or aliases. Opening uses the message's KMS
    key ARNs, those of the backend's own region first; or, of those, only the key ``only`` (id, ARN or alias).
    """

    provider_id = KMS_PROVIDER
    _config_class = _ProviderConfig

    def _new_master_key(self, key_id: bytes) -> BackendMasterKey:
        key = key_id.decode()
        backend: Backend = self.config.backend
        if key.startswith("arn:"):
            backend = _at(backend, _parsed(key, ("key/", "alias/")))
        return self._master_key(key, backend)

    def _master_key(self, key: str, backend: Backend, asked_as: str | None = None) -> BackendMasterKey:
        return BackendMasterKey(key_id=key, backend=backend, on_step=self.config.on_step, asked_as=asked_as)

    def decrypt_data_key_from_list(
        self,
        encrypted_data_keys: Iterable[EncryptedDataKey],
        algorithm: Any,
        encryption_context: Mapping[str, str],
    ) -> DataKey:
        """The first data key that a KMS key decrypts.

        Raises OtherKeysError if ``only`` is not one of the message's keys, AlteredError if KMS recognizes
        none, else KeysRefusedError.
        """
        backend: Backend = self.config.backend
        only: str | None = self.config.only
        refusals = []
        entries = [entry for entry in encrypted_data_keys if entry.key_provider.provider_id == KMS_PROVIDER]
        for entry in sorted(entries, key=lambda entry: _distance(_name(entry), backend)):
            for place in _places(_name(entry), backend):
                if only is not None and not _may_mean(only, place):
                    continue
                try:
                    master_key = self._master_key(place, _at(backend, _parsed(place, ("key/",))), only)
                    return master_key.decrypt_data_key(entry, algorithm, encryption_context)
                except KmsTuiError as error:
                    refusals.append(Refusal(place, _explained(error, place, backend)))
        if only is not None and all(map(_says_another, refusals)):
            raise OtherKeysError(only, [_name(entry) for entry in entries])
        if refusals and all(map(_says_altered, refusals)):
            raise AlteredError("KMS does not recognise its encrypted data key and encryption context")
        raise KeysRefusedError(refusals)


def _info(arn: str) -> MasterKeyInfo:
    return MasterKeyInfo(KMS_PROVIDER, arn)


def _name(entry: EncryptedDataKey) -> str:
    return str(entry.key_provider.key_info.decode(errors="backslashreplace"))


def _parsed(text: str, resources: tuple[str, ...]) -> Arn:
    """A KMS ARN of these kinds of resource; KmsTuiError for any other text."""
    with contextlib.suppress(ValueError):
        arn = Arn.parse(text)
        if arn.service == "kms" and arn.resource.startswith(resources) and _REGION.match(arn.region):
            return arn
    raise KmsTuiError("It is not the ARN of a KMS key.")


def _at(backend: Backend, arn: Arn) -> Backend:
    """The backend of the ARN's region."""
    if arn.partition != backend.partition:
        raise KmsTuiError(
            f"It is in the partition {arn.partition}; this session is in {backend.partition}.",
            next_step="Connect with credentials of that partition.",
        )
    return backend if arn.region == backend.region else backend.in_region(arn.region)


def _places(name: str, backend: Backend) -> Iterator[str]:
    """The ARNs to try: a multi-Region key's replica in the backend's region, then the named key."""
    region = f":{backend.region}:"
    head, separator, key_id = name.partition(":key/mrk-")
    if separator and region not in head:
        parts = head.split(":")
        parts[3:4] = [backend.region]
        yield f"{':'.join(parts)}{separator}{key_id}"
    yield name


def _distance(name: str, backend: Backend) -> tuple[bool, bool, str]:
    return f":{backend.region}:" not in name, f":{backend.account_id}:" not in name, name


def _explained(error: KmsTuiError, place: str, backend: Backend) -> KmsTuiError:
    """The refusal by a key of another account, with both accounts named."""
    account = place.split(":")[4:5]
    if not isinstance(error, ServiceError) or not backend.account_id or account in ([], [backend.account_id]):
        return error
    if not error.denied and error.code != "NotFoundException":
        return error
    return KmsTuiError(
        f"It belongs to account {account[0]}, this session to {backend.account_id} ({error})",
        next_step="Connect to that account, or ask its owner to let yours use the key.",
    )


def _says_altered(refusal: Refusal) -> bool:
    error = refusal.error
    return isinstance(error, AlteredError) or (
        isinstance(error, ServiceError) and error.code == "InvalidCiphertextException"
    )


def _may_mean(reference: str, arn: str) -> bool:
    """Whether a key id, an ARN or an alias can be the key with this ARN; for an alias only KMS knows."""
    if "alias/" in reference:
        return True
    return reference == (arn if reference.startswith("arn:") else arn.rpartition("/")[2])


def _says_another(refusal: Refusal) -> bool:
    return isinstance(refusal.error, ServiceError) and refusal.error.code == "IncorrectKeyException"
