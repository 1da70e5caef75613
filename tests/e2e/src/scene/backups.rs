//! Snapshots, in any account.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Filter;

use super::Scene;
use crate::clients::Clients;

/// A snapshot that stopgap made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its id.
    pub id: String,
    /// Its state.
    pub state: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Scene<'_> {
    /// The snapshots of an instance at home, by id.
    pub async fn snapshots(&self, instance_id: &str) -> Vec<Snapshot> {
        snapshots(&self.aws, instance_id).await
    }
}

/// The snapshots of an instance in the account of `aws`, by id.
///
/// # Panics
/// When they cannot be read.
pub async fn snapshots(aws: &Clients, instance_id: &str) -> Vec<Snapshot> {
    let of_instance = Filter::builder().name("tag:stopgap:instance").values(instance_id).build();
    let describe = aws.ec2.describe_snapshots().owner_ids("self").filters(of_instance);
    let found = describe.send().await.expect("the snapshots can be read").snapshots.unwrap_or_default();
    let read = |snapshot: aws_sdk_ec2::types::Snapshot| {
        let tags =
            snapshot.tags().iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())));
        Snapshot {
            id: snapshot.snapshot_id().unwrap_or_default().to_owned(),
            state: snapshot.state().map(|state| state.as_str().to_owned()).unwrap_or_default(),
            tags: tags.collect(),
        }
    };
    let mut snapshots: Vec<_> = found.into_iter().map(read).collect();
    snapshots.sort_by(|a, b| a.id.cmp(&b.id));
    snapshots
}
