"""How storage is moved: S3, EBS and what is made of it, file systems, backups, container images, desktops."""

from __future__ import annotations

from kms_tui.key_moves.move import Done, How, Move, MoveStep, ServiceCall, Wait

_BUCKET = ServiceCall("s3", "GetBucketEncryption", {"Bucket": "$resource"})
_RULE = (
    "{ServerSideEncryptionConfiguration: {Rules: ServerSideEncryptionConfiguration.Rules[].merge(@,"
    " {ApplyServerSideEncryptionByDefault: merge(ApplyServerSideEncryptionByDefault,"
    ' {KMSMasterKeyID: `"$key"`})})}}'
)
_VOLUME = (
    "Volumes[0].merge({AvailabilityZone: AvailabilityZone, VolumeType: VolumeType},"
    ' (contains(`["gp3", "io1", "io2"]`, VolumeType) && {Iops: Iops}) || `{}`)'
)
_COPIED_SNAPSHOT = {"SourceRegion": "$region", "Encrypted": True, "KmsKeyId": "$key"}
_FINISHED = "hours for large data; the copy is billed beside the original until that is deleted"

STORAGE_MOVES = (
    Move(
        "S3 buckets",
        How.IN_PLACE,
        "New objects only. Objects that are there stay under the old key until UpdateObjectEncryption changes"
        " each, without a copy: kms-tui move-objects does it with S3 Batch Operations. used-by --bucket lists"
        " them.",
        ("s3:PutBucketEncryption", "s3:UpdateObjectEncryption"),
        steps=(
            MoveStep(
                ServiceCall("s3", "PutBucketEncryption", {"Bucket": "$resource"}),
                _BUCKET,
                _RULE,
                done=Done(
                    _BUCKET,
                    "ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault"
                    ".KMSMasterKeyID",
                ),
            ),
        ),
        old_key_needed=True,
        for_new=True,
    ),
    Move(
        "S3 table buckets",
        How.IN_PLACE,
        "New tables only; tables that are there keep their key.",
        ("s3tables:PutTableBucketEncryption",),
        steps=(
            MoveStep(
                ServiceCall(
                    "s3tables",
                    "PutTableBucketEncryption",
                    {
                        "tableBucketARN": "arn:$partition:s3tables:$region:$account:bucket/$resource",
                        "encryptionConfiguration": {"sseAlgorithm": "aws:kms", "kmsKeyArn": "$key"},
                    },
                )
            ),
        ),
        old_key_needed=True,
        for_new=True,
    ),
    Move(
        "S3 vector buckets",
        How.BY_COPY,
        "No call changes the key: the vectors are written again into a new bucket.",
        ("s3vectors:CreateVectorBucket", "s3vectors:PutVectors"),
        steps=(
            MoveStep(
                ServiceCall(
                    "s3vectors",
                    "CreateVectorBucket",
                    {
                        "vectorBucketName": "$resource-moved",
                        "encryptionConfiguration": {"sseType": "aws:kms", "kmsKeyArn": "$key"},
                    },
                )
            ),
        ),
        by_hand="Create the indexes again, write the vectors into them, and have programs use the new"
        " bucket.",
        cost="time and requests for every vector",
    ),
    Move(
        "EBS volumes",
        How.BY_COPY,
        "A volume keeps its key: a snapshot is copied under the new one, and a new volume made of it.",
        ("ec2:CreateSnapshot", "ec2:CopySnapshot", "ec2:CreateVolume"),
        steps=(
            MoveStep(
                ServiceCall(
                    "ec2",
                    "CreateSnapshot",
                    {"VolumeId": "$resource", "Description": "before the move to another key"},
                ),
                keeps=("snapshot", "SnapshotId"),
            ),
            Wait("ec2", "SnapshotCompleted", {"SnapshotIds": ["$snapshot"]}),
            MoveStep(
                ServiceCall("ec2", "CopySnapshot", {"SourceSnapshotId": "$snapshot", **_COPIED_SNAPSHOT}),
                keeps=("copy", "SnapshotId"),
            ),
            Wait("ec2", "SnapshotCompleted", {"SnapshotIds": ["$copy"]}),
            MoveStep(
                ServiceCall(
                    "ec2", "CreateVolume", {"SnapshotId": "$copy", "Encrypted": True, "KmsKeyId": "$key"}
                ),
                ServiceCall("ec2", "DescribeVolumes", {"VolumeIds": ["$resource"]}),
                _VOLUME,
            ),
        ),
        by_hand="Stop the writers before the snapshot; afterwards detach the old volume and attach the new"
        " one"
        " under the same device name (detach-volume, attach-volume), and copy its tags.",
        down="the instance, from the snapshot until the new volume is attached",
        cost=_FINISHED,
    ),
    Move(
        "EBS snapshots",
        How.BY_COPY,
        "A snapshot keeps its key: it is copied. Snapshots of an AMI come with the copy of the AMI.",
        ("ec2:CopySnapshot",),
        steps=(
            MoveStep(
                ServiceCall("ec2", "CopySnapshot", {"SourceSnapshotId": "$resource", **_COPIED_SNAPSHOT})
            ),
        ),
        by_hand="Copy its tags and sharing, then delete the original.",
        cost=_FINISHED,
    ),
    Move(
        "AMIs",
        How.BY_COPY,
        "An image is copied, with its snapshots, under the new key; it has a new id.",
        ("ec2:CopyImage",),
        steps=(
            MoveStep(
                ServiceCall(
                    "ec2",
                    "CopyImage",
                    {
                        "Name": "$plain-moved",
                        "SourceImageId": "$resource",
                        "SourceRegion": "$region",
                        "Encrypted": True,
                        "KmsKeyId": "$key",
                    },
                ),
                keeps=("image", "ImageId"),
            ),
            Wait("ec2", "ImageAvailable", {"ImageIds": ["$image"]}),
        ),
        by_hand="Name the new image where the old one is named (launch templates, parameters, code), share it"
        " again, then deregister the old one.",
        cost=_FINISHED,
    ),
    Move(
        "EBS default keys",
        How.IN_PLACE,
        "New volumes only.",
        ("ec2:ModifyEbsDefaultKmsKeyId",),
        steps=(MoveStep(ServiceCall("ec2", "ModifyEbsDefaultKmsKeyId", {"KmsKeyId": "$key"})),),
        for_new=True,
    ),
    Move(
        "EC2 launch templates",
        How.IN_PLACE,
        "New instances only: a version is never changed, a new one is made.",
        ("ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"),
        by_hand="Make a version whose disks name the new key (create-launch-template-version), and make it"
        " the"
        " default where the old one was (modify-launch-template).",
        for_new=True,
    ),
    Move(
        "EFS file systems",
        How.BY_COPY,
        "A file system keeps its key: EFS replicates it into a new one, which is read-only meanwhile.",
        ("efs:CreateReplicationConfiguration", "efs:DeleteReplicationConfiguration"),
        steps=(
            MoveStep(
                ServiceCall(
                    "efs",
                    "CreateReplicationConfiguration",
                    {
                        "SourceFileSystemId": "$resource",
                        "Destinations": [{"Region": "$region", "KmsKeyId": "$key"}],
                    },
                )
            ),
        ),
        by_hand="Once it has caught up: stop the writers, delete the replication, make mount targets and"
        " access"
        " points for the new file system, and mount it.",
        down="the writers, while the last changes are replicated and clients mount anew",
        cost="hours to days for large data; storage twice meanwhile",
    ),
    Move(
        "FSx file systems",
        How.BY_COPY,
        "A file system keeps its key: a new one is made, of a backup or by copying the files.",
        ("fsx:CreateBackup", "fsx:CopyBackup", "fsx:CreateFileSystemFromBackup"),
        by_hand="Back it up, copy the backup under the new key (copy-backup --kms-key-id), make a file"
        " system of"
        " it, and have clients mount that one. Lustre's scratch file systems have no backup: copy the files.",
        down="the clients, from the backup until they mount the new one",
        cost="hours for large data; storage twice meanwhile",
    ),
    Move(
        "FSx backups",
        How.BY_COPY,
        "A backup keeps its key: it is copied.",
        ("fsx:CopyBackup",),
        steps=(
            MoveStep(ServiceCall("fsx", "CopyBackup", {"SourceBackupId": "$resource", "KmsKeyId": "$key"})),
        ),
        by_hand="Delete the original once the copy is available.",
        cost=_FINISHED,
    ),
    Move(
        "Backup vaults",
        How.BY_COPY,
        "A vault keeps its key: a new one is made, and recovery points are copied into it.",
        ("backup:CreateBackupVault", "backup:StartCopyJob"),
        steps=(
            MoveStep(
                ServiceCall(
                    "backup",
                    "CreateBackupVault",
                    {"BackupVaultName": "$plain-moved", "EncryptionKeyArn": "$key"},
                )
            ),
        ),
        by_hand="Have the backup plans use the new vault, copy each recovery point that is still needed"
        " (start-copy-job), and let the others expire.",
        cost="storage twice until the old recovery points expire",
    ),
    Move(
        "ECR repositories",
        How.BY_COPY,
        "A repository keeps its key: images are pushed into a new one.",
        ("ecr:CreateRepository",),
        steps=(
            MoveStep(
                ServiceCall(
                    "ecr",
                    "CreateRepository",
                    {
                        "repositoryName": "$resource-moved",
                        "encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "$key"},
                    },
                )
            ),
        ),
        by_hand="Copy the images with their digests (crane, skopeo), its policies too, and name the new"
        " repository"
        " where images are pulled.",
        cost="minutes to hours; storage twice meanwhile",
    ),
    Move(
        "ECR creation templates",
        How.IN_PLACE,
        "New repositories only.",
        ("ecr:UpdateRepositoryCreationTemplate",),
        steps=(
            MoveStep(
                ServiceCall(
                    "ecr",
                    "UpdateRepositoryCreationTemplate",
                    {
                        "prefix": "$resource",
                        "encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "$key"},
                    },
                )
            ),
        ),
        for_new=True,
    ),
    Move(
        "CodeArtifact domains",
        How.BY_COPY,
        "A domain keeps its key: packages are published into a new one.",
        ("codeartifact:CreateDomain",),
        by_hand="Make a domain under the new key and its repositories, publish the packages there, and name"
        " it in"
        " every client.",
        cost="storage twice meanwhile",
    ),
    Move(
        "CodeCommit repositories",
        How.IN_PLACE,
        "AWS does not document what happens to data that is there: keep the old key until nothing uses it.",
        ("codecommit:UpdateRepositoryEncryptionKey",),
        steps=(
            MoveStep(
                ServiceCall(
                    "codecommit",
                    "UpdateRepositoryEncryptionKey",
                    {"repositoryName": "$resource", "kmsKeyId": "$key"},
                )
            ),
        ),
        old_key_needed=True,
    ),
    Move(
        "WorkSpaces",
        How.BY_COPY,
        "A WorkSpace keeps its key, also when it is rebuilt: a new one is made.",
        ("workspaces:CreateWorkspaces",),
        by_hand="Make a new WorkSpace under the new key, have the user's files moved, and terminate the old"
        " one.",
        down="the user, during the change",
        cost="two WorkSpaces meanwhile",
    ),
)
