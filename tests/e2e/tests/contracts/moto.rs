//! The contracts on the adapters over the AWS SDK, with moto at the other end.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::Region;
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, Dimension, Metric, MetricDataQuery, MetricStat, Statistic,
};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_ec2::types::{
    AttributeBooleanValue, BlockDeviceMapping, EbsBlockDevice, InstanceType, ResourceType, Tag,
    TagSpecification,
};
use aws_sdk_elasticloadbalancingv2::types::{ProtocolEnum, TargetTypeEnum};
use aws_sdk_s3::error::ProvideErrorMetadata;
use serde_json::{Value, json};
use stopgap_aws::Aws;
use stopgap_core::inventory::Location;
use stopgap_core::ports::Ports;
use stopgap_e2e::clients::Clients;
use stopgap_e2e::cloud::{ACCOUNT, Cloud, REGION};
use stopgap_e2e::moto::Pace;
use stopgap_e2e::ticket_queue::TicketQueue;

use crate::World;
use crate::faults::FAULTS;
use crate::world::eventually;

/// How many items moto puts on a page, though the adapters ask for 1,000: a page may be short.
const PAGE: usize = 20;

/// Holds the adapters to a contract, or moto to its fault.
pub(crate) fn hold(name: &str, contract: impl AsyncFnOnce(&dyn World)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let endpoint = endpoint();
    let held = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async { contract(&Moto::new(endpoint).await).await });
    }));
    let fault = FAULTS.iter().find(|fault| fault.contract == name);
    match (held, fault) {
        (Ok(()), None) => {}
        (Ok(()), Some(fault)) => {
            panic!("moto has mended this; take it off its list of faults: {}", fault.why)
        }
        (Err(panic), None) => std::panic::resume_unwind(panic),
        (Err(panic), Some(fault)) => {
            let message = message(&*panic);
            assert!(message.contains(fault.says), "not as moto's fault would have it, but: {message}");
            eprintln!("a fault of moto's: {}", fault.why);
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default()
}

/// The moto of this test program, started by the first test that asks for it, on a thread of its own. It ends with the
/// process.
fn endpoint() -> &'static str {
    static ENDPOINT: OnceLock<Result<String, String>> = OnceLock::new();
    let started = ENDPOINT.get_or_init(|| {
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let cloud = Cloud::start("contracts", Pace { page: PAGE, ..Pace::default() }).await;
                tell.send(cloud.as_ref().map(|cloud| cloud.endpoint.clone()).map_err(ToString::to_string))
                    .unwrap();
                std::future::pending::<()>().await;
            });
        });
        told.recv().unwrap()
    });
    started.as_deref().unwrap_or_else(|why| panic!("{why}"))
}

/// Names everything once.
fn name(of: &str) -> String {
    static NAMED: AtomicUsize = AtomicUsize::new(0);
    format!("{of}-{}", NAMED.fetch_add(1, Ordering::Relaxed))
}

struct Moto {
    aws: Aws,
    clients: Clients,
    bucket: String,
    tickets: TicketQueue,
    chat: TicketQueue,
    mailbox: String,
}

impl Moto {
    async fn new(endpoint: &str) -> Self {
        let clients = Clients::at_home(endpoint).await;
        let (table, bucket) = (name("table"), name("bucket"));
        create_table(&clients, &table).await;
        s3(&clients).create_bucket().bucket(&bucket).send().await.unwrap();
        let topic = clients.sns.create_topic().name(name("topic")).send().await.unwrap().topic_arn.unwrap();
        let critical = json!({ "severity": ["critical"] });
        let tickets = TicketQueue::subscribe(&clients, &topic, &name("tickets"), &critical).await;
        let chat_topic =
            clients.sns.create_topic().name(name("topic")).send().await.unwrap().topic_arn.unwrap();
        let chat = TicketQueue::subscribe(&clients, &chat_topic, &name("chat"), &critical).await;
        let mailbox = clients.sqs.create_queue().queue_name(name("mailbox")).send().await.unwrap();
        let aws = Aws::new(clients.config.clone(), Location::new(ACCOUNT, REGION), &table);
        let aws = aws
            .ec2(None)
            .auto_scaling(None)
            .alarms(None)
            .load_balancers(None)
            .keys(None)
            .objects(&bucket)
            .topic(&topic, Some(&chat_topic));
        let aws = aws.callbacks().executions();
        let mailbox = mailbox.queue_url.unwrap();
        Self { aws, clients, bucket, tickets, chat, mailbox }
    }

    /// EC2 where a location says, as whoever lives there.
    async fn ec2(&self, at: &Location) -> aws_sdk_ec2::Client {
        let endpoint = self.clients.config.endpoint_url().unwrap();
        let clients = Clients::in_account(endpoint, &at.account).await;
        aws_sdk_ec2::Client::new(&clients.config.to_builder().region(Region::new(at.region.clone())).build())
    }

    fn kms(&self) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::new(&self.clients.config)
    }

    fn auto_scaling(&self) -> aws_sdk_autoscaling::Client {
        aws_sdk_autoscaling::Client::new(&self.clients.config)
    }

    /// Some image, and the name of its root device. They are the same in every Region of moto's, and so many that they are
    /// read once.
    async fn image(&self) -> &'static (String, String) {
        static IMAGE: OnceLock<(String, String)> = OnceLock::new();
        if let Some(image) = IMAGE.get() {
            return image;
        }
        let images =
            self.clients.ec2.describe_images().owners("amazon").send().await.unwrap().images.unwrap();
        let mut images =
            images.into_iter().filter_map(|image| Some((image.image_id?, image.root_device_name?)));
        IMAGE.get_or_init(|| images.next().unwrap())
    }

    async fn run(&self, at: &Location, data_volumes: usize) -> String {
        let (image, root) = self.image().await;
        let devices =
            std::iter::once(root.clone()).chain((0..data_volumes).map(|n| format!("/dev/xvdb{}", letter(n))));
        let disks = devices.map(|device| {
            let ebs = EbsBlockDevice::builder().volume_size(8).build();
            BlockDeviceMapping::builder().device_name(device).ebs(ebs).build()
        });
        let run = self.ec2(at).await.run_instances().image_id(image).instance_type(InstanceType::T3Micro);
        let run = run.min_count(1).max_count(1).set_block_device_mappings(Some(disks.collect()));
        let run = run.tag_specifications(tagged(ResourceType::Instance, "Name"));
        let run = run.tag_specifications(tagged(ResourceType::Volume, "Data"));
        run.send().await.unwrap().instances()[0].instance_id().unwrap().to_owned()
    }
}

fn tagged(what: ResourceType, key: &str) -> TagSpecification {
    let tag = Tag::builder().key(key).value("precious").build();
    TagSpecification::builder().resource_type(what).tags(tag).build()
}

fn letter(n: usize) -> char {
    char::from(b'a' + u8::try_from(n).unwrap())
}

fn s3(clients: &Clients) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(&clients.config).force_path_style(true);
    aws_sdk_s3::Client::from_conf(config.build())
}

async fn create_table(clients: &Clients, name: &str) {
    let mut create =
        clients.dynamodb.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for (attribute, key_type) in [("partition", KeyType::Hash), ("sort", KeyType::Range)] {
        let key = KeySchemaElement::builder().attribute_name(attribute).key_type(key_type);
        let definition = AttributeDefinition::builder().attribute_name(attribute);
        let definition = definition.attribute_type(ScalarAttributeType::S);
        create = create.key_schema(key.build().unwrap()).attribute_definitions(definition.build().unwrap());
    }
    create.send().await.unwrap();
}

#[async_trait(?Send)]
impl World for Moto {
    fn ports(&self) -> Ports<'_> {
        self.aws.ports()
    }

    fn here(&self) -> Location {
        self.aws.home().clone()
    }

    fn page(&self) -> usize {
        PAGE
    }

    fn more_than_a_page(&self) -> (usize, usize) {
        (40, 30_000)
    }

    async fn wait(&self) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    async fn add_instance(&self, at: &Location, data_volumes: usize) -> String {
        self.run(at, data_volumes).await
    }

    async fn add_terminated_instance(&self) -> String {
        let id = self.add_instance(&self.here(), 0).await;
        self.clients.ec2.terminate_instances().instance_ids(&id).send().await.unwrap();
        id
    }

    async fn protect_from_stop(&self, instance_id: &str) {
        let modify = self.clients.ec2.modify_instance_attribute().instance_id(instance_id);
        let on = AttributeBooleanValue::builder().value(true).build();
        modify.disable_api_stop(on).send().await.unwrap();
    }

    async fn add_key(&self) -> String {
        self.kms().create_key().send().await.unwrap().key_metadata.unwrap().arn.unwrap()
    }

    async fn disable_key(&self, key: &str) {
        // moto knows keys by their ids here, and not by their ARNs.
        let id = key.rsplit('/').next().unwrap();
        self.kms().disable_key().key_id(id).send().await.unwrap();
    }

    async fn add_image(&self, instance_id: &str) -> String {
        let create = self.clients.ec2.create_image().instance_id(instance_id).name(name("image"));
        let image = create.send().await.unwrap().image_id.unwrap();
        let described = self.clients.ec2.describe_images().image_ids(image).send().await.unwrap();
        let mapping = &described.images()[0].block_device_mappings()[0];
        mapping.ebs().unwrap().snapshot_id().unwrap().to_owned()
    }

    async fn add_group(&self, minimum: usize, members: usize) -> (String, Vec<String>) {
        let (group, count) = (name("group"), i32::try_from(members).unwrap());
        let launch = self.auto_scaling().create_launch_configuration().launch_configuration_name(&group);
        launch.image_id(&self.image().await.0).instance_type("t3.micro").send().await.unwrap();
        let create = self.auto_scaling().create_auto_scaling_group().auto_scaling_group_name(&group);
        let create = create.launch_configuration_name(&group).availability_zones(format!("{REGION}a"));
        let create = create.min_size(i32::try_from(minimum).unwrap()).max_size(count).desired_capacity(count);
        create.send().await.unwrap();
        let describe = self.auto_scaling().describe_auto_scaling_groups().auto_scaling_group_names(&group);
        let described = describe.send().await.unwrap();
        let members = described.auto_scaling_groups()[0].instances().iter();
        let ids = members.map(|member| member.instance_id().unwrap().to_owned()).collect();
        (group, ids)
    }

    async fn add_alarm(&self, instances: &[&str]) -> String {
        let (alarm, cloudwatch) = (name("alarm"), aws_sdk_cloudwatch::Client::new(&self.clients.config));
        let put = cloudwatch.put_metric_alarm().alarm_name(&alarm).evaluation_periods(1).threshold(90.0);
        let put = put.comparison_operator(ComparisonOperator::GreaterThanThreshold);
        let dimension = |id: &&str| Dimension::builder().name("InstanceId").value(*id).build();
        let put = match instances {
            [] | [_] => put
                .namespace("AWS/EC2")
                .metric_name("CPUUtilization")
                .statistic(Statistic::Average)
                .period(60)
                .set_dimensions(Some(instances.iter().map(dimension).collect())),
            several => put.set_metrics(Some(
                several
                    .iter()
                    .enumerate()
                    .map(|(n, id)| {
                        let metric = Metric::builder().namespace("AWS/EC2").metric_name("CPUUtilization");
                        let stat = MetricStat::builder().metric(metric.dimensions(dimension(id)).build());
                        let query = MetricDataQuery::builder().id(format!("m{n}"));
                        query.metric_stat(stat.period(60).stat("Average").build()).build()
                    })
                    .collect(),
            )),
        };
        put.send().await.unwrap();
        alarm
    }

    async fn add_target_group(&self) -> String {
        let vpcs = self.clients.ec2.describe_vpcs().send().await.unwrap();
        let load_balancers = aws_sdk_elasticloadbalancingv2::Client::new(&self.clients.config);
        let create =
            load_balancers.create_target_group().name(name("web")).target_type(TargetTypeEnum::Instance);
        let create = create.protocol(ProtocolEnum::Http).port(80).vpc_id(vpcs.vpcs()[0].vpc_id().unwrap());
        let created = create.send().await.unwrap();
        created.target_groups()[0].target_group_arn().unwrap().to_owned()
    }

    async fn spoke(&self) -> Location {
        // moto lets anyone in by any role but those that begin with `stopgap-`.
        Location::new("111122223333", REGION).by_role(Some("spoke".to_owned()))
    }

    async fn add_machine(&self, definition: &Value) -> String {
        let create = self.clients.step_functions.create_state_machine().name(name("machine"));
        let create =
            create.definition(definition.to_string()).role_arn(format!("arn:aws:iam::{ACCOUNT}:role/any"));
        create.send().await.unwrap().state_machine_arn
    }

    fn mailbox(&self) -> String {
        self.mailbox.clone()
    }

    async fn token(&self) -> String {
        eventually(self, "a token", async || {
            let receive = self.clients.sqs.receive_message().queue_url(&self.mailbox);
            let messages = receive.send().await.unwrap().messages?;
            messages.into_iter().next()?.body
        })
        .await
    }

    async fn stop_execution(&self, execution_arn: &str) {
        let stop = self.clients.step_functions.stop_execution().execution_arn(execution_arn);
        stop.send().await.unwrap();
    }

    async fn output(&self, execution_arn: &str) -> Value {
        let describe = self.clients.step_functions.describe_execution().execution_arn(execution_arn);
        let output = describe.send().await.unwrap().output.expect("it succeeded");
        serde_json::from_str(&output).unwrap()
    }

    async fn object(&self, key: &str) -> Option<Value> {
        let object = match s3(&self.clients).get_object().bucket(&self.bucket).key(key).send().await {
            Ok(object) => object,
            Err(error) if error.code() == Some("NoSuchKey") => return None,
            Err(error) => panic!("{error:?}"),
        };
        assert_eq!(object.content_type(), Some("application/json"));
        let bytes = object.body.collect().await.unwrap().into_bytes();
        Some(serde_json::from_slice(&bytes).unwrap())
    }

    async fn critical_tickets(&self) -> Vec<Value> {
        self.tickets.take().await
    }

    async fn chat(&self) -> Vec<Value> {
        self.chat.take().await
    }
}
