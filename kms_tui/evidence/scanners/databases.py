"""Scanners of databases, caches and warehouses, and of their snapshots."""

from __future__ import annotations

from kms_tui.evidence.scanners.scanner import Detail, Listing, Place, Scanner

_PAGES = ("NextToken", "NextToken")
_LATER_PAGES = ("nextToken", "nextToken")
_MARKED_PAGES = ("Marker", "Marker")
_STORAGE = (Place("KmsKeyId"),)
_DATABASE_KEYS = (
    Place("KmsKeyId", "storage"),
    Place("PerformanceInsightsKMSKeyId", "Performance Insights"),
    Place("ActivityStreamKmsKeyId", "activity stream"),
    Place("KmsKeyId", "master user's secret", within="MasterUserSecret"),
)
_WAREHOUSE_KEYS = (
    Place("KmsKeyId", "storage"),
    Place("MasterPasswordSecretKmsKeyId", "master password's secret"),
)
_NAMESPACE_KEYS = (
    Place("kmsKeyId", "storage"),
    Place("adminPasswordSecretKmsKeyId", "admin password's secret"),
)


def _clusters_of(engine: str) -> Listing:
    """The clusters of an engine that has the API of RDS: DocumentDB and Neptune."""
    return Listing(
        "DescribeDBClusters",
        f"DBClusters[?Engine=='{engine}']",
        _MARKED_PAGES,
        {"MaxRecords": 100, "Filters": [{"Name": "engine", "Values": [engine]}]},
    )


DATABASE_SCANNERS = (
    Scanner(
        "RDS instances",
        "rds",
        Listing("DescribeDBInstances", "DBInstances", _MARKED_PAGES, {"MaxRecords": 100}),
        name="DBInstanceIdentifier",
        keys=_DATABASE_KEYS,
    ),
    Scanner(
        "RDS clusters",
        "rds",
        Listing(
            "DescribeDBClusters",
            "DBClusters[?Engine!='docdb' && Engine!='neptune']",
            _MARKED_PAGES,
            {"MaxRecords": 100},
        ),
        name="DBClusterIdentifier",
        keys=_DATABASE_KEYS,
    ),
    Scanner(
        "RDS snapshots",
        "rds",
        Listing("DescribeDBSnapshots", "DBSnapshots", _MARKED_PAGES, {"MaxRecords": 100}),
        name="DBSnapshotIdentifier",
        label="DBInstanceIdentifier",
        keys=_STORAGE,
    ),
    Scanner(
        "RDS cluster snapshots",
        "rds",
        Listing("DescribeDBClusterSnapshots", "DBClusterSnapshots", _MARKED_PAGES, {"MaxRecords": 100}),
        name="DBClusterSnapshotIdentifier",
        label="DBClusterIdentifier",
        keys=_STORAGE,
    ),
    Scanner(
        "RDS automated backups",
        "rds",
        Listing(
            "DescribeDBInstanceAutomatedBackups",
            "DBInstanceAutomatedBackups",
            _MARKED_PAGES,
            {"MaxRecords": 100},
        ),
        name="DBInstanceIdentifier",
        keys=_STORAGE,
    ),
    Scanner(
        "RDS cluster automated backups",
        "rds",
        Listing(
            "DescribeDBClusterAutomatedBackups",
            "DBClusterAutomatedBackups",
            _MARKED_PAGES,
            {"MaxRecords": 100},
        ),
        name="DBClusterIdentifier",
        keys=_STORAGE,
    ),
    Scanner(
        "DocumentDB clusters", "rds", _clusters_of("docdb"), name="DBClusterIdentifier", keys=_DATABASE_KEYS
    ),
    Scanner(
        "DocumentDB elastic clusters",
        "docdb-elastic",
        Listing("ListClusters", "clusters", _LATER_PAGES, {"maxResults": 100}),
        name="clusterName",
        detail=Detail("GetCluster", "clusterArn", "clusterArn"),
        keys=(Place("kmsKeyId", within="cluster"),),
        rate=5.0,
    ),
    Scanner(
        "Neptune clusters", "rds", _clusters_of("neptune"), name="DBClusterIdentifier", keys=_DATABASE_KEYS
    ),
    Scanner(
        "Neptune graphs",
        "neptune-graph",
        Listing("ListGraphs", "graphs", _LATER_PAGES, {"maxResults": 100}),
        name="name",
        keys=(Place("kmsKeyIdentifier"),),
        rate=5.0,
    ),
    Scanner(
        "DynamoDB tables",
        "dynamodb",
        Listing(
            "ListTables",
            "TableNames",
            ("ExclusiveStartTableName", "LastEvaluatedTableName"),
            {"Limit": 100},
            wrap="TableName",
        ),
        name="TableName",
        detail=Detail("DescribeTable", "TableName", "TableName"),
        keys=(
            Place("KMSMasterKeyArn", within="Table.SSEDescription"),
            # An id or alias is of the replica's Region: the scan of that Region finds it.
            Place(
                "KMSMasterKeyId",
                "replica",
                within="Table.Replicas[?KMSMasterKeyId && starts_with(KMSMasterKeyId, 'arn:')]",
            ),
        ),
        rate=40.0,
    ),
    Scanner(
        "ElastiCache replication groups",
        "elasticache",
        Listing("DescribeReplicationGroups", "ReplicationGroups", _MARKED_PAGES, {"MaxRecords": 100}),
        name="ReplicationGroupId",
        keys=_STORAGE,
        rate=5.0,
    ),
    Scanner(
        "ElastiCache serverless caches",
        "elasticache",
        Listing("DescribeServerlessCaches", "ServerlessCaches", _PAGES, {"MaxResults": 50}),
        name="ServerlessCacheName",
        keys=_STORAGE,
        rate=5.0,
    ),
    Scanner(
        "ElastiCache snapshots",
        "elasticache",
        Listing("DescribeSnapshots", "Snapshots", _MARKED_PAGES, {"MaxRecords": 50}),
        name="SnapshotName",
        label="ReplicationGroupId",
        keys=_STORAGE,
        rate=5.0,
    ),
    Scanner(
        "MemoryDB clusters",
        "memorydb",
        Listing("DescribeClusters", "Clusters", _PAGES, {"MaxResults": 100}),
        name="Name",
        keys=_STORAGE,
        rate=5.0,
    ),
    Scanner(
        "MemoryDB snapshots",
        "memorydb",
        Listing("DescribeSnapshots", "Snapshots", _PAGES, {"MaxResults": 50}),
        name="Name",
        keys=_STORAGE,
        rate=5.0,
    ),
    Scanner(
        "Redshift clusters",
        "redshift",
        Listing("DescribeClusters", "Clusters", _MARKED_PAGES, {"MaxRecords": 100}),
        name="ClusterIdentifier",
        keys=_WAREHOUSE_KEYS,
        rate=5.0,
    ),
    Scanner(
        "Redshift snapshots",
        "redshift",
        Listing("DescribeClusterSnapshots", "Snapshots", _MARKED_PAGES, {"MaxRecords": 100}),
        name="SnapshotIdentifier",
        label="ClusterIdentifier",
        keys=_WAREHOUSE_KEYS,
        rate=5.0,
    ),
    Scanner(
        "Redshift snapshot copy grants",
        "redshift",
        Listing("DescribeSnapshotCopyGrants", "SnapshotCopyGrants", _MARKED_PAGES, {"MaxRecords": 100}),
        name="SnapshotCopyGrantName",
        keys=(Place("KmsKeyId", "copies of snapshots"),),
        rate=5.0,
    ),
    Scanner(
        "Redshift Serverless namespaces",
        "redshift-serverless",
        Listing("ListNamespaces", "namespaces", _LATER_PAGES, {"maxResults": 100}),
        name="namespaceName",
        keys=_NAMESPACE_KEYS,
        rate=5.0,
    ),
    Scanner(
        "Redshift Serverless snapshots",
        "redshift-serverless",
        Listing("ListSnapshots", "snapshots", _LATER_PAGES, {"maxResults": 100}),
        name="snapshotName",
        label="namespaceName",
        keys=_NAMESPACE_KEYS,
        rate=5.0,
    ),
    Scanner(
        "Aurora DSQL clusters",
        "dsql",
        Listing("ListClusters", "clusters", _LATER_PAGES, {"maxResults": 100}),
        name="identifier",
        detail=Detail("GetCluster", "identifier", "identifier"),
        keys=(Place("kmsKeyArn", within="encryptionDetails"),),
        rate=5.0,
    ),
    Scanner(
        "Timestream databases",
        "timestream-write",
        Listing("ListDatabases", "Databases", _PAGES, {"MaxResults": 20}),
        name="DatabaseName",
        keys=_STORAGE,
        rate=2.0,
    ),
    Scanner(
        "Timestream for InfluxDB instances",
        "timestream-influxdb",
        Listing("ListDbInstances", "items", _LATER_PAGES, {"maxResults": 100}),
        name="name",
        detail=Detail("GetDbInstance", "identifier", "id"),
        keys=(Place("kmsKeyId"),),
        rate=5.0,
    ),
    Scanner(
        "DMS replication instances",
        "dms",
        Listing("DescribeReplicationInstances", "ReplicationInstances", _MARKED_PAGES, {"MaxRecords": 100}),
        name="ReplicationInstanceIdentifier",
        keys=_STORAGE,
        rate=5.0,
    ),
    Scanner(
        "DMS endpoints",
        "dms",
        Listing("DescribeEndpoints", "Endpoints", _MARKED_PAGES, {"MaxRecords": 100}),
        name="EndpointIdentifier",
        keys=(
            Place("KmsKeyId", "connection"),
            Place("ServerSideEncryptionKmsKeyId", "S3 target", within="S3Settings"),
            Place("ServerSideEncryptionKmsKeyId", "Redshift target", within="RedshiftSettings"),
        ),
        rate=5.0,
    ),
)
