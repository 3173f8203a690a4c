"""THE table of KMS operations and policy actions, a row each: whatever is known of an operation is a column.

Source: botocore's KMS service model ("Required permissions", "Cross-account use", each member's page), the
service authorization reference (list_kms) and the developer guide (concepts, grants). ReEncrypt is an
operation and no action: it asks for the actions ReEncryptFrom and ReEncryptTo. An operation of a newer
service is not in the table, and so counts as mutating until it is entered here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Flag, StrEnum, auto

from kms_tui.kms.keyspecs import KEY_SPECS, KeySpec
from kms_tui.kms.model import KeyUsage


class Access(StrEnum):
    """What an operation does, and so what its action lets its holder do: the columns of the access matrix."""

    ADMINISTER = "administer"
    USE = "use"
    """Cryptography: it leaves no trace in KMS but its CloudTrail event, and is safe to send again."""
    GRANT = "grant"
    READ = "read"


class Trait(Flag):
    """What may be known of an operation besides."""

    ACROSS = auto()
    """It works on a key of another account."""
    ALIAS = auto()
    """Its KeyId may be an alias."""
    CONTEXT = auto()
    """Its requests can carry kms:EncryptionContext: keys (conditions-kms)."""
    GRANTABLE = auto()
    """A grant may allow it (CreateGrant: Operations)."""
    NO_KEY = auto()
    """It takes no key, so that only an IAM policy can allow it."""
    PRICED = auto()
    """Its price depends on the key that it uses (AWS KMS pricing)."""
    MAKES = auto()
    """It makes a key or a key pair, which may take seconds."""
    QUICK = auto()
    """It takes about 0.1 ms offline, on a symmetric key."""
    DESTROYS = auto()
    """It deletes or disables; a policy that denies it to everyone is a guard, not a mistake."""
    HARMLESS = auto()
    """It is no reading operation, yet leaves the key as it was: an import token alone imports nothing."""
    RECENT = auto()
    """It is newer than most policies that list every action by name, or has no caller but KMS."""
    NO_ACTION = auto()
    NO_OPERATION = auto()


class KeyClass(StrEnum):
    """The keys that an operation works on, where not all keys of its usage are."""

    ANY = ""
    SYMMETRIC = "symmetric"
    ASYMMETRIC = "asymmetric"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation or action; ``usage`` is the key usage that its key must have, None for any."""

    name: str
    access: Access
    usage: KeyUsage | None
    traits: Trait
    keys: KeyClass = KeyClass.ANY

    def fits(self, spec: KeySpec | None, usage: str) -> bool:
        """Whether keys of this spec (None: an unknown one) and usage can have it."""
        if self.keys is KeyClass.SYMMETRIC:
            return spec is not None and spec.is_symmetric
        if self.keys is KeyClass.ASYMMETRIC:
            return spec is None or spec.is_asymmetric
        return self.usage is None or self.usage == usage


_ADMIN, _USE, _GRANT, _READ = Access.ADMINISTER, Access.USE, Access.GRANT, Access.READ
_CRYPT, _SIGN, _MAC = KeyUsage.ENCRYPT_DECRYPT, KeyUsage.SIGN_VERIFY, KeyUsage.GENERATE_VERIFY_MAC
_AGREE, _KEM = KeyUsage.KEY_AGREEMENT, KeyUsage.ENCAPSULATE_DECAPSULATE
_SYM, _ASYM = KeyClass.SYMMETRIC, KeyClass.ASYMMETRIC
_NONE = Trait(0)
_ACROSS, _ALIAS, _CONTEXT, _GRANTABLE = Trait.ACROSS, Trait.ALIAS, Trait.CONTEXT, Trait.GRANTABLE
_NO_KEY, _PRICED, _MAKES, _QUICK = Trait.NO_KEY, Trait.PRICED, Trait.MAKES, Trait.QUICK
_DESTROYS, _HARMLESS, _RECENT = Trait.DESTROYS, Trait.HARMLESS, Trait.RECENT
_NO_ACTION, _NO_OPERATION = Trait.NO_ACTION, Trait.NO_OPERATION
_ON_KEY = _ACROSS | _ALIAS | _GRANTABLE | _PRICED
"""What the cryptographic operations have in common."""

# fmt: off
_ROWS = (
    Operation("Decrypt",                             _USE,   _CRYPT, _ON_KEY | _CONTEXT | _QUICK),
    Operation("Encrypt",                             _USE,   _CRYPT, _ON_KEY | _CONTEXT | _QUICK),
    Operation("ReEncrypt",                           _USE,   _CRYPT, _ACROSS | _ALIAS | _PRICED | _QUICK | _NO_ACTION),
    Operation("ReEncryptFrom",                       _USE,   _CRYPT, _ACROSS | _CONTEXT | _GRANTABLE | _NO_OPERATION),
    Operation("ReEncryptTo",                         _USE,   _CRYPT, _ACROSS | _CONTEXT | _GRANTABLE | _NO_OPERATION),
    Operation("Sign",                                _USE,   _SIGN,  _ON_KEY),
    Operation("Verify",                              _USE,   _SIGN,  _ON_KEY),
    Operation("GenerateMac",                         _USE,   _MAC,   _ON_KEY | _QUICK),
    Operation("VerifyMac",                           _USE,   _MAC,   _ON_KEY | _QUICK),
    Operation("DeriveSharedSecret",                  _USE,   _AGREE, _ON_KEY),
    Operation("Decapsulate",                         _USE,   _KEM,   _ON_KEY | _RECENT),
    Operation("Encapsulate",                         _USE,   _KEM,   _ON_KEY | _RECENT),
    Operation("GenerateDataKey",                     _USE,   _CRYPT, _ON_KEY | _CONTEXT | _QUICK, _SYM),
    Operation("GenerateDataKeyWithoutPlaintext",     _USE,   _CRYPT, _ON_KEY | _CONTEXT | _QUICK, _SYM),
    Operation("GenerateDataKeyPair",                 _USE,   _CRYPT, _ON_KEY | _CONTEXT | _MAKES, _SYM),
    Operation("GenerateDataKeyPairWithoutPlaintext", _USE,   _CRYPT, _ON_KEY | _CONTEXT | _MAKES, _SYM),
    Operation("GenerateRandom",                      _USE,   None,   _NO_KEY | _PRICED | _QUICK),
    Operation("GetPublicKey",                        _READ,  None,   _ON_KEY, _ASYM),
    Operation("DescribeKey",                         _READ,  None,   _ACROSS | _ALIAS | _GRANTABLE | _QUICK),
    Operation("CreateGrant",                         _GRANT, None,   _ACROSS | _CONTEXT | _GRANTABLE),
    Operation("RetireGrant",                         _GRANT, None,   _ACROSS | _GRANTABLE),
    Operation("RevokeGrant",                         _GRANT, None,   _ACROSS),
    Operation("ListGrants",                          _READ,  None,   _ACROSS),
    Operation("ListRetirableGrants",                 _READ,  None,   _NO_KEY),
    Operation("GetKeyRotationStatus",                _READ,  None,   _ACROSS),
    Operation("ListKeyRotations",                    _READ,  None,   _NONE),
    Operation("GetKeyPolicy",                        _READ,  None,   _NONE),
    Operation("ListKeyPolicies",                     _READ,  None,   _NONE),
    Operation("ListResourceTags",                    _READ,  None,   _NONE),
    Operation("GetKeyLastUsage",                     _READ,  None,   _RECENT),
    Operation("ListKeys",                            _READ,  None,   _NO_KEY),
    Operation("ListAliases",                         _READ,  None,   _NO_KEY),
    Operation("DescribeCustomKeyStores",             _READ,  None,   _NO_KEY),
    Operation("CreateKey",                           _ADMIN, None,   _NO_KEY | _MAKES),
    Operation("ReplicateKey",                        _ADMIN, None,   _NONE),
    Operation("UpdatePrimaryRegion",                 _ADMIN, None,   _NONE),
    Operation("SynchronizeMultiRegionKey",           _ADMIN, None,   _RECENT | _NO_OPERATION),
    Operation("UpdateKeyDescription",                _ADMIN, None,   _NONE),
    Operation("EnableKey",                           _ADMIN, None,   _NONE),
    Operation("DisableKey",                          _ADMIN, None,   _DESTROYS),
    Operation("ScheduleKeyDeletion",                 _ADMIN, None,   _DESTROYS),
    Operation("CancelKeyDeletion",                   _ADMIN, None,   _NONE),
    Operation("PutKeyPolicy",                        _ADMIN, None,   _NONE),
    Operation("EnableKeyRotation",                   _ADMIN, None,   _NONE),
    Operation("DisableKeyRotation",                  _ADMIN, None,   _DESTROYS),
    Operation("RotateKeyOnDemand",                   _ADMIN, None,   _NONE),
    Operation("CreateAlias",                         _ADMIN, None,   _NONE),
    Operation("UpdateAlias",                         _ADMIN, None,   _NONE),
    Operation("DeleteAlias",                         _ADMIN, None,   _DESTROYS),
    Operation("TagResource",                         _ADMIN, None,   _NONE),
    Operation("UntagResource",                       _ADMIN, None,   _NONE),
    Operation("GetParametersForImport",              _ADMIN, None,   _MAKES | _HARMLESS),
    Operation("ImportKeyMaterial",                   _ADMIN, None,   _NONE),
    Operation("DeleteImportedKeyMaterial",           _ADMIN, None,   _DESTROYS),
    Operation("CreateCustomKeyStore",                _ADMIN, None,   _NO_KEY),
    Operation("UpdateCustomKeyStore",                _ADMIN, None,   _NO_KEY),
    Operation("DeleteCustomKeyStore",                _ADMIN, None,   _NO_KEY),
    Operation("ConnectCustomKeyStore",               _ADMIN, None,   _NO_KEY),
    Operation("DisconnectCustomKeyStore",            _ADMIN, None,   _NO_KEY),
)
# fmt: on

ROWS: Mapping[str, Operation] = {row.name: row for row in _ROWS}
"""Operation or action -> its row."""


def _operations(access: Access) -> frozenset[str]:
    return frozenset(
        row.name for row in _ROWS if row.access is access and Trait.NO_OPERATION not in row.traits
    )


READING = _operations(Access.READ)
"""Operations that only look."""
CRYPTOGRAPHIC = _operations(Access.USE)
NOT_MUTATING = READING | CRYPTOGRAPHIC
"""What a read-only session may call; not GetParametersForImport, which makes a key pair and a token."""


def is_mutating(operation: str) -> bool:
    """Whether the operation may change a key, alias, grant, policy, tag or key store."""
    return operation not in NOT_MUTATING


def has(operation: str, trait: Trait) -> bool:
    """Whether a trait is known of an operation or action."""
    row = ROWS.get(operation)
    return row is not None and trait in row.traits


def names_with(trait: Trait, access: Access | None = None) -> tuple[str, ...]:
    """The operations and actions that have a trait (and an access, if one is given), as the table has them."""
    return tuple(row.name for row in _ROWS if trait in row.traits and access in (None, row.access))


def grant_operations(spec: str, usage: str) -> tuple[str, ...]:
    """The operations that a grant on such a key may allow, those of its usage first."""
    known = KEY_SPECS.get(spec)
    return tuple(row.name for row in _ROWS if Trait.GRANTABLE in row.traits and row.fits(known, usage))


SERVICE_READS: Mapping[str, frozenset[str]] = {
    "cloudtrail": frozenset({"LookupEvents"}),
    "dynamodb": frozenset({"DescribeTable", "ListTables"}),
    "ec2": frozenset({"DescribeRegions", "DescribeVolumes"}),
    "efs": frozenset({"DescribeFileSystems"}),
    "lambda": frozenset({"ListFunctions"}),
    "logs": frozenset({"DescribeLogGroups"}),
    "rds": frozenset({"DescribeDBClusters", "DescribeDBInstances"}),
    "s3": frozenset({"GetBucketEncryption", "ListBuckets"}),
    "secretsmanager": frozenset({"ListSecrets"}),
    "sns": frozenset({"GetTopicAttributes", "ListTopics"}),
    "sqs": frozenset({"GetQueueAttributes", "ListQueues"}),
    "ssm": frozenset({"DescribeParameters"}),
}
"""THE table of what is read from other services, by botocore's names; whatever is not in it is never sent.

Operations that change something, or answer a secret, do not belong here.
"""


def may_read(service: str, operation: str) -> bool:
    """Whether an operation of a service other than KMS may be sent."""
    return operation in SERVICE_READS.get(service, frozenset())
