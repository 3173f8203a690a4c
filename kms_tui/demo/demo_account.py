"""THE table of the demo's account: each key, and its history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

ACCOUNT_ID = "111122223333"
PARTNER_ACCOUNT_ID = "444455556666"
REGION = "eu-west-1"

SYMMETRIC, ENCRYPT, SIGN, MAC = "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC"
AGREE, ENCAPSULATE = "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE"

AWS_MANAGED = (
    ("aws/s3", 2100),
    ("aws/ebs", 2050),
    ("aws/rds", 1980),
    ("aws/secretsmanager", 1700),
    ("aws/ssm", 1699),
    ("aws/lambda", 1500),
    ("aws/dynamodb", 1320),
    ("aws/sns", 1100),
    ("aws/sqs", 1099),
    ("aws/elasticfilesystem", 900),
    ("aws/backup", 640),
    ("aws/acm", 410),
)
"""Alias without its prefix -> days since its service first used it."""


@dataclass(frozen=True, slots=True)
class DemoGrant:
    """A grant; ``terms`` are the members of CreateGrant beside the key, ``made`` is days ago."""

    made: float
    terms: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DemoImport:
    """An import of key material, days ago; it expires after ``lasts`` days."""

    made: float
    lasts: int
    description: str


@dataclass(frozen=True, slots=True)
class DemoKeyStore:
    """A custom key store on a CloudHSM cluster, connected since its first day."""

    name: str
    cluster: str
    created: float
    disconnected: float


@dataclass(frozen=True, slots=True)
class DemoKey:
    """One customer key; every number of days counts back from now.

    ``policy`` names a text of ``demo_policies``, ``rotation`` is its period in days (0: off) since the key
    was created, ``deletion`` is (days ago, waiting period), ``replica`` is (Region, days ago), ``key_store``
    is the name of its custom key store.
    """

    alias: str
    description: str
    created: int
    team: str = ""
    environment: str = "prod"
    spec: str = SYMMETRIC
    usage: str = ENCRYPT
    more_aliases: tuple[str, ...] = ()
    rotation: int = 0
    rotated: tuple[int, ...] = ()
    disabled: int | None = None
    deletion: tuple[int, int] | None = None
    policy: str = "default"
    origin: str = "AWS_KMS"
    multi_region: bool = False
    uses: tuple[tuple[str, float], ...] = ()
    """(operation, days ago) of its last uses, oldest first."""
    user: str = "app"
    """The caller of these uses, by its name in the traffic."""
    grants: tuple[DemoGrant, ...] = ()
    imports: tuple[DemoImport, ...] = ()
    replica: tuple[str, float] | None = None
    key_store: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


KEY_STORE = DemoKeyStore("hsm-dublin", "cluster-2b7k4q6w3zx", created=52, disconnected=3)

_VOLUME_OPERATIONS = (
    "Decrypt",
    "Encrypt",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "CreateGrant",
    "DescribeKey",
)
_AUTO_SCALING = (
    f"arn:aws:iam::{ACCOUNT_ID}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
)


def _service_grant(made: float, host: str, source: str, *operations: str) -> DemoGrant:
    """A service's grant for a new resource."""
    return DemoGrant(
        made,
        {
            "GranteeServicePrincipal": host,
            "RetiringServicePrincipal": host,
            "Operations": [*operations, "RetireGrant"],
            "Constraints": {"SourceArn": source},
        },
    )


def _database(made: float, name: str) -> DemoGrant:
    source = f"arn:aws:rds:{REGION}:{ACCOUNT_ID}:db:{name}"
    use = (
        "Decrypt",
        "Encrypt",
        "GenerateDataKey",
        "ReEncryptFrom",
        "ReEncryptTo",
        "CreateGrant",
        "DescribeKey",
    )
    return _service_grant(made, f"rds.{REGION}.amazonaws.com", source, *use)


def _volume(made: float, volume: str) -> DemoGrant:
    source = f"arn:aws:ec2:{REGION}:{ACCOUNT_ID}:volume/{volume}"
    return _service_grant(made, f"ec2.{REGION}.amazonaws.com", source, *_VOLUME_OPERATIONS)


_ORDERS_REPORT = DemoGrant(
    146,
    {
        "Name": "orders-report",
        "GranteePrincipal": f"arn:aws:iam::{ACCOUNT_ID}:role/reporting",
        "RetiringPrincipal": f"arn:aws:iam::{ACCOUNT_ID}:role/KeyAdmin",
        "Operations": ["Decrypt", "DescribeKey"],
        "Constraints": {"EncryptionContextEquals": {"table": "order-totals"}},
    },
)
_PARTNER_GRANT = DemoGrant(
    112,
    {
        "Name": "partner-importer",
        "GranteePrincipal": f"arn:aws:iam::{PARTNER_ACCOUNT_ID}:role/importer",
        "RetiringPrincipal": f"arn:aws:iam::{PARTNER_ACCOUNT_ID}:root",
        "Operations": ["Decrypt", "DescribeKey"],
        "Constraints": {"EncryptionContextSubset": {"exchange": "inbound"}},
    },
)

KEYS = (
    DemoKey("orders-db", "Orders database at rest", 996, "orders", rotation=365, more_aliases=("orders-db-2024",), uses=(("Decrypt", 0.08),), grants=(_database(995, "orders-writer"), _ORDERS_REPORT)),
    DemoKey("payments-signing", "Signs settlement files for the acquirer", 884, "payments", spec="RSA_3072", usage=SIGN, uses=(("Sign", 0.2),)),
    DemoKey("payments-cards", "Card data vault", 883, "payments", rotation=180, rotated=(41,), policy="key-users", uses=(("GenerateDataKey", 0.01),), tags={"data": "pci"}),
    DemoKey("payments-webhooks", "MACs on outgoing webhooks", 702, "payments", spec="HMAC_256", usage=MAC, uses=(("GenerateMac", 0.003),)),
    DemoKey("customer-pii", "Personal data of customers", 940, "identity", rotation=365, policy="key-users", uses=(("Decrypt", 0.02),), tags={"data": "personal"}),
    DemoKey("login-tokens", "Signs login tokens (JWT, ES256)", 655, "identity", spec="ECC_NIST_P256", usage=SIGN, uses=(("Sign", 0.001),)),
    DemoKey("login-tokens-next", "Successor of login-tokens, Ed25519", 58, "identity", spec="ECC_NIST_EDWARDS25519", usage=SIGN),
    DemoKey("device-enrolment", "Key agreement with enrolled devices", 390, "identity", spec="ECC_NIST_P384", usage=AGREE, uses=(("DeriveSharedSecret", 2.0),)),
    DemoKey("s3-data-lake", "Data lake buckets", 1210, "data", rotation=365, policy="service-s3", uses=(("GenerateDataKey", 0.002),)),
    DemoKey("s3-logs", "Access and flow logs", 1205, "platform", rotation=365, policy="service-logs", uses=(("GenerateDataKey", 0.001),)),
    DemoKey("s3-public-assets", "Public web assets", 733, "web", policy="public"),
    DemoKey("warehouse", "Analytics warehouse", 1015, "data", rotation=365, rotated=(390,), uses=(("Decrypt", 0.5),), user="batch"),
    DemoKey("legacy-exports", "Nightly exports to the old archive", 2300, "data", uses=(("Encrypt", 121.0),)),
    DemoKey("old-backups", "Tape backups before 2023", 2611, "platform", deletion=(18, 30)),
    DemoKey("ebs-default", "Default of all volumes", 1460, "platform", rotation=365, policy="service-ec2", uses=(("Decrypt", 0.01),), grants=(DemoGrant(1440, {"Name": "auto-scaling", "GranteePrincipal": _AUTO_SCALING, "Operations": list(_VOLUME_OPERATIONS)}), _volume(233, "vol-0a1b2c3d4e5f60718"), _volume(19, "vol-0f9e8d7c6b5a40312"))),
    DemoKey("rds-reporting", "Reporting replicas", 801, "data", rotation=365, uses=(("Decrypt", 1.1),), user="batch", grants=(_database(800, "reporting-1"), _database(455, "reporting-2"))),
    DemoKey("secrets", "Secrets Manager", 1302, "platform", rotation=90, more_aliases=("secrets-prod",), policy="service-secrets", uses=(("Decrypt", 0.001),)),
    DemoKey("parameters", "SSM parameters", 1300, "platform", rotation=365, uses=(("Decrypt", 0.004),)),
    DemoKey("ci-artifacts", "Build artefacts", 512, "platform", "ci", rotation=365, uses=(("GenerateDataKey", 0.02),), user="ci"),
    DemoKey("ci-release-signing", "Signs releases", 511, "platform", "ci", spec="ECC_NIST_P521", usage=SIGN, uses=(("Sign", 6.0),), user="ci"),
    DemoKey("firmware-signing", "Firmware images, post-quantum", 171, "devices", spec="ML_DSA_65", usage=SIGN, uses=(("Sign", 12.0),)),
    DemoKey("firmware-signing-rsa", "Firmware images of the first generation", 1600, "devices", spec="RSA_4096", usage=SIGN, uses=(("Sign", 33.0),)),
    DemoKey("partner-exchange", "Files from the partner account", 620, "partners", rotation=365, policy="cross-account", uses=(("Decrypt", 0.9),), grants=(_PARTNER_GRANT,)),
    DemoKey("partner-inbox", "Partners encrypt to us offline", 618, "partners", spec="RSA_2048", usage=ENCRYPT, uses=(("Decrypt", 3.0),)),
    DemoKey("transport-pq", "Hybrid key exchange trial", 96, "platform", "dev", spec="ML_KEM_768", usage=ENCAPSULATE),
    DemoKey("ledger", "Ledger entries", 1105, "finance", rotation=365, rotated=(700, 333), policy="key-admins", uses=(("Decrypt", 0.3),), user="finance", tags={"data": "financial"}),
    DemoKey("ledger-seal", "Monthly seal of the ledger", 1104, "finance", spec="ECC_SECG_P256K1", usage=SIGN, uses=(("Sign", 22.0),), user="finance"),
    DemoKey("invoices", "Invoice archive", 1098, "finance", rotation=365, policy="no-account", uses=(("Decrypt", 40.0),), user="finance"),
    DemoKey("hr-files", "Personnel files", 930, "people", rotation=365, policy="mfa-admins", uses=(("Decrypt", 4.0),), user="people-ops", tags={"data": "personal"}),
    DemoKey("chat-archive", "Chat archive, closed", 1400, "people", disabled=64, uses=(("Encrypt", 79.0),)),
    DemoKey("global-sessions", "Session data in all regions", 480, "identity", rotation=365, multi_region=True, uses=(("Decrypt", 0.001),)),
    DemoKey("global-config", "Configuration replicated to the US", 470, "platform", rotation=365, multi_region=True, uses=(("Decrypt", 0.1),), replica=("us-east-1", 469)),
    DemoKey("imported-hsm-root", "From the old HSM", 760, "platform", origin="EXTERNAL", imports=(DemoImport(721, 365, "escrow 2024"), DemoImport(356, 365, "escrow 2025")), uses=(("Decrypt", 7.0),)),
    DemoKey("mobile-api-mac", "Request MACs of the mobile app", 350, "mobile", spec="HMAC_512", usage=MAC, uses=(("VerifyMac", 0.001),)),
    DemoKey("mobile-push", "Push payloads", 349, "mobile", rotation=365, uses=(("Encrypt", 0.06),)),
    DemoKey("search-index", "Search index snapshots", 288, "search", rotation=365),
    DemoKey("ml-features", "Feature store", 230, "data", "staging", rotation=365, uses=(("Decrypt", 0.7),)),
    DemoKey("sandbox", "Try things here", 140, "platform", "dev", uses=(("Encrypt", 9.0),)),
    DemoKey("sandbox-old", "Sandbox before the move", 720, "platform", "dev", disabled=130),
    DemoKey("payroll-escrow", "Escrow in our own CloudHSM cluster", 45, "people", origin="AWS_CLOUDHSM", key_store="hsm-dublin", uses=(("Decrypt", 3.2),), user="people-ops"),
    DemoKey("", "made by hand, nobody remembers why", 1777, spec="HMAC_384", usage=MAC, environment="", disabled=12),
    DemoKey("", "", 205, environment=""),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DemoCaller:
    """A role's session, the address of its calls, and whether its IAM policy allows keys at all."""

    session: str
    address: str
    agent: str
    account: str = ACCOUNT_ID
    may_use_keys: bool = True

    @property
    def arn(self) -> str:
        return f"arn:aws:sts::{self.account}:assumed-role/{self.session}"


CALLERS: Mapping[str, DemoCaller] = {
    "app": DemoCaller("app/orders-7f9c", "10.20.4.17", "aws-sdk-java/2.31.6"),
    "batch": DemoCaller("batch/nightly", "10.20.9.3", "Boto3/1.42.4 lang/python#3.13"),
    "ci": DemoCaller("ci/release-3811", "10.20.7.60", "aws-cli/2.31.20"),
    "finance": DemoCaller("finance/ledger", "10.20.11.8", "aws-sdk-go-v2/1.39.0"),
    "people-ops": DemoCaller("people-ops/files", "10.20.12.5", "aws-sdk-js/3.890.0"),
    "reporting": DemoCaller(
        "reporting/ad-hoc", "203.0.113.24", "Boto3/1.40.1 lang/python#3.12", may_use_keys=False
    ),
    "importer": DemoCaller("importer/inbound", "198.51.100.40", "aws-sdk-java/2.29.0", PARTNER_ACCOUNT_ID),
}


@dataclass(frozen=True, slots=True)
class Traffic:
    """The same call repeated, the latest ``last`` days ago; ``error`` is the code of its refusal.

    Decrypt uses the ciphertext last made with the key, with its encryption context.
    """

    caller: str
    operation: str
    last: float
    every: float = 1.0
    times: int = 1
    context: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    by_alias: bool = False
    """Whether the calls name the key by its alias."""

    def days(self) -> Iterator[float]:
        for number in range(self.times):
            yield self.last + number * self.every


_ORDERS, _PEOPLE = {"table": "orders"}, {"table": "customers", "column": "address"}

TRAFFIC: Mapping[str, tuple[Traffic, ...]] = {
    "orders-db": (
        Traffic("app", "GenerateDataKey", 1.9, 14, 5, _ORDERS),
        Traffic("app", "Decrypt", 0.3, 2.3, 8),
        Traffic("batch", "Decrypt", 0.45, 7, 4),
    ),
    "customer-pii": (
        Traffic("app", "GenerateDataKey", 5.2, 21, 3, _PEOPLE),
        Traffic("app", "Decrypt", 0.1, 4, 5),
        Traffic("reporting", "Decrypt", 6.07, 0.01, 2, error="AccessDeniedException"),
    ),
    "warehouse": (Traffic("batch", "Encrypt", 8.6, 30, 2, {"export": "weekly"}, by_alias=True), Traffic("batch", "Decrypt", 1.6, 7, 3)),
    "ledger": (Traffic("finance", "GenerateDataKey", 1.3, 30, 2), Traffic("finance", "Decrypt", 0.4, 10, 3)),
    "partner-exchange": (
        Traffic("app", "Encrypt", 10.2, 1, 1, {"exchange": "inbound"}, by_alias=True),
        Traffic("importer", "Decrypt", 1.2, 4, 2),
    ),
    "chat-archive": (Traffic("batch", "Decrypt", 13.6, 14, 4, error="DisabledException"),),
}  # fmt: skip
"""Alias -> its traffic; the uses of the account's table are the last ones."""
