"""Scanners of storage: S3, EBS and what is made of it, file systems, backups, container images, desktops."""

from __future__ import annotations

from kms_tui.evidence.scanners.scanner import NAME_TAG, Detail, Listing, Place, Scanner

_PAGES = ("NextToken", "NextToken")
_LATER_PAGES = ("nextToken", "nextToken")
_TEMPLATE_DISKS = "LaunchTemplateVersions[].LaunchTemplateData.BlockDeviceMappings[].Ebs"

STORAGE_SCANNERS = (
    Scanner(
        "S3 buckets",
        "s3",
        Listing(
            "ListBuckets",
            "Buckets",
            ("ContinuationToken", "ContinuationToken"),
            {"MaxBuckets": 1000},
            in_region="BucketRegion",
        ),
        name="Name",
        detail=Detail(
            "GetBucketEncryption",
            "Bucket",
            "Name",
            without=frozenset(
                {
                    "ServerSideEncryptionConfigurationNotFoundError",
                    "NoSuchBucket",
                    "PermanentRedirect",
                    "AuthorizationHeaderMalformed",
                    "IllegalLocationConstraintException",
                }
            ),
        ),
        keys=(
            Place(
                "KMSMasterKeyID",
                "default encryption",
                within="ServerSideEncryptionConfiguration.Rules[].ApplyServerSideEncryptionByDefault",
                default="alias/aws/s3",
                when=("SSEAlgorithm", ("aws:kms", "aws:kms:dsse")),
            ),
        ),
        region_at="BucketRegion",
        rate=40.0,
    ),
    Scanner(
        "S3 table buckets",
        "s3tables",
        Listing(
            "ListTableBuckets",
            "tableBuckets",
            ("continuationToken", "continuationToken"),
            {"maxBuckets": 1000},
        ),
        name="name",
        detail=Detail("GetTableBucketEncryption", "tableBucketARN", "arn"),
        keys=(Place("kmsKeyArn", "default encryption", within="encryptionConfiguration"),),
        rate=5.0,
    ),
    Scanner(
        "S3 vector buckets",
        "s3vectors",
        Listing("ListVectorBuckets", "vectorBuckets", _LATER_PAGES, {"maxResults": 500}),
        name="vectorBucketName",
        detail=Detail("GetVectorBucket", "vectorBucketName", "vectorBucketName"),
        keys=(Place("kmsKeyArn", within="vectorBucket.encryptionConfiguration"),),
        rate=5.0,
    ),
    Scanner(
        "EBS volumes",
        "ec2",
        Listing(
            "DescribeVolumes",
            "Volumes",
            _PAGES,
            {"MaxResults": 500, "Filters": [{"Name": "encrypted", "Values": ["true"]}]},
        ),
        name="VolumeId",
        label=NAME_TAG,
        keys=(Place("KmsKeyId"),),
    ),
    Scanner(
        "EBS snapshots",
        "ec2",
        Listing(
            "DescribeSnapshots",
            "Snapshots",
            _PAGES,
            {
                "MaxResults": 1000,
                "OwnerIds": ["self"],
                "Filters": [{"Name": "encrypted", "Values": ["true"]}],
            },
        ),
        name="SnapshotId",
        label=NAME_TAG,
        keys=(Place("KmsKeyId"),),
    ),
    Scanner(
        "AMIs",
        "ec2",
        Listing(
            "DescribeImages",
            "Images",
            _PAGES,
            {"MaxResults": 1000, "Owners": ["self"], "IncludeDisabled": True},
        ),
        name="ImageId",
        label="Name",
        # An image names its snapshots, and only they their keys.
        detail=Detail(
            "DescribeSnapshots",
            "SnapshotIds",
            "BlockDeviceMappings[?Ebs.Encrypted].Ebs.SnapshotId",
            without=frozenset({"InvalidSnapshot.NotFound"}),
            as_list=True,
        ),
        keys=(Place("KmsKeyId", "snapshot", within="Snapshots"),),
        rate=5.0,
    ),
    Scanner(
        "EBS default keys",
        "ec2",
        Listing("GetEbsDefaultKmsKeyId", "KmsKeyId", wrap="KmsKeyId"),
        name="'new volumes'",
        keys=(Place("KmsKeyId"),),
    ),
    Scanner(
        "EC2 launch templates",
        "ec2",
        Listing("DescribeLaunchTemplates", "LaunchTemplates", _PAGES, {"MaxResults": 200}),
        name="LaunchTemplateName",
        detail=Detail(
            "DescribeLaunchTemplateVersions",
            "LaunchTemplateId",
            "LaunchTemplateId",
            {"Versions": ["$Latest", "$Default"]},
            without=frozenset({"InvalidLaunchTemplateId.NotFound"}),
        ),
        keys=(Place("KmsKeyId", "latest or default version", within=_TEMPLATE_DISKS),),
        rate=5.0,
    ),
    Scanner(
        "EFS file systems",
        "efs",
        Listing("DescribeFileSystems", "FileSystems", ("Marker", "NextMarker"), {"MaxItems": 100}),
        name="FileSystemId",
        label="Name",
        keys=(Place("KmsKeyId"),),
    ),
    Scanner(
        "FSx file systems",
        "fsx",
        Listing("DescribeFileSystems", "FileSystems", _PAGES, {"MaxResults": 100}),
        name="FileSystemId",
        label=NAME_TAG,
        keys=(Place("KmsKeyId"),),
        rate=5.0,
    ),
    Scanner(
        "FSx backups",
        "fsx",
        Listing("DescribeBackups", "Backups", _PAGES, {"MaxResults": 100}),
        name="BackupId",
        label=NAME_TAG,
        keys=(Place("KmsKeyId"),),
        rate=5.0,
    ),
    Scanner(
        "Backup vaults",
        "backup",
        Listing("ListBackupVaults", "BackupVaultList", _PAGES, {"MaxResults": 1000}),
        name="BackupVaultName",
        keys=(Place("EncryptionKeyArn"),),
        rate=5.0,
    ),
    Scanner(
        "ECR repositories",
        "ecr",
        Listing("DescribeRepositories", "repositories", _LATER_PAGES, {"maxResults": 1000}),
        name="repositoryName",
        keys=(Place("kmsKey", within="encryptionConfiguration"),),
        rate=5.0,
    ),
    Scanner(
        "ECR creation templates",
        "ecr",
        Listing(
            "DescribeRepositoryCreationTemplates",
            "repositoryCreationTemplates",
            _LATER_PAGES,
            {"maxResults": 1000},
        ),
        name="prefix",
        keys=(Place("kmsKey", "new repositories", within="encryptionConfiguration"),),
        rate=5.0,
    ),
    Scanner(
        "CodeArtifact domains",
        "codeartifact",
        Listing("ListDomains", "domains", _LATER_PAGES, {"maxResults": 1000}),
        name="name",
        keys=(Place("encryptionKey"),),
        rate=5.0,
    ),
    Scanner(
        "CodeCommit repositories",
        "codecommit",
        Listing("ListRepositories", "repositories", _LATER_PAGES),
        name="repositoryName",
        detail=Detail(
            "GetRepository",
            "repositoryName",
            "repositoryName",
            without=frozenset({"RepositoryDoesNotExistException"}),
        ),
        keys=(Place("kmsKeyId", within="repositoryMetadata"),),
        rate=5.0,
    ),
    Scanner(
        "WorkSpaces",
        "workspaces",
        Listing("DescribeWorkspaces", "Workspaces", _PAGES, {"Limit": 25}),
        name="WorkspaceId",
        label="UserName",
        keys=(Place("VolumeEncryptionKey", "volumes"),),
        rate=2.0,
    ),
)
