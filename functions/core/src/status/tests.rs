use super::*;
use crate::inventory::Snapshot;
use crate::policy::parse;
use crate::testing::{instance, snapshot};
use crate::ticket::{Matter, Report};

const NOW: &str = "2026-11-21T14:00:00Z";
const EXECUTION: &str = "arn:aws:states:eu-west-1:111111111111:execution:stopgap-instance:run";

fn home() -> Location {
    Location::new("111111111111", "eu-west-1")
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn policy(id: &str, more: &str) -> Policy {
    let text = format!(
        r#"{{"id": "{id}", "select": {{"any": [{{"name": "db-*"}}]}}, "retention": {{"keep_last": 1}},
            "schedule": {{"expression": "cron(0 2 * * ? *)"}}{more}}}"#
    );
    parse(&text).unwrap().remove(0)
}

fn one_instance() -> Inventory {
    Inventory { instances: vec![instance("i-1", &["vol-1"], &[("Name", "db-1")])], ..Inventory::default() }
}

fn lease() -> Lease {
    Lease {
        owner: EXECUTION.to_owned(),
        instance_id: "i-1".to_owned(),
        location: home(),
        fence: 1,
        occurrence: "nightly/2026-11-21T02:00:00Z".parse().unwrap(),
        taken_at: time("2026-11-21T02:00:05Z"),
        create_tried_at: None,
        deletions: 0,
        pruned_to: None,
    }
}

fn intent(deadline: &str) -> Intent {
    Intent {
        owner: EXECUTION.to_owned(),
        fence: 1,
        instance_id: "i-1".to_owned(),
        location: home(),
        occurrence: "nightly/2026-11-21T02:00:00Z".parse().unwrap(),
        since: time("2026-11-21T02:00:05Z"),
        deadline: time(deadline),
        shield: None,
        group: None,
        alarms: Vec::new(),
        targets: Vec::new(),
        restarted: false,
    }
}

fn ticket(kind: Kind, instance: Option<&str>, policy: Option<&str>) -> ticket::Record {
    ticket::Record {
        matter: Matter {
            kind,
            location: instance.map(|_| home()),
            instance_id: instance.map(str::to_owned),
            policy: policy.map(|id| id.parse().unwrap()),
        },
        status: ticket::Status::Open,
        sequence: 1,
        action: ticket::Action::Open,
        sent: true,
        untold: false,
        opened_at: time("2026-11-21T03:00:00Z"),
        changed_at: time("2026-11-21T03:00:00Z"),
        report: Report {
            occurrences: Vec::new(),
            failed_state: None,
            error: String::new(),
            cause: "why".to_owned(),
            done: String::new(),
            execution: None,
            timeline: Vec::new(),
        },
    }
}

fn key() -> String {
    instance_key(&home(), "i-1")
}

fn ask(policies: &[Policy], inventory: &Inventory, open: &Open) -> Status {
    let question =
        Question { policies, inventory, open, at: time(NOW), home: &home(), policy: None, instance: None };
    status(&question)
}

#[test]
fn an_instance_without_a_backup_has_a_row_with_its_next_run() {
    let found = ask(&[policy("nightly", "")], &one_instance(), &Open::default());
    let [row] = &found.backups[..] else { panic!("{found:?}") };
    assert_eq!((row.name.as_deref(), row.instance_state), (Some("db-1"), Some(InstanceState::Running)));
    assert_eq!((&row.newest, row.next), (&None, Some(time("2026-11-22T02:00:00Z"))));
    assert_eq!((&row.run, &row.restart_owed, row.tickets.len()), (&None, &None, 0));
}

#[test]
fn the_newest_complete_set_counts_and_a_newer_incomplete_one_does_not() {
    let snapshots = vec![
        snapshot("snap-1", "vol-1", "i-1", "nightly/2026-11-19T02:00:00Z", 1),
        snapshot("snap-2", "vol-1", "i-1", "nightly/2026-11-20T02:00:00Z", 1),
        snapshot("snap-3", "vol-1", "i-1", "nightly/2026-11-21T02:00:00Z", 2),
        snapshot("snap-4", "vol-1", "i-1", "weekly/2026-11-21T02:00:00Z", 1),
    ];
    let found = ask(&[policy("nightly", "")], &Inventory { snapshots, ..one_instance() }, &Open::default());
    let newest = found.backups[0].newest.as_ref().unwrap();
    assert_eq!(newest.occurrence.to_string(), "nightly/2026-11-20T02:00:00Z");
    assert_eq!(newest.age_seconds, 36 * 3600);
}

#[test]
fn a_disabled_policy_has_no_next_run() {
    let found = ask(&[policy("nightly", r#", "enabled": false"#)], &one_instance(), &Open::default());
    assert_eq!(found.backups[0].next, None);
}

#[test]
fn a_run_is_under_way_while_its_execution_runs_and_what_a_dead_one_owes_is_left() {
    let mut open = Open {
        leases: [(key(), lease())].into(),
        intents: [(key(), intent("2026-11-22T02:00:00Z"))].into(),
        running: [EXECUTION.to_owned()].into(),
        ..Open::default()
    };
    let policies = [policy("nightly", ""), policy("weekly", "")];
    let standing = |open: &Open| {
        let found = ask(&policies, &one_instance(), open);
        assert_eq!(
            (&found.backups[1].run, &found.backups[1].restart_owed),
            (&None, &None),
            "weekly has none"
        );
        let row = &found.backups[0];
        (row.run.as_ref().unwrap().running, row.restart_owed.as_ref().unwrap().left)
    };
    assert_eq!(standing(&open), (true, false));
    open.running.clear();
    assert_eq!(standing(&open), (false, true));
    // A run that goes on past its deadline has given up.
    open.running.insert(EXECUTION.to_owned());
    open.intents.insert(key(), intent("2026-11-21T13:59:59Z"));
    assert_eq!(standing(&open), (true, true));
}

#[test]
fn a_ticket_stands_in_the_rows_it_concerns_and_the_fleets_in_none() {
    let open = Open {
        tickets: vec![
            ticket(Kind::BackupFailed, Some("i-1"), Some("nightly")),
            ticket(Kind::LeftStopped, Some("i-1"), None),
            ticket(Kind::PlanFailed, None, None),
        ],
        ..Open::default()
    };
    let found = ask(&[policy("nightly", ""), policy("weekly", "")], &one_instance(), &open);
    let kinds: Vec<Vec<Kind>> =
        found.backups.iter().map(|row| row.tickets.iter().map(|ticket| ticket.kind).collect()).collect();
    assert_eq!(kinds, [vec![Kind::LeftStopped, Kind::BackupFailed], vec![Kind::LeftStopped]]);
    assert_eq!(found.other_tickets.iter().map(|ticket| ticket.kind).collect::<Vec<_>>(), [Kind::PlanFailed]);
}

#[test]
fn what_is_open_is_shown_when_the_instance_and_the_policy_are_gone() {
    let open = Open {
        leases: [(key(), lease())].into(),
        tickets: vec![ticket(Kind::LeftStopped, Some("i-9"), None)],
        ..Open::default()
    };
    let found = ask(&[], &Inventory::default(), &open);
    let [row] = &found.backups[..] else { panic!("{found:?}") };
    assert_eq!(
        (row.instance_id.as_str(), &row.location, row.instance_state, row.next),
        ("i-1", &home(), None, None)
    );
    assert_eq!(found.other_tickets.len(), 1);
}

#[test]
fn one_policy_and_one_instance_can_be_asked_for_alone() {
    let mut inventory = one_instance();
    inventory.instances.push(instance("i-2", &["vol-2"], &[("Name", "db-2")]));
    let open = Open { tickets: vec![ticket(Kind::PlanFailed, None, None)], ..Open::default() };
    let policies = [policy("nightly", ""), policy("weekly", "")];
    let question = Question {
        policies: &policies,
        inventory: &inventory,
        open: &open,
        at: time(NOW),
        home: &home(),
        policy: Some(&policies[1].id),
        instance: Some("i-2"),
    };
    let found = status(&question);
    let rows: Vec<_> =
        found.backups.iter().map(|row| (row.policy.as_str(), row.instance_id.as_str())).collect();
    assert_eq!((rows, found.other_tickets.len()), (vec![("weekly", "i-2")], 0));
}

#[test]
fn what_a_policy_has_adopted_counts_for_the_first_that_selects_the_instance_and_says_who_made_it() {
    let mut inventory = one_instance();
    let volume = inventory.instances[0].devices[0].volume_id.clone();
    inventory.snapshots = vec![Snapshot {
        description: format!("Created from i-1 by EbsSnapper(0.10.6) for ami-1 from {volume}"),
        started_at: time("2026-11-19T03:00:00Z"),
        tags: [("DeleteOn".to_owned(), "2026-11-23".to_owned())].into(),
        ..snapshot("snap-1", &volume, "i-1", "any/2026-11-20T02:00:00Z", 1)
    }];
    let adopting = |id| policy(id, r#", "adopt": ["ebs-snapper"]"#);
    let newest = |policies: &[Policy]| -> Vec<Option<String>> {
        let backups = ask(policies, &inventory, &Open::default()).backups;
        let shown = |newest: Newest| format!("{} {:?}", newest.occurrence, newest.adopted);
        backups.into_iter().map(|backup| backup.newest.map(shown)).collect()
    };
    assert_eq!(newest(&[policy("a", "")]), [None]);
    let of_b = Some("b/2026-11-19T03:00:00Z Some(EbsSnapper)".to_owned());
    assert_eq!(newest(&[adopting("c"), policy("a", ""), adopting("b")]), [None, of_b, None]);
}
