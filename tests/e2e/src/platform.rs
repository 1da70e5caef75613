//! stopgap, deployed to a [`Cloud`].

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde_json::{Value, json};
use stopgap_core::inventory::Location;
use stopgap_core::ports::Settings;
use stopgap_core::tasks;

use crate::cloud::{ACCOUNT, Cloud, REGION};
use crate::deploy::{Outputs, adapt, create_stack, deployed_function, synthesize};
use crate::moto::Pace;
use crate::rights::{self, Actions, access_key};
use crate::tools::progress;
use crate::{functions, paths};

/// An account that the hub serves through an assumed role.
pub const SPOKE: &str = "111122223333";
/// What hub and spoke agree on.
const EXTERNAL_ID: &str = "hub-and-spoke";

/// A deployment: the hub, and a spoke. It ends when it is dropped.
pub struct Platform {
    /// Where it is deployed.
    pub cloud: Cloud,
    /// The table's name.
    pub table: String,
    /// The ticket topic's ARN.
    pub topic: String,
    /// The ARN of the topic for chat applications.
    pub chat_topic: String,
    /// The planning bucket's name.
    pub bucket: String,
    /// The ARN of the machine that plans and dispatches.
    pub fleet_machine: String,
    /// The ARN of the machine that makes one backup.
    pub instance_machine: String,
    /// The ARN of the machine that gives back the instances of lost runs.
    pub rescue_machine: String,
    /// What the roles of the functions allow, by function.
    pub granted: Actions,
    /// In what moto's deployment differs from what was synthesized, by kind of change, with how often.
    pub changes: BTreeMap<String, usize>,
}

impl Platform {
    /// Builds the functions, starts a cloud and deploys. `name` is the folder for its logs under `target/e2e`.
    ///
    /// # Errors
    /// When a tool is missing, or something does not build, start or deploy: with what to do, where that is known.
    pub async fn start(name: &str, pace: Pace) -> io::Result<Self> {
        let programs = functions::build()?;
        let cloud = Cloud::start(name, pace).await?;
        progress("deploying");
        let mut changes = BTreeMap::new();
        let hub = json!({ "spokes": SPOKE, "externalId": EXTERNAL_ID, "chat": "amazon-q" });
        let granted = rights::granted(&synthesize("Stopgap", &paths::target(), &hub)?.template("Stopgap")?);
        let outputs = deploy(&cloud, ACCOUNT, "Stopgap", hub, &mut changes).await?;
        let spoke = json!({ "hub": format!("{ACCOUNT}/{REGION}"), "externalId": EXTERNAL_ID });
        deploy(&cloud, SPOKE, "StopgapSpoke", spoke, &mut changes).await?;
        install_functions(&cloud, &programs, pace).await?;

        let output = |name: &str| {
            let missing = || io::Error::other(format!("the hub stack has no output {name}"));
            outputs.get(name).cloned().ok_or_else(missing)
        };
        Ok(Self {
            table: output("TableName")?,
            topic: output("TicketTopicArn")?,
            chat_topic: output("ChatTopicArn")?,
            bucket: output("PlanningBucketName")?,
            fleet_machine: output("FleetMachineArn")?,
            instance_machine: output("InstanceMachineArn")?,
            rescue_machine: output("RescueMachineArn")?,
            granted,
            changes,
            cloud,
        })
    }

    /// What a tester needs to know.
    pub fn document(&self) -> Value {
        json!({
            "endpoint": self.cloud.endpoint,
            "region": REGION,
            "account": ACCOUNT,
            "table": self.table,
            "topic": self.topic,
            "bucket": self.bucket,
            "state_machines": {
                "fleet": self.fleet_machine, "instance": self.instance_machine, "rescue": self.rescue_machine,
            },
            "spoke_account": SPOKE,
            "logs": self.cloud.logs,
            "changed_for_moto": self.changes,
        })
    }
}

/// Synthesizes a stack, changes it for moto and creates it.
async fn deploy(
    cloud: &Cloud,
    account: &str,
    stack: &str,
    context: Value,
    changes: &mut BTreeMap<String, usize>,
) -> io::Result<Outputs> {
    let assembly = synthesize(stack, &paths::target(), &context)?;
    let adapted = adapt(&assembly, stack)?;
    for change in adapted.changes {
        *changes.entry(change).or_default() += 1;
    }
    create_stack(cloud.moto(), account, REGION, stack, &adapted.template).await
}

/// Puts the functions that moto was told of into the host, each with the environment that was deployed.
async fn install_functions(cloud: &Cloud, programs: &Path, pace: Pace) -> io::Result<()> {
    for name in tasks::NAMES {
        let program = programs.join(name);
        let deployed = format!("stopgap-{name}");
        let mut function = deployed_function(cloud.moto(), ACCOUNT, REGION, &deployed, &program).await?;
        function.environment.extend(surroundings(name, &cloud.endpoint, pace));
        cloud.host.deploy(function);
    }
    Ok(())
}

/// What Lambda puts into a function's environment that only this machine knows: where AWS is, and credentials. And the lag of
/// EC2's reads, which a function waits for by its own clock while the machine's retries pass faster.
fn surroundings(function: &str, endpoint: &str, pace: Pace) -> [(String, String); 4] {
    let lag = Settings::new(Location::new(ACCOUNT, REGION)).read_lag.as_secs_f64() / pace.time_scale;
    [
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_ACCESS_KEY_ID", access_key(function)),
        ("AWS_SECRET_ACCESS_KEY", "none".to_owned()),
        ("STOPGAP_READ_LAG", format!("{}s", lag.ceil())),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}
