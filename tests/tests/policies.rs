//! Policies in the table: checked before they are stored, and never overwritten unseen.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use serde_json::{Value, json};
use stopgap_core::error::{ErrorName, TaskError};
use stopgap_core::policies::{self, SIZE_MAX, Stored};
use stopgap_core::policy::PolicyId;
use stopgap_core::ports::{Expect, Table};
use stopgap_core::records::policy_key;
use stopgap_tests::{Scene, nightly};

/// A table, and the operations on it one after another.
struct Policies(Scene);

impl Policies {
    fn none() -> Self {
        Self(Scene::new(1, &[]))
    }

    fn on<T>(&self, operation: impl AsyncFnOnce(&dyn Table) -> T) -> T {
        let aws = &self.0.stopgap.aws;
        self.0.stopgap.runtime.block_on(operation(aws)).expect("it ends")
    }

    fn put(&self, document: &Value, expect: Expect) -> Result<PolicyId, TaskError> {
        self.on(async |table| policies::put(table, document, expect).await)
    }

    fn delete(&self, id: &str, expect: Expect) -> Result<(), TaskError> {
        self.on(async |table| policies::delete(table, &id.parse().unwrap(), expect).await)
    }

    fn stored(&self, id: &str) -> Option<Stored> {
        self.on(async |table| policies::stored(table, &id.parse().unwrap()).await).unwrap()
    }

    fn list(&self) -> Vec<Stored> {
        self.on(async |table| policies::list(table).await).unwrap()
    }

    /// Writes past all checks, as the AWS CLI can.
    fn force(&self, id: &str, document: Value) {
        let key = policy_key(&id.parse().unwrap());
        self.0.stopgap.aws.change(|world| world.table.insert(key, (1, document)));
    }
}

#[track_caller]
fn refused<T>(result: Result<T, TaskError>, name: ErrorName, says: &str) {
    let error = result.err().expect("it is refused");
    assert_eq!(error.name, name, "{error}");
    assert!(error.cause.contains(says), "{says}: {error}");
}

#[test]
fn a_policy_reads_back_as_it_was_put() {
    let policies = Policies::none();
    let document = nightly(json!({ "tags": { "add": { "Team": "ops" } } }));
    assert_eq!(policies.put(&document, Expect::Absent).unwrap().as_str(), "nightly");
    let stored = policies.stored("nightly").unwrap();
    assert_eq!((stored.id.as_str(), &stored.document), ("nightly", &document));
    assert_eq!(policies.list(), [stored]);
    let read = policies.on(async |table| policies::all(table).await).unwrap();
    assert_eq!(read[0].tags.add["Team"], "ops");
}

#[test]
fn a_lost_update_is_refused() {
    let policies = Policies::none();
    policies.put(&nightly(json!({})), Expect::Absent).unwrap();
    let read = Expect::Version(policies.stored("nightly").unwrap().version);
    // Two people have read the same version; the second to write would undo what the first wrote.
    let (first, second) = (nightly(json!({ "enabled": false })), nightly(json!({ "consistency": "crash" })));
    policies.put(&first, read).unwrap();
    refused(policies.put(&second, read), ErrorName::Conflict, "changed or deleted since it was read");
    refused(policies.delete("nightly", read), ErrorName::Conflict, "changed or deleted since it was read");
    assert_eq!(policies.stored("nightly").unwrap().document, first);

    let read = Expect::Version(policies.stored("nightly").unwrap().version);
    policies.put(&second, read).unwrap();
    assert_eq!(policies.stored("nightly").unwrap().document, second);
}

#[test]
fn a_new_policy_does_not_take_the_place_of_one_that_is_there() {
    let policies = Policies::none();
    let document = nightly(json!({}));
    policies.put(&document, Expect::Absent).unwrap();
    let other = nightly(json!({ "enabled": false }));
    refused(policies.put(&other, Expect::Absent), ErrorName::Conflict, "there is a policy `nightly` already");
    assert_eq!(policies.stored("nightly").unwrap().document, document);
    policies.put(&other, Expect::Any).unwrap();
    assert_eq!(policies.stored("nightly").unwrap().document, other);
}

#[test]
fn a_deleted_policy_is_gone_and_cannot_be_updated_back() {
    let policies = Policies::none();
    policies.put(&nightly(json!({})), Expect::Absent).unwrap();
    let read = Expect::Version(policies.stored("nightly").unwrap().version);
    policies.delete("nightly", read).unwrap();
    assert_eq!((policies.stored("nightly"), policies.list()), (None, Vec::new()));
    refused(policies.put(&nightly(json!({})), read), ErrorName::Conflict, "changed or deleted");
    refused(policies.delete("nightly", read), ErrorName::Conflict, "changed or deleted");
    policies.delete("nightly", Expect::Any).unwrap();
}

#[test]
fn what_is_no_policy_is_not_stored_and_every_mistake_is_told() {
    let policies = Policies::none();
    let wrong = nightly(json!({ "consistency": "warm", "retention": {} }));
    let result = policies.put(&wrong, Expect::Any);
    refused(result.clone(), ErrorName::InvalidInput, "consistency: `warm` is none of");
    refused(result, ErrorName::InvalidInput, "retention: it keeps nothing");
    let large = nightly(json!({ "select": { "any": [{ "name": "x".repeat(SIZE_MAX) }] } }));
    refused(policies.put(&large, Expect::Any), ErrorName::InvalidInput, "and may have 65536");
    assert_eq!(policies.list(), []);
}

#[test]
fn one_that_was_written_past_the_checks_is_listed_and_stops_the_planner_by_name() {
    let policies = Policies::none();
    policies.put(&nightly(json!({})), Expect::Absent).unwrap();
    policies.force("broken", json!({ "id": "broken" }));
    assert_eq!(
        policies.list().iter().map(|stored| stored.id.as_str()).collect::<Vec<_>>(),
        ["broken", "nightly"]
    );
    let all = policies.on(async |table| policies::all(table).await);
    refused(all, ErrorName::Defect, "the stored policy `broken` cannot be read: select: `any` is missing");

    policies.delete("broken", Expect::Any).unwrap();
    policies.force("weekly", nightly(json!({})));
    let all = policies.on(async |table| policies::all(table).await);
    refused(all, ErrorName::Defect, "the stored policy `weekly` cannot be read: its `id` is `nightly`");
}
