"""One resource of each kind under a key, made on moto's services, and the kinds that moto lacks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

_ROLE = "arn:aws:iam::123456789012:role/any"
_OWNER = {"MasterUsername": "owner", "MasterUserPassword": "not kept anywhere"}
_BUCKET = "arn:aws:s3:::any-bucket"
_PIPELINE_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "codepipeline.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
_STATES = json.dumps({"StartAt": "end", "States": {"end": {"Type": "Succeed"}}})
Client = Callable[[str], Any]
Maker = Callable[[Client, str], object]
"""Makes a resource named "orders", where it can be named, under the key of an ARN."""


def _snapshot(client: Client, key: str) -> str:
    ec2 = client("ec2")
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    volume = ec2.create_volume(AvailabilityZone=zone, Size=1, Encrypted=True, KmsKeyId=key)["VolumeId"]
    plain = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    # moto gives a key to copies alone.
    copy = ec2.copy_snapshot(
        SourceSnapshotId=plain, SourceRegion=ec2.meta.region_name, Encrypted=True, KmsKeyId=key
    )
    return str(copy["SnapshotId"])


def _launch_template(client: Client, key: str) -> object:
    disk = {"DeviceName": "/dev/sda1", "Ebs": {"KmsKeyId": key, "Encrypted": True}}
    data = {"BlockDeviceMappings": [disk]}
    return client("ec2").create_launch_template(LaunchTemplateName="orders", LaunchTemplateData=data)


def _subnets(client: Client) -> list[str]:
    return [each["SubnetId"] for each in client("ec2").describe_subnets()["Subnets"]]


def _file_system(client: Client, key: str) -> str:
    made = client("fsx").create_file_system(
        FileSystemType="LUSTRE", StorageCapacity=1200, SubnetIds=_subnets(client)[:1], KmsKeyId=key
    )
    return str(made["FileSystem"]["FileSystemId"])


def _database(client: Client, key: str) -> None:
    client("rds").create_db_instance(
        DBInstanceIdentifier="for-snapshots",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        AllocatedStorage=20,
        StorageEncrypted=True,
        KmsKeyId=key,
        **_OWNER,
    )


def _database_snapshot(client: Client, key: str) -> object:
    _database(client, key)
    return client("rds").create_db_snapshot(
        DBSnapshotIdentifier="orders", DBInstanceIdentifier="for-snapshots"
    )


def _cluster(client: Client, key: str, engine: str, name: str = "orders", service: str = "rds") -> None:
    client(service).create_db_cluster(
        DBClusterIdentifier=name, Engine=engine, StorageEncrypted=True, KmsKeyId=key, **_OWNER
    )


def _cluster_snapshot(client: Client, key: str) -> object:
    _cluster(client, key, "aurora-mysql", "for-snapshots")
    return client("rds").create_db_cluster_snapshot(
        DBClusterSnapshotIdentifier="orders", DBClusterIdentifier="for-snapshots"
    )


def _replication_group(client: Client, key: str) -> object:
    return client("elasticache").create_replication_group(
        ReplicationGroupId="orders",
        ReplicationGroupDescription="any",
        AtRestEncryptionEnabled=True,
        KmsKeyId=key,
        CacheNodeType="cache.t3.micro",
        Engine="redis",
    )


def _memorydb(client: Client, key: str) -> object:
    return client("memorydb").create_cluster(
        ClusterName="orders", NodeType="db.t4g.small", ACLName="open-access", KmsKeyId=key
    )


def _memorydb_snapshot(client: Client, key: str) -> object:
    client("memorydb").create_cluster(
        ClusterName="for-snapshots", NodeType="db.t4g.small", ACLName="open-access", KmsKeyId=key
    )
    return client("memorydb").create_snapshot(
        ClusterName="for-snapshots", SnapshotName="orders", KmsKeyId=key
    )


def _warehouse(client: Client, key: str, name: str = "orders") -> object:
    return client("redshift").create_cluster(
        ClusterIdentifier=name,
        NodeType="ra3.large",
        MasterUsername="owner",
        MasterUserPassword="Not-kept-anywhere-1",
        Encrypted=True,
        KmsKeyId=key,
    )


def _domain(client: Client, key: str) -> object:
    at_rest = {"Enabled": True, "KmsKeyId": key}
    return client("opensearch").create_domain(DomainName="orders", EncryptionAtRestOptions=at_rest)


def _stream(client: Client, key: str) -> object:
    client("kinesis").create_stream(StreamName="orders", ShardCount=1)
    return client("kinesis").start_stream_encryption(StreamName="orders", EncryptionType="KMS", KeyId=key)


def _delivery_stream(client: Client, key: str) -> object:
    bucket = {
        "RoleARN": _ROLE,
        "BucketARN": _BUCKET,
        "EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": key}},
    }
    return client("firehose").create_delivery_stream(
        DeliveryStreamName="orders", ExtendedS3DestinationConfiguration=bucket
    )


def _glue_configuration(client: Client, key: str) -> object:
    encryption = {"S3Encryption": [{"S3EncryptionMode": "SSE-KMS", "KmsKeyArn": key}]}
    return client("glue").create_security_configuration(Name="orders", EncryptionConfiguration=encryption)


def _glue_catalog(client: Client, key: str) -> object:
    settings = {"EncryptionAtRest": {"CatalogEncryptionMode": "SSE-KMS", "SseAwsKmsKeyId": key}}
    return client("glue").put_data_catalog_encryption_settings(DataCatalogEncryptionSettings=settings)


def _work_group(client: Client, key: str) -> object:
    result = {"EncryptionConfiguration": {"EncryptionOption": "SSE_KMS", "KmsKey": key}}
    return client("athena").create_work_group(Name="orders", Configuration={"ResultConfiguration": result})


def _sagemaker_domain(client: Client, key: str) -> object:
    return client("sagemaker").create_domain(
        DomainName="orders",
        AuthMode="IAM",
        DefaultUserSettings={"ExecutionRole": _ROLE},
        SubnetIds=["subnet-1"],
        VpcId="vpc-1",
        KmsKeyId=key,
    )


def _notebook(client: Client, key: str) -> object:
    return client("sagemaker").create_notebook_instance(
        NotebookInstanceName="orders", InstanceType="ml.t3.medium", RoleArn=_ROLE, KmsKeyId=key
    )


def _endpoint_configuration(client: Client, key: str) -> object:
    sagemaker = client("sagemaker")
    sagemaker.create_model(ModelName="any", ExecutionRoleArn=_ROLE, PrimaryContainer={"Image": "any"})
    variant = {
        "VariantName": "all",
        "ModelName": "any",
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    return sagemaker.create_endpoint_config(
        EndpointConfigName="orders", ProductionVariants=[variant], KmsKeyId=key
    )


def _agent(client: Client, key: str) -> object:
    return client("bedrock-agent").create_agent(
        agentName="orders", customerEncryptionKeyArn=key, agentResourceRoleArn=_ROLE
    )


def _pipeline(client: Client, key: str) -> object:
    role = client("iam").create_role(RoleName="pipelines", AssumeRolePolicyDocument=_PIPELINE_TRUST)

    def stage(name: str, category: str) -> Mapping[str, object]:
        kind = {"category": category, "owner": "AWS", "provider": "S3", "version": "1"}
        return {"name": name, "actions": [{"name": name, "actionTypeId": kind}]}

    store = {"type": "S3", "location": "any-bucket", "encryptionKey": {"id": key, "type": "KMS"}}
    return client("codepipeline").create_pipeline(
        pipeline={
            "name": "orders",
            "roleArn": role["Role"]["Arn"],
            "artifactStore": store,
            "stages": [stage("Source", "Source"), stage("Build", "Build")],
        }
    )


def _trail(client: Client, key: str) -> object:
    client("s3").create_bucket(Bucket="trails")
    return client("cloudtrail").create_trail(Name="orders", S3BucketName="trails", KmsKeyId=key)


def _config_channel(client: Client, key: str) -> object:
    config = client("config")
    config.put_configuration_recorder(ConfigurationRecorder={"name": "any", "roleARN": _ROLE})
    channel = {"name": "orders", "s3BucketName": "any-bucket", "s3KmsKeyArn": key}
    return config.put_delivery_channel(DeliveryChannel=channel)


def _user_pool(client: Client, key: str) -> object:
    senders = {
        "CustomEmailSender": {"LambdaVersion": "V1_0", "LambdaArn": "arn:aws:lambda:eu-west-1:1:function:f"},
        "KMSKeyID": key,
    }
    return client("cognito-idp").create_user_pool(PoolName="orders", LambdaConfig=senders)


def _broker(client: Client, key: str) -> object:
    return client("mq").create_broker(
        BrokerName="orders",
        EngineType="ActiveMQ",
        EngineVersion="5.18",
        DeploymentMode="SINGLE_INSTANCE",
        HostInstanceType="mq.t3.micro",
        PubliclyAccessible=False,
        AutoMinorVersionUpgrade=True,
        Users=[{"Username": "owner", "Password": "not kept anywhere"}],
        EncryptionOptions={"KmsKeyId": key, "UseAwsOwnedKey": False},
    )


def _eks(client: Client, key: str) -> object:
    return client("eks").create_cluster(
        name="orders",
        roleArn=_ROLE,
        resourcesVpcConfig={"subnetIds": _subnets(client)[:2]},
        encryptionConfig=[{"resources": ["secrets"], "provider": {"keyArn": key}}],
    )


def _ecs(client: Client, key: str) -> object:
    return client("ecs").create_cluster(
        clusterName="orders", configuration={"executeCommandConfiguration": {"kmsKeyId": key}}
    )


def _state_machine(client: Client, key: str) -> object:
    return client("stepfunctions").create_state_machine(
        name="orders",
        definition=_STATES,
        roleArn=_ROLE,
        encryptionConfiguration={"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": key},
    )


def _activity(client: Client, key: str) -> object:
    return client("stepfunctions").create_activity(
        name="orders", encryptionConfiguration={"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": key}
    )


def _schedule(client: Client, key: str) -> object:
    return client("scheduler").create_schedule(
        Name="orders",
        KmsKeyArn=key,
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:sqs:eu-west-1:1:any", "RoleArn": _ROLE},
    )


def _pipe(client: Client, key: str) -> object:
    return client("pipes").create_pipe(
        Name="orders",
        RoleArn=_ROLE,
        Source="arn:aws:sqs:eu-west-1:123456789012:in",
        Target="arn:aws:sqs:eu-west-1:123456789012:out",
        KmsKeyIdentifier=key,
    )


def _mail_rules(client: Client, key: str) -> object:
    ses = client("ses")
    client("s3").create_bucket(Bucket="mail")
    ses.create_receipt_rule_set(RuleSetName="orders")
    rule = {"Name": "store", "Actions": [{"S3Action": {"BucketName": "mail", "KmsKeyArn": key}}]}
    return ses.create_receipt_rule(RuleSetName="orders", Rule=rule)


def _workspace(client: Client, key: str) -> object:
    subnets = client("ec2").describe_subnets()["Subnets"]
    network = {"VpcId": subnets[0]["VpcId"], "SubnetIds": [each["SubnetId"] for each in subnets[:2]]}
    directory = client("ds").create_directory(
        Name="example.org", Password="Not-kept-anywhere-1", Size="Small", VpcSettings=network
    )["DirectoryId"]
    client("workspaces").register_workspace_directory(DirectoryId=directory)
    desktop = {
        "DirectoryId": directory,
        "UserName": "orders",
        "BundleId": "wsb-000000001",
        "VolumeEncryptionKey": key,
        "UserVolumeEncryptionEnabled": True,
    }
    return client("workspaces").create_workspaces(Workspaces=[desktop])


def _event_source_mapping(client: Client, key: str) -> object:
    queue = client("sqs").create_queue(QueueName="for-functions")["QueueUrl"]
    arn = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    return client("lambda").create_event_source_mapping(
        EventSourceArn=arn["QueueArn"], FunctionName="orders", KMSKeyArn=key
    )


def _dms_instance(client: Client, key: str) -> object:
    return client("dms").create_replication_instance(
        ReplicationInstanceIdentifier="orders", ReplicationInstanceClass="dms.t3.micro", KmsKeyId=key
    )


def _dms_endpoint(client: Client, key: str) -> object:
    return client("dms").create_endpoint(
        EndpointIdentifier="orders", EndpointType="source", EngineName="postgres", KmsKeyId=key
    )


def _canary(client: Client, key: str) -> object:
    return client("synthetics").create_canary(
        Name="orders",
        Code={"Handler": "f.x"},
        ArtifactS3Location="s3://any-bucket",
        ExecutionRoleArn=_ROLE,
        Schedule={"Expression": "rate(1 hour)"},
        RuntimeVersion="syn-python-selenium-7.0",
        ArtifactConfig={"S3Encryption": {"EncryptionMode": "SSE_KMS", "KmsKeyArn": key}},
    )


def _ingestion(client: Client, key: str) -> object:
    return client("osis").create_pipeline(
        PipelineName="orders",
        MinUnits=1,
        MaxUnits=1,
        PipelineConfigurationBody='version: "2"\nlog-pipeline: {source: {http: {path: /}}, sink: []}',
        EncryptionAtRestOptions={"KmsKeyArn": key},
    )


MAKERS: Mapping[str, Maker] = {
    "S3 vector buckets": lambda client, key: client("s3vectors").create_vector_bucket(
        vectorBucketName="orders", encryptionConfiguration={"sseType": "aws:kms", "kmsKeyArn": key}
    ),
    "EBS snapshots": _snapshot,
    "EC2 launch templates": _launch_template,
    "FSx file systems": _file_system,
    "Backup vaults": lambda client, key: client("backup").create_backup_vault(
        BackupVaultName="orders", EncryptionKeyArn=key
    ),
    "ECR repositories": lambda client, key: client("ecr").create_repository(
        repositoryName="orders", encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key}
    ),
    "WorkSpaces": _workspace,
    "RDS snapshots": _database_snapshot,
    "RDS cluster snapshots": _cluster_snapshot,
    "Neptune clusters": lambda client, key: _cluster(client, key, "neptune", service="neptune"),
    "ElastiCache replication groups": _replication_group,
    "ElastiCache snapshots": lambda client, key: client("elasticache").create_snapshot(
        ReplicationGroupId="orders", SnapshotName="orders", KmsKeyId=key
    ),
    "MemoryDB clusters": _memorydb,
    "MemoryDB snapshots": _memorydb_snapshot,
    "Redshift clusters": _warehouse,
    "Redshift snapshot copy grants": lambda client, key: client("redshift").create_snapshot_copy_grant(
        SnapshotCopyGrantName="orders", KmsKeyId=key
    ),
    "Aurora DSQL clusters": lambda client, key: client("dsql").create_cluster(kmsEncryptionKey=key),
    "Timestream databases": lambda client, key: client("timestream-write").create_database(
        DatabaseName="orders", KmsKeyId=key
    ),
    "DMS replication instances": _dms_instance,
    "DMS endpoints": _dms_endpoint,
    "Lambda event source mappings": _event_source_mapping,
    "CloudWatch canaries": _canary,
    "EventBridge event buses": lambda client, key: client("events").create_event_bus(
        Name="orders", KmsKeyIdentifier=key
    ),
    "EventBridge pipes": _pipe,
    "EventBridge schedules": _schedule,
    "Step Functions state machines": _state_machine,
    "Step Functions activities": _activity,
    "MQ brokers": _broker,
    "EKS clusters": _eks,
    "ECS clusters": _ecs,
    "CodePipeline pipelines": _pipeline,
    "CloudTrail trails": _trail,
    "Config delivery channels": _config_channel,
    "Cognito user pools": _user_pool,
    "SES receipt rule sets": _mail_rules,
    "OpenSearch domains": _domain,
    "OpenSearch ingestion pipelines": _ingestion,
    "Kinesis streams": _stream,
    "Kinesis video streams": lambda client, key: client("kinesisvideo").create_stream(
        StreamName="orders", KmsKeyId=key
    ),
    "Firehose streams": _delivery_stream,
    "Glue Data Catalogs": _glue_catalog,
    "Glue security configurations": _glue_configuration,
    "Athena work groups": _work_group,
    "SageMaker domains": _sagemaker_domain,
    "SageMaker notebook instances": _notebook,
    "SageMaker endpoint configurations": _endpoint_configuration,
    "Bedrock agents": _agent,
}

_NO_SERVICE = "moto does not have the service"
_NO_CALL = "moto does not have the list call, or that for a resource"
KEEPS_NO_KEY = "moto tells no key of it, or another one"

MOTO_LACKS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "CodeArtifact domains",
            "CodeCommit repositories",
            "DocumentDB elastic clusters",
            "Neptune graphs",
            "Redshift Serverless namespaces",
            "Redshift Serverless snapshots",
            "AppFlow flows",
            "Airflow environments",
            "App Runner services",
            "Image Builder recipes",
            "Image Builder distributions",
            "Kendra indexes",
            "Q Business applications",
            "HealthLake data stores",
        ),
        _NO_SERVICE,
    ),
    **dict.fromkeys(
        (
            "EBS default keys",
            "ECR creation templates",
            "RDS cluster automated backups",
            "ElastiCache serverless caches",
            "SSM resource data syncs",
            "CloudWatch log anomaly detectors",
            "X-Ray traces",
            "CodeBuild report groups",
            "CloudTrail event data stores",
            "SageMaker feature groups",
            "EMR studios",
            "Bedrock imported models",
            "Bedrock guardrails",
            "Bedrock flows",
            "Bedrock prompts",
        ),
        _NO_CALL,
    ),
    **dict.fromkeys(
        (
            "S3 table buckets",
            "AMIs",
            "FSx backups",
            "RDS automated backups",
            "DocumentDB clusters",
            "Redshift snapshots",
            "Timestream for InfluxDB instances",
            "Prometheus workspaces",
            "EventBridge archives",
            "EventBridge connections",
            "CodeBuild projects",
            "Route 53 DNSSEC zones",
            "OpenSearch Serverless collections",
            "MSK clusters",
            "Glue ML transforms",
            "DataBrew jobs",
            "EMR Serverless applications",
            "Bedrock custom models",
            "Bedrock knowledge bases",
        ),
        KEEPS_NO_KEY,
    ),
}
"""The kinds that are not scanned on moto, and why."""
