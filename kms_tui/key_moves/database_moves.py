"""How databases, caches and warehouses are moved, and their snapshots."""

from __future__ import annotations

from kms_tui.key_moves.move import Done, How, Move, MoveStep, ServiceCall, Wait

_STORAGE_COST = "minutes to hours by size; two of them are billed until the old one is deleted"
_DOWN = "writers, from the snapshot until clients use the new one"
_UNTOLD = "AWS does not document what happens to data that is there: keep the old key until nothing uses it."
_RENAME = (
    "Compare its settings with the old one's (parameter group, options, backups, tags), have clients use it"
    " or"
    " swap the names, and delete the old one with its automated backups."
)
_SECRET_BY_HAND = (
    "Turn off the management of the password (a password of your own meanwhile), and on again with"
    " --master-user-secret-kms-key-id."
)
_INSTANCE_SETTINGS = (
    "DBInstances[0].merge({DBInstanceClass: DBInstanceClass,"
    " VpcSecurityGroupIds: VpcSecurityGroups[].VpcSecurityGroupId},"
    " (DBSubnetGroup.DBSubnetGroupName && {DBSubnetGroupName: DBSubnetGroup.DBSubnetGroupName}) || `{}`)"
)
_CLUSTER_SETTINGS = (
    "DBClusters[0].merge({Engine: Engine, VpcSecurityGroupIds: VpcSecurityGroups[].VpcSecurityGroupId},"
    " (DBSubnetGroup && {DBSubnetGroupName: DBSubnetGroup}) || `{}`)"
)
_SNAPSHOT = {"DBClusterIdentifier": "$resource", "DBClusterSnapshotIdentifier": "$plain-before-move"}


def _cluster_moves(kind: str, service: str) -> tuple[Move, ...]:
    """The rows of clusters with the API of RDS: a snapshot is restored under the new key."""
    restored = MoveStep(
        ServiceCall(
            service,
            "RestoreDBClusterFromSnapshot",
            {
                "DBClusterIdentifier": "$plain-moved",
                "SnapshotIdentifier": "$plain-before-move",
                "KmsKeyId": "$key",
            },
        ),
        ServiceCall(service, "DescribeDBClusters", {"DBClusterIdentifier": "$resource"}),
        _CLUSTER_SETTINGS,
    )
    # Only RDS has a waiter for it, which works for the others too: they share its API.
    ready = Wait("rds", "DBClusterSnapshotAvailable", {"DBClusterSnapshotIdentifier": "$plain-before-move"})
    return (
        Move(
            kind,
            How.BY_COPY,
            "A cluster keeps its key: a snapshot is restored under the new one, into a new cluster.",
            (f"{service}:CreateDBClusterSnapshot", f"{service}:RestoreDBClusterFromSnapshot"),
            steps=(MoveStep(ServiceCall(service, "CreateDBClusterSnapshot", _SNAPSHOT)), ready, restored),
            by_hand=f"Make its instances (create-db-instance). {_RENAME}",
            down=_DOWN,
            cost=_STORAGE_COST,
        ),
        _performance_insights(kind, f"{service}:ModifyDBInstance"),
        Move(
            kind,
            How.IN_PLACE,
            "The managed secret cannot change its key: it is made anew, with a new password.",
            ("rds:ModifyDBCluster",),
            purposes=("master user's secret",),
            by_hand=_SECRET_BY_HAND,
            down="connections that keep the old password",
        ),
        _activity_stream(kind),
    )


def _performance_insights(kind: str, source: str) -> Move:
    return Move(
        kind,
        How.IMPOSSIBLE,
        "RDS refuses another key, also after Performance Insights was off: only a new instance has one."
        " What it keeps expires after its retention period.",
        (source, "hashicorp/terraform-provider-aws#6453"),
        purposes=("Performance Insights",),
        by_hand="Turn it off, or let it end with the instance: the restored one is given the new key.",
        old_key_needed=True,
    )


def _activity_stream(kind: str) -> Move:
    return Move(
        kind,
        How.IN_PLACE,
        "The stream is stopped and started under the new key; records that are in it expire under the old"
        " one.",
        ("rds:StopActivityStream", "rds:StartActivityStream"),
        purposes=("activity stream",),
        by_hand="stop-activity-stream, wait until it is stopped, start-activity-stream with --kms-key-id.",
        down="the audit, between stop and start",
        old_key_needed=True,
    )


def _by_snapshot_copy(
    kind: str, call: ServiceCall, note: str = "Delete the original once the copy is there."
) -> Move:
    return Move(
        kind,
        How.BY_COPY,
        "A snapshot keeps its key: it is copied. Automated ones need no copy: they expire.",
        (f"{call.service}:{call.operation}",),
        steps=(MoveStep(call),),
        by_hand=note,
        cost="minutes to hours by size; both are billed until the original is deleted",
    )


DATABASE_MOVES = (
    Move(
        "RDS instances",
        How.BY_COPY,
        "An instance keeps its key: a snapshot is copied under the new one, and a new instance made of the"
        " copy."
        " An instance of a cluster has the cluster's key: move the cluster.",
        ("rds:CreateDBSnapshot", "rds:CopyDBSnapshot", "rds:RestoreDBInstanceFromDBSnapshot"),
        steps=(
            MoveStep(
                ServiceCall(
                    "rds",
                    "CreateDBSnapshot",
                    {"DBInstanceIdentifier": "$resource", "DBSnapshotIdentifier": "$plain-before-move"},
                )
            ),
            Wait("rds", "DBSnapshotCompleted", {"DBSnapshotIdentifier": "$plain-before-move"}),
            MoveStep(
                ServiceCall(
                    "rds",
                    "CopyDBSnapshot",
                    {
                        "SourceDBSnapshotIdentifier": "$plain-before-move",
                        "TargetDBSnapshotIdentifier": "$plain-for-move",
                        "KmsKeyId": "$key",
                        "CopyTags": True,
                    },
                )
            ),
            Wait("rds", "DBSnapshotCompleted", {"DBSnapshotIdentifier": "$plain-for-move"}),
            MoveStep(
                ServiceCall(
                    "rds",
                    "RestoreDBInstanceFromDBSnapshot",
                    {
                        "DBInstanceIdentifier": "$plain-moved",
                        "DBSnapshotIdentifier": "$plain-for-move",
                        "PubliclyAccessible": False,
                    },
                ),
                ServiceCall("rds", "DescribeDBInstances", {"DBInstanceIdentifier": "$resource"}),
                _INSTANCE_SETTINGS,
            ),
        ),
        by_hand=f"Stop the writers before the snapshot. {_RENAME}",
        down=_DOWN,
        cost=_STORAGE_COST,
    ),
    _performance_insights("RDS instances", "rds:ModifyDBInstance"),
    Move(
        "RDS instances",
        How.IN_PLACE,
        "The managed secret cannot change its key: it is made anew, with a new password.",
        ("rds:ModifyDBInstance",),
        purposes=("master user's secret",),
        by_hand=_SECRET_BY_HAND,
        down="connections that keep the old password",
    ),
    _activity_stream("RDS instances"),
    *_cluster_moves("RDS clusters", "rds"),
    *_cluster_moves("DocumentDB clusters", "docdb"),
    *_cluster_moves("Neptune clusters", "neptune"),
    _by_snapshot_copy(
        "RDS snapshots",
        ServiceCall(
            "rds",
            "CopyDBSnapshot",
            {
                "SourceDBSnapshotIdentifier": "$resource",
                "TargetDBSnapshotIdentifier": "$plain-moved",
                "KmsKeyId": "$key",
                "CopyTags": True,
            },
        ),
    ),
    _by_snapshot_copy(
        "RDS cluster snapshots",
        ServiceCall(
            "rds",
            "CopyDBClusterSnapshot",
            {
                "SourceDBClusterSnapshotIdentifier": "$resource",
                "TargetDBClusterSnapshotIdentifier": "$plain-moved",
                "KmsKeyId": "$key",
                "CopyTags": True,
            },
        ),
    ),
    *(
        Move(
            kind,
            How.IMPOSSIBLE,
            "Backups keep their key, and expire. What is restored of them is under the old key at first.",
            (source,),
            by_hand="Let them expire, or delete them, once the moved database has backups of its own.",
            old_key_needed=True,
        )
        for kind, source in (
            ("RDS automated backups", "rds:DeleteDBInstanceAutomatedBackup"),
            ("RDS cluster automated backups", "rds:DeleteDBClusterAutomatedBackup"),
        )
    ),
    Move(
        "DocumentDB elastic clusters",
        How.BY_COPY,
        "A cluster keeps its key: a snapshot is restored under the new one, into a new cluster.",
        ("docdb-elastic:CreateClusterSnapshot", "docdb-elastic:RestoreClusterFromSnapshot"),
        by_hand="create-cluster-snapshot, then restore-cluster-from-snapshot with --kms-key-id, and have"
        " clients"
        " use the new cluster.",
        down=_DOWN,
        cost=_STORAGE_COST,
    ),
    Move(
        "Neptune graphs",
        How.BY_COPY,
        "A graph keeps its key, and so does what is restored of its snapshots: it is exported and imported.",
        ("neptune-graph:StartExportTask", "neptune-graph:CreateGraphUsingImportTask"),
        by_hand="Export the graph to S3, import it into a new graph under the new key, have clients use"
        " that one.",
        down=_DOWN,
        cost=_STORAGE_COST,
    ),
    Move(
        "DynamoDB tables",
        How.IN_PLACE,
        "The whole table, while it is used; on-demand backups, and restores to a time before, stay under"
        " the old"
        " key.",
        ("dynamodb:UpdateTable", "Amazon DynamoDB: Managing encrypted tables"),
        steps=(
            MoveStep(
                ServiceCall(
                    "dynamodb",
                    "UpdateTable",
                    {
                        "TableName": "$resource",
                        "SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "$key"},
                    },
                ),
                done=Done(
                    ServiceCall("dynamodb", "DescribeTable", {"TableName": "$resource"}),
                    "Table.SSEDescription.KMSMasterKeyArn",
                    under_way="Table.SSEDescription.Status == 'UPDATING'",
                ),
            ),
        ),
        old_key_needed=True,
    ),
    Move(
        "DynamoDB tables",
        How.IN_PLACE,
        "The replica of another Region, under a key of that Region.",
        ("dynamodb:UpdateTable",),
        purposes=("replica",),
        by_hand="update-table --replica-updates with Update, RegionName and KMSMasterKeyId: a key of that"
        " Region.",
        old_key_needed=True,
    ),
    Move(
        "ElastiCache replication groups",
        How.BY_COPY,
        "A cache keeps its key: a snapshot is copied under the new one, and a new cache made of the copy.",
        ("elasticache:CreateSnapshot", "elasticache:CopySnapshot", "elasticache:CreateReplicationGroup"),
        steps=(
            MoveStep(
                ServiceCall(
                    "elasticache",
                    "CreateSnapshot",
                    {
                        "ReplicationGroupId": "$resource",
                        "SnapshotName": "$plain-for-move",
                        "KmsKeyId": "$key",
                    },
                )
            ),
        ),
        by_hand="Once the snapshot is available: create-replication-group with --snapshot-name and"
        " --kms-key-id,"
        " with the settings of the old one; have clients use it. A cache that can fill itself needs no"
        " snapshot.",
        down="writes since the snapshot are lost, unless writers are stopped",
        cost=_STORAGE_COST,
    ),
    Move(
        "ElastiCache serverless caches",
        How.BY_COPY,
        "A cache keeps its key: a new one is made of a snapshot.",
        ("elasticache:CreateServerlessCacheSnapshot", "elasticache:CreateServerlessCache"),
        steps=(
            MoveStep(
                ServiceCall(
                    "elasticache",
                    "CreateServerlessCacheSnapshot",
                    {
                        "ServerlessCacheName": "$resource",
                        "ServerlessCacheSnapshotName": "$plain-for-move",
                        "KmsKeyId": "$key",
                    },
                )
            ),
        ),
        by_hand="create-serverless-cache with --snapshot-arns-to-restore and --kms-key-id; have clients use"
        " it.",
        down="writes since the snapshot are lost, unless writers are stopped",
        cost=_STORAGE_COST,
    ),
    _by_snapshot_copy(
        "ElastiCache snapshots",
        ServiceCall(
            "elasticache",
            "CopySnapshot",
            {"SourceSnapshotName": "$resource", "TargetSnapshotName": "$plain-moved", "KmsKeyId": "$key"},
        ),
    ),
    Move(
        "MemoryDB clusters",
        How.BY_COPY,
        "A cluster keeps its key: a snapshot under the new one is restored into a new cluster.",
        ("memorydb:CreateSnapshot", "memorydb:CreateCluster"),
        steps=(
            MoveStep(
                ServiceCall(
                    "memorydb",
                    "CreateSnapshot",
                    {"ClusterName": "$resource", "SnapshotName": "$plain-for-move", "KmsKeyId": "$key"},
                )
            ),
        ),
        by_hand="Once it is available: create-cluster with --snapshot-name and --kms-key-id, with the"
        " settings of"
        " the old one; have clients use it.",
        down=_DOWN,
        cost=_STORAGE_COST,
    ),
    _by_snapshot_copy(
        "MemoryDB snapshots",
        ServiceCall(
            "memorydb",
            "CopySnapshot",
            {"SourceSnapshotName": "$resource", "TargetSnapshotName": "$plain-moved", "KmsKeyId": "$key"},
        ),
    ),
    Move(
        "Redshift clusters",
        How.IN_PLACE,
        "The whole cluster: Redshift moves the data into a new one; snapshots stay under the old key.",
        ("redshift:ModifyCluster", "Amazon Redshift: Changing cluster encryption"),
        purposes=("storage",),
        steps=(
            MoveStep(
                ServiceCall(
                    "redshift",
                    "ModifyCluster",
                    {"ClusterIdentifier": "$resource", "Encrypted": True, "KmsKeyId": "$key"},
                )
            ),
        ),
        down="writers: the cluster is read-only while the data moves",
        cost="hours for large data",
        old_key_needed=True,
    ),
    Move(
        "Redshift clusters",
        How.IN_PLACE,
        "The managed secret of the administrator.",
        ("redshift:ModifyCluster",),
        purposes=("master password's secret",),
        steps=(
            MoveStep(
                ServiceCall(
                    "redshift",
                    "ModifyCluster",
                    {
                        "ClusterIdentifier": "$resource",
                        "ManageMasterPassword": True,
                        "MasterPasswordSecretKmsKeyId": "$key",
                    },
                )
            ),
        ),
    ),
    Move(
        "Redshift snapshots",
        How.BY_COPY,
        "A snapshot keeps its key, also when it is copied: one is restored under the new key and taken anew.",
        ("redshift:RestoreFromClusterSnapshot", "redshift:CreateClusterSnapshot"),
        by_hand="For one that is still needed: restore-from-cluster-snapshot with --kms-key-id, take a"
        " snapshot of"
        " that cluster, delete both. The others expire.",
        cost="a cluster for the hours that it takes",
    ),
    Move(
        "Redshift snapshot copy grants",
        How.IN_PLACE,
        "New copies only; a grant keeps its key: another one takes its place.",
        ("redshift:CreateSnapshotCopyGrant", "redshift:DisableSnapshotCopy", "redshift:EnableSnapshotCopy"),
        steps=(
            MoveStep(
                ServiceCall(
                    "redshift",
                    "CreateSnapshotCopyGrant",
                    {"SnapshotCopyGrantName": "$plain-moved", "KmsKeyId": "$key"},
                )
            ),
        ),
        by_hand="In the Region of the cluster: disable-snapshot-copy, then enable-snapshot-copy with the"
        " new grant;"
        " delete the old one.",
        old_key_needed=True,
    ),
    Move(
        "Redshift Serverless namespaces",
        How.IN_PLACE,
        _UNTOLD,
        ("redshift-serverless:UpdateNamespace",),
        purposes=("storage",),
        steps=(
            MoveStep(
                ServiceCall(
                    "redshift-serverless",
                    "UpdateNamespace",
                    {"namespaceName": "$resource", "kmsKeyId": "$key"},
                )
            ),
        ),
        old_key_needed=True,
    ),
    Move(
        "Redshift Serverless namespaces",
        How.IN_PLACE,
        "The managed secret of the administrator.",
        ("redshift-serverless:UpdateNamespace",),
        purposes=("admin password's secret",),
        steps=(
            MoveStep(
                ServiceCall(
                    "redshift-serverless",
                    "UpdateNamespace",
                    {
                        "namespaceName": "$resource",
                        "manageAdminPassword": True,
                        "adminPasswordSecretKmsKeyId": "$key",
                    },
                )
            ),
        ),
    ),
    Move(
        "Redshift Serverless snapshots",
        How.IMPOSSIBLE,
        "A snapshot keeps its key, and no call copies it under another.",
        ("redshift-serverless:RestoreFromSnapshot",),
        by_hand="Take a new one after the namespace has moved, and let the old ones expire.",
        old_key_needed=True,
    ),
    Move(
        "Aurora DSQL clusters",
        How.IN_PLACE,
        _UNTOLD,
        ("dsql:UpdateCluster",),
        steps=(
            MoveStep(
                ServiceCall("dsql", "UpdateCluster", {"identifier": "$resource", "kmsEncryptionKey": "$key"})
            ),
        ),
        old_key_needed=True,
    ),
    Move(
        "Timestream databases",
        How.IN_PLACE,
        _UNTOLD,
        ("timestream-write:UpdateDatabase",),
        steps=(
            MoveStep(
                ServiceCall(
                    "timestream-write", "UpdateDatabase", {"DatabaseName": "$resource", "KmsKeyId": "$key"}
                )
            ),
        ),
        old_key_needed=True,
    ),
    Move(
        "Timestream for InfluxDB instances",
        How.BY_COPY,
        "An instance keeps its key: a backup is restored under the new one, into a new instance.",
        ("timestream-influxdb:RestoreFromDbBackup",),
        by_hand="restore-from-db-backup with --kms-key-id, and have clients use the new instance.",
        down=_DOWN,
        cost=_STORAGE_COST,
    ),
    Move(
        "DMS replication instances",
        How.BY_COPY,
        "An instance keeps its key: tasks are moved to a new one.",
        ("dms:CreateReplicationInstance", "dms:MoveReplicationTask"),
        by_hand="create-replication-instance with --kms-key-id, stop each task, move-replication-task,"
        " start it.",
        down="replication, while a task is moved",
        cost="two instances meanwhile",
    ),
    Move(
        "DMS endpoints",
        How.BY_COPY,
        "An endpoint keeps the key of its connection: a new one takes its place.",
        ("dms:CreateEndpoint", "dms:ModifyReplicationTask"),
        by_hand="create-endpoint with --kms-key-id and the settings of the old one, and tasks anew with it.",
        down="replication, while tasks change",
    ),
    Move(
        "DMS endpoints",
        How.IN_PLACE,
        "New files only.",
        ("dms:ModifyEndpoint",),
        purposes=("S3 target", "Redshift target"),
        by_hand="modify-endpoint, with all settings of the target and the new ServerSideEncryptionKmsKeyId.",
        old_key_needed=True,
    ),
)
