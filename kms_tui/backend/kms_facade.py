"""``Kms``: the typed façade over a backend, one method per thing that a person does with a key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from kms_tui.backend.base import Backend, KeepsPolicyVersions, KnowsCallerLayers, Wrapper
from kms_tui.kms.arn import key_region
from kms_tui.kms.model import (
    Alias,
    CallerIdentity,
    Grant,
    Key,
    KeyLastUsage,
    KeyRotation,
    KeyRotationStatus,
    PolicyVersion,
    Secret,
    Tag,
)

if TYPE_CHECKING:
    from kms_tui.policy.layers import Layers

_PAGE = 1000
_ALIAS_PAGE = _GRANT_PAGE = 100
_TAG_PAGE = 50

JsonShape = Mapping[str, Any]


class KeyRef(NamedTuple):
    """An entry of ListKeys."""

    key_id: str
    arn: str


@dataclass(frozen=True, slots=True)
class Encrypted:
    """Encrypt's answer."""

    ciphertext: bytes
    key_arn: str
    algorithm: str


@dataclass(frozen=True, slots=True)
class Decrypted:
    """Decrypt's answer; ``plaintext`` stays out of the repr."""

    plaintext: Secret
    key_arn: str
    algorithm: str
    key_material_id: str = ""


@dataclass(frozen=True, slots=True)
class CreatedGrant:
    """CreateGrant's answer; ``token`` makes the grant work before all of KMS knows of it."""

    grant_id: str
    token: str = field(repr=False)


class _Pages(Iterator[Sequence[Any]]):
    """The pages of a List operation; after an error it goes on where it was, unlike a generator."""

    def __init__(self, call: Callable[[str | None], JsonShape], member: str) -> None:
        self._call = call
        self._member = member
        self._marker: str | None = None
        self._ended = False

    def __next__(self) -> Sequence[Any]:
        if self._ended:
            raise StopIteration
        answer = self._call(self._marker)
        page: Sequence[Any] = answer[self._member]
        self._ended = not answer.get("Truncated")
        if not self._ended:
            self._marker = answer["NextMarker"]
        return page


def _key_refs(page: Sequence[JsonShape]) -> list[KeyRef]:
    return [KeyRef(entry["KeyId"], entry["KeyArn"]) for entry in page]


def _aliases(page: Sequence[JsonShape]) -> list[Alias]:
    return [Alias.from_api(entry) for entry in page]


class Kms:
    """One region's KMS in the program's own nouns.

    Every method makes the API call of its name (lists: all its pages, the largest size) and raises the
    errors of ``kms_tui.kms.errors``. A ``key`` argument is whatever the call takes: key id, ARN, alias.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @property
    def account_id(self) -> str:
        return self.backend.account_id

    @property
    def region(self) -> str:
        return self.backend.region

    @property
    def partition(self) -> str:
        return self.backend.partition

    def caller(self) -> CallerIdentity:
        return self.backend.caller()

    def in_region(self, region: str) -> Kms:
        return Kms(self.backend.in_region(region))

    def in_region_of(self, key: str) -> Kms:
        """The same in the Region of an ARN of a key or an alias; itself for any other name of a key."""
        region = key_region(key)
        return self if region in ("", self.region) else self.in_region(region)

    def call(self, operation: str, **params: Any) -> JsonShape:
        """One API call in AWS's own shapes; members given as None are left out."""
        return self.backend.call(
            operation, {name: value for name, value in params.items() if value is not None}
        )

    def pages(self, operation: str, member: str, limit: int, **params: Any) -> Iterator[Sequence[Any]]:
        """The pages of a List operation, as they arrive; after an error the same page is asked for again."""
        return _Pages(lambda marker: self.call(operation, Limit=limit, Marker=marker, **params), member)

    def _all(self, operation: str, member: str, limit: int, **params: Any) -> Iterator[Any]:
        for page in self.pages(operation, member, limit, **params):
            yield from page

    # Reading

    def key_pages(self) -> Iterator[list[KeyRef]]:
        """ListKeys, a page at a time."""
        return map(_key_refs, self.pages("ListKeys", "Keys", _PAGE))

    def alias_pages(self) -> Iterator[list[Alias]]:
        """ListAliases of the region, a page at a time."""
        return map(_aliases, self.pages("ListAliases", "Aliases", _ALIAS_PAGE))

    def aliases(self, key: str | None = None) -> list[Alias]:
        """The aliases of one key, or of the region."""
        return [Alias.from_api(e) for e in self._all("ListAliases", "Aliases", _ALIAS_PAGE, KeyId=key)]

    def describe(self, key: str) -> Key:
        return Key.from_api(self.call("DescribeKey", KeyId=key)["KeyMetadata"])

    def key_policy(self, key: str) -> str:
        """The text of the policy named ``default``."""
        return str(self.call("GetKeyPolicy", KeyId=key, PolicyName="default")["Policy"])

    def policy_versions(self, key: str) -> Sequence[PolicyVersion] | None:
        """Every policy that the key has had, newest first; None where the backend keeps no versions."""
        backend = self._unwrapped()
        return backend.policy_versions(key) if isinstance(backend, KeepsPolicyVersions) else None

    def caller_layers(self, key_account: str = "") -> Layers | None:
        """The layers of policies of who calls, for the keys of an account ("": its own), without those of a
        key; None where the backend has to ask.
        """
        backend = self._unwrapped()
        return backend.caller_layers(key_account) if isinstance(backend, KnowsCallerLayers) else None

    def _unwrapped(self) -> Backend:
        backend = self.backend
        while isinstance(backend, Wrapper):
            backend = backend.inner
        return backend

    def rotation_status(self, key: str) -> KeyRotationStatus:
        return KeyRotationStatus.from_api(self.call("GetKeyRotationStatus", KeyId=key))

    def rotations(self, key: str, *, all_material: bool = False) -> list[KeyRotation]:
        """The rotation history, oldest first; with ``all_material`` the first and pending material too."""
        include = "ALL_KEY_MATERIAL" if all_material else None
        entries = self._all("ListKeyRotations", "Rotations", _PAGE, KeyId=key, IncludeKeyMaterial=include)
        return [KeyRotation.from_api(entry) for entry in entries]

    def tags(self, key: str) -> list[Tag]:
        return [Tag.from_api(e) for e in self._all("ListResourceTags", "Tags", _TAG_PAGE, KeyId=key)]

    def grants(self, key: str) -> list[Grant]:
        return [Grant.from_api(e) for e in self._all("ListGrants", "Grants", _GRANT_PAGE, KeyId=key)]

    def last_usage(self, key: str) -> KeyLastUsage:
        return KeyLastUsage.from_api(self.call("GetKeyLastUsage", KeyId=key))

    # Changing a key

    def create_key(
        self,
        *,
        spec: str,
        usage: str,
        description: str = "",
        policy: str | None = None,
        origin: str = "AWS_KMS",
        multi_region: bool = False,
        tags: Sequence[Tag] = (),
        custom_key_store_id: str | None = None,
    ) -> Key:
        answer = self.call(
            "CreateKey",
            KeySpec=spec,
            KeyUsage=usage,
            Description=description or None,
            Policy=policy,
            Origin=origin,
            MultiRegion=multi_region or None,
            Tags=_tag_list(tags) or None,
            CustomKeyStoreId=custom_key_store_id,
        )
        return Key.from_api(answer["KeyMetadata"])

    def update_description(self, key: str, description: str) -> None:
        self.call("UpdateKeyDescription", KeyId=key, Description=description)

    def enable(self, key: str) -> None:
        self.call("EnableKey", KeyId=key)

    def disable(self, key: str) -> None:
        self.call("DisableKey", KeyId=key)

    def schedule_deletion(self, key: str, window_days: int) -> JsonShape:
        """The answer has KeyState and, but for a primary with replicas, DeletionDate."""
        return self.call("ScheduleKeyDeletion", KeyId=key, PendingWindowInDays=window_days)

    def cancel_deletion(self, key: str) -> None:
        """The key comes back Disabled."""
        self.call("CancelKeyDeletion", KeyId=key)

    def put_key_policy(self, key: str, policy: str, *, bypass_lockout_check: bool = False) -> None:
        """``bypass_lockout_check`` sets BypassPolicyLockoutSafetyCheck: AWS's own check of the caller."""
        self.call(
            "PutKeyPolicy",
            KeyId=key,
            PolicyName="default",
            Policy=policy,
            BypassPolicyLockoutSafetyCheck=bypass_lockout_check or None,
        )

    def tag(self, key: str, tags: Sequence[Tag]) -> None:
        self.call("TagResource", KeyId=key, Tags=_tag_list(tags))

    def untag(self, key: str, tag_keys: Sequence[str]) -> None:
        self.call("UntagResource", KeyId=key, TagKeys=list(tag_keys))

    # Aliases; ``name`` has its alias/ prefix

    def create_alias(self, name: str, key: str) -> None:
        self.call("CreateAlias", AliasName=name, TargetKeyId=key)

    def update_alias(self, name: str, key: str) -> None:
        self.call("UpdateAlias", AliasName=name, TargetKeyId=key)

    def delete_alias(self, name: str) -> None:
        self.call("DeleteAlias", AliasName=name)

    # Grants

    def create_grant(self, key: str, **members: Any) -> CreatedGrant:
        """``members`` are CreateGrant's own: GranteePrincipal, Operations, Constraints, Name and the like."""
        answer = self.call("CreateGrant", KeyId=key, **members)
        return CreatedGrant(answer["GrantId"], answer["GrantToken"])

    def revoke_grant(self, key: str, grant_id: str) -> None:
        self.call("RevokeGrant", KeyId=key, GrantId=grant_id)

    def retire_grant(self, key_arn: str, grant_id: str) -> None:
        """``key_arn`` must be an ARN: RetireGrant takes no key id."""
        self.call("RetireGrant", KeyId=key_arn, GrantId=grant_id)

    # Rotation

    def enable_rotation(self, key: str, period_days: int | None = None) -> None:
        self.call("EnableKeyRotation", KeyId=key, RotationPeriodInDays=period_days)

    def disable_rotation(self, key: str) -> None:
        self.call("DisableKeyRotation", KeyId=key)

    def rotate_now(self, key: str) -> None:
        self.call("RotateKeyOnDemand", KeyId=key)

    # Cryptography

    def encrypt(
        self,
        key: str,
        plaintext: Secret,
        *,
        context: Mapping[str, str] | None = None,
        algorithm: str | None = None,
    ) -> Encrypted:
        answer = self.call(
            "Encrypt",
            KeyId=key,
            Plaintext=plaintext.reveal(),
            EncryptionContext=dict(context) if context else None,
            EncryptionAlgorithm=algorithm,
        )
        return Encrypted(
            bytes(answer["CiphertextBlob"]), answer["KeyId"], answer.get("EncryptionAlgorithm", "")
        )

    def decrypt(
        self,
        ciphertext: bytes,
        *,
        key: str | None = None,
        context: Mapping[str, str] | None = None,
        algorithm: str | None = None,
    ) -> Decrypted:
        """``key`` is needed for asymmetric keys only: symmetric ciphertext names its own."""
        answer = self.call(
            "Decrypt",
            CiphertextBlob=ciphertext,
            KeyId=key,
            EncryptionContext=dict(context) if context else None,
            EncryptionAlgorithm=algorithm,
        )
        return Decrypted(
            Secret(bytes(answer["Plaintext"])),
            answer["KeyId"],
            answer.get("EncryptionAlgorithm", ""),
            answer.get("KeyMaterialId", ""),
        )

    def random_bytes(self, count: int) -> Secret:
        return Secret(bytes(self.call("GenerateRandom", NumberOfBytes=count)["Plaintext"]))


def _tag_list(tags: Sequence[Tag]) -> list[dict[str, str]]:
    return [{"TagKey": tag.key, "TagValue": tag.value} for tag in tags]
