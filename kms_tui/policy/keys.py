"""THE table of condition keys: when each is in a request, and what its values look like.

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
from kms_tui.policy.actions import closest, lowered


class Presence(Enum):
    """When a key is in a request, and who decides its value."""

    IDENTITY = "follows from who is calling"
    CREDENTIAL = "follows from how the caller signed in"
    CLOCK = "the time of the request"
    INTERNET = "only outside a VPC endpoint"
    ENDPOINT = "only through a VPC endpoint"
    VIA = "whether a service forwards the caller's own request"
    CONSTANT = "always the same for this key"
    FACT = "a property of the account or the key that no request can choose"
    CHOSEN = "the caller can arrange it, or leave it out"
    REQUEST = "an option of the request, absent unless given"
    SERVICE = "only when an AWS service calls for a resource of its own"
    OPERATION = "only in some operations, never in PutKeyPolicy"
    UNKNOWN = "no such key"


@dataclass(frozen=True, slots=True)
class Key:
    """One condition key; ``other`` is a sound value that no policy is likely to mention."""

    name: str
    presence: Presence
    kind: str = "string"
    """string, arn, bool, numeric, date or ip; "time" for seconds since 1970, which take either operator."""
    form: str = ""
    """What a text value looks like, by its name in ``kms_tui.policy.forms``; "": anything."""
    multivalued: bool = False
    choices: tuple[str, ...] = ()
    """All values there are; empty: open."""
    other: str = "another-value"
    optional: bool = False
    """Of a fact: whether it may also be missing."""
    always: bool = False
    """Of a key that the caller chooses: whether every request has it."""
    follows_caller: bool = False
    """Of a fact: whether it is one of the caller's account, not of the key."""
    actions: tuple[str, ...] = ()
    """The only actions whose requests have it, without their prefix; empty: others may, too."""
    iam_only: bool = False
    """Whether only IAM policies take it: PutKeyPolicy refuses a key policy that names it."""


OWN_ORG, OTHER_ORG = "o-zzkeysownorg", "o-zzotherorg"
"""Organizations that no policy names: that of the key's account, and another one."""


PRINCIPAL_TYPES = ("Account", "User", "AssumedRole", "FederatedUser", "Anonymous")


def _keys() -> list[Key]:
    org, path = OTHER_ORG, f"{OTHER_ORG}/r-zz99/ou-zz99-99999999/"
    identity, session, via = Presence.IDENTITY, Presence.CHOSEN, Presence.VIA
    service, operation, fact = Presence.SERVICE, Presence.OPERATION, Presence.FACT
    credential, clock, constant = Presence.CREDENTIAL, Presence.CLOCK, Presence.CONSTANT
    endpoint = Presence.ENDPOINT
    booleans = ("true", "false")
    pairs = ("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext")
    data_keys = ("GenerateDataKey", "GenerateDataKeyWithoutPlaintext", *pairs)
    encrypting = ("Decrypt", "Encrypt", "ReEncryptFrom", "ReEncryptTo", *data_keys)
    granting, importing, wrapping = ("CreateGrant",), ("ImportKeyMaterial",), ("GetParametersForImport",)
    signing = ("Sign", "Verify")
    keys = [
        Key("aws:PrincipalArn", identity, "arn", form="principal"),
        Key("aws:PrincipalAccount", identity, form="account"),
        Key("aws:PrincipalType", identity, choices=PRINCIPAL_TYPES),
        Key("aws:username", identity),
        Key("aws:userid", identity),
        Key("kms:CallerAccount", identity, form="account"),
        Key("aws:MultiFactorAuthPresent", credential, "bool"),
        Key("aws:MultiFactorAuthAge", credential, "numeric"),
        Key("aws:TokenIssueTime", credential, "date"),
        Key("aws:CurrentTime", clock, "date"),
        Key("aws:EpochTime", clock, "time"),
        Key("aws:SourceIp", Presence.INTERNET, "ip"),
        Key("aws:VpcSourceIp", endpoint, "ip", other="10.99.99.99"),
        Key("aws:SourceVpc", endpoint, form="vpc", other="vpc-0zzotherzz9999999"),
        Key("aws:SourceVpcArn", endpoint, "arn"),
        Key("aws:SourceVpce", endpoint, form="vpce", other="vpce-0zzotherzz999999"),
        Key("aws:VpceAccount", endpoint, form="account", other="999999999999"),
        Key("aws:VpceOrgID", endpoint, form="org", other=org),
        Key("aws:VpceOrgPaths", endpoint, form="org", multivalued=True, other=path),
        Key("aws:ViaAWSService", via, "bool"),
        Key("aws:CalledVia", via, form="host", multivalued=True),
        Key("aws:CalledViaFirst", via, form="host"),
        Key("aws:CalledViaLast", via, form="host"),
        Key("aws:SecureTransport", constant, "bool"),
        Key("aws:PrincipalIsAWSService", constant, "bool"),
        Key("aws:RequestedRegion", constant, form="region"),
        Key("aws:ResourceAccount", constant, form="account"),
        Key("kms:MultiRegion", constant, "bool"),
        Key("kms:PolicyName", constant),
        Key("aws:PrincipalOrgID", fact, form="org", optional=True, follows_caller=True),
        Key("aws:PrincipalOrgPaths", fact, form="org", multivalued=True, optional=True, follows_caller=True),
        Key("aws:ResourceOrgID", fact, form="org", optional=True),
        Key("aws:ResourceOrgPaths", fact, form="org", multivalued=True, optional=True),
        Key("kms:ResourceAliases", fact, multivalued=True, optional=True, iam_only=True),
        Key("kms:KeySpec", fact, choices=tuple(KEY_SPECS)),
        Key("kms:KeyUsage", fact, choices=tuple(KeyUsage)),
        Key("kms:KeyOrigin", fact, choices=tuple(KeyOrigin)),
        Key("kms:CustomerMasterKeySpec", fact, choices=tuple(KEY_SPECS)),
        Key("kms:CustomerMasterKeyUsage", fact, choices=tuple(KeyUsage)),
        Key("kms:MultiRegionKeyType", fact, choices=("PRIMARY", "REPLICA"), optional=True),
        Key("aws:UserAgent", session, always=True),
        Key("aws:Referer", session),
        Key("aws:SourceIdentity", session),
        Key("aws:FederatedProvider", session),
        Key("aws:AssumedRoot", session, "bool", choices=booleans),
        Key("aws:SignInSessionArn", session, "arn"),
        Key("aws:ViaAWSMCPService", session, "bool", choices=booleans),
        Key("aws:CalledViaAWSMCP", session, form="host"),
        Key("aws:ChatbotSourceArn", session, "arn"),
        Key("aws:Ec2InstanceSourceVpc", session, form="vpc"),
        Key("aws:Ec2InstanceSourcePrivateIPv4", session, "ip", other="10.99.99.99"),
        Key("ec2:SourceInstanceArn", session, "arn"),
        Key("ec2:RoleDelivery", session, "numeric", other="2"),
        Key("lambda:SourceFunctionArn", session, "arn"),
        Key("ssm:SourceInstanceArn", session, "arn"),
        Key("glue:RoleAssumedBy", session),
        Key("glue:CredentialIssuingService", session),
        Key("codebuild:BuildArn", session, "arn"),
        Key("codebuild:ProjectArn", session, "arn"),
        Key("identitystore:UserId", session),
        Key("kms:BypassPolicyLockoutSafetyCheck", Presence.REQUEST, "bool", choices=booleans),
        Key("aws:SourceAccount", service, form="account", other="999999999999"),
        Key("aws:SourceArn", service, "arn"),
        Key("aws:SourceOrgID", service, form="org", other=org),
        Key("aws:SourceOrgPaths", service, form="org", multivalued=True, other=path),
        Key("aws:PrincipalServiceName", service, form="host"),
        Key("aws:PrincipalServiceNamesList", service, form="host", multivalued=True),
        Key("kms:ViaService", operation, form="via service"),
        Key("aws:TagKeys", operation, multivalued=True),
        Key("kms:DataKeyPairSpec", operation, actions=pairs),
        Key("kms:EncryptionAlgorithm", operation, actions=encrypting),
        Key("kms:EncryptionContextKeys", operation, multivalued=True),
        Key("kms:ExpirationModel", operation, actions=importing),
        Key("kms:GrantConstraintSourceArn", operation, "arn", actions=granting),
        Key("kms:GrantConstraintType", operation, actions=("CreateGrant", "RetireGrant")),
        Key(
            "kms:GrantIsForAWSResource",
            operation,
            "bool",
            choices=booleans,
            actions=("CreateGrant", "ListGrants", "RevokeGrant"),
        ),
        Key("kms:GrantOperations", operation, form="grant operation", multivalued=True, actions=granting),
        Key("kms:GranteePrincipal", operation, actions=granting),
        Key("kms:GranteeServicePrincipal", operation, form="host", actions=granting),
        Key("kms:KeyAgreementAlgorithm", operation, actions=("DeriveSharedSecret",)),
        Key("kms:MacAlgorithm", operation, actions=("GenerateMac", "VerifyMac")),
        Key("kms:MessageType", operation, actions=signing),
        Key("kms:PrimaryRegion", operation, form="region", actions=("UpdatePrimaryRegion",)),
        Key(
            "kms:ReEncryptOnSameKey",
            operation,
            "bool",
            choices=booleans,
            actions=("ReEncryptFrom", "ReEncryptTo"),
        ),
        *(
            Key(f"kms:RecipientAttestation:{measure}", operation)
            for measure in (
                "ImageSha384",
                *(f"PCR{number}" for number in range(32)),
                *(f"NitroTPMPCR{number}" for number in range(24)),
            )
        ),
        Key("kms:ReplicaRegion", operation, form="region", actions=("ReplicateKey",)),
        Key("kms:RequestAlias", operation, form="alias"),
        Key("kms:RetiringPrincipal", operation, actions=granting),
        Key("kms:RetiringServicePrincipal", operation, form="host", actions=granting),
        Key("kms:RotationPeriodInDays", operation, "numeric", actions=("EnableKeyRotation",)),
        Key(
            "kms:ScheduleKeyDeletionPendingWindowInDays",
            operation,
            "numeric",
            actions=("ScheduleKeyDeletion",),
        ),
        Key("kms:SigningAlgorithm", operation, actions=signing),
        Key(
            "kms:TrailingDaysWithoutKeyUsage",
            operation,
            "numeric",
            actions=("DisableKey", "ScheduleKeyDeletion"),
        ),
        Key("kms:ValidTo", operation, "time", actions=importing),
        Key("kms:WrappingAlgorithm", operation, actions=wrapping),
        Key("kms:WrappingKeySpec", operation, actions=wrapping),
    ]
    arn = "arn:aws:zz:us-east-1:999999999999:zz/another"
    keys = [replace(key, other=arn) if key.kind == "arn" else key for key in keys]
    return sorted(keys, key=lambda key: key.name.lower())


KEYS: Mapping[str, Key] = {key.name: key for key in _keys()}

FAMILIES: Mapping[str, Key] = {
    key.name: key
    for key in (
        Key("aws:PrincipalTag/", Presence.CHOSEN, form="tag"),
        Key("aws:RequestTag/", Presence.OPERATION, form="tag"),
        Key("aws:ResourceTag/", Presence.FACT, optional=True, iam_only=True),
        Key("kms:ResourceTag/", Presence.FACT, optional=True, iam_only=True),
        Key("kms:EncryptionContext:", Presence.OPERATION),
        Key("saml:", Presence.CHOSEN),
        Key("cognito-identity.amazonaws.com:", Presence.CHOSEN),
        Key("accounts.google.com:", Presence.CHOSEN),
        Key("graph.facebook.com:", Presence.CHOSEN),
        Key("www.amazon.com:", Presence.CHOSEN),
        Key("token.actions.githubusercontent.com:", Presence.CHOSEN),
    )
}
"""Keys that carry a name of the user's own behind a prefix: a tag key, an encryption context key, a claim."""

_BY_LOWER = {lowered(key.name): key for key in KEYS.values()}
_FAMILIES_BY_LOWER = {lowered(key.name): key for key in FAMILIES.values()}
OWN_ACCOUNT = ("aws:principalaccount", "kms:calleraccount", "aws:resourceaccount")
"""Keys whose value, for an identity of the key's account, is that account's id."""
ENCRYPTION_CONTEXT = "kms:encryptioncontext:"
ENCRYPTION_CONTEXT_KEYS = "kms:encryptioncontextkeys"


def find(name: str) -> Key:
    """The entry for a key name in any case; one of presence UNKNOWN if there is no such key."""
    folded = lowered(name)
    known = _BY_LOWER.get(folded)
    if known is not None:
        return known
    for prefix, family in _FAMILIES_BY_LOWER.items():
        if len(folded) > len(prefix) and folded.startswith(prefix):
            return family
    return Key(name, Presence.UNKNOWN)


def nearest(name: str) -> str:
    """The real key that a misspelt one most likely means; "" where none is near."""
    return closest(lowered(name), {lower: key.name for lower, key in _BY_LOWER.items()})
