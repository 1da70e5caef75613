//! The way to AWS: the options that every command with credentials shares, and signing in.

use jiff::Timestamp;
use stopgap_aws::Aws;
use stopgap_aws::terminal::{Access, SignedIn, sign_in};
use stopgap_core::ports::FaultKind;
use stopgap_core::records::PlannedUntil;

use crate::failure::Failure;
use crate::live::{Stopgap, Time};

/// Where stopgap is deployed, and as whom to ask. What is left out is as with the AWS CLI.
#[derive(clap::Args)]
#[command(next_help_heading = "AWS")]
pub(crate) struct Options {
    /// The profile of ~/.aws/config.
    #[arg(long, global = true, value_name = "PROFILE")]
    profile: Option<String>,
    /// The Region that stopgap is deployed in.
    #[arg(long, global = true, value_name = "REGION")]
    region: Option<String>,
    /// Where all services are, instead of AWS.
    #[arg(long, global = true, value_name = "URL")]
    endpoint_url: Option<String>,
    /// The name of the deployment: its table has it, and what its state machines are called begins with it.
    #[arg(long, global = true, env = "STOPGAP_NAME", value_name = "NAME", default_value = "stopgap", value_parser = name)]
    name: String,
    /// What the roles of other accounts ask for.
    #[arg(long, global = true, env = "STOPGAP_EXTERNAL_ID", value_name = "ID", hide_env_values = true)]
    external_id: Option<String>,
}

/// What a deployment may be called, as the CDK app has it.
fn name(text: &str) -> Result<String, String> {
    let fits = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 20
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    fits.then(|| text.to_owned())
        .ok_or_else(|| "a name has up to 20 small letters, digits and -, and begins with a letter".to_owned())
}

impl Options {
    /// Signs in and runs a command.
    pub(crate) fn connected(
        &self,
        command: impl AsyncFnOnce(&Stopgap<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::one(format!("the program cannot start: {error}")))?;
        runtime.block_on(async {
            let access = Access {
                profile: self.profile.clone(),
                region: self.region.clone(),
                endpoint_url: self.endpoint_url.clone(),
            };
            let SignedIn { sdk, home, partition } =
                sign_in(&access).await.map_err(|error| Failure::one(error.to_string()))?;
            let external_id = self.external_id.as_deref();
            let aws = Aws::new(sdk, home.clone(), &self.name);
            let aws = aws
                .ec2(external_id)
                .auto_scaling(external_id)
                .alarms(external_id)
                .load_balancers(external_id)
                .keys(external_id)
                .executions();
            let (region, account) = (&home.region, &home.account);
            let machine =
                format!("arn:{partition}:states:{region}:{account}:stateMachine:{}-instance", self.name);
            let stopgap =
                Stopgap { ports: aws.ports(), home, machine, name: self.name.clone(), time: &WallClock };
            self.see_that_it_is_deployed(&stopgap).await?;
            command(&stopgap).await
        })
    }

    /// The wrong Region, account or name would show as a table that is not there, in the middle of something.
    async fn see_that_it_is_deployed(&self, stopgap: &Stopgap<'_>) -> Result<(), Failure> {
        match stopgap.ports.table.get(&PlannedUntil::key()).await {
            Err(fault) if fault.kind == FaultKind::NotFound => Err(Failure::one(format!(
                "there is no table `{}` in {}, so no stopgap of that name is deployed there: --region, --profile and --name say where it is",
                self.name, stopgap.home
            ))),
            Err(fault) => Err(fault.into()),
            Ok(_) => Ok(()),
        }
    }
}

/// The time at the terminal.
struct WallClock;

#[async_trait::async_trait(?Send)]
impl Time for WallClock {
    #[allow(clippy::disallowed_methods, reason = "a person asks now")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, duration: std::time::Duration) {
        tokio::time::sleep(duration).await;
    }

    /// Ctrl-C. Where it cannot be listened to, it ends the program, as ever.
    async fn interrupted(&self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
