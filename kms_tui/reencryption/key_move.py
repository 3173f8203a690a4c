"""The move of ciphertexts from one key of KMS to another, as calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.arn import Arn, key_id_of, key_region, partition_of
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.model import Key, KeyUsage, Secret

Context = Mapping[str, str]
KmsFor = Callable[[str], Kms]
"""The façade for a key's ARN, alias or id."""

_TRIED = b"kms-tui"
_LONGEST = 200
"""Characters of a text in a file that a sentence repeats."""


class MovedCiphertext(NamedTuple):
    """``source_arn`` is the key that it was under."""

    ciphertext: bytes
    source_arn: str


class AlreadyMovedError(KmsTuiError):
    """The ciphertext is under the destination, and under no key that ciphertexts are moved from."""


class NotUnderKeyError(KmsTuiError):
    """The ciphertext is not under the key that ciphertexts are moved from."""


@dataclass(frozen=True, slots=True)
class KeyMove:
    """A move to ``destination`` from the key ``source``, an ARN; None: from whatever key it is."""

    kms_for: KmsFor
    destination: Key
    source: str | None
    _keys: dict[str, str] = field(default_factory=dict)
    """ARN of an alias -> that of its key, as far as they were asked for."""

    @property
    def destination_kms(self) -> Kms:
        return self.kms_for(self.destination.arn)

    def concerns(self, arn: str) -> bool:
        """Whether what the key of an ARN wraps is to be moved; replicas of one multi-Region key are one."""
        if self.source is None:
            return arn != self.destination.arn
        return same_key(arn, self.source)

    def key_of(self, named: str) -> str:
        """The key's ARN for the untrusted name of a key or an alias in a file.

        KmsTuiError for any other text: its Region becomes part of a host name.
        """
        try:
            arn = Arn.parse(named)
        except ValueError:
            arn = None
        if (
            arn is None
            or arn.service != "kms"
            or not arn.resource.startswith(("key/", "alias/"))
            or partition_of(arn.region) != arn.partition
        ):
            raise KmsTuiError(f"It names {named[:_LONGEST]} as its key, which is not the ARN of a KMS key.")
        if arn.resource.startswith("key/"):
            return named
        if named not in self._keys:
            self._keys[named] = self.kms_for(named).describe(named).arn
        return self._keys[named]

    def concerned(self, arns: Sequence[str]) -> tuple[str, ...]:
        """Those of a file's keys that are moved: one, or the replicas of one.

        Raises AlreadyMovedError, NotUnderKeyError, and KmsTuiError where several could be meant.
        """
        concerned = [arn for arn in dict.fromkeys(arns) if self.concerns(arn)]
        if not concerned:
            if self.destination.arn in arns:
                raise AlreadyMovedError(f"It is under {self.destination.arn} already.")
            raise NotUnderKeyError(
                f"It is not under {self.source}." if self.source else "It names no key of AWS KMS."
            )
        if len(concerned) > 1 and self.source is None:
            raise KmsTuiError("It is under several keys.", next_step="Say with --from which one is to go.")
        return tuple(concerned)

    def source_kms(self, named: str) -> Kms:
        """Where a ciphertext is opened; ``named`` is what it says that its key is, or ""."""
        return self.kms_for(named or self.source or "")

    def is_one_call(self, named: str) -> bool:
        """Whether ``move`` is a ReEncrypt; else the plaintext passes through memory."""
        return _one_place(self.source_kms(named), self.destination_kms)

    def move(self, ciphertext: bytes, named: str, context: Context, new_context: Context) -> MovedCiphertext:
        """Move one: by ReEncrypt, or by Decrypt and Encrypt where that cannot be (another Region).

        Raises NotUnderKeyError, and the backend's errors.
        """
        key, source = named or self.source, self.source_kms(named)
        if self.is_one_call(named):
            answer = self._call(source, "ReEncrypt", **self._members(ciphertext, key, context, new_context))
            return MovedCiphertext(bytes(answer["CiphertextBlob"]), str(answer["SourceKeyId"]))
        opened = self._call(
            source, "Decrypt", CiphertextBlob=ciphertext, KeyId=key, EncryptionContext=dict(context) or None
        )
        plaintext = Secret(bytes(opened["Plaintext"]))
        sealed = self.destination_kms.encrypt(self.destination.arn, plaintext, context=new_context)
        return MovedCiphertext(sealed.ciphertext, str(opened["KeyId"]))

    def try_move(self, ciphertext: bytes, named: str, context: Context, new_context: Context) -> None:
        """Ask KMS with DryRun whether ``move`` would work; raises as that does."""
        key, source = named or self.source, self.source_kms(named)
        if self.is_one_call(named):
            self._try(source, "ReEncrypt", **self._members(ciphertext, key, context, new_context))
            return
        self.try_open(ciphertext, named, context)
        self._try(
            self.destination_kms,
            "Encrypt",
            KeyId=self.destination.arn,
            Plaintext=_TRIED,
            EncryptionContext=dict(new_context) or None,
        )

    def try_open(self, ciphertext: bytes, named: str, context: Context) -> None:
        """Ask KMS with DryRun whether the old key would decrypt it; raises as ``move`` does."""
        self._try(
            self.source_kms(named),
            "Decrypt",
            CiphertextBlob=ciphertext,
            KeyId=named or self.source,
            EncryptionContext=dict(context) or None,
        )

    def try_seal(self, context: Context, staying: Sequence[str]) -> None:
        """Ask KMS with DryRun whether a message can be sealed under the destination and other keys."""
        members = {"EncryptionContext": dict(context) or None}
        kms = self.destination_kms
        self._try(kms, "GenerateDataKey", KeyId=self.destination.arn, NumberOfBytes=32, **members)
        for arn in staying:
            self._try(kms.in_region_of(arn), "Encrypt", KeyId=arn, Plaintext=_TRIED, **members)

    def is_there(self, ciphertext: bytes, context: Context) -> bool:
        """Whether a ciphertext is under the destination already, by a Decrypt with DryRun.

        False also where the caller may not decrypt with it.
        """
        try:
            self._try(
                self.destination_kms,
                "Decrypt",
                CiphertextBlob=ciphertext,
                KeyId=self.destination.arn,
                EncryptionContext=dict(context) or None,
            )
        except (ServiceError, NotUnderKeyError):
            return False
        return True

    def open(self, ciphertext: bytes, context: Context) -> Secret:
        """What a moved ciphertext holds. Raises the backend's errors."""
        return self.destination_kms.decrypt(
            ciphertext, key=self.destination.arn, context=context or None
        ).plaintext

    def _members(
        self, ciphertext: bytes, key: str | None, context: Context, new_context: Context
    ) -> dict[str, Any]:
        return {
            "CiphertextBlob": ciphertext,
            "SourceKeyId": key,
            "SourceEncryptionContext": dict(context) or None,
            "DestinationKeyId": self.destination.arn,
            "DestinationEncryptionContext": dict(new_context) or None,
        }

    def _try(self, kms: Kms, operation: str, **members: Any) -> None:
        try:
            self._call(kms, operation, DryRun=True, **members)
        except ServiceError as error:
            if error.code != "DryRunOperationException":
                raise

    def _call(self, kms: Kms, operation: str, **members: Any) -> Mapping[str, Any]:
        try:
            return kms.call(operation, **members)
        except ServiceError as error:
            if error.code == "IncorrectKeyException":
                key = members.get("SourceKeyId") or members.get("KeyId")
                raise NotUnderKeyError(f"It is not under {key}.") from error
            raise


def prepared_move(kms_for: KmsFor, to: str, source: str | None) -> KeyMove:
    """A move to the key ``to``, which can be used for it; both are an id, an ARN or an alias.

    Raises KmsTuiError: for a key that is not there or whose usage or state does not allow it.
    """
    kms = kms_for(to)
    destination = kms.describe(to)
    _require_usable(destination)
    move = KeyMove(kms_for, destination, None if source is None else _arn(kms_for, source))
    if move.source is not None and same_key(move.source, destination.arn):
        raise KmsTuiError(f"--from and --to are one key: {destination.arn}.", next_step="Name two keys.")
    try:
        move.destination_kms.call("Encrypt", KeyId=destination.arn, Plaintext=_TRIED, DryRun=True)
    except ServiceError as error:
        # A caller without kms:Encrypt may have kms:ReEncryptTo.
        if error.code != "DryRunOperationException" and not error.denied:
            raise
    return move


def same_key(one: str, other: str) -> bool:
    """Whether two ARNs name one key, or replicas of one multi-Region key."""
    if one == other:
        return True
    parts, others = one.split(":"), other.split(":")
    is_multi_region = key_id_of(one).startswith("mrk-")
    return is_multi_region and len(parts) == len(others) == 6 and parts[4:] == others[4:]


def _arn(kms_for: KmsFor, reference: str) -> str:
    if key_region(reference) and key_id_of(reference) != reference:
        return reference  # the key may be one that the caller cannot describe
    return kms_for(reference).describe(reference).arn


def _require_usable(key: Key) -> None:
    if key.usage != KeyUsage.ENCRYPT_DECRYPT or key.spec != SYMMETRIC_DEFAULT:
        raise KmsTuiError(
            f"{key.arn} cannot take them: it is an {key.spec} key for {key.usage}.",
            next_step="Name a symmetric encryption key with --to.",
        )
    if not key.enabled:
        raise KmsTuiError(
            f"{key.arn} cannot take them: its state is {key.state}.",
            next_step="Enable it, or name another key with --to.",
        )


def _one_place(one: Kms, other: Kms) -> bool:
    """Whether one ReEncrypt reaches both: the same credentials in the same Region."""
    return (one.account_id, one.region) == (other.account_id, other.region)
