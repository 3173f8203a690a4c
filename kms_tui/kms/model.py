"""The nouns of KMS as frozen values, one constructor each from the API's response shape, and ``Secret``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Never, Self

from kms_tui.kms.arn import short_alias

JsonShape = Mapping[str, Any]


class KeyManager(StrEnum):
    AWS = "AWS"
    CUSTOMER = "CUSTOMER"


class KeyState(StrEnum):
    CREATING = "Creating"
    ENABLED = "Enabled"
    DISABLED = "Disabled"
    PENDING_DELETION = "PendingDeletion"
    PENDING_IMPORT = "PendingImport"
    PENDING_REPLICA_DELETION = "PendingReplicaDeletion"
    UNAVAILABLE = "Unavailable"
    UPDATING = "Updating"


class KeyUsage(StrEnum):
    ENCRYPT_DECRYPT = "ENCRYPT_DECRYPT"
    SIGN_VERIFY = "SIGN_VERIFY"
    GENERATE_VERIFY_MAC = "GENERATE_VERIFY_MAC"
    KEY_AGREEMENT = "KEY_AGREEMENT"
    ENCAPSULATE_DECAPSULATE = "ENCAPSULATE_DECAPSULATE"


class KeyOrigin(StrEnum):
    AWS_KMS = "AWS_KMS"
    EXTERNAL = "EXTERNAL"
    AWS_CLOUDHSM = "AWS_CLOUDHSM"
    EXTERNAL_KEY_STORE = "EXTERNAL_KEY_STORE"


class CallerIdentity(NamedTuple):
    """STS GetCallerIdentity; each part is "" where STS is absent or denied."""

    account: str = ""
    arn: str = ""
    user_id: str = ""


class Alias(NamedTuple):
    """An entry of ListAliases; ``target_key_id`` is "" for a predefined AWS alias without a key."""

    name: str
    arn: str
    target_key_id: str = ""
    created: datetime | None = None
    updated: datetime | None = None

    @property
    def short_name(self) -> str:
        return short_alias(self.name)

    @property
    def is_aws(self) -> bool:
        return self.name.startswith("alias/aws/")

    @classmethod
    def from_api(cls, shape: JsonShape) -> Self:
        return cls(
            shape["AliasName"],
            shape.get("AliasArn", ""),
            shape.get("TargetKeyId", ""),
            shape.get("CreationDate"),
            shape.get("LastUpdatedDate"),
        )


class MultiRegion(NamedTuple):
    """MultiRegionConfiguration: which key is the primary, and where the replicas are (ARNs)."""

    is_primary: bool
    primary_arn: str
    replica_arns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """KeyMetadata, as DescribeKey answers it. Unknown enum values of newer services stay plain strings."""

    key_id: str
    arn: str
    account_id: str
    manager: str
    state: str
    spec: str
    usage: str
    origin: str
    description: str = ""
    enabled: bool = False
    created: datetime | None = None
    deletion_date: datetime | None = None
    pending_window_days: int | None = None
    valid_to: datetime | None = None
    expiration_model: str = ""
    multi_region: MultiRegion | None = None
    custom_key_store_id: str = ""
    xks_key_id: str = ""
    """The key in an external key store, as its key manager knows it."""
    current_key_material_id: str = ""
    algorithms: tuple[str, ...] = ()

    @property
    def is_aws_managed(self) -> bool:
        return self.manager == KeyManager.AWS

    @property
    def may_have_rotated(self) -> bool:
        """Only symmetric encryption keys whose material KMS holds ever rotate, imported material on demand
        (EnableKeyRotation, RotateKeyOnDemand)."""
        return self.spec == "SYMMETRIC_DEFAULT" and self.origin in (KeyOrigin.AWS_KMS, KeyOrigin.EXTERNAL)

    @property
    def pending_deletion(self) -> bool:
        """Its deletion is scheduled, also where it waits for its replicas."""
        return self.state in (KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION)

    @property
    def region(self) -> str:
        return self.arn.split(":")[3]

    @classmethod
    def from_api(cls, shape: JsonShape) -> Self:
        """From a KeyMetadata structure."""
        multi = shape.get("MultiRegionConfiguration")
        return cls(
            key_id=shape["KeyId"],
            arn=shape.get("Arn", ""),
            account_id=shape.get("AWSAccountId", ""),
            manager=shape.get("KeyManager", KeyManager.CUSTOMER),
            state=shape.get("KeyState", ""),
            spec=shape.get("KeySpec", shape.get("CustomerMasterKeySpec", "")),
            usage=shape.get("KeyUsage", ""),
            origin=shape.get("Origin", ""),
            description=shape.get("Description", ""),
            enabled=shape.get("Enabled", False),
            created=shape.get("CreationDate"),
            deletion_date=shape.get("DeletionDate"),
            pending_window_days=shape.get("PendingDeletionWindowInDays"),
            valid_to=shape.get("ValidTo"),
            expiration_model=shape.get("ExpirationModel", ""),
            multi_region=_multi_region(multi) if multi else None,
            custom_key_store_id=shape.get("CustomKeyStoreId", ""),
            xks_key_id=shape.get("XksKeyConfiguration", {}).get("Id", ""),
            current_key_material_id=shape.get("CurrentKeyMaterialId", ""),
            algorithms=tuple(
                algorithm
                for member in (
                    "EncryptionAlgorithms",
                    "SigningAlgorithms",
                    "MacAlgorithms",
                    "KeyAgreementAlgorithms",
                    "EncapsulationAlgorithms",
                )
                for algorithm in shape.get(member, ())
            ),
        )


def _multi_region(shape: JsonShape) -> MultiRegion:
    return MultiRegion(
        is_primary=shape.get("MultiRegionKeyType") == "PRIMARY",
        primary_arn=shape.get("PrimaryKey", {}).get("Arn", ""),
        replica_arns=tuple(replica["Arn"] for replica in shape.get("ReplicaKeys", ())),
    )


class KeyRotationStatus(NamedTuple):
    """GetKeyRotationStatus; ``period_days`` and ``next_date`` are None while automatic rotation is off."""

    enabled: bool
    period_days: int | None = None
    next_date: datetime | None = None
    on_demand_started: datetime | None = None

    @classmethod
    def from_api(cls, shape: JsonShape) -> Self:
        return cls(
            shape["KeyRotationEnabled"],
            shape.get("RotationPeriodInDays"),
            shape.get("NextRotationDate"),
            shape.get("OnDemandRotationStartDate"),
        )


class KeyRotation(NamedTuple):
    """An entry of ListKeyRotations; ``kind`` is AUTOMATIC or ON_DEMAND, "" (and no date) for the first."""

    key_id: str
    key_material_id: str = ""
    date: datetime | None = None
    kind: str = ""
    material_state: str = ""
    import_state: str = ""
    material_description: str = ""
    expiration_model: str = ""
    valid_to: datetime | None = None

    @classmethod
    def from_api(cls, shape: JsonShape) -> Self:
        return cls(
            shape.get("KeyId", ""),
            shape.get("KeyMaterialId", ""),
            shape.get("RotationDate"),
            shape.get("RotationType", ""),
            shape.get("KeyMaterialState", ""),
            shape.get("ImportState", ""),
            shape.get("KeyMaterialDescription", ""),
            shape.get("ExpirationModel", ""),
            shape.get("ValidTo"),
        )


@dataclass(frozen=True, slots=True)
class Grant:
    """An entry of ListGrants; constraints as the API's mapping."""

    grant_id: str
    key_id: str
    grantee: str
    operations: tuple[str, ...]
    name: str = ""
    retiring: str = ""
    issuing_account: str = ""
    created: datetime | None = None
    constraints: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_api(cls, shape: JsonShape) -> Self:
        return cls(
            shape.get("GrantId", ""),
            shape.get("KeyId", ""),
            shape.get("GranteePrincipal", "") or shape.get("GranteeServicePrincipal", ""),
            tuple(shape.get("Operations", ())),
            shape.get("Name", ""),
            shape.get("RetiringPrincipal", "") or shape.get("RetiringServicePrincipal", ""),
            shape.get("IssuingAccount", ""),
            shape.get("CreationDate"),
            shape.get("Constraints", {}),
        )


class Tag(NamedTuple):
    key: str
    value: str

    @classmethod
    def from_api(cls, shape: JsonShape) -> Self:
        return cls(shape["TagKey"], shape["TagValue"])


class KeyLastUsage(NamedTuple):
    """GetKeyLastUsage; no ``operation`` means none seen since ``tracking_start``, not "never used"."""

    operation: str = ""
    time: datetime | None = None
    event_id: str = ""
    tracking_start: datetime | None = None

    @classmethod
    def from_api(cls, shape: JsonShape) -> Self:
        """From the whole GetKeyLastUsage response."""
        usage = shape.get("KeyLastUsage", {})
        return cls(
            usage.get("Operation", ""),
            usage.get("Timestamp"),
            usage.get("CloudTrailEventId", ""),
            shape.get("TrackingStartDate"),
        )


class PolicyVersion(NamedTuple):
    """A version of a key policy, and since when; ``author`` is the ARN of who put it, "" if not known."""

    text: str
    time: datetime
    author: str = ""


@dataclass(frozen=True, slots=True)
class ImportParameters:
    """GetParametersForImport's answer; wrapping key and token belong together, until ``valid_to``."""

    public_key: bytes = field(repr=False)
    """SubjectPublicKeyInfo in DER."""
    token: bytes = field(repr=False)
    valid_to: datetime

    @classmethod
    def from_api(cls, shape: Mapping[str, Any]) -> Self:
        return cls(bytes(shape["PublicKey"]), bytes(shape["ImportToken"]), shape["ParametersValidTo"])


class Secret:
    """Bytes that must not be shown by accident: no repr, str or format has them; ``reveal()`` gives them."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __repr__(self) -> str:
        return f"Secret({len(self._value)} bytes)"

    def __reduce__(self) -> Never:
        raise TypeError("a Secret is not written out")
