//! `copy-tags`: all tags of the volumes (and of the instance) on their snapshots. It can be repeated at will, and a tag
//! that cannot be copied never costs the backup.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StateInput;
use crate::error::{ErrorName, TaskError};
use crate::measure::{Measure, Measured};
use crate::ports::{Context, Ports};
use crate::waiting::describe;
use crate::{lease, tags, volumes};

/// How many of the keys that did not fit are named.
pub const DROPPED_MAX: usize = 100;

/// What `copy-tags` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// When.
    pub at: Timestamp,
    /// Whether every tag is there.
    pub all: bool,
    /// What did not fit into a snapshot's 50 tags: snapshot id to keys; at most [`DROPPED_MAX`] keys in all, since the
    /// document of a run has a limit of its own.
    pub dropped: BTreeMap<String, Vec<String>>,
    /// How many keys did not fit, in all.
    pub dropped_count: usize,
}

impl Measured for Copied {
    fn measures(&self) -> Vec<Measure> {
        vec![Measure::count("TagsDropped", self.dropped_count)]
    }
}

/// Copies the tags, one CreateTags call per snapshot.
///
/// Needs `ec2:Describe*`, `ec2:CreateTags` on stopgap's snapshots, and the table.
pub async fn run(ports: Ports<'_>, cx: Context<'_>, input: StateInput) -> Result<Copied, TaskError> {
    lease::held(ports.table, &input.document).await?;
    let run = &input.document.run;
    let instance = describe(ports.ec2, &run.location, &run.instance_id).await?;
    let made: Vec<_> = input.document.snapshots.iter().flat_map(|answer| &answer.payload.snapshots).collect();
    let volumes =
        volumes::describe(ports.ec2, run, made.iter().map(|of| of.volume_id.clone()).collect()).await?;
    // What a snapshot has already is known without asking: the set tags, and what an earlier try wrote, which this one
    // would write alike.
    let present = tags::of_set(run, made.len());

    let mut dropped = BTreeMap::new();
    let mut dropped_count = 0;
    for of in made {
        let volume = volumes.iter().find(|volume| volume.id == of.volume_id).ok_or_else(|| {
            TaskError::new(ErrorName::NotFound, format!("the volume {} is not there any more", of.volume_id))
        })?;
        let plan = tags::plan(&run.policy.tags, of.device.as_deref(), &volume.tags, &instance.tags, &present);
        if !plan.write.is_empty() {
            ports.ec2.tag_snapshots(&run.location, std::slice::from_ref(&of.id), &plan.write).await?;
        }
        let room = DROPPED_MAX.saturating_sub(dropped_count);
        dropped_count += plan.dropped.len();
        if !plan.dropped.is_empty() && room > 0 {
            dropped.insert(of.id.clone(), plan.dropped.into_iter().take(room).collect());
        }
    }
    Ok(Copied { at: cx.now, all: dropped_count == 0, dropped, dropped_count })
}
