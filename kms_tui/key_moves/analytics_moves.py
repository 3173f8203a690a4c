"""How search, streams, analytics and machine learning are moved."""

from __future__ import annotations

from kms_tui.key_moves.move import Done, How, Move, MoveStep, ServiceCall

_UNTOLD = "AWS does not document what happens to data that is there: keep the old key until nothing uses it."
_TWICE = "both are billed meanwhile"
_WORK_GROUP = ServiceCall("athena", "GetWorkGroup", {"WorkGroup": "$resource"})
_CATALOG = ServiceCall("glue", "GetDataCatalogEncryptionSettings")
_STREAM = ServiceCall("firehose", "DescribeDeliveryStream", {"DeliveryStreamName": "$resource"})


def _anew(
    kind: str, data: str, source: str, by_hand: str, *purposes: str, down: str = "", cost: str = _TWICE
) -> Move:
    """The row of what keeps its key, so that another one is made."""
    return Move(kind, How.BY_COPY, data, (source,), purposes, by_hand=by_hand, down=down, cost=cost)


def _by_hand(kind: str, data: str, source: str, by_hand: str, *purposes: str) -> Move:
    """The row of what one call changes that needs all other settings as well."""
    return Move(kind, How.IN_PLACE, data, (source,), purposes, by_hand=by_hand, old_key_needed=True)


def _work_group(purpose: str, data: str, updates: str) -> Move:
    return Move(
        "Athena work groups",
        How.IN_PLACE,
        data,
        ("athena:UpdateWorkGroup",),
        (purpose,),
        (
            MoveStep(
                ServiceCall("athena", "UpdateWorkGroup", {"WorkGroup": "$resource"}),
                _WORK_GROUP,
                f"{{ConfigurationUpdates: WorkGroup.Configuration.{updates}}}",
            ),
        ),
        old_key_needed=True,
    )


def _catalog(purpose: str, data: str, member: str, key: str) -> Move:
    settings = "DataCatalogEncryptionSettings"
    return Move(
        "Glue Data Catalogs",
        How.IN_PLACE,
        data,
        ("glue:PutDataCatalogEncryptionSettings",),
        (purpose,),
        (
            MoveStep(
                ServiceCall("glue", "PutDataCatalogEncryptionSettings"),
                _CATALOG,
                f"{{{settings}: merge({settings}, {{{member}:"
                f' merge({settings}.{member}, {{{key}: `"$key"`}})}})}}',
            ),
        ),
        old_key_needed=True,
    )


ANALYTICS_MOVES = (
    _anew(
        "OpenSearch domains",
        "Encryption at rest cannot be changed once it is set: a new domain takes the indexes.",
        "opensearch:CreateDomain",
        "create-domain under the new key, restore a manual snapshot into it or index anew, have clients use"
        " it.",
        down="writers, from the snapshot until clients use the new one",
    ),
    Move(
        "OpenSearch Serverless collections",
        How.IN_PLACE,
        _UNTOLD,
        ("opensearchserverless:UpdateCollection",),
        by_hand="update-collection with --encryption-config, which only a recent AWS CLI knows; an encryption"
        " policy may name the key for collections: change that too.",
        old_key_needed=True,
    ),
    Move(
        "OpenSearch ingestion pipelines",
        How.IN_PLACE,
        "New data in the persistent buffer; what is in it needs the old key until it is delivered.",
        ("osis:UpdatePipeline",),
        steps=(
            MoveStep(
                ServiceCall(
                    "osis",
                    "UpdatePipeline",
                    {"PipelineName": "$resource", "EncryptionAtRestOptions": {"KmsKeyArn": "$key"}},
                )
            ),
        ),
        old_key_needed=True,
    ),
    _anew(
        "MSK clusters",
        "A cluster keeps the key of its volumes: topics are replicated into a new one.",
        "kafka:CreateClusterV2",
        "create-cluster-v2 under the new key, replicate the topics (MSK Replicator, MirrorMaker), move"
        " consumers,"
        " then producers.",
    ),
    Move(
        "Kinesis streams",
        How.IN_PLACE,
        "New records only; those in the stream need the old key until they expire (a day by default, a year"
        " at"
        " most). A stream takes a new key 25 times a day.",
        ("kinesis:StartStreamEncryption",),
        steps=(
            MoveStep(
                ServiceCall(
                    "kinesis",
                    "StartStreamEncryption",
                    {"StreamName": "$resource", "EncryptionType": "KMS", "KeyId": "$key"},
                ),
                done=Done(
                    ServiceCall("kinesis", "DescribeStreamSummary", {"StreamName": "$resource"}),
                    "StreamDescriptionSummary.KeyId",
                    under_way="StreamDescriptionSummary.StreamStatus == 'UPDATING'",
                ),
            ),
        ),
        old_key_needed=True,
    ),
    _anew(
        "Kinesis video streams",
        "UpdateStream takes no key: a new stream takes the producers.",
        "kinesisvideo:CreateStream",
        "create-stream with --kms-key-id, move the producers, delete the old one when its media has expired.",
    ),
    Move(
        "Firehose streams",
        How.IN_PLACE,
        "New records only; Firehose retires its grant on the old key once what it buffers is delivered.",
        ("firehose:StartDeliveryStreamEncryption",),
        ("stream",),
        (
            MoveStep(
                ServiceCall(
                    "firehose",
                    "StartDeliveryStreamEncryption",
                    {
                        "DeliveryStreamName": "$resource",
                        "DeliveryStreamEncryptionConfigurationInput": {
                            "KeyType": "CUSTOMER_MANAGED_CMK",
                            "KeyARN": "$key",
                        },
                    },
                )
            ),
        ),
        old_key_needed=True,
    ),
    Move(
        "Firehose streams",
        How.IN_PLACE,
        "New files only.",
        ("firehose:UpdateDestination",),
        ("delivered data",),
        (
            MoveStep(
                ServiceCall(
                    "firehose",
                    "UpdateDestination",
                    {
                        "DeliveryStreamName": "$resource",
                        "ExtendedS3DestinationUpdate": {
                            "EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": "$key"}}
                        },
                    },
                ),
                _STREAM,
                "DeliveryStreamDescription.{CurrentDeliveryStreamVersionId: VersionId,"
                " DestinationId: Destinations[?ExtendedS3DestinationDescription] | [0].DestinationId}",
            ),
        ),
        by_hand="Another destination than S3, and backups to S3: update-destination with its own update.",
        old_key_needed=True,
    ),
    _catalog("metadata", "Metadata that is written from now on.", "EncryptionAtRest", "SseAwsKmsKeyId"),
    _catalog(
        "connection passwords",
        "Passwords that are written from now on: save each connection again.",
        "ConnectionPasswordEncryption",
        "AwsKmsKeyId",
    ),
    _anew(
        "Glue security configurations",
        "A configuration is never changed: another one takes its place; written data stays under the old"
        " key.",
        "glue:CreateSecurityConfiguration",
        "create-security-configuration under a new name, and name it in jobs, crawlers and endpoints.",
        cost="",
    ),
    _anew(
        "Glue ML transforms",
        "UpdateMLTransform takes no key: a transform is made and taught again.",
        "glue:CreateMLTransform",
        "create-ml-transform with the new key, import the labels, delete the old one.",
        cost="",
    ),
    _by_hand(
        "DataBrew jobs",
        "New output only.",
        "databrew:UpdateRecipeJob",
        "update-recipe-job or update-profile-job, with all settings of the job and the new"
        " --encryption-key-arn.",
    ),
    _work_group(
        "query results",
        "New results only; those in S3 stay under the old key.",
        "ResultConfiguration.{ResultConfigurationUpdates: {EncryptionConfiguration:"
        ' merge(EncryptionConfiguration, {KmsKey: `"$key"`})}}',
    ),
    _work_group(
        "managed query results",
        "New results only; those that are kept, a day at most, need the old key.",
        "ManagedQueryResultsConfiguration.{ManagedQueryResultsConfigurationUpdates: {Enabled: Enabled,"
        ' EncryptionConfiguration: merge(EncryptionConfiguration, {KmsKey: `"$key"`})}}',
    ),
    _work_group(
        "notebooks",
        _UNTOLD,
        "CustomerContentEncryptionConfiguration.{CustomerContentEncryptionConfiguration: merge(@, {KmsKey:"
        ' `"$key"`})}',
    ),
    *(
        _work_group(
            purpose,
            "New logs only.",
            f"MonitoringConfiguration.{{MonitoringConfiguration: merge(@, {{{member}: merge({member},"
            ' {KmsKey: `"$key"`})})}',
        )
        for purpose, member in (
            ("managed logs", "ManagedLoggingConfiguration"),
            ("logs in S3", "S3LoggingConfiguration"),
        )
    ),
    Move(
        "EMR studios",
        How.IN_PLACE,
        "New backups of work spaces only.",
        ("emr:UpdateStudio",),
        steps=(
            MoveStep(
                ServiceCall("emr", "UpdateStudio", {"EncryptionKeyArn": "$key"}),
                ServiceCall("emr", "ListStudios"),
                "{StudioId: Studios[?Name == $quoted] | [0].StudioId}",
            ),
        ),
        old_key_needed=True,
    ),
    _by_hand(
        "EMR Serverless applications",
        "New jobs only.",
        "emr-serverless:UpdateApplication",
        "update-application, with the whole configuration of the disks or of the monitoring, while the"
        " application"
        " is stopped.",
    ),
    _anew(
        "SageMaker domains",
        "A domain keeps the key of its storage: users move to a new one.",
        "sagemaker:CreateDomain",
        "create-domain with --kms-key-id, make the user profiles, copy the files of the users.",
        down="its users, during the change",
    ),
    _by_hand(
        "SageMaker domains",
        "Notebooks that are shared from now on.",
        "sagemaker:UpdateDomain",
        "update-domain, with all SharingSettings and the new S3KmsKeyId.",
        "shared notebooks",
    ),
    _anew(
        "SageMaker notebook instances",
        "A notebook instance keeps the key of its volume: a new one takes the files.",
        "sagemaker:CreateNotebookInstance",
        "create-notebook-instance with --kms-key-id, copy the files, delete the old one.",
        down="its user, during the change",
    ),
    _anew(
        "SageMaker endpoint configurations",
        "A configuration is never changed: the endpoint gets another one, without an interruption.",
        "sagemaker:CreateEndpointConfig",
        "create-endpoint-config under a new name with the new key, then update-endpoint.",
        cost="the instances of both, for minutes",
    ),
    _anew(
        "SageMaker feature groups",
        "A feature group keeps its keys: a new one takes the records.",
        "sagemaker:CreateFeatureGroup",
        "create-feature-group under a new name, write the records into it, name it in programs.",
    ),
    _anew(
        "Bedrock custom models",
        "A model keeps its key: it is copied.",
        "bedrock:CreateModelCopyJob",
        "create-model-copy-job with --model-kms-key-id, and name the copy where the model is named.",
    ),
    _anew(
        "Bedrock imported models",
        "A model keeps its key: it is imported again.",
        "bedrock:CreateModelImportJob",
        "create-model-import-job with --imported-model-kms-key-id, and name the new one.",
    ),
    _by_hand(
        "Bedrock guardrails",
        f"{_UNTOLD} Versions of before keep their key.",
        "bedrock:UpdateGuardrail",
        "update-guardrail, with all settings of get-guardrail and the new --kms-key-id; make a version.",
    ),
    _by_hand(
        "Bedrock agents",
        f"{_UNTOLD} Versions of before keep their key.",
        "bedrock-agent:UpdateAgent",
        "update-agent, with all settings of get-agent and the new --customer-encryption-key-arn; prepare"
        " it, and"
        " make a version.",
    ),
    _by_hand(
        "Bedrock flows",
        f"{_UNTOLD} Versions of before keep their key.",
        "bedrock-agent:UpdateFlow",
        "update-flow, with all settings of get-flow and the new --customer-encryption-key-arn; make a"
        " version.",
    ),
    _by_hand(
        "Bedrock prompts",
        f"{_UNTOLD} Versions of before keep their key.",
        "bedrock-agent:UpdatePrompt",
        "update-prompt, with all settings of get-prompt and the new --customer-encryption-key-arn; make a"
        " version.",
    ),
    Move(
        "Bedrock knowledge bases",
        How.NOT_PLANNED,
        "UpdateKnowledgeBase takes a key, and wants the configuration of the creation: whether the key may"
        " differ is"
        " not documented.",
        ("bedrock-agent:UpdateKnowledgeBase",),
        by_hand="Try it on a knowledge base that nothing needs, or make a new one and sync its data sources.",
        old_key_needed=True,
    ),
    _anew(
        "Kendra indexes",
        "An index keeps its key: a new one is filled.",
        "kendra:CreateIndex",
        "create-index with the new key, its data sources too, sync them, have clients use it.",
    ),
    _anew(
        "Q Business applications",
        "An application keeps its key: a new one is filled.",
        "qbusiness:CreateApplication",
        "create-application with the new key, its index and data sources too, sync them, move the users.",
    ),
    _anew(
        "HealthLake data stores",
        "A data store keeps its key: the data is exported and imported.",
        "healthlake:CreateFHIRDatastore",
        "start-fhir-export-job, create-fhir-datastore with the new key, start-fhir-import-job, move the"
        " clients.",
    ),
)
