"""How what applications are made of is moved: secrets, code, messages, logs, clusters, delivery, audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kms_tui.key_moves.move import (
    CallingService,
    Done,
    How,
    Move,
    MoveStep,
    Remainder,
    ServiceCall,
    VersionRead,
    unless_missing,
)

_UNTOLD = "AWS does not document what happens to data that is there: keep the old key until nothing uses it."
_NEW_ONLY = "New data only; what is there stays under the old key until it expires or is written again."
_LATEST = "max_by(Parameters, &Version)"
_ONE_BEFORE = "sort_by(Parameters, &Version)[-2]"
_CONTENT = (
    "Parameters[?to_string(Version)=='$version'].merge({Type: Type}, "
    + unless_missing("Description", "AllowedPattern", "Tier", "DataType")
    + ", (Policies && {Policies: join('', ['[', join(',', Policies[].PolicyText), ']'])}) || `{}`) | [0]"
)
"""What a version has beside its value: an object, or null where there is no such version."""
_LABELS_BEFORE = f"{_ONE_BEFORE}.Labels"
_LABELS_LEFT = f"({_ONE_BEFORE}.KeyId != '$key' && {_LABELS_BEFORE}) || `[]`"
"""The labels of a version that is not under the new key yet: those under it were labelled by somebody."""
_SECRET = ServiceCall("secretsmanager", "DescribeSecret", {"SecretId": "$resource"})
_OF_AWS = '["AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"]'
"""The staging labels whose versions UpdateSecret encrypts again."""
_FUNCTION = ServiceCall("lambda", "GetFunctionConfiguration", {"FunctionName": "$resource"})
_UPDATING = "LastUpdateStatus == 'InProgress'"
_NOT_UPDATED = "LastUpdateStatus == 'Failed' && (LastUpdateStatusReason || 'Lambda does not say why')"
_QUEUE = {"QueueUrl": "$queue", "AttributeNames": ["KmsMasterKeyId"]}
_TOPIC = "arn:$partition:sns:$region:$account:$resource"
_HISTORY = ServiceCall("ssm", "GetParameterHistory", {"Name": "$resource"})
_VALUE = ServiceCall("ssm", "GetParameter", {"Name": "$resource:$version", "WithDecryption": True})
_SCHEDULE = (
    "merge({ScheduleExpression: ScheduleExpression, Target: Target, FlexibleTimeWindow: FlexibleTimeWindow}, "
    + unless_missing(
        "StartDate", "EndDate", "Description", "ScheduleExpressionTimezone", "State", "ActionAfterCompletion"
    )
    + ")"
)
_LOGS = CallingService(
    "logs.$region.amazonaws.com",
    ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"),
    {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:$partition:logs:$region:$account:*"}},
)
_TRAILS = CallingService(
    "cloudtrail.amazonaws.com",
    ("kms:GenerateDataKey*", "kms:Decrypt", "kms:DescribeKey"),
    {"StringLike": {"aws:SourceArn": "arn:$partition:cloudtrail:$region:$account:*"}},
)
_EVENTS = CallingService(
    "events.amazonaws.com",
    ("kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"),
    {"StringEquals": {"aws:SourceAccount": "$account"}},
)
_DNSSEC = CallingService(
    "dnssec-route53.amazonaws.com", ("kms:DescribeKey", "kms:GetPublicKey", "kms:Sign", "kms:CreateGrant")
)
_MAIL = CallingService(
    "ses.amazonaws.com",
    ("kms:Encrypt", "kms:GenerateDataKey*"),
    {"StringEquals": {"aws:SourceAccount": "$account"}},
)


def _one_call(
    kind: str,
    data: str,
    service: str,
    operation: str,
    params: Mapping[str, Any],
    *purposes: str,
    read: ServiceCall | None = None,
    taken: str = "",
    old_key_needed: bool = True,
    calling_service: CallingService | None = None,
    by_hand: str = "",
    done: Done | None = None,
) -> Move:
    return Move(
        kind,
        How.IN_PLACE,
        data,
        (f"{service}:{operation}",),
        purposes,
        (MoveStep(ServiceCall(service, operation, params), read, taken, done),),
        by_hand,
        old_key_needed=old_key_needed,
        calling_service=calling_service,
    )


def _anew(
    kind: str, data: str, source: str, by_hand: str, *purposes: str, down: str = "", cost: str = ""
) -> Move:
    """The row of what keeps its key, so that another one is made."""
    return Move(kind, How.BY_COPY, data, (source,), purposes, by_hand=by_hand, down=down, cost=cost)


def _of_cluster(member: str, key: str) -> str:
    """The configuration of an ECS cluster, with one key replaced."""
    return (
        "{configuration: merge(clusters[0].configuration,"
        f' {{{member}: merge(clusters[0].configuration.{member}, {{{key}: `"$key"`}})}})}}'
    )


APPLICATION_MOVES = (
    Move(
        "Secrets Manager secrets",
        How.IN_PLACE,
        "The versions AWSCURRENT, AWSPENDING and AWSPREVIOUS are encrypted again, if the caller may decrypt"
        " with"
        " the old key and encrypt with the new one; they stay readable under the old one too. Versions with"
        " other"
        " labels stay under the old key until they are written again. A replica has a key of its own. A"
        " secret"
        " that is scheduled for deletion is left alone.",
        ("secretsmanager:UpdateSecret", "AWS Secrets Manager: Change the encryption key"),
        steps=(
            MoveStep(
                ServiceCall("secretsmanager", "UpdateSecret", {"SecretId": "$resource", "KmsKeyId": "$key"}),
                done=Done(_SECRET, "KmsKeyId", left_alone=("DeletedDate", "it is scheduled for deletion")),
            ),
        ),
        old_key_needed=True,
        remainder=Remainder(
            _SECRET,
            f"values(VersionIdsToStages || `{{}}`)[] | [?!contains(`{_OF_AWS}`, @)]",
            "versions labelled {} stay under the old key until they are written again",
        ),
        needs_encrypt=True,
    ),
    Move(
        "SSM SecureStrings",
        How.IN_PLACE,
        "A new version with the same value, description, pattern, tier and policies; tags stay, labels of the"
        " current version move to it. Earlier versions stay under the old key.",
        ("ssm:PutParameter", "ssm:LabelParameterVersion"),
        steps=(
            MoveStep(
                ServiceCall("ssm", "PutParameter", {"Name": "$resource", "KeyId": "$key", "Overwrite": True}),
                _HISTORY,
                _CONTENT,
                done=Done(_HISTORY, f"{_LATEST}.KeyId", paged=True),
                version_read=VersionRead(f"{_LATEST}.Version", _VALUE, "{Value: Parameter.Value}", "Version"),
            ),
            MoveStep(
                ServiceCall("ssm", "LabelParameterVersion", {"Name": "$resource"}),
                _HISTORY,
                f"{{Labels: {_LABELS_BEFORE}, ParameterVersion: {_LATEST}.Version}}",
                done=Done(_HISTORY, f"length({_LABELS_LEFT})", "0", paged=True),
                only_where="the version before has labels",
            ),
        ),
        old_key_needed=True,
        remainder=Remainder(
            _HISTORY,
            "Parameters[?KeyId!='$key'].to_string(Version)",
            "versions of its history that stay under the old key: {}",
        ),
    ),
    _anew(
        "SSM resource data syncs",
        "A sync to S3 cannot be changed: it is deleted and made again; files that are there keep their key.",
        "ssm:CreateResourceDataSync",
        "delete-resource-data-sync, then create-resource-data-sync with the new AWSKMSKeyARN.",
        down="the sync, for moments",
    ),
    _one_call(
        "Lambda functions",
        "The environment of the unpublished version, and of snapshots that are made of it; published"
        " versions keep their key.",
        "lambda",
        "UpdateFunctionConfiguration",
        {"FunctionName": "$resource", "KMSKeyArn": "$key"},
        "environment",
        done=Done(_FUNCTION, "KMSKeyArn", under_way=_UPDATING, failure=_NOT_UPDATED),
    ),
    _one_call(
        "Lambda functions",
        "New executions of the unpublished version; published versions and running executions keep their"
        " key.",
        "lambda",
        "UpdateFunctionConfiguration",
        {"FunctionName": "$resource"},
        "durable executions",
        read=_FUNCTION,
        taken='{DurableConfig: merge(DurableConfig, {KMSKeyArn: `"$key"`})}',
        done=Done(_FUNCTION, "DurableConfig.KMSKeyArn", under_way=_UPDATING, failure=_NOT_UPDATED),
    ),
    _one_call(
        "Lambda event source mappings",
        "The filter criteria.",
        "lambda",
        "UpdateEventSourceMapping",
        {"UUID": "$resource", "KMSKeyArn": "$key"},
        old_key_needed=False,
    ),
    Move(
        "SQS queues",
        How.IN_PLACE,
        "New messages only. Those in the queue, 14 days at most, need the old key until they are received.",
        ("sqs:SetQueueAttributes",),
        steps=(
            MoveStep(
                ServiceCall("sqs", "GetQueueUrl", {"QueueName": "$resource"}), keeps=("queue", "QueueUrl")
            ),
            MoveStep(
                ServiceCall(
                    "sqs",
                    "SetQueueAttributes",
                    {"QueueUrl": "$queue", "Attributes": {"KmsMasterKeyId": "$key"}},
                ),
                done=Done(ServiceCall("sqs", "GetQueueAttributes", _QUEUE), "Attributes.KmsMasterKeyId"),
            ),
        ),
        old_key_needed=True,
    ),
    _one_call(
        "SNS topics",
        "New messages only; those that wait for a delivery need the old key, 23 days at most.",
        "sns",
        "SetTopicAttributes",
        {"TopicArn": _TOPIC, "AttributeName": "KmsMasterKeyId", "AttributeValue": "$key"},
        done=Done(
            ServiceCall("sns", "GetTopicAttributes", {"TopicArn": _TOPIC}), "Attributes.KmsMasterKeyId"
        ),
    ),
    _one_call(
        "CloudWatch log groups",
        "New log events only. Those that are there stay under the old key until they expire.",
        "logs",
        "AssociateKmsKey",
        {"logGroupName": "$resource", "kmsKeyId": "$key"},
        calling_service=_LOGS,
        done=Done(
            ServiceCall("logs", "DescribeLogGroups", {"logGroupNamePrefix": "$resource"}),
            "logGroups[?logGroupName==$quoted].kmsKeyId | [0]",
        ),
    ),
    _anew(
        "CloudWatch log anomaly detectors",
        "A detector keeps its key: another one is made, which learns anew.",
        "logs:CreateLogAnomalyDetector",
        "create-log-anomaly-detector with --kms-key-id, then delete the old one.",
        down="the detection, while it learns",
    ),
    _one_call(
        "CloudWatch canaries",
        "The environment.",
        "synthetics",
        "UpdateCanary",
        {"Name": "$resource", "KmsKeyArn": "$key"},
        "environment",
        old_key_needed=False,
    ),
    _one_call(
        "CloudWatch canaries",
        "New artifacts only.",
        "synthetics",
        "UpdateCanary",
        {
            "Name": "$resource",
            "ArtifactConfig": {"S3Encryption": {"EncryptionMode": "SSE_KMS", "KmsKeyArn": "$key"}},
        },
        "artifacts",
    ),
    _anew(
        "Prometheus workspaces",
        "A workspace keeps its key: metrics are written into a new one.",
        "amp:CreateWorkspace",
        "create-workspace with --kms-key-arn, write to both until the old one's metrics have expired, then"
        " delete"
        " that.",
        cost="metrics stored twice meanwhile",
    ),
    _one_call(
        "X-Ray traces",
        "New traces only; those that are there expire after 30 days.",
        "xray",
        "PutEncryptionConfig",
        {"Type": "KMS", "KeyId": "$key"},
    ),
    _one_call(
        "EventBridge event buses",
        "New events only; events that wait for a retry need the old key, a day at most by default.",
        "events",
        "UpdateEventBus",
        {"Name": "$resource", "KmsKeyIdentifier": "$key"},
        read=ServiceCall("events", "DescribeEventBus", {"Name": "$resource"}),
        taken=unless_missing("Description", "DeadLetterConfig", "LogConfig"),
        calling_service=_EVENTS,
    ),
    _one_call(
        "EventBridge archives",
        _UNTOLD,
        "events",
        "UpdateArchive",
        {"ArchiveName": "$resource", "KmsKeyIdentifier": "$key"},
        calling_service=_EVENTS,
    ),
    _one_call(
        "EventBridge connections",
        _UNTOLD,
        "events",
        "UpdateConnection",
        {"Name": "$resource", "KmsKeyIdentifier": "$key"},
    ),
    _one_call(
        "EventBridge pipes",
        "The pipe's settings and what is in flight.",
        "pipes",
        "UpdatePipe",
        {"Name": "$resource", "KmsKeyIdentifier": "$key"},
        read=ServiceCall("pipes", "DescribePipe", {"Name": "$resource"}),
        taken="{RoleArn: RoleArn}",
        old_key_needed=False,
    ),
    _one_call(
        "EventBridge schedules",
        "The schedule itself.",
        "scheduler",
        "UpdateSchedule",
        {"Name": "$resource", "GroupName": "$label", "KmsKeyArn": "$key"},
        read=ServiceCall("scheduler", "GetSchedule", {"Name": "$resource", "GroupName": "$label"}),
        taken=_SCHEDULE,
        old_key_needed=False,
    ),
    _one_call(
        "Step Functions state machines",
        "New executions only; running ones and the history of earlier ones, 90 days at most, stay under the"
        " old"
        " key.",
        "stepfunctions",
        "UpdateStateMachine",
        {"stateMachineArn": "arn:$partition:states:$region:$account:stateMachine:$resource"},
        read=ServiceCall(
            "stepfunctions",
            "DescribeStateMachine",
            {"stateMachineArn": "arn:$partition:states:$region:$account:stateMachine:$resource"},
        ),
        taken='{encryptionConfiguration: merge(encryptionConfiguration, {kmsKeyId: `"$key"`})}',
    ),
    _anew(
        "Step Functions activities",
        "An activity keeps its key: another one is made.",
        "stepfunctions:CreateActivity",
        "create-activity under a new name with the new key, and name it in state machines and workers.",
    ),
    _anew(
        "AppFlow flows",
        "UpdateFlow takes no key: a flow is made again.",
        "appflow:CreateFlow",
        "create-flow with --kms-arn and the settings of the old one, then delete that.",
        down="the flow, while it changes",
    ),
    _anew(
        "Airflow environments",
        "An environment keeps its key: a new one is made.",
        "mwaa:CreateEnvironment",
        "create-environment with --kms-key, carry over connections, variables and the history of runs.",
        down="scheduled runs, during the change",
        cost="half an hour and more; two environments meanwhile",
    ),
    _anew(
        "MQ brokers",
        "A broker keeps its key: a new one is made.",
        "mq:CreateBroker",
        "create-broker with the new key, have producers use it, drain the old one, move the consumers.",
        down="none, if it is drained",
        cost="two brokers meanwhile",
    ),
    Move(
        "EKS clusters",
        How.IMPOSSIBLE,
        "AssociateEncryptionConfig works for a cluster without a key, once: it can be neither changed nor"
        " removed.",
        ("eks:AssociateEncryptionConfig",),
        by_hand="Make a new cluster under the new key and move what runs. Disabling the old key breaks the"
        " old one.",
        old_key_needed=True,
    ),
    *(
        _one_call(
            "ECS clusters",
            data,
            "ecs",
            "UpdateCluster",
            {"cluster": "$resource"},
            purpose,
            read=ServiceCall(
                "ecs", "DescribeClusters", {"clusters": ["$resource"], "include": ["CONFIGURATIONS"]}
            ),
            taken=_of_cluster(member, key),
            old_key_needed=old_key_needed,
        )
        for purpose, member, key, data, old_key_needed in (
            ("ECS Exec", "executeCommandConfiguration", "kmsKeyId", "New sessions only.", False),
            ("volumes", "managedStorageConfiguration", "kmsKeyId", "Volumes of new tasks only.", True),
            (
                "Fargate storage",
                "managedStorageConfiguration",
                "fargateEphemeralStorageKmsKeyId",
                "The storage of new tasks only.",
                True,
            ),
        )
    ),
    _anew(
        "App Runner services",
        "A service keeps its key: a new one is made.",
        "apprunner:CreateService",
        "create-service with the new key, and have its domain name the new service.",
        cost="two services meanwhile",
    ),
    _one_call(
        "CodeBuild projects",
        "New artifacts only.",
        "codebuild",
        "UpdateProject",
        {"name": "$resource", "encryptionKey": "$key"},
    ),
    _one_call(
        "CodeBuild report groups",
        "New exports only.",
        "codebuild",
        "UpdateReportGroup",
        {"arn": "arn:$partition:codebuild:$region:$account:report-group/$resource"},
        read=ServiceCall(
            "codebuild",
            "BatchGetReportGroups",
            {"reportGroupArns": ["arn:$partition:codebuild:$region:$account:report-group/$resource"]},
        ),
        taken=(
            "{exportConfig: merge(reportGroups[0].exportConfig, {s3Destination:"
            ' merge(reportGroups[0].exportConfig.s3Destination, {encryptionKey: `"$key"`})})}'
        ),
    ),
    _one_call(
        "CodePipeline pipelines",
        "New artifacts only; a running execution fails where it reads artifacts of before without the old"
        " key.",
        "codepipeline",
        "UpdatePipeline",
        {},
        read=ServiceCall("codepipeline", "GetPipeline", {"name": "$resource"}),
        taken=(
            "{pipeline: merge(pipeline, (pipeline.artifactStore && {artifactStore:"
            " merge(pipeline.artifactStore, {encryptionKey: {id: `\"$key\"`, type: 'KMS'}})}) || `{}`)}"
        ),
        by_hand="A pipeline with a store in each of several Regions: update-pipeline with artifactStores.",
    ),
    _anew(
        "Image Builder recipes",
        "A version of a recipe is never changed: a new version names the new key. AMIs of before: see AMIs.",
        "imagebuilder:CreateImageRecipe",
        "create-image-recipe with the next version, and name it in the pipelines.",
    ),
    Move(
        "Image Builder distributions",
        How.IN_PLACE,
        "New AMIs only.",
        ("imagebuilder:UpdateDistributionConfiguration",),
        by_hand="update-distribution-configuration, with all its distributions and the new kmsKeyId.",
        for_new=True,
    ),
    _one_call(
        "CloudTrail trails",
        "New log files only; those in S3 stay under the old key.",
        "cloudtrail",
        "UpdateTrail",
        {"Name": "$resource", "KmsKeyId": "$key"},
        calling_service=_TRAILS,
    ),
    Move(
        "CloudTrail event data stores",
        How.IMPOSSIBLE,
        "The key of an event data store can be neither changed nor removed.",
        ("cloudtrail:UpdateEventDataStore",),
        by_hand="Make another one where CloudTrail still allows that, else a trail; keep the old key as"
        " long as the"
        " old events are needed. Disabling it stops the log.",
        old_key_needed=True,
    ),
    _one_call(
        "Config delivery channels",
        "New files only.",
        "config",
        "PutDeliveryChannel",
        {},
        read=ServiceCall("config", "DescribeDeliveryChannels", {"DeliveryChannelNames": ["$resource"]}),
        taken='{DeliveryChannel: merge(DeliveryChannels[0], {s3KmsKeyArn: `"$key"`})}',
    ),
    Move(
        "Cognito user pools",
        How.IN_PLACE,
        f"UpdateUserPool sets back every setting that it is not given. {_UNTOLD}",
        ("cognito-idp:UpdateUserPool",),
        by_hand="update-user-pool with all settings of describe-user-pool, and the new key in LambdaConfig"
        " (custom"
        " senders) or KeyConfiguration (user data).",
        old_key_needed=True,
    ),
    Move(
        "SES receipt rule sets",
        How.IN_PLACE,
        "New mail only; stored mail stays under the old key.",
        ("ses:UpdateReceiptRule",),
        by_hand="update-receipt-rule for each rule that names the old key, with all its settings.",
        calling_service=_MAIL,
        old_key_needed=True,
    ),
    Move(
        "Route 53 DNSSEC zones",
        How.BY_COPY,
        "A key-signing key keeps its KMS key: a second one is made, trusted by the parent zone, and takes"
        " over.",
        ("route53:CreateKeySigningKey", "route53:DeactivateKeySigningKey"),
        by_hand="create-key-signing-key under the new key, add its DS record to the parent zone, wait for"
        " both TTLs,"
        " then deactivate-key-signing-key and delete the old one and its DS record.",
        down="none; a wrong order makes the zone unresolvable",
        cost="days, by the TTLs",
        calling_service=_DNSSEC,
        spec="ECC_NIST_P256",
    ),
)
