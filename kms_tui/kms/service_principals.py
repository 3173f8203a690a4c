"""THE table of AWS services by the first part of their service principals, as in ``logs.amazonaws.com``.

Source, as of 2026-11-29: the service authorization reference's prefixes and botocore's services, with the
principals that the services' own guides give beside these. It tells what a misspelt one means; a service
that is not in it may be new.
"""

from __future__ import annotations

_NAMES = """
a2c a2i-runtime a4b abuse abuse-signal access-analyzer accessanalyzer account account-access
account-access-runtime acm acm-pca aco-automation action-recommendations activate admin agent-discovery
agent-registry agent-registry-control agentaccess-mcp agreement-marketplace aidevops aiops airflow
airflow-env airflow-serverless amp amplify amplifybackend amplifyuibuilder aoss api apigateway
apigatewaymanagementapi apigatewayv2 apiportal app-integrations appconfig appconfigdata appfabric
appflow appintegrations application-autoscaling application-cost-profiler application-insights
application-signals application-signals-mcp application-transformation applicationcostprofiler
applicationinsights appmesh appmesh-preview apprunner appstream appstream2 appstudio appsync apptest aps
arc-region-switch arc-zonal-shift arsenal artifact assurance athena auditmanager autoscaling
autoscaling-plans aws-external-anthropic aws-marketplace aws-marketplace-management aws-portal
awsconnector b2bi backup backup-gateway backup-search backup-storage backupsearch batch
batchoperations.s3 bcm-dashboards bcm-data-exports bcm-pricing-calculator bcm-recommended-actions
bedrock bedrock-agent bedrock-agent-runtime bedrock-agentcore bedrock-agentcore-control
bedrock-data-automation bedrock-data-automation-runtime bedrock-mantle bedrock-runtime bedrock-websearch
billing billingconductor billingconsole braket budgets bugbust build.apprunner cases cassandra
cassandra-streams catalog ce chatbot chime chime-sdk-identity chime-sdk-media-pipelines
chime-sdk-meetings chime-sdk-messaging chime-sdk-voice cleanrooms cleanrooms-ml cleanroomsml cloud9
cloudcontrol cloudcontrolapi clouddirectory cloudformation cloudfront cloudfront-encryption
cloudfront-keyvaluestore cloudhsm cloudhsmv2 cloudsearch cloudsearchdomain cloudshell cloudtrail
cloudtrail-data cloudwatch cloudwatch-omni cloudwatchomni codeartifact codebuild codecatalyst codecommit
codeconnections codedeploy codedeploy-commands-secure codeguru codeguru-profiler codeguru-reviewer
codeguru-security codeguruprofiler codepipeline codestar codestar-connections codestar-notifications
codewhisperer cognito-identity cognito-idp cognito-sync comprehend comprehendmedical compute-optimizer
compute-optimizer-automation config config-multiaccountsetup connect connect-campaigns
connect-contact-lens connectcampaigns connectcampaignsv2 connectcases connecthealth connectparticipant
connectscheduling consoleapp consolidatedbilling contact-lens continuousexport.discovery continuum
controlcatalog controlplane controltower cost-optimization-hub cost-optimization-hub.bcm costalerts cur
customer-profiles customer-verification data data-ats data-signer databrew dataexchange datapipeline
dataplane datasync datazone dax dbqms deadline delivery.logs deployment-marketplace detective devicefarm
devops-agent devops-guru directconnect directoryservice discovery discovery-marketplace dlm dms docdb
docdb-elastic drs ds ds-data dsql dynamodb dynamodb.application-autoscaling dynamodbstreams ebs ec2
ec2-instance-connect ec2fleet ec2messages ecr ecr-public ecs ecs-mcp ecs-tasks edge edgelambda efs eks
eks-auth eks-fargate-pods eks-mcp elasticache elasticbeanstalk elasticfilesystem elasticloadbalancing
elasticmapreduce elastictranscoder elb elbv2 elemental-activations elemental-appliances-software
elemental-inference elemental-support-cases elemental-support-content elementalinference email emr
emr-containers emr-serverless end-user-messaging endusermessaging entitlement entityresolution es
eventbridgev2 events eventsbilltoaws eventsv2 evs execute-api export.rds featurestore-runtime
finops-agent finspace finspace-api firehose fis fms forecast forecastquery frauddetector freertos
freetier fsx gamelift gameliftstreams gateway-runtime geo geo-maps geo-places geo-routes glacier
globalaccelerator glue grafana greengrass greengrassv2 groundstation groundtruthlabeling guardduty
health health-agent healthlake honeycode hooks.cloudformation iam iam-toolbox identity-chime
identity-sync identitystore identitystore-auth imagebuilder importexport inferencerouter-runtime ingest
inspector inspector-scan inspector2 inspector2-telemetry interconnect internetmonitor invoicing iot
iot-data iot-device-tester iot-jobs-data iot-managed-integrations iotanalytics iotdeviceadvisor
iotevents iotfleethub iotfleetwise iotjobsdata iotmanagedintegrations iotsecuretunneling iotsitewise
iotthingsgraph iottwinmaker iotwireless iq iq-permission ivs ivs-realtime ivschat ivsrealtime
job-runtime kafka kafka-cluster kafkaconnect kendra kendra-ranking keyspaces keyspacesstreams kinesis
kinesis-video-archived-media kinesis-video-media kinesis-video-signaling kinesis-video-webrtc-storage
kinesisanalytics kinesisanalyticsv2 kinesisvideo kms lakeformation lambda lambda-core lambda-microvms
lambda-web launch-wizard launchwizard lex lex-models lex-runtime lexv2 lexv2-models lexv2-runtime
license-manager license-manager-linux-subscriptions license-manager-user-subscriptions lightsail
location log-delivery.mediapackage logdelivery.elasticloadbalancing logger.cloudfront logs
lookoutequipment lookoutmetrics lookoutvision m2 machinelearning macie macie2 mail-manager mailmanager
malware-protection-plan.guardduty managedblockchain managedblockchain-query mapcredits
marketplace-agreement marketplace-catalog marketplace-deployment marketplace-discovery
marketplace-entitlement marketplace-reporting marketplacecommerceanalytics mechanicalturk
media-pipelines-chime mediaconnect mediaconvert mediaimport medialive mediapackage mediapackage-vod
mediapackagev2 mediastore mediastore-data mediatailor medical-imaging meetings-chime
member.org.stacksets.cloudformation memory-db memorydb messaging-chime metering meteringmarketplace
metrics mgh mgn migration-hub-refactor-spaces migrationhub-config migrationhub-orchestrator
migrationhub-strategy migrationhuborchestrator migrationhubstrategy mobileanalytics mobiletargeting
models models-v2-lex monitoring monitron mpa mq mturk mturk-requester mwaa mwaa-serverless neptune
neptune-db neptune-graph neptunedata network-firewall network-security-director network-security-manager
networkflowmonitor networkmanager networkmanager-chat networkmonitor nimble notifications
notifications-contacts notificationscontacts nova-act oam observabilityadmin odb oidc omics one
opensearch opensearchmemory opensearchserverless opensearchservice ops.apigateway opsworks opsworks-cm
organizations osis osm outposts panorama participant partnercentral partnercentral-account
partnercentral-account-management partnercentral-benefits partnercentral-channel
partnercentral-marketing partnercentral-prm partnercentral-revenue-measurement partnercentral-selling
payment-cryptography payment-cryptography-data payments pca-connector-ad pca-connector-scep pcs
personalize personalize-events personalize-runtime pi pinpoint pinpoint-email pinpoint-sms-voice
pinpoint-sms-voice-v2 pipes polly portal pricing pricing-plan-manager pricingplanmanager
private-networks profile proton purchase-orders q qapps qbusiness qconnect qdeveloper qldb query
quicksight ram rbin rds rds-data rds-db redshift redshift-data redshift-serverless refactor-spaces
rekognition replication.dynamodb replicator.lambda reportdelivery.budgets reporting-marketplace
repostspace researchstudio resiliencehub resiliencehubv2 resource-explorer resource-explorer-2
resource-groups resourcegroupstaggingapi rhelkb robomaker rolesanywhere route53 route53-recovery-cluster
route53-recovery-control-config route53-recovery-readiness route53domains route53globalresolver
route53profiles route53resolver rtbfabric rum runtime runtime-v2-lex s3 s3-control s3-object-lambda
s3-outposts s3control s3express s3files s3outposts s3tables s3vectors sagemaker sagemaker-a2i-runtime
sagemaker-data-science-assistant sagemaker-edge sagemaker-featurestore-runtime sagemaker-gateway-runtime
sagemaker-geospatial sagemaker-inference-router-runtime sagemaker-metrics sagemaker-mlflow
sagemaker-runtime sagemaker-unified-studio-mcp sagemakerjobruntime sagemakertrainingsessionruntime
savingsplans scheduler schemas scn sdb secretsmanager security-ir securityagent securityhub securitylake
serverlessrepo service-quotas servicecatalog servicecatalog-appregistry servicediscovery serviceextract
servicequotas ses sesv2 shield signer signer-data signin simpledbv2 simspaceweaver sms sms-voice
snow-device-management snowball sns social-messaging socialmessaging spot spotfleet sqlworkbench sqs ssm
ssm-contacts ssm-guiconnect ssm-incidents ssm-quicksetup ssm-sap ssmmessages sso sso-admin sso-directory
sso-oauth sso-oidc stacksets.cloudformation startups states stepfunctions storagegateway streams sts
supplychain support support-app support-console supportapp supportauthz supportplans sustainability swf
synthetics tag tagging tasks.apprunner tax taxsettings textract thinclient timestream
timestream-influxdb timestream-query timestream-write tiros tnb training-session-runtime transcribe
transfer transform transform-custom translate trustedadvisor ts user-subscriptions uxc vendor-insights
verified-access verifiedpermissions voice-chime voice-id voiceid vpc-flow-logs vpc-lattice
vpc-lattice-svcs vpce waf waf-regional wafv2 wam wellarchitected wickr wisdom workdocs worklink workmail
workmailmessageflow workspaces workspaces-instances workspaces-thin-client workspaces-web xray
"""
SERVICES = frozenset(_NAMES.split())
"""Names without their Region and ``.amazonaws.com``."""
