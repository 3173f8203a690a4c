"""THE table of KMS operations and policy actions, a row each: whatever is known of an operation is a column.

Source: botocore's KMS service model ("Required permissions", "Cross-account use", each member's page), the
service authorization reference (list_kms) and the developer guide (concepts, grants). ReEncrypt is an
operation and no action: it asks for the actions ReEncryptFrom and ReEncryptTo. An operation of a newer
service is not in the table, and so counts as mutating until it is entered here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Flag, StrEnum, auto
from typing import NamedTuple

from kms_tui.kms.keyspecs import KEY_SPECS, KeySpec
from kms_tui.kms.model import KeyState, KeyUsage


class Access(StrEnum):
    """What an operation does, and so what its action lets its holder do: the columns of the access matrix."""

    ADMINISTER = "administer"
    USE = "use"
    """Cryptography: it leaves no trace in KMS but its CloudTrail event, and is safe to send again."""
    GRANT = "grant"
    READ = "read"


class Trait(Flag):
    """What may be known of an operation besides."""

    CROSS_ACCOUNT = auto()
    """It works on a key of another account."""
    TAKES_ALIAS = auto()
    """Its KeyId may be an alias."""
    ENCRYPTION_CONTEXT = auto()
    """Its requests can carry kms:EncryptionContext: keys (conditions-kms)."""
    GRANTABLE = auto()
    """A grant may allow it (CreateGrant: Operations)."""
    NO_KEY = auto()
    """It takes no key, so that only an IAM policy can allow it."""
    PRICED_BY_KEY = auto()
    """Its price depends on the key that it uses (AWS KMS pricing)."""
    MAKES_KEY = auto()
    """It makes a key or a key pair, which may take seconds."""
    QUICK = auto()
    """It takes about 0.1 ms offline, on a symmetric key."""
    DESTRUCTIVE = auto()
    """It deletes or disables; a policy that denies it to everyone is a guard, not a mistake."""
    DISABLES = auto()
    """It leaves a key disabled."""
    HARMLESS = auto()
    """It is no reading operation, yet leaves the key as it was: an import token alone imports nothing."""
    ATTESTED = auto()
    """It may answer for one recipient alone, whom an attestation document names (Recipient)."""
    RECENT = auto()
    """It is newer than most policies that list every action by name, or has no caller but KMS."""
    NO_ACTION = auto()
    """Policies do not name it."""
    NO_OPERATION = auto()
    """Policies name it, and nobody can call it."""


class KeyClass(StrEnum):
    """The keys that an operation works on, where not all keys of its usage are."""

    ANY = ""
    SYMMETRIC = "symmetric"
    ASYMMETRIC = "asymmetric"


class OperationRow(NamedTuple):
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
_ACROSS, _ALIAS, _CONTEXT, _GRANTABLE = (
    Trait.CROSS_ACCOUNT,
    Trait.TAKES_ALIAS,
    Trait.ENCRYPTION_CONTEXT,
    Trait.GRANTABLE,
)
_NO_KEY, _PRICED, _MAKES, _QUICK = Trait.NO_KEY, Trait.PRICED_BY_KEY, Trait.MAKES_KEY, Trait.QUICK
_DESTROYS, _DISABLES, _HARMLESS = Trait.DESTRUCTIVE, Trait.DISABLES, Trait.HARMLESS
_ATTESTED = Trait.ATTESTED
_RECENT, _NO_ACTION, _NO_OPERATION = Trait.RECENT, Trait.NO_ACTION, Trait.NO_OPERATION
_ON_KEY = _ACROSS | _ALIAS | _GRANTABLE | _PRICED
"""What the cryptographic operations have in common."""

# fmt: off
_ROWS = (
    OperationRow("Decrypt",                             _USE,   _CRYPT, _ON_KEY | _CONTEXT | _QUICK | _ATTESTED),
    OperationRow("Encrypt",                             _USE,   _CRYPT, _ON_KEY | _CONTEXT | _QUICK),
    OperationRow("ReEncrypt",                           _USE,   _CRYPT, _ACROSS | _ALIAS | _PRICED | _QUICK | _NO_ACTION),
    OperationRow("ReEncryptFrom",                       _USE,   _CRYPT, _ACROSS | _CONTEXT | _GRANTABLE | _NO_OPERATION),
    OperationRow("ReEncryptTo",                         _USE,   _CRYPT, _ACROSS | _CONTEXT | _GRANTABLE | _NO_OPERATION),
    OperationRow("Sign",                                _USE,   _SIGN,  _ON_KEY),
    OperationRow("Verify",                              _USE,   _SIGN,  _ON_KEY),
    OperationRow("GenerateMac",                         _USE,   _MAC,   _ON_KEY | _QUICK),
    OperationRow("VerifyMac",                           _USE,   _MAC,   _ON_KEY | _QUICK),
    OperationRow("DeriveSharedSecret",                  _USE,   _AGREE, _ON_KEY | _ATTESTED),
    OperationRow("Decapsulate",                         _USE,   _KEM,   _ON_KEY | _RECENT),
    OperationRow("Encapsulate",                         _USE,   _KEM,   _ON_KEY | _RECENT),
    OperationRow("GenerateDataKey",                     _USE,   _CRYPT, _ON_KEY | _CONTEXT | _QUICK | _ATTESTED, _SYM),
    OperationRow("GenerateDataKeyWithoutPlaintext",     _USE,   _CRYPT, _ON_KEY | _CONTEXT | _QUICK, _SYM),
    OperationRow("GenerateDataKeyPair",                 _USE,   _CRYPT, _ON_KEY | _CONTEXT | _MAKES | _ATTESTED, _SYM),
    OperationRow("GenerateDataKeyPairWithoutPlaintext", _USE,   _CRYPT, _ON_KEY | _CONTEXT | _MAKES, _SYM),
    OperationRow("GenerateRandom",                      _USE,   None,   _NO_KEY | _PRICED | _QUICK | _ATTESTED),
    OperationRow("GetPublicKey",                        _READ,  None,   _ON_KEY, _ASYM),
    OperationRow("DescribeKey",                         _READ,  None,   _ACROSS | _ALIAS | _GRANTABLE | _QUICK),
    OperationRow("CreateGrant",                         _GRANT, None,   _ACROSS | _CONTEXT | _GRANTABLE),
    OperationRow("RetireGrant",                         _GRANT, None,   _ACROSS | _CONTEXT | _GRANTABLE),
    OperationRow("RevokeGrant",                         _GRANT, None,   _ACROSS),
    OperationRow("ListGrants",                          _READ,  None,   _ACROSS),
    OperationRow("ListRetirableGrants",                 _READ,  None,   _NO_KEY),
    OperationRow("GetKeyRotationStatus",                _READ,  None,   _ACROSS),
    OperationRow("ListKeyRotations",                    _READ,  None,   _NONE),
    OperationRow("GetKeyPolicy",                        _READ,  None,   _NONE),
    OperationRow("ListKeyPolicies",                     _READ,  None,   _NONE),
    OperationRow("ListResourceTags",                    _READ,  None,   _NONE),
    OperationRow("GetKeyLastUsage",                     _READ,  None,   _RECENT),
    OperationRow("ListKeys",                            _READ,  None,   _NO_KEY),
    OperationRow("ListAliases",                         _READ,  None,   _NO_KEY),
    OperationRow("DescribeCustomKeyStores",             _READ,  None,   _NO_KEY),
    OperationRow("CreateKey",                           _ADMIN, None,   _NO_KEY | _MAKES),
    OperationRow("ReplicateKey",                        _ADMIN, None,   _NONE),
    OperationRow("UpdatePrimaryRegion",                 _ADMIN, None,   _NONE),
    OperationRow("SynchronizeMultiRegionKey",           _ADMIN, None,   _RECENT | _NO_OPERATION),
    OperationRow("UpdateKeyDescription",                _ADMIN, None,   _NONE),
    OperationRow("EnableKey",                           _ADMIN, None,   _NONE),
    OperationRow("DisableKey",                          _ADMIN, None,   _DESTROYS | _DISABLES),
    OperationRow("ScheduleKeyDeletion",                 _ADMIN, None,   _DESTROYS),
    OperationRow("CancelKeyDeletion",                   _ADMIN, None,   _DISABLES),
    OperationRow("PutKeyPolicy",                        _ADMIN, None,   _NONE),
    OperationRow("EnableKeyRotation",                   _ADMIN, None,   _NONE),
    OperationRow("DisableKeyRotation",                  _ADMIN, None,   _DESTROYS),
    OperationRow("RotateKeyOnDemand",                   _ADMIN, None,   _NONE),
    OperationRow("CreateAlias",                         _ADMIN, None,   _NONE),
    OperationRow("UpdateAlias",                         _ADMIN, None,   _NONE),
    OperationRow("DeleteAlias",                         _ADMIN, None,   _DESTROYS),
    OperationRow("TagResource",                         _ADMIN, None,   _NONE),
    OperationRow("UntagResource",                       _ADMIN, None,   _NONE),
    OperationRow("GetParametersForImport",              _ADMIN, None,   _MAKES | _HARMLESS),
    OperationRow("ImportKeyMaterial",                   _ADMIN, None,   _NONE),
    OperationRow("DeleteImportedKeyMaterial",           _ADMIN, None,   _DESTROYS),
    OperationRow("CreateCustomKeyStore",                _ADMIN, None,   _NO_KEY),
    OperationRow("UpdateCustomKeyStore",                _ADMIN, None,   _NO_KEY),
    OperationRow("DeleteCustomKeyStore",                _ADMIN, None,   _NO_KEY),
    OperationRow("ConnectCustomKeyStore",               _ADMIN, None,   _NO_KEY),
    OperationRow("DisconnectCustomKeyStore",            _ADMIN, None,   _NO_KEY),
)
# fmt: on

ROWS: Mapping[str, OperationRow] = {row.name: row for row in _ROWS}
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


_DISABLED, _PENDING_DELETION = KeyState.DISABLED, KeyState.PENDING_DELETION
_PENDING_REPLICAS, _PENDING_IMPORT = KeyState.PENDING_REPLICA_DELETION, KeyState.PENDING_IMPORT
_UNAVAILABLE, _CREATING, _UPDATING = KeyState.UNAVAILABLE, KeyState.CREATING, KeyState.UPDATING

_DELETED = frozenset({_PENDING_DELETION, _PENDING_REPLICAS})
_UNUSABLE = _DELETED | {_DISABLED, _PENDING_IMPORT, _UNAVAILABLE, _CREATING}
_UNSWITCHABLE = _DELETED | {_PENDING_IMPORT, _CREATING, _UPDATING}
_UNROTATABLE = _DELETED | {_DISABLED, _CREATING}
_UNREPLICABLE = _DELETED | {_DISABLED, _PENDING_IMPORT, _CREATING}

REFUSED_BY_STATE: Mapping[str, frozenset[KeyState]] = {
    **dict.fromkeys(CRYPTOGRAPHIC - {"GenerateRandom"}, _UNUSABLE),
    "CreateAlias": _DELETED,
    "CreateGrant": _DELETED | {_DISABLED, _PENDING_IMPORT, _CREATING},
    "DeleteImportedKeyMaterial": frozenset({_CREATING, _UPDATING}),
    "DisableKey": _UNSWITCHABLE,
    "DisableKeyRotation": _UNROTATABLE,
    "EnableKey": _UNSWITCHABLE,
    "EnableKeyRotation": _UNROTATABLE,
    "GetPublicKey": _UNUSABLE - {_DISABLED},
    "GetParametersForImport": _DELETED | {_CREATING, _UPDATING},
    "ImportKeyMaterial": _DELETED | {_CREATING},
    "ReplicateKey": _UNREPLICABLE | {_UPDATING},
    "RotateKeyOnDemand": _UNROTATABLE | {_PENDING_IMPORT, _UPDATING},
    "ScheduleKeyDeletion": _DELETED | {_UPDATING},
    "TagResource": _DELETED,
    "UntagResource": _DELETED,
    "UpdateAlias": _DELETED,
    "UpdateKeyDescription": _DELETED,
    "UpdatePrimaryRegion": _UNREPLICABLE,
}
"""Operation -> the key states that refuse it; one that is not here works in every state.

Source: the developer guide's key state table (key-state).
"""


def state_error(state: KeyState) -> str:
    """The error code of an operation that a state refuses."""
    return "DisabledException" if state is KeyState.DISABLED else "KMSInvalidStateException"


SERVICE_READS: Mapping[str, frozenset[str]] = {
    "accessanalyzer": frozenset({"CheckNoNewAccess", "CheckNoPublicAccess", "ValidatePolicy"}),
    "amp": frozenset({"ListWorkspaces"}),
    "appflow": frozenset({"DescribeFlow", "ListFlows"}),
    "apprunner": frozenset({"DescribeService", "ListServices"}),
    "athena": frozenset(
        {
            "GetQueryExecution",
            "GetQueryResults",
            "GetTableMetadata",
            "GetWorkGroup",
            "ListWorkGroups",
            "StartQueryExecution",
            "StopQueryExecution",
        }
    ),
    "backup": frozenset({"ListBackupVaults"}),
    "bedrock": frozenset(
        {
            "GetCustomModel",
            "GetGuardrail",
            "GetImportedModel",
            "ListCustomModels",
            "ListGuardrails",
            "ListImportedModels",
        }
    ),
    "bedrock-agent": frozenset(
        {
            "GetAgent",
            "GetFlow",
            "GetKnowledgeBase",
            "GetPrompt",
            "ListAgents",
            "ListFlows",
            "ListKnowledgeBases",
            "ListPrompts",
        }
    ),
    "cloudtrail": frozenset(
        {
            "CancelQuery",
            "DescribeQuery",
            "DescribeTrails",
            "GetEventDataStore",
            "GetQueryResults",
            "ListEventDataStores",
            "LookupEvents",
            "StartQuery",
        }
    ),
    "codeartifact": frozenset({"ListDomains"}),
    "codebuild": frozenset({"BatchGetProjects", "BatchGetReportGroups", "ListProjects", "ListReportGroups"}),
    "codecommit": frozenset({"GetRepository", "ListRepositories"}),
    "codepipeline": frozenset({"GetPipeline", "ListPipelines"}),
    "cognito-idp": frozenset({"DescribeUserPool", "ListUserPools"}),
    "config": frozenset(
        {"DescribeConfigurationAggregators", "DescribeDeliveryChannels", "SelectAggregateResourceConfig"}
    ),
    "databrew": frozenset({"ListJobs"}),
    "dms": frozenset({"DescribeEndpoints", "DescribeReplicationInstances"}),
    "docdb-elastic": frozenset({"GetCluster", "ListClusters"}),
    "dsql": frozenset({"GetCluster", "ListClusters"}),
    "dynamodb": frozenset({"DescribeTable", "ListTables"}),
    "ec2": frozenset(
        {
            "DescribeImages",
            "DescribeLaunchTemplateVersions",
            "DescribeLaunchTemplates",
            "DescribeRegions",
            "DescribeSnapshots",
            "DescribeVolumes",
            "DescribeVpcEndpoints",
            "GetEbsDefaultKmsKeyId",
        }
    ),
    "ecr": frozenset({"DescribeRepositories", "DescribeRepositoryCreationTemplates"}),
    "ecs": frozenset({"DescribeClusters", "ListClusters"}),
    "efs": frozenset({"DescribeFileSystems"}),
    "eks": frozenset({"DescribeCluster", "ListClusters"}),
    "elasticache": frozenset({"DescribeReplicationGroups", "DescribeServerlessCaches", "DescribeSnapshots"}),
    "emr": frozenset({"DescribeStudio", "ListStudios"}),
    "emr-serverless": frozenset({"GetApplication", "ListApplications"}),
    "events": frozenset(
        {
            "DescribeArchive",
            "DescribeConnection",
            "DescribeEventBus",
            "ListArchives",
            "ListConnections",
            "ListEventBuses",
        }
    ),
    "firehose": frozenset({"DescribeDeliveryStream", "ListDeliveryStreams"}),
    "fsx": frozenset({"DescribeBackups", "DescribeFileSystems"}),
    "glue": frozenset({"GetDataCatalogEncryptionSettings", "GetMLTransforms", "GetSecurityConfigurations"}),
    "healthlake": frozenset({"ListFHIRDatastores"}),
    "iam": frozenset(
        {
            "GetGroupPolicy",
            "GetPolicy",
            "GetPolicyVersion",
            "GetRole",
            "GetRolePolicy",
            "GetUser",
            "GetUserPolicy",
            "ListAttachedGroupPolicies",
            "ListAttachedRolePolicies",
            "ListAttachedUserPolicies",
            "ListGroupPolicies",
            "ListGroupsForUser",
            "ListRolePolicies",
            "ListUserPolicies",
        }
    ),
    "iam-toolbox": frozenset({"GetRequestAuthorizationDetails"}),
    "imagebuilder": frozenset(
        {
            "GetDistributionConfiguration",
            "GetImageRecipe",
            "ListDistributionConfigurations",
            "ListImageRecipes",
        }
    ),
    "kafka": frozenset({"ListClustersV2"}),
    "kendra": frozenset({"DescribeIndex", "ListIndices"}),
    "kinesis": frozenset({"DescribeStreamSummary", "ListStreams"}),
    "kinesisvideo": frozenset({"ListStreams"}),
    "lambda": frozenset({"GetFunctionConfiguration", "ListEventSourceMappings", "ListFunctions"}),
    "logs": frozenset(
        {"DescribeLogGroups", "GetQueryResults", "ListLogAnomalyDetectors", "StartQuery", "StopQuery"}
    ),
    "memorydb": frozenset({"DescribeClusters", "DescribeSnapshots"}),
    "mq": frozenset({"DescribeBroker", "ListBrokers"}),
    "mwaa": frozenset({"GetEnvironment", "ListEnvironments"}),
    "neptune-graph": frozenset({"ListGraphs"}),
    "opensearch": frozenset({"DescribeDomain", "ListDomainNames"}),
    "opensearchserverless": frozenset({"ListCollections"}),
    "organizations": frozenset(
        {
            "DescribeOrganization",
            "DescribePolicy",
            "ListAccounts",
            "ListParents",
            "ListPoliciesForTarget",
            "ListRoots",
        }
    ),
    "osis": frozenset({"GetPipeline", "ListPipelines"}),
    "pipes": frozenset({"DescribePipe", "ListPipes"}),
    "qbusiness": frozenset({"GetApplication", "ListApplications"}),
    "rds": frozenset(
        {
            "DescribeDBClusterAutomatedBackups",
            "DescribeDBClusterSnapshots",
            "DescribeDBClusters",
            "DescribeDBInstanceAutomatedBackups",
            "DescribeDBInstances",
            "DescribeDBSnapshots",
        }
    ),
    "redshift": frozenset({"DescribeClusterSnapshots", "DescribeClusters", "DescribeSnapshotCopyGrants"}),
    "redshift-serverless": frozenset({"ListNamespaces", "ListSnapshots"}),
    "route53": frozenset({"GetDNSSEC", "ListHostedZones"}),
    "s3": frozenset(
        {
            "GetBucketEncryption",
            "GetBucketVersioning",
            "HeadBucket",
            "HeadObject",
            "ListBuckets",
            "ListObjectVersions",
            "ListObjectsV2",
        }
    ),
    "s3control": frozenset({"DescribeJob"}),
    "s3tables": frozenset({"GetTableBucketEncryption", "ListTableBuckets"}),
    "s3vectors": frozenset({"GetVectorBucket", "ListVectorBuckets"}),
    "sagemaker": frozenset(
        {
            "DescribeDomain",
            "DescribeEndpointConfig",
            "DescribeFeatureGroup",
            "DescribeNotebookInstance",
            "ListDomains",
            "ListEndpointConfigs",
            "ListFeatureGroups",
            "ListNotebookInstances",
        }
    ),
    "scheduler": frozenset({"GetSchedule", "ListSchedules"}),
    "secretsmanager": frozenset({"DescribeSecret", "ListSecrets"}),
    "ses": frozenset({"DescribeReceiptRuleSet", "ListReceiptRuleSets"}),
    "sns": frozenset({"GetTopicAttributes", "ListTopics"}),
    "sqs": frozenset({"GetQueueAttributes", "GetQueueUrl", "ListQueues"}),
    "ssm": frozenset({"DescribeParameters", "ListResourceDataSync"}),
    "stepfunctions": frozenset(
        {"DescribeActivity", "DescribeStateMachine", "ListActivities", "ListStateMachines"}
    ),
    "sts": frozenset({"DecodeAuthorizationMessage"}),
    "synthetics": frozenset({"DescribeCanaries"}),
    "timestream-influxdb": frozenset({"GetDbInstance", "ListDbInstances"}),
    "timestream-write": frozenset({"ListDatabases"}),
    "workspaces": frozenset({"DescribeWorkspaces"}),
    "xray": frozenset({"GetEncryptionConfig"}),
}
"""THE table of what is read from other services, by botocore's names; whatever is not in it is never sent.

Operations that change something, or answer a secret, do not belong here. Queries are reads, though Athena
writes the result of one to the S3 location of its work group; they cost money, and are started only on
request.
"""

SERVICE_WRITES: Mapping[str, frozenset[str]] = {
    "dynamodb": frozenset({"UpdateTable"}),
    "kinesis": frozenset({"StartStreamEncryption"}),
    "lambda": frozenset({"UpdateFunctionConfiguration"}),
    "logs": frozenset({"AssociateKmsKey"}),
    "s3": frozenset({"PutBucketEncryption"}),
    "s3control": frozenset({"CreateJob", "UpdateJobStatus"}),
    "secretsmanager": frozenset({"UpdateSecret"}),
    "sns": frozenset({"SetTopicAttributes"}),
    "sqs": frozenset({"SetQueueAttributes"}),
    "ssm": frozenset({"LabelParameterVersion", "PutParameter"}),
}
"""THE table of what is written to other services: the moves to another key that are made in place.

A write is sent only where the user allows it (``--allow-service-writes``), and never in a read-only account.
"""

SECRET_READS: Mapping[str, frozenset[str]] = {"ssm": frozenset({"GetParameter", "GetParameterHistory"})}
"""Reads that answer a secret, which a write needs; they are sent only where writes are allowed."""

SECRET_MEMBERS: Mapping[tuple[str, str], frozenset[str]] = {
    ("secretsmanager", "UpdateSecret"): frozenset({"SecretBinary", "SecretString"}),
    ("ssm", "PutParameter"): frozenset({"Value"}),
}
"""Members of writes that are secrets, which no log and no command line contains."""


def may_write(service: str, operation: str) -> bool:
    """Whether an operation of a service other than KMS is a write that may be allowed."""
    return operation in SERVICE_WRITES.get(service, frozenset())


def may_read_secrets(service: str, operation: str) -> bool:
    """Whether an operation of a service other than KMS is a read for writes alone."""
    return operation in SECRET_READS.get(service, frozenset())


def may_read(service: str, operation: str) -> bool:
    """Whether an operation of a service other than KMS may be sent."""
    return operation in SERVICE_READS.get(service, frozenset())
