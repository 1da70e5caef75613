//! The contracts on the simulated AWS, in virtual time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use stopgap_core::inventory::{InstanceState, Location};
use stopgap_core::ports::{CreateSnapshots, Ec2, InstanceStorage, KeyState, Ports, Settings};
use stopgap_sim::asl::StateMachine;
use stopgap_sim::aws::{Aws, FaultName, GroupSpec, InstanceSpec, VolumeSpec};
use stopgap_sim::runtime::{Clock, Runtime};
use stopgap_sim::stepfunctions::{self, StepFunctions, TaskCall, TaskFailure, TaskRunner};

use crate::World;
use crate::world::eventually;

/// Holds the simulated AWS to a contract.
pub(crate) fn hold(contract: impl AsyncFnOnce(&dyn World)) {
    let runtime = Runtime::new(Timestamp::from_second(1_800_000_000).unwrap());
    let world = Simulated::new(runtime.clock());
    runtime.block_on(contract(&world)).expect("a contract comes to its end");
}

struct Simulated {
    clock: Clock,
    aws: Aws,
    step_functions: StepFunctions,
    tokens: Rc<Tokens>,
    /// How many groups and machines there are, to name the next.
    named: Cell<usize>,
}

/// Keeps the token of a task that waits for one, and calls nothing.
#[derive(Default)]
struct Tokens(RefCell<Vec<String>>);

impl TaskRunner for Tokens {
    fn call(&self, call: TaskCall) -> LocalBoxFuture<'static, Result<Value, TaskFailure>> {
        assert_eq!(call.parameters["MessageBody"].as_str(), call.task_token.as_deref());
        self.0.borrow_mut().extend(call.task_token);
        async { Ok(json!({})) }.boxed_local()
    }
}

impl Simulated {
    fn new(clock: Clock) -> Self {
        let aws = Aws::new(clock.clone(), 0, Settings::new(Location::new("123456789012", "us-east-1")));
        aws.change(|world| world.chat = Some(Vec::new()));
        let tokens = Rc::<Tokens>::default();
        let runner = Rc::clone(&tokens) as Rc<dyn TaskRunner>;
        let step_functions = StepFunctions::new(clock.clone(), runner, stepfunctions::Settings::default());
        aws.join(&step_functions);
        let storage = InstanceStorage { instance_type: "i3.large".to_owned(), size_gb: 475, always: true };
        let home = aws.settings().home.clone();
        aws.change(|world| world.places.entry(home.clone()).or_default().storage.push(storage));
        Self { clock, aws, step_functions, tokens, named: Cell::new(0) }
    }

    fn name(&self, of: &str) -> String {
        self.named.set(self.named.get() + 1);
        format!("{of}-{}", self.named.get())
    }

    fn set_key(&self, key: &str, state: &str) {
        self.aws.change(|world| {
            let place = world.places.entry(self.aws.settings().home.clone()).or_default();
            place.keys.insert(key.to_owned(), KeyState(state.to_owned()));
        });
    }

    fn instance(&self, at: &Location, data_volumes: usize) -> InstanceSpec {
        let tags = [("Data".to_owned(), "precious".to_owned())].into();
        let volume = VolumeSpec::new(8, tags);
        let spec = InstanceSpec::new(at).tag("Name", "precious");
        InstanceSpec { volumes: vec![volume; data_volumes + 1], ..spec }
    }
}

#[async_trait(?Send)]
impl World for Simulated {
    fn ports(&self) -> Ports<'_> {
        self.aws.ports()
    }

    fn here(&self) -> Location {
        self.aws.settings().home.clone()
    }

    fn page(&self) -> usize {
        1_000
    }

    fn more_than_a_page(&self) -> (usize, usize) {
        (1_200, 1)
    }

    async fn wait(&self) {
        self.clock.sleep(Duration::from_secs(1)).await;
    }

    async fn add_instance(&self, at: &Location, data_volumes: usize) -> String {
        self.aws.add_instance(self.instance(at, data_volumes))
    }

    async fn add_terminated_instance(&self) -> String {
        self.aws.add_instance(self.instance(&self.here(), 0).state(InstanceState::Terminated))
    }

    async fn protect_from_stop(&self, instance_id: &str) {
        self.aws.change(|world| {
            world.machine_mut(instance_id).unwrap().faults.insert(FaultName::StopProtected);
        });
    }

    async fn add_key(&self) -> String {
        let key = format!("arn:aws:kms:us-east-1:123456789012:key/{}", self.name("key"));
        self.set_key(&key, "Enabled");
        key
    }

    async fn disable_key(&self, key: &str) {
        self.set_key(key, "Disabled");
    }

    async fn add_image(&self, instance_id: &str) -> String {
        let request = CreateSnapshots {
            instance_id: instance_id.to_owned(),
            exclude_root: false,
            exclude_volumes: Vec::new(),
            description: "Created by CreateImage".to_owned(),
            tags: [].into(),
        };
        let made = self.aws.create_snapshots(&self.here(), &request).await.unwrap();
        let ids = made.into_iter().map(|snapshot| snapshot.id);
        self.aws.change(|world| {
            let images = &mut world.places.get_mut(&self.here()).unwrap().images;
            images.extend(ids);
            images.first().unwrap().clone()
        })
    }

    async fn add_group(&self, minimum: usize, members: usize) -> (String, Vec<String>) {
        let (name, here) = (self.name("group"), self.here());
        let members: Vec<String> =
            (0..members).map(|_| self.aws.add_instance(self.instance(&here, 0))).collect();
        self.aws.add_group(GroupSpec {
            location: here,
            name: name.clone(),
            minimum,
            members: members.clone(),
            drains_for: Duration::from_secs(300),
        });
        (name, members)
    }

    async fn add_alarm(&self, instances: &[&str]) -> String {
        let name = self.name("alarm");
        self.aws.add_alarm(&self.here(), &name, instances, true);
        name
    }

    async fn add_target_group(&self) -> String {
        let arn = self.name("arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/");
        self.aws.add_target_group(&self.here(), &arn, &[]);
        arn
    }

    async fn spoke(&self) -> Location {
        let (account, role) = ("111122223333", "spoke");
        self.aws.add_role(account, role);
        Location::new(account, self.here().region).by_role(Some(role.to_owned()))
    }

    async fn add_machine(&self, definition: &Value) -> String {
        let machine =
            StateMachine::parse(&definition.to_string()).unwrap_or_else(|errors| panic!("{errors:?}"));
        self.step_functions.create_state_machine(&self.name("machine"), machine)
    }

    fn mailbox(&self) -> String {
        "mailbox".to_owned()
    }

    async fn token(&self) -> String {
        eventually(self, "a token", async || self.tokens.0.borrow_mut().pop()).await
    }

    async fn stop_execution(&self, execution_arn: &str) {
        self.step_functions.stop_execution(execution_arn, None, None);
    }

    async fn output(&self, execution_arn: &str) -> Value {
        self.step_functions.describe_execution(execution_arn).unwrap().output.as_deref().cloned().unwrap()
    }

    async fn object(&self, key: &str) -> Option<Value> {
        self.aws.look(|world| world.objects.get(key).cloned())
    }

    async fn critical_tickets(&self) -> Vec<Value> {
        let published = self.aws.change(|world| std::mem::take(&mut world.published));
        let is_critical = |severity: Option<&String>| severity.is_some_and(|severity| severity == "critical");
        let critical =
            published.into_iter().filter(|(_, notice)| is_critical(notice.attributes.get("severity")));
        critical.map(|(_, notice)| notice.document).collect()
    }

    async fn chat(&self) -> Vec<Value> {
        let told = self.aws.change(|world| world.chat.as_mut().map(std::mem::take));
        told.into_iter().flatten().map(|(_, chat)| chat).collect()
    }
}
