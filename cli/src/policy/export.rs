//! `stopgap policy export`: policies as those of a service that can do without stopgap. Offline.

mod dlm;

use clap::Subcommand;
use serde::Serialize;
use stopgap_core::policy::{Policy, PolicyId};

use crate::failure::{BadInput, Failure};
use crate::output::{self, Format, plain};
use dlm::{Lifecycle, Note};

/// The service.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Write the policies of Amazon Data Lifecycle Manager that do the same, and say why there is none for the others.
    ///
    /// Each is the input of `aws dlm create-lifecycle-policy --cli-input-json`, one JSON document after another; what DLM does
    /// differently is on stderr, one a line. With --json: `{"exported": [{"policy", "input", "places", "notes"}],
    /// "not_exported": [{"policy", "reasons"}]}`. Exit status 1 if a policy cannot be exported.
    Dlm {
        /// The policy file. `-` reads stdin.
        file: String,
        /// Only this policy of the file.
        #[arg(long, value_name = "ID")]
        policy: Option<PolicyId>,
        /// The role that DLM works by; without it, give `--execution-role-arn` to the AWS CLI.
        #[arg(long, value_name = "ARN")]
        execution_role: Option<String>,
    },
}

/// What became of the policies, by id.
#[derive(Default, Serialize)]
struct Answer<'p> {
    exported: Vec<Exported<'p>>,
    not_exported: Vec<NotExported<'p>>,
}

#[derive(Serialize)]
struct Exported<'p> {
    policy: &'p PolicyId,
    #[serde(flatten)]
    lifecycle: Lifecycle,
}

#[derive(Serialize)]
struct NotExported<'p> {
    policy: &'p PolicyId,
    reasons: Vec<Note>,
}

pub(crate) fn run(command: &Command, format: Format) -> Result<(), Failure> {
    let Command::Dlm { file, policy, execution_role } = command;
    if let Some(role) = execution_role.as_ref().filter(|role| !is_role(role)) {
        let why = format!("--execution-role: `{role}` is no role such as arn:aws:iam::111122223333:role/dlm");
        return Err(BadInput::one(why).into());
    }
    let mut policies = super::load(file)?;
    if let Some(id) = policy {
        policies.retain(|policy| policy.id == *id);
        if policies.is_empty() {
            let why = format!("{}: there is no policy `{id}` in it", super::name(file));
            return Err(BadInput::one(why).into());
        }
    }
    policies.sort_by(|a, b| a.id.cmp(&b.id));
    let answer = answer(&policies, execution_role.as_deref());
    match format {
        Format::Json => output::print_json(&answer)?,
        Format::Table => {
            for Exported { policy, lifecycle } in &answer.exported {
                output::print_json(&lifecycle.input)?;
                for note in &lifecycle.notes {
                    eprintln!("note: {}", line(policy, note));
                }
            }
        }
    }
    let reasons =
        answer.not_exported.iter().flat_map(|not| not.reasons.iter().map(|note| line(not.policy, note)));
    let reasons: Vec<String> = reasons.collect();
    if reasons.is_empty() { Ok(()) } else { Err(Failure::Failed(reasons)) }
}

fn answer<'p>(policies: &'p [Policy], role: Option<&str>) -> Answer<'p> {
    let mut answer = Answer::default();
    for policy in policies {
        match dlm::lifecycle(policy, role) {
            Ok(lifecycle) => answer.exported.push(Exported { policy: &policy.id, lifecycle }),
            Err(reasons) => answer.not_exported.push(NotExported { policy: &policy.id, reasons }),
        }
    }
    answer
}

fn line(policy: &PolicyId, Note { part, message }: &Note) -> String {
    plain(&format!("{policy}: {part}: {message}")).into_owned()
}

fn is_role(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", partition, "iam", "", account, resource]
        if partition.starts_with("aws") && account.len() == 12 && resource.starts_with("role/"))
}
