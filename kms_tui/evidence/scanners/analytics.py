"""Scanners of search, streams, analytics and machine learning."""

from __future__ import annotations

from kms_tui.evidence.scanners.scanner import Detail, Listing, Place, Scanner

_PAGES = ("NextToken", "NextToken")
_LATER_PAGES = ("nextToken", "nextToken")
_DELIVERED = (
    "DeliveryStreamDescription.Destinations[].[ExtendedS3DestinationDescription,"
    " ExtendedS3DestinationDescription.S3BackupDescription,"
    " RedshiftDestinationDescription.S3DestinationDescription,"
    " RedshiftDestinationDescription.S3BackupDescription,"
    " AmazonopensearchserviceDestinationDescription.S3DestinationDescription,"
    " AmazonOpenSearchServerlessDestinationDescription.S3DestinationDescription,"
    " HttpEndpointDestinationDescription.S3DestinationDescription,"
    " IcebergDestinationDescription.S3DestinationDescription,"
    " SnowflakeDestinationDescription.S3DestinationDescription,"
    " SplunkDestinationDescription.S3DestinationDescription][].EncryptionConfiguration.KMSEncryptionConfig"
)
_AT_REST = "EncryptionInfo.EncryptionAtRest"
_KNOWLEDGE = (
    "knowledgeBase.knowledgeBaseConfiguration.managedKnowledgeBaseConfiguration"
    ".serverSideEncryptionConfiguration"
)
_INVALID_REQUEST = frozenset({"InvalidRequestException"})

ANALYTICS_SCANNERS = (
    Scanner(
        "OpenSearch domains",
        "opensearch",
        Listing("ListDomainNames", "DomainNames"),
        name="DomainName",
        detail=Detail("DescribeDomain", "DomainName", "DomainName"),
        keys=(Place("KmsKeyId", within="DomainStatus.EncryptionAtRestOptions"),),
        rate=5.0,
    ),
    Scanner(
        "OpenSearch Serverless collections",
        "opensearchserverless",
        Listing("ListCollections", "collectionSummaries", _LATER_PAGES, {"maxResults": 100}),
        name="name",
        keys=(Place("kmsKeyArn"),),
        rate=5.0,
    ),
    Scanner(
        "OpenSearch ingestion pipelines",
        "osis",
        Listing("ListPipelines", "Pipelines", _PAGES, {"MaxResults": 100}),
        name="PipelineName",
        detail=Detail("GetPipeline", "PipelineName", "PipelineName"),
        keys=(Place("KmsKeyArn", within="Pipeline.EncryptionAtRestOptions"),),
        rate=5.0,
    ),
    Scanner(
        "MSK clusters",
        "kafka",
        Listing("ListClustersV2", "ClusterInfoList", _PAGES, {"MaxResults": 100}),
        name="ClusterName",
        keys=(Place("DataVolumeKMSKeyId", within=f"Provisioned.{_AT_REST}"),),
        rate=5.0,
    ),
    Scanner(
        "Kinesis streams",
        "kinesis",
        Listing("ListStreams", "StreamNames", _PAGES, {"Limit": 1000}, wrap="StreamName"),
        name="StreamName",
        detail=Detail("DescribeStreamSummary", "StreamName", "StreamName"),
        keys=(Place("KeyId", within="StreamDescriptionSummary"),),
        rate=5.0,
    ),
    Scanner(
        "Kinesis video streams",
        "kinesisvideo",
        Listing("ListStreams", "StreamInfoList", _PAGES, {"MaxResults": 1000}),
        name="StreamName",
        keys=(Place("KmsKeyId"),),
        rate=5.0,
    ),
    Scanner(
        "Firehose streams",
        "firehose",
        Listing(
            "ListDeliveryStreams",
            "DeliveryStreamNames",
            ("ExclusiveStartDeliveryStreamName", "HasMoreDeliveryStreams && DeliveryStreamNames[-1]"),
            {"Limit": 100},
            wrap="DeliveryStreamName",
        ),
        name="DeliveryStreamName",
        detail=Detail("DescribeDeliveryStream", "DeliveryStreamName", "DeliveryStreamName"),
        keys=(
            Place(
                "KeyARN", "stream", within="DeliveryStreamDescription.DeliveryStreamEncryptionConfiguration"
            ),
            Place("AWSKMSKeyARN", "delivered data", within=_DELIVERED),
        ),
        rate=3.0,
    ),
    Scanner(
        "Glue Data Catalogs",
        "glue",
        Listing("GetDataCatalogEncryptionSettings", "DataCatalogEncryptionSettings"),
        name="'Data Catalog'",
        keys=(
            Place("SseAwsKmsKeyId", "metadata", within="EncryptionAtRest"),
            Place("AwsKmsKeyId", "connection passwords", within="ConnectionPasswordEncryption"),
        ),
        rate=5.0,
    ),
    Scanner(
        "Glue security configurations",
        "glue",
        Listing("GetSecurityConfigurations", "SecurityConfigurations", _PAGES, {"MaxResults": 100}),
        name="Name",
        keys=(
            Place("KmsKeyArn", "S3 data", within="EncryptionConfiguration.S3Encryption[]"),
            Place("KmsKeyArn", "logs", within="EncryptionConfiguration.CloudWatchEncryption"),
            Place("KmsKeyArn", "job bookmarks", within="EncryptionConfiguration.JobBookmarksEncryption"),
            Place("KmsKeyArn", "data quality", within="EncryptionConfiguration.DataQualityEncryption"),
        ),
        rate=5.0,
    ),
    Scanner(
        "Glue ML transforms",
        "glue",
        Listing("GetMLTransforms", "Transforms", _PAGES, {"MaxResults": 100}),
        name="Name",
        keys=(Place("KmsKeyId", "user data", within="TransformEncryption.MlUserDataEncryption"),),
        rate=5.0,
    ),
    Scanner(
        "DataBrew jobs",
        "databrew",
        Listing("ListJobs", "Jobs", _PAGES, {"MaxResults": 100}),
        name="Name",
        keys=(Place("EncryptionKeyArn", "output"),),
        rate=5.0,
    ),
    Scanner(
        "Athena work groups",
        "athena",
        Listing("ListWorkGroups", "WorkGroups", _PAGES, {"MaxResults": 50}),
        name="Name",
        detail=Detail("GetWorkGroup", "WorkGroup", "Name", without=_INVALID_REQUEST),
        keys=tuple(
            Place("KmsKey", purpose, within=f"WorkGroup.Configuration.{within}")
            for purpose, within in (
                ("query results", "ResultConfiguration.EncryptionConfiguration"),
                ("managed query results", "ManagedQueryResultsConfiguration.EncryptionConfiguration"),
                ("notebooks", "CustomerContentEncryptionConfiguration"),
                ("managed logs", "MonitoringConfiguration.ManagedLoggingConfiguration"),
                ("logs in S3", "MonitoringConfiguration.S3LoggingConfiguration"),
            )
        ),
        rate=5.0,
    ),
    Scanner(
        "EMR studios",
        "emr",
        Listing("ListStudios", "Studios", ("Marker", "Marker")),
        name="Name",
        detail=Detail("DescribeStudio", "StudioId", "StudioId", without=_INVALID_REQUEST),
        keys=(Place("EncryptionKeyArn", within="Studio"),),
        rate=2.0,
    ),
    Scanner(
        "EMR Serverless applications",
        "emr-serverless",
        Listing("ListApplications", "applications", _LATER_PAGES, {"maxResults": 50}),
        name="name",
        detail=Detail("GetApplication", "applicationId", "id"),
        keys=(
            Place("encryptionKeyArn", "disks", within="application.diskEncryptionConfiguration"),
            Place(
                "encryptionKeyArn",
                "logs in S3",
                within="application.monitoringConfiguration.s3MonitoringConfiguration",
            ),
            Place(
                "encryptionKeyArn",
                "managed logs",
                within="application.monitoringConfiguration.managedPersistenceMonitoringConfiguration",
            ),
            Place(
                "encryptionKeyArn",
                "logs",
                within="application.monitoringConfiguration.cloudWatchLoggingConfiguration",
            ),
        ),
        rate=5.0,
    ),
    Scanner(
        "SageMaker domains",
        "sagemaker",
        Listing("ListDomains", "Domains", _PAGES, {"MaxResults": 100}),
        name="DomainName",
        detail=Detail("DescribeDomain", "DomainId", "DomainId"),
        keys=(
            Place("KmsKeyId", "storage"),
            Place("S3KmsKeyId", "shared notebooks", within="DefaultUserSettings.SharingSettings"),
        ),
        rate=2.5,
    ),
    Scanner(
        "SageMaker notebook instances",
        "sagemaker",
        Listing("ListNotebookInstances", "NotebookInstances", _PAGES, {"MaxResults": 100}),
        name="NotebookInstanceName",
        detail=Detail("DescribeNotebookInstance", "NotebookInstanceName", "NotebookInstanceName"),
        keys=(Place("KmsKeyId", "storage"),),
        rate=2.5,
    ),
    Scanner(
        "SageMaker endpoint configurations",
        "sagemaker",
        Listing("ListEndpointConfigs", "EndpointConfigs", _PAGES, {"MaxResults": 100}),
        name="EndpointConfigName",
        detail=Detail("DescribeEndpointConfig", "EndpointConfigName", "EndpointConfigName"),
        keys=(
            Place("KmsKeyId", "storage"),
            Place("KmsKeyId", "captured data", within="DataCaptureConfig"),
            Place("KmsKeyId", "asynchronous output", within="AsyncInferenceConfig.OutputConfig"),
            Place("KmsKeyId", "core dumps", within="ProductionVariants[].CoreDumpConfig"),
        ),
        rate=2.5,
    ),
    Scanner(
        "SageMaker feature groups",
        "sagemaker",
        Listing("ListFeatureGroups", "FeatureGroupSummaries", _PAGES, {"MaxResults": 100}),
        name="FeatureGroupName",
        detail=Detail("DescribeFeatureGroup", "FeatureGroupName", "FeatureGroupName"),
        keys=(
            Place("KmsKeyId", "online store", within="OnlineStoreConfig.SecurityConfig"),
            Place("KmsKeyId", "offline store", within="OfflineStoreConfig.S3StorageConfig"),
        ),
        rate=2.5,
    ),
    Scanner(
        "Bedrock custom models",
        "bedrock",
        Listing("ListCustomModels", "modelSummaries", _LATER_PAGES, {"maxResults": 100}),
        name="modelName",
        detail=Detail("GetCustomModel", "modelIdentifier", "modelArn"),
        keys=(Place("modelKmsKeyArn"),),
        rate=5.0,
    ),
    Scanner(
        "Bedrock imported models",
        "bedrock",
        Listing("ListImportedModels", "modelSummaries", _LATER_PAGES, {"maxResults": 100}),
        name="modelName",
        detail=Detail("GetImportedModel", "modelIdentifier", "modelArn"),
        keys=(Place("modelKmsKeyArn"),),
        rate=5.0,
    ),
    Scanner(
        "Bedrock guardrails",
        "bedrock",
        Listing("ListGuardrails", "guardrails", _LATER_PAGES, {"maxResults": 100}),
        name="name",
        detail=Detail("GetGuardrail", "guardrailIdentifier", "id"),
        keys=(Place("kmsKeyArn"),),
        rate=5.0,
    ),
    Scanner(
        "Bedrock agents",
        "bedrock-agent",
        Listing("ListAgents", "agentSummaries", _LATER_PAGES, {"maxResults": 100}),
        name="agentName",
        detail=Detail("GetAgent", "agentId", "agentId"),
        keys=(Place("customerEncryptionKeyArn", within="agent"),),
        rate=5.0,
    ),
    Scanner(
        "Bedrock flows",
        "bedrock-agent",
        Listing("ListFlows", "flowSummaries", _LATER_PAGES, {"maxResults": 100}),
        name="name",
        detail=Detail("GetFlow", "flowIdentifier", "id"),
        keys=(Place("customerEncryptionKeyArn"),),
        rate=5.0,
    ),
    Scanner(
        "Bedrock prompts",
        "bedrock-agent",
        Listing("ListPrompts", "promptSummaries", _LATER_PAGES, {"maxResults": 100}),
        name="name",
        detail=Detail("GetPrompt", "promptIdentifier", "id"),
        keys=(Place("customerEncryptionKeyArn"),),
        rate=5.0,
    ),
    Scanner(
        "Bedrock knowledge bases",
        "bedrock-agent",
        Listing("ListKnowledgeBases", "knowledgeBaseSummaries", _LATER_PAGES, {"maxResults": 100}),
        name="name",
        detail=Detail("GetKnowledgeBase", "knowledgeBaseId", "knowledgeBaseId"),
        keys=(Place("kmsKeyArn", within=_KNOWLEDGE),),
        rate=5.0,
    ),
    Scanner(
        "Kendra indexes",
        "kendra",
        Listing("ListIndices", "IndexConfigurationSummaryItems", _PAGES, {"MaxResults": 100}),
        name="Name",
        detail=Detail("DescribeIndex", "Id", "Id"),
        keys=(Place("KmsKeyId", within="ServerSideEncryptionConfiguration"),),
        rate=2.0,
    ),
    Scanner(
        "Q Business applications",
        "qbusiness",
        Listing("ListApplications", "applications", _LATER_PAGES, {"maxResults": 100}),
        name="displayName",
        detail=Detail("GetApplication", "applicationId", "applicationId"),
        keys=(Place("kmsKeyId", within="encryptionConfiguration"),),
        rate=2.0,
    ),
    Scanner(
        "HealthLake data stores",
        "healthlake",
        Listing("ListFHIRDatastores", "DatastorePropertiesList", _PAGES, {"MaxResults": 100}),
        name="DatastoreName",
        keys=(Place("KmsKeyId", within="SseConfiguration.KmsEncryptionConfig"),),
        rate=5.0,
    ),
)
