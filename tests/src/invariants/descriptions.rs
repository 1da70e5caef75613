//! The output of `aws ec2 describe-*`.

use std::collections::BTreeSet;
use std::io::Cursor;

use stopgap_core::describe::catalogue::{Belongs, Catalogue};
use stopgap_core::describe::{self, DescribeError, Described};
use stopgap_core::inventory::{Snapshot, SnapshotState};

const FILE: &str = "saved.json";

/// What is read names each thing once, and says what it made nothing of; both readers of snapshots agree.
///
/// # Panics
/// When that does not hold.
pub fn descriptions(bytes: &[u8]) {
    names_each_once(describe::instances(FILE, bytes), |instance| instance.id.clone());
    names_each_once(describe::volumes(FILE, bytes), |volume| volume.id.clone());
    let snapshots = checked(describe::snapshots(FILE, bytes));
    let quickly = |group_by| Catalogue::read(FILE, || Ok(Cursor::new(bytes)), group_by);
    for group_by in [None, Some("Set")] {
        match (&snapshots, checked(quickly(group_by))) {
            (Some(snapshots), Some(catalogue)) => agree(snapshots, &catalogue),
            (Some(_), None) => panic!("only the ordinary way reads it"),
            // The quick way does not look into what it goes past, so that it may take more.
            (None, _) => {}
        }
    }
}

/// A refusal names the file and says why.
fn checked<T>(read: Result<T, DescribeError>) -> Option<T> {
    if let Err(error) = &read {
        assert!(error.file == FILE && !error.why.trim().is_empty(), "{error}");
    }
    read.ok()
}

fn names_each_once<T>(read: Result<Described<T>, DescribeError>, id: impl Fn(&T) -> String) {
    let Some(described) = checked(read) else { return };
    let ids: BTreeSet<String> = described.items.iter().map(id).collect();
    assert_eq!(ids.len(), described.items.len(), "one of {ids:?} is there twice");
    assert!(
        described.unknown.iter().all(|unknown| !unknown.why.trim().is_empty()),
        "{:?}",
        described.unknown
    );
}

/// Each snapshot is in both, in the same order. What the ordinary way makes nothing of is not complete in the quick one.
fn agree(snapshots: &Described<Snapshot>, catalogue: &Catalogue) {
    let mut known = snapshots.items.iter().peekable();
    for entry in catalogue.entries() {
        let same = |snapshot: &&Snapshot| {
            snapshot.id == entry.id
                && snapshot.state == entry.state
                && snapshot.started_at == entry.started_at
        };
        if known.next_if(same).is_none() {
            assert_eq!(entry.state, SnapshotState::Recovering, "{}", entry.id);
        }
        if let Belongs::Malformed(why) = entry.belongs {
            assert!(!catalogue.why(why).is_empty(), "nothing is said of {}", entry.id);
        }
    }
    assert_eq!(known.next(), None, "it is not in the catalogue");
    assert_eq!(snapshots.unknown.iter().any(|unknown| unknown.kind == "page"), catalogue.more);
}
