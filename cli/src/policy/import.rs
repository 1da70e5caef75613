//! `stopgap policy import`: what other tools were configured to do, as policies. Offline.

mod convert;
mod crontab;
mod period;
mod stanzas;

use clap::Subcommand;
use serde_json::json;
use stopgap_core::policy;

use crate::failure::{BadInput, Failure};
use crate::output::{self, Format, plain};
use convert::{Imported, Kind, Note, Wishes};

/// The tool.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Turn the configuration of Rackspace's ebs_snapper into policies, and say what has no equivalent.
    ///
    /// The policies are on stdout; what is different, or lost, is on stderr, one a line. With --json:
    /// `{"policies": [...], "notes": [{"stanza", "part", "kind", "message", "hint"}]}`, `kind` being `note`, `lost` or
    /// `refused`. Exit status 1 if a stanza has no policy.
    EbsSnapper {
        /// A stanza, an array of stanzas, or what `aws dynamodb scan --table-name ebs_snapshot_configuration` prints. `-`
        /// reads stdin.
        file: String,
        /// The Regions to look for instances in. ebs_snapper looked in all.
        #[arg(long, value_name = "REGION", value_delimiter = ',')]
        regions: Vec<String>,
        /// Let the policies count and prune the snapshots that ebs_snapper made.
        #[arg(long)]
        adopt: bool,
    },
}

pub(crate) fn run(command: &Command, format: Format) -> Result<(), Failure> {
    let Command::EbsSnapper { file, regions, adopt } = command;
    check(regions)?;
    let text = super::text(file)?;
    let name = super::name(file);
    let stanzas = stanzas::read(&text)
        .map_err(|wrong| BadInput(wrong.into_iter().map(|why| format!("{name}: {why}")).collect()))?;
    let imported = convert::convert(stanzas, &Wishes { regions, adopt: *adopt });
    let (refused, others): (Vec<&Note>, Vec<&Note>) =
        imported.notes.iter().partition(|note| note.kind == Kind::Refused);
    match format {
        Format::Json => output::print_json(&imported)?,
        Format::Table => {
            let Imported { policies, .. } = &imported;
            // An empty array is no policy file.
            if !policies.is_empty() {
                output::print_json(policies)?;
            }
            for note in others {
                let kind = if note.kind == Kind::Lost { "lost" } else { "note" };
                eprintln!("{kind}: {}", line(note));
            }
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(refused.into_iter().map(|note| format!("no policy for {}", line(note))).collect()))
}

fn line(note: &Note) -> String {
    let Note { stanza, part, message, hint, .. } = note;
    let place: Vec<&str> =
        [stanza.as_deref().unwrap_or_default(), part].into_iter().filter(|text| !text.is_empty()).collect();
    let hint = hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    plain(&format!("{}: {message}{hint}", place.join(": "))).into_owned()
}

/// Whether the Regions can stand in a policy.
fn check(regions: &[String]) -> Result<(), BadInput> {
    if regions.is_empty() {
        return Ok(());
    }
    let policy = json!({
        "id": "any", "targets": [{ "regions": regions }], "select": { "any": [{ "name": "*" }] },
        "schedule": { "expression": "rate(1 day)" }, "retention": { "keep_last": 1 }
    });
    policy::parse_value(&policy).map(|_| ()).map_err(|errors| BadInput::one(format!("--regions: {errors}")))
}
