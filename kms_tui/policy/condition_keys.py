"""THE table of condition keys: when each is in a request, and the form of its values.

Source, as of 2026-11-29: the IAM user guide (reference_policies_condition-keys), the KMS developer guide
(conditions-kms, conditions-aws, conditions-nitro-enclaves, conditions-nitro-tpm) and the service
authorization reference (list_kms). Key names ignore case; the table's names are in AWS's own spelling.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.model import KeyOrigin, KeyUsage
from kms_tui.kms.operations import Access, Trait, names_with
from kms_tui.policy.actions import closest, lowered


class Presence(Enum):
    """When a key is in a request, and who decides its value."""

    IDENTITY = "follows from the caller"
    CREDENTIAL = "follows from the caller's sign-in"
    CLOCK = "the time of the request"
    INTERNET = "only outside a VPC endpoint"
    ENDPOINT = "only through a VPC endpoint"
    VIA = "whether a service forwards the caller's own request"
    CONSTANT = "always the same for this key"
    FACT = "a property of the account or the key that no request can choose"
    CHOSEN = "the caller can arrange it, or leave it out"
    REQUEST = "an option of the request, absent unless given"
    SERVICE = "only when an AWS service calls for its own resource"
    OPERATION = "only in some operations, never in PutKeyPolicy"
    UNKNOWN = "no such key"


@dataclass(frozen=True, slots=True)
class ConditionKey:
    """One condition key; ``other`` is a valid value that no policy is likely to mention."""

    name: str
    presence: Presence
    kind: str = "string"
    """string, arn, bool, numeric, date or ip; "time" for seconds since 1970, which take either operator."""
    form: str = ""
    """The name of the text values' form in ``kms_tui.policy.forms``; "": any text."""
    multivalued: bool = False
    choices: tuple[str, ...] = ()
    """All possible values; empty: open."""
    other: str = "another-value"
    optional: bool = False
    """For a fact: it may be missing."""
    always: bool = False
    """For a key that the caller chooses: every request has it."""
    follows_caller: bool = False
    """For a fact: it belongs to the caller's account, not to the key."""
    actions: tuple[str, ...] = ()
    """The only actions whose requests have it, without their prefix; empty: any."""
    iam_only: bool = False
    """Only IAM policies take it: PutKeyPolicy refuses a key policy that names it."""


OWN_ORG, OTHER_ORG = "o-zzkeysownorg", "o-zzotherorg"
"""Organizations that no policy names: that of the key's account, and another."""


def _algorithms(usage: KeyUsage) -> tuple[str, ...]:
    found = (name for spec in KEY_SPECS.values() for name in spec.algorithms.get(usage, ()))
    return tuple(dict.fromkeys(found))


_PAIR_SPECS = tuple(name for name in KEY_SPECS if name.startswith(("RSA_", "ECC_", "ML_KEM_", "SM2")))
_WRAPPING_SPECS = ("RSA_2048", "RSA_3072", "RSA_4096", "SM2")
_WRAPPING_ALGORITHMS = (
    "RSAES_PKCS1_V1_5",
    "RSAES_OAEP_SHA_1",
    "RSAES_OAEP_SHA_256",
    "RSA_AES_KEY_WRAP_SHA_1",
    "RSA_AES_KEY_WRAP_SHA_256",
    "SM2PKE",
)
_EXPIRATION_MODELS = ("KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE")
_MESSAGE_TYPES = ("RAW", "DIGEST", "EXTERNAL_MU")
_CONSTRAINT_TYPES = ("EncryptionContextEquals", "EncryptionContextSubset", "SourceArn")
PRINCIPAL_TYPES = ("Account", "User", "AssumedRole", "FederatedUser", "Anonymous")


def _keys() -> list[ConditionKey]:
    org, path = OTHER_ORG, f"{OTHER_ORG}/r-zz99/ou-zz99-99999999/"
    identity, session, via = Presence.IDENTITY, Presence.CHOSEN, Presence.VIA
    service, operation, fact = Presence.SERVICE, Presence.OPERATION, Presence.FACT
    credential, clock, constant = Presence.CREDENTIAL, Presence.CLOCK, Presence.CONSTANT
    endpoint = Presence.ENDPOINT
    booleans = ("true", "false")
    pairs, encrypting = (
        names_with(Trait.MAKES_KEY, Access.USE),
        names_with(Trait.ENCRYPTION_CONTEXT, Access.USE),
    )
    attested = names_with(Trait.ATTESTED)
    granting, importing, wrapping = ("CreateGrant",), ("ImportKeyMaterial",), ("GetParametersForImport",)
    signing = ("Sign", "Verify")
    keys = [
        ConditionKey("aws:PrincipalArn", identity, "arn", form="principal"),
        ConditionKey("aws:PrincipalAccount", identity, form="account"),
        ConditionKey("aws:PrincipalType", identity, choices=PRINCIPAL_TYPES),
        ConditionKey("aws:username", identity),
        ConditionKey("aws:userid", identity),
        ConditionKey("kms:CallerAccount", identity, form="account"),
        ConditionKey("aws:MultiFactorAuthPresent", credential, "bool"),
        ConditionKey("aws:MultiFactorAuthAge", credential, "numeric"),
        ConditionKey("aws:TokenIssueTime", credential, "date"),
        ConditionKey("aws:CurrentTime", clock, "date"),
        ConditionKey("aws:EpochTime", clock, "time"),
        ConditionKey("aws:SourceIp", Presence.INTERNET, "ip"),
        ConditionKey("aws:VpcSourceIp", endpoint, "ip", other="10.99.99.99"),
        ConditionKey("aws:SourceVpc", endpoint, form="vpc", other="vpc-0zzotherzz9999999"),
        ConditionKey("aws:SourceVpcArn", endpoint, "arn"),
        ConditionKey("aws:SourceVpce", endpoint, form="vpce", other="vpce-0zzotherzz999999"),
        ConditionKey("aws:VpceAccount", endpoint, form="account", other="999999999999"),
        ConditionKey("aws:VpceOrgID", endpoint, form="org", other=org),
        ConditionKey("aws:VpceOrgPaths", endpoint, form="org", multivalued=True, other=path),
        ConditionKey("aws:ViaAWSService", via, "bool"),
        ConditionKey("aws:CalledVia", via, form="host", multivalued=True),
        ConditionKey("aws:CalledViaFirst", via, form="host"),
        ConditionKey("aws:CalledViaLast", via, form="host"),
        ConditionKey("aws:SecureTransport", constant, "bool"),
        ConditionKey("aws:PrincipalIsAWSService", constant, "bool"),
        ConditionKey("aws:RequestedRegion", constant, form="region"),
        ConditionKey("aws:ResourceAccount", constant, form="account"),
        ConditionKey("kms:MultiRegion", constant, "bool"),
        ConditionKey("kms:PolicyName", constant),
        ConditionKey("aws:PrincipalOrgID", fact, form="org", optional=True, follows_caller=True),
        ConditionKey(
            "aws:PrincipalOrgPaths", fact, form="org", multivalued=True, optional=True, follows_caller=True
        ),
        ConditionKey("aws:ResourceOrgID", fact, form="org", optional=True),
        ConditionKey("aws:ResourceOrgPaths", fact, form="org", multivalued=True, optional=True),
        ConditionKey("kms:ResourceAliases", fact, multivalued=True, optional=True, iam_only=True),
        ConditionKey("kms:KeySpec", fact, choices=tuple(KEY_SPECS)),
        ConditionKey("kms:KeyUsage", fact, choices=tuple(KeyUsage)),
        ConditionKey("kms:KeyOrigin", fact, choices=tuple(KeyOrigin)),
        ConditionKey("kms:CustomerMasterKeySpec", fact, choices=tuple(KEY_SPECS)),
        ConditionKey("kms:CustomerMasterKeyUsage", fact, choices=tuple(KeyUsage)),
        ConditionKey("kms:MultiRegionKeyType", fact, choices=("PRIMARY", "REPLICA"), optional=True),
        ConditionKey("aws:UserAgent", session, always=True),
        ConditionKey("aws:Referer", session),
        ConditionKey("aws:SourceIdentity", session),
        ConditionKey("aws:FederatedProvider", session),
        ConditionKey("aws:AssumedRoot", session, "bool", choices=booleans),
        ConditionKey("aws:SignInSessionArn", session, "arn"),
        ConditionKey("aws:ViaAWSMCPService", session, "bool", choices=booleans),
        ConditionKey("aws:CalledViaAWSMCP", session, form="host"),
        ConditionKey("aws:ChatbotSourceArn", session, "arn"),
        ConditionKey("aws:Ec2InstanceSourceVpc", session, form="vpc"),
        ConditionKey("aws:Ec2InstanceSourcePrivateIPv4", session, "ip", other="10.99.99.99"),
        ConditionKey("ec2:SourceInstanceArn", session, "arn"),
        ConditionKey("ec2:RoleDelivery", session, "numeric", other="2"),
        ConditionKey("lambda:SourceFunctionArn", session, "arn"),
        ConditionKey("ssm:SourceInstanceArn", session, "arn"),
        ConditionKey("glue:RoleAssumedBy", session),
        ConditionKey("glue:CredentialIssuingService", session),
        ConditionKey("codebuild:BuildArn", session, "arn"),
        ConditionKey("codebuild:ProjectArn", session, "arn"),
        ConditionKey("identitystore:UserId", session),
        ConditionKey("kms:BypassPolicyLockoutSafetyCheck", Presence.REQUEST, "bool", choices=booleans),
        ConditionKey("aws:SourceAccount", service, form="account", other="999999999999"),
        ConditionKey("aws:SourceArn", service, "arn"),
        ConditionKey("aws:SourceOrgID", service, form="org", other=org),
        ConditionKey("aws:SourceOrgPaths", service, form="org", multivalued=True, other=path),
        ConditionKey("aws:PrincipalServiceName", service, form="host"),
        ConditionKey("aws:PrincipalServiceNamesList", service, form="host", multivalued=True),
        ConditionKey("kms:ViaService", operation, form="via service"),
        ConditionKey("aws:TagKeys", operation, multivalued=True),
        ConditionKey("kms:DataKeyPairSpec", operation, choices=_PAIR_SPECS, actions=pairs),
        ConditionKey(
            "kms:EncryptionAlgorithm",
            operation,
            choices=_algorithms(KeyUsage.ENCRYPT_DECRYPT),
            actions=encrypting,
        ),
        ConditionKey("kms:EncryptionContextKeys", operation, multivalued=True),
        ConditionKey("kms:ExpirationModel", operation, choices=_EXPIRATION_MODELS, actions=importing),
        ConditionKey("kms:GrantConstraintSourceArn", operation, "arn", actions=granting),
        ConditionKey(
            "kms:GrantConstraintType",
            operation,
            choices=_CONSTRAINT_TYPES,
            actions=("CreateGrant", "RetireGrant"),
        ),
        ConditionKey(
            "kms:GrantIsForAWSResource",
            operation,
            "bool",
            choices=booleans,
            actions=("CreateGrant", "ListGrants", "RevokeGrant"),
        ),
        ConditionKey(
            "kms:GrantOperations", operation, form="grant operation", multivalued=True, actions=granting
        ),
        ConditionKey("kms:GranteePrincipal", operation, actions=granting),
        ConditionKey("kms:GranteeServicePrincipal", operation, form="host", actions=granting),
        ConditionKey(
            "kms:KeyAgreementAlgorithm",
            operation,
            choices=_algorithms(KeyUsage.KEY_AGREEMENT),
            actions=("DeriveSharedSecret",),
        ),
        ConditionKey(
            "kms:MacAlgorithm",
            operation,
            choices=_algorithms(KeyUsage.GENERATE_VERIFY_MAC),
            actions=("GenerateMac", "VerifyMac"),
        ),
        ConditionKey("kms:MessageType", operation, choices=_MESSAGE_TYPES, actions=signing),
        ConditionKey("kms:PrimaryRegion", operation, form="region", actions=("UpdatePrimaryRegion",)),
        ConditionKey(
            "kms:ReEncryptOnSameKey",
            operation,
            "bool",
            choices=booleans,
            actions=("ReEncryptFrom", "ReEncryptTo"),
        ),
        *(
            ConditionKey(f"kms:RecipientAttestation:{measure}", operation, actions=attested)
            for measure in (
                "ImageSha384",
                *(f"PCR{number}" for number in range(32)),
                *(f"NitroTPMPCR{number}" for number in range(24)),
            )
        ),
        ConditionKey("kms:ReplicaRegion", operation, form="region", actions=("ReplicateKey",)),
        ConditionKey("kms:RequestAlias", operation, form="alias"),
        ConditionKey("kms:RetiringPrincipal", operation, actions=granting),
        ConditionKey("kms:RetiringServicePrincipal", operation, form="host", actions=granting),
        ConditionKey(
            "kms:RotationPeriodInDays",
            operation,
            "numeric",
            form="rotation period",
            actions=("EnableKeyRotation",),
        ),
        ConditionKey(
            "kms:ScheduleKeyDeletionPendingWindowInDays",
            operation,
            "numeric",
            form="pending window",
            actions=("ScheduleKeyDeletion",),
        ),
        ConditionKey(
            "kms:SigningAlgorithm", operation, choices=_algorithms(KeyUsage.SIGN_VERIFY), actions=signing
        ),
        ConditionKey(
            "kms:TrailingDaysWithoutKeyUsage",
            operation,
            "numeric",
            actions=("DisableKey", "ScheduleKeyDeletion"),
        ),
        ConditionKey("kms:ValidTo", operation, "time", actions=importing),
        ConditionKey("kms:WrappingAlgorithm", operation, choices=_WRAPPING_ALGORITHMS, actions=wrapping),
        ConditionKey("kms:WrappingKeySpec", operation, choices=_WRAPPING_SPECS, actions=wrapping),
    ]
    arn = "arn:aws:zz:us-east-1:999999999999:zz/another"
    keys = [replace(key, other=arn) if key.kind == "arn" else key for key in keys]
    return sorted(keys, key=lambda key: key.name.lower())


KEYS: Mapping[str, ConditionKey] = {key.name: key for key in _keys()}

FAMILIES: Mapping[str, ConditionKey] = {
    key.name: key
    for key in (
        ConditionKey("aws:PrincipalTag/", Presence.CHOSEN, form="tag"),
        ConditionKey("aws:RequestTag/", Presence.OPERATION, form="tag"),
        ConditionKey("aws:ResourceTag/", Presence.FACT, optional=True, iam_only=True),
        ConditionKey("kms:ResourceTag/", Presence.FACT, optional=True, iam_only=True),
        ConditionKey("kms:EncryptionContext:", Presence.OPERATION),
        ConditionKey("saml:", Presence.CHOSEN),
        ConditionKey("cognito-identity.amazonaws.com:", Presence.CHOSEN),
        ConditionKey("accounts.google.com:", Presence.CHOSEN),
        ConditionKey("graph.facebook.com:", Presence.CHOSEN),
        ConditionKey("www.amazon.com:", Presence.CHOSEN),
        ConditionKey("token.actions.githubusercontent.com:", Presence.CHOSEN),
    )
}
"""Keys with a user's name after a prefix: a tag key, an encryption context key, a claim."""

_BY_LOWER = {lowered(key.name): key for key in KEYS.values()}
_FAMILIES_BY_LOWER = {lowered(key.name): key for key in FAMILIES.values()}
OWN_ACCOUNT = ("aws:principalaccount", "kms:calleraccount", "aws:resourceaccount")
"""Keys whose value is the account's id for an identity of the key's account."""
ENCRYPTION_CONTEXT = "kms:encryptioncontext:"
ENCRYPTION_CONTEXT_KEYS = "kms:encryptioncontextkeys"


def find(name: str) -> ConditionKey:
    """The entry for a key name in any case; its presence is UNKNOWN if there is no such key."""
    folded = lowered(name)
    known = _BY_LOWER.get(folded)
    if known is not None:
        return known
    for prefix, family in _FAMILIES_BY_LOWER.items():
        if len(folded) > len(prefix) and folded.startswith(prefix):
            return family
    return ConditionKey(name, Presence.UNKNOWN)


def nearest(name: str) -> str:
    """The most likely key for a misspelt one; "" if none is near."""
    return closest(lowered(name), {lower: key.name for lower, key in _BY_LOWER.items()})
