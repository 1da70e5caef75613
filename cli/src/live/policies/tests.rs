#![allow(clippy::unwrap_used, reason = "a test says what went wrong by panicking")]

use serde_json::json;
use stopgap_tests::nightly;

use super::super::tests::Operator;
use super::*;

fn args() -> Put {
    Put { file: "policies.json".to_owned(), if_revision: None, force: false, dry_run: false }
}

fn put(operator: &Operator, args: &Put, file: &Value) -> Result<Vec<Outcome>, Failure> {
    let text = file.to_string();
    operator.ask(async |stopgap| super::put(stopgap, args, &text).await)
}

fn get(operator: &Operator) -> Revision {
    let id = "nightly".parse().unwrap();
    operator.ask(async |stopgap| super::get(stopgap, &id).await).unwrap()
}

fn later() -> Value {
    nightly(json!({ "schedule": { "expression": "cron(0 4 * * ? *)" } }))
}

#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: Result<T, Failure>, says: &str) {
    let failure = outcome.unwrap_err();
    assert!(failure.messages().iter().any(|message| message.contains(says)), "{failure:?}");
}

#[test]
fn a_policy_is_stored_as_it_was_written_and_again_is_unchanged() {
    let operator = Operator::of(&[]);
    let outcomes = put(&operator, &args(), &nightly(json!({}))).unwrap();
    assert_eq!((outcomes[0].outcome, outcomes[0].revision), (Change::Created, 1));
    assert_eq!(get(&operator), Revision { id: "nightly".into(), revision: 1, document: nightly(json!({})) });
    assert_eq!(put(&operator, &args(), &nightly(json!({}))).unwrap()[0].outcome, Change::Unchanged);
    assert_eq!(get(&operator).revision, 1);
}

#[test]
fn a_policy_that_differs_is_not_overwritten_unseen() {
    let operator = Operator::of(&[nightly(json!({}))]);
    let revision = get(&operator).revision;
    refused(put(&operator, &args(), &later()), "is stored and differs");
    refused(put(&operator, &Put { if_revision: Some(revision + 7), ..args() }, &later()), "has changed");
    assert_eq!(get(&operator).revision, revision);

    let seen = put(&operator, &Put { if_revision: Some(revision), ..args() }, &later()).unwrap();
    assert_eq!((seen[0].outcome, &seen[0].fields[..]), (Change::Changed, &["schedule".to_owned()][..]));
    assert_eq!(get(&operator), Revision { id: "nightly".into(), revision: revision + 1, document: later() });
    let forced = put(&operator, &Put { force: true, ..args() }, &nightly(json!({}))).unwrap();
    assert_eq!(forced[0].revision, revision + 2);
}

#[test]
fn what_get_prints_is_taken_back_unless_the_policy_has_changed_since() {
    let operator = Operator::of(&[nightly(json!({}))]);
    let mut mine = serde_json::to_value(get(&operator)).unwrap();
    mine["document"] = later();
    let theirs = mine.clone();
    put(&operator, &args(), &mine).unwrap();
    assert_eq!(get(&operator).document, later());
    refused(put(&operator, &args(), &theirs), "has changed: revision 2 is stored, and 1 was read");
    assert_eq!(get(&operator).revision, 2);
}

#[test]
fn a_change_in_the_moment_between_reading_and_writing_is_not_lost() {
    let operator = Operator::of(&[nightly(json!({}))]);
    let id: PolicyId = "nightly".parse().unwrap();
    let read = operator.ask(async |stopgap| super::stored(stopgap, &id).await).unwrap();
    put(&operator, &Put { force: true, ..args() }, &later()).unwrap();
    let mine = nightly(json!({ "enabled": false }));
    let policy = stopgap_core::policy::parse_value(&mine).unwrap();
    refused(
        operator.ask(async |stopgap| put_one(stopgap, policy, &mine, Some(&read), false).await),
        "was changed or deleted since it was read",
    );
    assert_eq!(get(&operator).document, later());
}

#[test]
fn a_mistake_anywhere_in_a_file_stores_nothing_of_it() {
    let operator = Operator::of(&[]);
    let wrong = nightly(json!({ "id": "wrong", "schedule": { "expression": "cron(0 25 * * ? *)" } }));
    refused(put(&operator, &args(), &json!([nightly(json!({})), wrong])), "policies.json: [1].schedule");
    let large = nightly(json!({ "id": "large", "select": { "any": [{ "name": "x".repeat(SIZE_MAX) }] } }));
    refused(put(&operator, &args(), &json!([nightly(json!({})), large])), "and may have 65536");
    assert_eq!(operator.ask(async |stopgap| list(stopgap).await).unwrap(), []);
}

#[test]
fn what_a_files_defaults_say_is_stored_with_each_policy() {
    let operator = Operator::of(&[]);
    let file = json!({ "defaults": { "consistency": "crash" }, "policies": [nightly(json!({}))] });
    put(&operator, &args(), &file).unwrap();
    let policy = stopgap_core::policy::parse_value(&get(&operator).document).unwrap();
    assert_eq!(policy.consistency, stopgap_core::policy::Consistency::Crash);
}

#[test]
fn a_dry_run_says_what_would_change_and_stores_nothing() {
    let operator = Operator::of(&[nightly(json!({}))]);
    let outcomes = put(&operator, &Put { dry_run: true, ..args() }, &later()).unwrap();
    assert_eq!(put_text(&outcomes), "nightly: would be changed in schedule (revision 2)\n");
    assert_eq!(get(&operator).revision, 1);
}

#[test]
fn deleting_says_what_remains() {
    let operator = Operator::of(&[nightly(json!({}))]);
    operator.scene.add(|spec| spec);
    operator.scene.night();
    let id: PolicyId = "nightly".parse().unwrap();
    let delete = |if_revision, dry_run| {
        operator.ask(async |stopgap| super::delete(stopgap, &id, if_revision, dry_run).await)
    };
    refused(delete(Some(9), false), "nothing was deleted");
    let remains = delete(None, true).unwrap();
    assert_eq!((remains.deleted, remains.sets, remains.snapshots), (false, 1, 2));
    assert_eq!(get(&operator).revision, 1);
    let text = deleted(&delete(Some(1), false).unwrap());
    assert!(text.contains("2 snapshots in 1 sets stay, and are no longer pruned"), "{text}");
    refused(delete(None, false), "there is no policy `nightly`, and no other");
    assert_eq!(operator.scene.snapshots().len(), 2);
}

#[test]
fn one_that_cannot_be_read_is_listed_with_why_and_can_be_deleted() {
    let operator = Operator::of(&[nightly(json!({}))]);
    let key = stopgap_core::records::policy_key(&"broken".parse().unwrap());
    operator.scene.stopgap.aws.change(|world| world.table.insert(key, (3, json!({ "id": "broken" }))));
    let all = operator.ask(async |stopgap| list(stopgap).await).unwrap();
    assert_eq!((all[0].id.as_str(), all[0].revision, all[0].enabled), ("broken", 3, None));
    assert!(listed(&all).contains("CANNOT BE READ"), "{}", listed(&all));
    let id = "broken".parse().unwrap();
    assert!(operator.ask(async |stopgap| delete(stopgap, &id, None, false).await).unwrap().deleted);
}
