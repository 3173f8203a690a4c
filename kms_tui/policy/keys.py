"""THE table of condition keys: when each is in a request, and what its values look like.

Source: the IAM user guide (reference_policies_condition-keys), the KMS developer guide (conditions-kms,
conditions-aws). Key names ignore case; the table's names are in AWS's own spelling.
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
    """string, arn, bool, numeric, date or ip."""
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


def _keys() -> list[Key]:
    org = "o-zzotherorg"
    path = f"{org}/r-zz99/ou-zz99-99999999/"
    identity, session = Presence.IDENTITY, Presence.CHOSEN
    service, operation, fact = Presence.SERVICE, Presence.OPERATION, Presence.FACT
    keys = [
        Key("aws:PrincipalArn", identity, "arn"),
        Key("aws:PrincipalAccount", identity),
        Key("aws:PrincipalType", identity, choices=("Account", "User", "AssumedRole", "FederatedUser")),
        Key("aws:username", identity),
        Key("aws:userid", identity),
        Key("kms:CallerAccount", identity),
        Key("aws:MultiFactorAuthPresent", Presence.CREDENTIAL, "bool"),
        Key("aws:MultiFactorAuthAge", Presence.CREDENTIAL, "numeric"),
        Key("aws:TokenIssueTime", Presence.CREDENTIAL, "date"),
        Key("aws:CurrentTime", Presence.CLOCK, "date"),
        Key("aws:EpochTime", Presence.CLOCK, "date"),
        Key("aws:SourceIp", Presence.INTERNET, "ip"),
        Key("aws:VpcSourceIp", Presence.ENDPOINT, "ip", other="10.99.99.99"),
        Key("aws:SourceVpc", Presence.ENDPOINT, other="vpc-0zzotherzz9999999"),
        Key(
            "aws:SourceVpcArn",
            Presence.ENDPOINT,
            "arn",
        ),
        Key("aws:SourceVpce", Presence.ENDPOINT, other="vpce-0zzotherzz999999"),
        Key("aws:VpceAccount", Presence.ENDPOINT, other="999999999999"),
        Key("aws:VpceOrgID", Presence.ENDPOINT, other=org),
        Key("aws:VpceOrgPaths", Presence.ENDPOINT, multivalued=True, other=path),
        Key("aws:ViaAWSService", Presence.VIA, "bool"),
        Key("aws:CalledVia", Presence.VIA, multivalued=True),
        Key("aws:CalledViaFirst", Presence.VIA),
        Key("aws:CalledViaLast", Presence.VIA),
        Key("aws:SecureTransport", Presence.CONSTANT, "bool"),
        Key("aws:PrincipalIsAWSService", Presence.CONSTANT, "bool"),
        Key("aws:RequestedRegion", Presence.CONSTANT),
        Key("aws:ResourceAccount", Presence.CONSTANT),
        Key("kms:MultiRegion", Presence.CONSTANT, "bool"),
        Key("kms:PolicyName", Presence.CONSTANT),
        Key("aws:PrincipalOrgID", fact, other=org, optional=True, follows_caller=True),
        Key("aws:PrincipalOrgPaths", fact, multivalued=True, other=path, optional=True, follows_caller=True),
        Key("aws:ResourceOrgID", fact, other=org, optional=True),
        Key("aws:ResourceOrgPaths", fact, multivalued=True, other=path, optional=True),
        Key("kms:ResourceAliases", fact, multivalued=True, other="alias/zz-another", optional=True),
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
        Key("aws:AssumedRoot", session, "bool", choices=("true", "false")),
        Key("aws:SignInSessionArn", session, "arn"),
        Key("aws:ChatbotSourceArn", session, "arn"),
        Key("aws:Ec2InstanceSourceVpc", session),
        Key("aws:Ec2InstanceSourcePrivateIPv4", session, "ip", other="10.99.99.99"),
        Key("ec2:SourceInstanceARN", session, "arn"),
        Key("ec2:RoleDelivery", session, "numeric", other="2"),
        Key("lambda:SourceFunctionArn", session, "arn"),
        Key("ssm:SourceInstanceArn", session, "arn"),
        Key("glue:RoleAssumedBy", session),
        Key("glue:CredentialIssuingService", session),
        Key("codebuild:BuildArn", session, "arn"),
        Key("codebuild:ProjectArn", session, "arn"),
        Key("identitystore:UserId", session),
        Key("kms:BypassPolicyLockoutSafetyCheck", Presence.REQUEST, "bool", choices=("true", "false")),
        Key("aws:SourceAccount", service, other="999999999999"),
        Key("aws:SourceArn", service, "arn"),
        Key("aws:SourceOrgID", service, other=org),
        Key("aws:SourceOrgPaths", service, multivalued=True, other=path),
        Key("aws:PrincipalServiceName", service),
        Key("aws:PrincipalServiceNamesList", service, multivalued=True),
        Key("kms:ViaService", operation),
        Key("aws:TagKeys", operation, multivalued=True),
        Key("kms:DataKeyPairSpec", operation),
        Key("kms:EncryptionAlgorithm", operation),
        Key("kms:EncryptionContextKeys", operation, multivalued=True),
        Key("kms:ExpirationModel", operation),
        Key("kms:GrantConstraintSourceArn", operation, "arn"),
        Key("kms:GrantConstraintType", operation),
        Key("kms:GrantIsForAWSResource", operation, "bool", choices=("true", "false")),
        Key("kms:GrantOperations", operation, multivalued=True),
        Key("kms:GranteePrincipal", operation, "arn"),
        Key("kms:GranteeServicePrincipal", operation),
        Key("kms:KeyAgreementAlgorithm", operation),
        Key("kms:MacAlgorithm", operation),
        Key("kms:MessageType", operation),
        Key("kms:PrimaryRegion", operation),
        Key("kms:ReEncryptOnSameKey", operation, "bool", choices=("true", "false")),
        Key("kms:ReplicaRegion", operation),
        Key("kms:RequestAlias", operation),
        Key("kms:RetiringPrincipal", operation, "arn"),
        Key("kms:RetiringServicePrincipal", operation),
        Key("kms:RotationPeriodInDays", operation, "numeric"),
        Key("kms:ScheduleKeyDeletionPendingWindowInDays", operation, "numeric"),
        Key("kms:SigningAlgorithm", operation),
        Key("kms:ValidTo", operation, "date"),
        Key("kms:WrappingAlgorithm", operation),
        Key("kms:WrappingKeySpec", operation),
    ]
    arn = "arn:aws:zz:us-east-1:999999999999:zz/another"
    keys = [replace(key, other=arn) if key.kind == "arn" else key for key in keys]
    return sorted(keys, key=lambda key: key.name.lower())


KEYS: Mapping[str, Key] = {key.name: key for key in _keys()}

FAMILIES: Mapping[str, Key] = {
    key.name: key
    for key in (
        Key("aws:PrincipalTag/", Presence.CHOSEN),
        Key("aws:RequestTag/", Presence.OPERATION),
        Key("aws:ResourceTag/", Presence.FACT, optional=True),
        Key("kms:EncryptionContext:", Presence.OPERATION),
        Key("kms:RecipientAttestation:", Presence.OPERATION),
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
