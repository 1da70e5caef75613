//! `stopgap retention`: what a policy's retention keeps of snapshots that were saved, offline.

mod answer;
pub(crate) mod sets;

use std::fs::File;
use std::io::{self, Cursor, Read};

use jiff::Timestamp;
use sets::Adopter;
use stopgap_core::describe::catalogue::Catalogue;
use stopgap_core::policy::{Policy, Tool};

use crate::failure::BadInput;
use crate::output::{self, Format};
use crate::{plan, policy};

/// Say which backup sets a policy keeps, which it would delete, and why. Deletes nothing.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The policy, or several: one, an array, or `{"defaults": {...}, "policies": [...]}`. `-` reads stdin.
    #[arg(long, value_name = "FILE")]
    policy: String,
    /// The output of `aws ec2 describe-snapshots --owner-ids self`. `-` reads stdin.
    #[arg(long, value_name = "FILE")]
    snapshots: String,
    /// The time to decide for, such as 2026-11-21T02:00:00Z. The rules count back from the newest complete set and not
    /// from now, so that it changes nothing for instances that are there.
    #[arg(long, value_name = "RFC3339", value_parser = plan::time)]
    at: Timestamp,
    /// Try the rules on snapshots that other tools made: those with the same value of this tag are a set, complete when
    /// all of them are, and its time is that of the earliest. All sets are one series.
    #[arg(long, value_name = "KEY")]
    group_by_tag: Option<String>,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<(), BadInput> {
    if args.policy == "-" && args.snapshots == "-" {
        return Err(BadInput::one("only one of --policy and --snapshots can be stdin"));
    }
    let policies = policy::load(&args.policy);
    let catalogue = read(&args.snapshots, args.group_by_tag.as_deref());
    let (policies, mut catalogue) = match (policies, catalogue) {
        (Ok(policies), Ok(catalogue)) => (policies, catalogue),
        // The mistakes of both, so that one run tells them all.
        (policies, catalogue) => {
            let of_policies = policies.err().map_or_else(Vec::new, |BadInput(messages)| messages);
            let of_snapshots = catalogue.err().map_or_else(Vec::new, |BadInput(messages)| messages);
            return Err(BadInput([of_policies, of_snapshots].concat()));
        }
    };
    let adopter = adopter(&policies, &mut catalogue);
    let answer = match (&args.group_by_tag, policies.as_slice()) {
        (None, policies) => sets::by_instance(&catalogue, policies, adopter),
        (Some(_), [policy]) => sets::by_group(&catalogue, policy),
        (Some(_), policies) => {
            let file = policy::name(&args.policy);
            let count = policies.len();
            let why =
                format!("{file}: --group-by-tag tries one policy, and there are {count} in it; leave one");
            return Err(BadInput::one(why));
        }
    };
    output::print_to(|out| match format {
        Format::Json => answer.write_json(out),
        Format::Table => answer.write_text(out, args.at),
    });
    Ok(())
}

/// Which policy adopts.
fn adopter(policies: &[Policy], catalogue: &mut Catalogue) -> Adopter {
    let mut adopters = policies.iter().filter(|policy| policy.adopt.contains(&Tool::EbsSnapper));
    match (adopters.next(), adopters.next()) {
        (None, _) => Adopter::None,
        (Some(policy), None) => catalogue.number(policy.id.as_str()).map_or(Adopter::None, Adopter::One),
        (Some(_), Some(_)) => Adopter::Several,
    }
}

fn read(file: &str, group_by: Option<&str>) -> Result<Catalogue, BadInput> {
    let name = policy::name(file);
    let catalogue = if file == "-" {
        let mut bytes = Vec::new();
        let read = io::stdin().read_to_end(&mut bytes);
        read.map_err(|error| BadInput::one(format!("{name}: {error}")))?;
        Catalogue::read(name, || Ok(Cursor::new(&bytes)), group_by)
    } else {
        Catalogue::read(name, || File::open(file), group_by)
    };
    let catalogue = catalogue.map_err(|error| BadInput::one(error.to_string()))?;
    if catalogue.more {
        // Of a part nothing follows: what is missing may be what keeps the rest.
        let why = "it has a `NextToken`: there is more than was saved; save it without --no-paginate and --max-items";
        return Err(BadInput::one(format!("{name}: {why}")));
    }
    Ok(catalogue)
}
