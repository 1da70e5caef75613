//! Tickets: recorded, then published, then marked as sent; readable whatever names people give.

use std::cell::Cell;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde_json::json;
use stopgap_core::occurrence::Occurrence;
use stopgap_core::ports::{Fault, FaultKind, Item, Key, Notice, Page, Ports, Table, Topic, Write, Written};
use stopgap_core::ticket::{self, Kind, Matter, Report};
use stopgap_tests::{Scene, evening, home};

fn matter() -> Matter {
    Matter::of_instance(
        Kind::BackupFailed,
        &home(),
        "i-0123456789abcdef0",
        &"nightly".parse().expect("an id"),
    )
}

fn report(cause: &str) -> Report {
    Report {
        occurrences: vec!["nightly/2026-11-21T02:00:00Z".parse::<Occurrence>().expect("one")],
        failed_state: Some("CreateSnapshots".to_owned()),
        error: "SnapshotFailed".to_owned(),
        cause: cause.to_owned(),
        done: "The instance runs again.".to_owned(),
        execution: Some("arn:aws:states:eu-west-1:123456789012:execution:instance:run-1".to_owned()),
        timeline: Vec::new(),
    }
}

/// A topic that fails so many times first.
struct Flaky<'a> {
    topic: &'a dyn Topic,
    failures: Cell<u32>,
}

#[async_trait(?Send)]
impl Topic for Flaky<'_> {
    async fn publish(&self, notice: &Notice) -> Result<(), Fault> {
        if self.failures.get() > 0 {
            self.failures.set(self.failures.get() - 1);
            return Err(Fault::new("Publish", FaultKind::Unavailable, "ServiceUnavailable"));
        }
        self.topic.publish(notice).await
    }
    async fn tell_chat(&self, notice: &Notice) -> Result<(), Fault> {
        self.topic.tell_chat(notice).await
    }
}

/// A table that is gone.
struct NoTable;

#[async_trait(?Send)]
impl Table for NoTable {
    async fn get(&self, _: &Key) -> Result<Option<Item>, Fault> {
        Err(Fault::new("GetItem", FaultKind::Unavailable, "InternalServerError"))
    }
    async fn query(&self, _: &str, _: Option<String>) -> Result<Page<Item>, Fault> {
        Err(Fault::new("Query", FaultKind::Unavailable, "InternalServerError"))
    }
    async fn write(&self, _: Vec<Write>) -> Result<Written, Fault> {
        Err(Fault::new("TransactWriteItems", FaultKind::Unavailable, "InternalServerError"))
    }
}

fn open(scene: &Scene, ports: Ports<'_>, cause: &str) -> bool {
    let opened = ticket::open(ports, evening(), matter(), report(cause));
    scene.stopgap.runtime.block_on(opened).expect("it ends").is_ok()
}

fn sent(scene: &Scene) -> Vec<(String, u64)> {
    scene.stopgap.aws.look(|world| {
        let message = |notice: &Notice| {
            let document = &notice.document;
            let action = document["action"].as_str().unwrap_or_default();
            (action.to_owned(), document["sequence"].as_u64().unwrap_or_default())
        };
        world.published.iter().map(|(_, notice)| message(notice)).collect()
    })
}

#[test]
fn a_report_that_says_nothing_new_is_not_sent_again() {
    let scene = Scene::nightly(1);
    for cause in ["disk", "disk", "network", "network"] {
        assert!(open(&scene, scene.stopgap.aws.ports(), cause));
    }
    assert_eq!(sent(&scene), [("open".to_owned(), 1), ("update".to_owned(), 2)]);
}

#[test]
fn a_ticket_that_could_not_be_sent_is_sent_by_the_next_try() {
    let scene = Scene::nightly(2);
    let flaky = Flaky { topic: &scene.stopgap.aws, failures: Cell::new(1) };
    let ports = Ports { topic: &flaky, ..scene.stopgap.aws.ports() };
    assert!(!open(&scene, ports, "disk"), "the failure is told, so that the state machine tries again");
    assert!(open(&scene, ports, "disk"));
    assert!(open(&scene, ports, "disk"));
    let sent = sent(&scene);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].0, "open");
}

/// A topic that passes on what it is given so many times without an answer.
struct Unanswered<'a> {
    topic: &'a dyn Topic,
    times: Cell<u32>,
}

#[async_trait(?Send)]
impl Topic for Unanswered<'_> {
    async fn publish(&self, notice: &Notice) -> Result<(), Fault> {
        self.topic.publish(notice).await?;
        match self.times.replace(self.times.get().saturating_sub(1)) {
            0 => Ok(()),
            _ => Err(Fault::new("Publish", FaultKind::Unanswered, "timed out")),
        }
    }
    async fn tell_chat(&self, notice: &Notice) -> Result<(), Fault> {
        self.topic.tell_chat(notice).await
    }
}

#[test]
fn a_message_that_may_have_arrived_is_repeated_under_its_number() {
    let scene = Scene::nightly(9);
    let topic = Unanswered { topic: &scene.stopgap.aws, times: Cell::new(1) };
    let ports = Ports { topic: &topic, ..scene.stopgap.aws.ports() };
    assert!(!open(&scene, ports, "disk"));
    assert!(open(&scene, ports, "disk"));
    topic.times.set(1);
    assert!(!open(&scene, ports, "network"));
    assert!(open(&scene, ports, "network"));
    let numbered = [("open", 1), ("open", 1), ("update", 2), ("update", 2)];
    assert_eq!(sent(&scene), numbered.map(|(action, sequence)| (action.to_owned(), sequence)));
}

/// A table whose calls of one kind fail so many times first.
struct Stumbling<'a> {
    table: &'a dyn Table,
    reads: Cell<u32>,
    writes: Cell<u32>,
}

impl Stumbling<'_> {
    fn step(left: &Cell<u32>, operation: &'static str) -> Result<(), Fault> {
        match left.replace(left.get().saturating_sub(1)) {
            0 => Ok(()),
            _ => Err(Fault::new(operation, FaultKind::Unavailable, "InternalServerError")),
        }
    }
}

#[async_trait(?Send)]
impl Table for Stumbling<'_> {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Fault> {
        Self::step(&self.reads, "GetItem")?;
        self.table.get(key).await
    }
    async fn query(&self, partition: &str, page: Option<String>) -> Result<Page<Item>, Fault> {
        self.table.query(partition, page).await
    }
    async fn write(&self, writes: Vec<Write>) -> Result<Written, Fault> {
        Self::step(&self.writes, "TransactWriteItems")?;
        self.table.write(writes).await
    }
}

#[test]
fn a_ticket_whose_record_was_not_read_or_written_at_the_first_try_is_closed_all_the_same() {
    for (reads, writes) in [(1, 0), (0, 1)] {
        let scene = Scene::nightly(10);
        let table =
            Stumbling { table: &scene.stopgap.aws, reads: Cell::new(reads), writes: Cell::new(writes) };
        let ports = Ports { table: &table, ..scene.stopgap.aws.ports() };
        assert!(open(&scene, ports, "disk"));
        let matter = matter();
        let resolved = ticket::resolve(ports, evening(), &matter, report(""));
        scene.stopgap.runtime.block_on(resolved).unwrap().unwrap();
        assert_eq!(sent(&scene), [("open".to_owned(), 1), ("resolve".to_owned(), 2)]);
    }
}

#[test]
fn what_nobody_has_heard_of_yet_is_opened_however_often_that_failed_and_whatever_came_before() {
    let scene = Scene::nightly(7);
    let ports = scene.stopgap.aws.ports();
    let resolve = || {
        let matter = matter();
        scene
            .stopgap
            .runtime
            .block_on(ticket::resolve(ports, evening(), &matter, report("")))
            .unwrap()
            .unwrap();
    };
    for _ in 0..2 {
        let flaky = Flaky { topic: &scene.stopgap.aws, failures: Cell::new(3) };
        let failing = Ports { topic: &flaky, ..ports };
        for later in 0..5 {
            let at = evening() + SignedDuration::from_secs(later);
            let opened = ticket::open(failing, at, matter(), report("disk"));
            let _ = scene.stopgap.runtime.block_on(opened).unwrap();
        }
        resolve();
    }
    let actions: Vec<String> = sent(&scene).into_iter().map(|(action, _)| action).collect();
    assert_eq!(actions, ["open", "resolve", "open", "resolve"]);
}

#[test]
fn a_ticket_is_sent_even_if_the_table_is_gone() {
    let scene = Scene::nightly(3);
    let ports = Ports { table: &NoTable, ..scene.stopgap.aws.ports() };
    assert!(open(&scene, ports, "the table cannot be read"));
    assert_eq!(sent(&scene).len(), 1);
}

#[test]
fn a_resolved_matter_that_comes_up_again_is_opened_again_under_the_same_key() {
    let scene = Scene::nightly(4);
    let ports = scene.stopgap.aws.ports();
    open(&scene, ports, "disk");
    let matter = matter();
    let resolve = || ticket::resolve(ports, evening(), &matter, report(""));
    scene.stopgap.runtime.block_on(resolve()).unwrap().unwrap();
    scene.stopgap.runtime.block_on(resolve()).unwrap().unwrap();
    open(&scene, ports, "disk");
    assert_eq!(
        sent(&scene),
        [("open".to_owned(), 1), ("resolve".to_owned(), 2), ("open".to_owned(), 3)],
        "resolving what is resolved says nothing"
    );
}

/// A chat topic that is out of order as long as it says so.
struct Mute<'a> {
    topic: &'a dyn Topic,
    mute: Cell<bool>,
}

#[async_trait(?Send)]
impl Topic for Mute<'_> {
    async fn publish(&self, notice: &Notice) -> Result<(), Fault> {
        self.topic.publish(notice).await
    }
    async fn tell_chat(&self, notice: &Notice) -> Result<(), Fault> {
        if self.mute.get() {
            return Err(Fault::new("Publish", FaultKind::AccessDenied, "AuthorizationError"));
        }
        self.topic.tell_chat(notice).await
    }
}

#[test]
fn chat_that_cannot_be_told_costs_no_ticket_and_hears_the_same_message_when_the_matter_is_reported_again() {
    let scene = Scene::nightly(8);
    scene.stopgap.aws.change(|world| world.chat = Some(Vec::new()));
    let topic = Mute { topic: &scene.stopgap.aws, mute: Cell::new(true) };
    let ports = Ports { topic: &topic, ..scene.stopgap.aws.ports() };
    let heard = || {
        scene.stopgap.aws.look(|world| {
            let told = world.chat.iter().flatten();
            told.map(|(_, chat)| chat["metadata"]["additionalContext"].clone()).collect::<Vec<_>>()
        })
    };
    let said = |action: &str, sequence: &str| -> bool {
        heard().last().is_some_and(|heard| heard["action"] == action && heard["sequence"] == sequence)
    };
    assert!(open(&scene, ports, "disk"), "the ticket is out");
    assert!(open(&scene, ports, "disk"));
    assert_eq!((sent(&scene), heard().len()), (vec![("open".to_owned(), 1)], 0));

    topic.mute.set(false);
    assert!(open(&scene, ports, "disk") && said("open", "1"), "{:?}", heard());
    assert!(open(&scene, ports, "disk"));
    assert_eq!((sent(&scene).len(), heard().len()), (1, 1), "both were told once");

    topic.mute.set(true);
    let matter = matter();
    let resolve = || {
        let resolved = ticket::resolve(ports, evening(), &matter, report(""));
        scene.stopgap.runtime.block_on(resolved).unwrap().unwrap();
    };
    resolve();
    topic.mute.set(false);
    resolve();
    resolve();
    assert!(said("resolve", "2"), "{:?}", heard());
    assert_eq!((sent(&scene).len(), heard().len()), (2, 2));
}

/// The rescuer looks, some minutes later.
fn look(scene: &Scene) {
    scene.pass(SignedDuration::from_mins(5));
    scene.stopgap.step_functions.start_execution(&scene.stopgap.rescue, None, json!({})).expect("it starts");
    scene.pass(SignedDuration::from_mins(1));
}

/// The tickets that are still to be sent, by their dedup keys.
fn outbox(scene: &Scene) -> Vec<String> {
    scene.stopgap.aws.look(|world| {
        let keys = world.table.keys().filter(|key| key.partition == "outbox");
        keys.map(|key| key.sort.clone()).collect()
    })
}

#[test]
fn a_ticket_that_nobody_could_send_is_sent_by_the_rescuer_once() {
    let scene = Scene::nightly(11);
    let flaky = Flaky { topic: &scene.stopgap.aws, failures: Cell::new(1) };
    let ports = Ports { topic: &flaky, ..scene.stopgap.aws.ports() };
    assert!(!open(&scene, ports, "disk"));
    assert_eq!((sent(&scene), outbox(&scene)), (vec![], vec![matter().dedup_key()]));
    look(&scene);
    look(&scene);
    let open = ("open".to_owned(), 1);
    assert_eq!((sent(&scene), outbox(&scene)), (vec![open.clone()], vec![]));

    flaky.failures.set(1);
    let matter = matter();
    let resolved = ticket::resolve(ports, scene.stopgap.runtime.clock().now(), &matter, report(""));
    assert!(scene.stopgap.runtime.block_on(resolved).unwrap().is_err());
    look(&scene);
    look(&scene);
    assert_eq!((sent(&scene), outbox(&scene)), (vec![open, ("resolve".to_owned(), 2)], vec![]));
}

#[test]
fn a_ticket_that_may_still_be_on_its_way_is_not_sent_a_second_time() {
    let scene = Scene::nightly(12);
    let flaky = Flaky { topic: &scene.stopgap.aws, failures: Cell::new(1) };
    let ports = Ports { topic: &flaky, ..scene.stopgap.aws.ports() };
    assert!(!open(&scene, ports, "disk"));
    scene.stopgap.step_functions.start_execution(&scene.stopgap.rescue, None, json!({})).expect("it starts");
    scene.pass(SignedDuration::from_secs(30));
    assert_eq!((sent(&scene), outbox(&scene).len()), (vec![], 1));
}

#[test]
fn chat_that_could_not_be_told_hears_it_from_the_rescuer_and_the_ticket_is_not_repeated() {
    let scene = Scene::nightly(13);
    scene.stopgap.aws.change(|world| world.chat = Some(Vec::new()));
    let topic = Mute { topic: &scene.stopgap.aws, mute: Cell::new(true) };
    let ports = Ports { topic: &topic, ..scene.stopgap.aws.ports() };
    assert!(open(&scene, ports, "disk"));
    let heard = || scene.stopgap.aws.look(|world| world.chat.iter().flatten().count());
    assert_eq!((sent(&scene).len(), heard(), outbox(&scene).len()), (1, 0, 1));
    look(&scene);
    look(&scene);
    assert_eq!((sent(&scene).len(), heard(), outbox(&scene).len()), (1, 1, 0));
}

#[test]
fn a_ticket_that_the_table_has_forgotten_leaves_nothing_to_be_sent() {
    let scene = Scene::nightly(14);
    let flaky = Flaky { topic: &scene.stopgap.aws, failures: Cell::new(1) };
    assert!(!open(&scene, Ports { topic: &flaky, ..scene.stopgap.aws.ports() }, "disk"));
    scene.stopgap.aws.change(|world| world.table.retain(|key, _| key.partition != "tickets"));
    look(&scene);
    assert_eq!((sent(&scene), outbox(&scene)), (vec![], vec![]));
}

#[test]
fn hostile_names_break_neither_the_document_nor_the_mail() {
    let scene = Scene::nightly(5);
    let cause = "tag \"Name\"=\u{1b}[31m\r\nBcc: all@example.org\u{0}</script>{{7*7}}\u{202e}";
    open(&scene, scene.stopgap.aws.ports(), cause);
    scene.stopgap.aws.look(|world| {
        let (_, notice) = &world.published[0];
        let document = serde_json::to_string(&notice.document).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&document).unwrap()["cause"], cause);
        assert!(notice.subject.len() <= 100 && notice.subject.bytes().all(|b| (0x20..0x7f).contains(&b)));
        let plain = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
        assert!(notice.text.chars().all(plain), "{:?}", notice.text);
        assert_eq!(notice.text.lines().filter(|line| line.starts_with("Bcc")).count(), 0);
    });
}

#[test]
fn a_message_says_what_where_why_and_what_to_do() {
    let scene = Scene::nightly(6);
    open(&scene, scene.stopgap.aws.ports(), "2 of 3 snapshots ended in error");
    scene.stopgap.aws.look(|world| {
        let (_, notice) = &world.published[0];
        let expected = json!({
            "version": 1,
            "dedup_key": "stopgap/backup-failed/123456789012/us-east-1/i-0123456789abcdef0/nightly",
            "sequence": 1,
            "action": "open",
            "severity": "error",
            "kind": "backup-failed",
            "instance": "i-0123456789abcdef0",
            "account": "123456789012",
            "region": "us-east-1",
            "policy": "nightly",
            "occurrences": ["nightly/2026-11-21T02:00:00Z"],
            "failed_state": "CreateSnapshots",
            "error": "SnapshotFailed",
            "cause": "2 of 3 snapshots ended in error",
            "done": "The instance runs again.",
            "next_step": Kind::BackupFailed.next_step(),
            "console_url": "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/arn:aws:states:eu-west-1:123456789012:execution:instance:run-1",
            "timeline": [],
        });
        assert_eq!(notice.document, expected);
        let attributes: Vec<_> = notice.attributes.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(
            attributes,
            [
                ("account", "123456789012"), ("action", "open"), ("kind", "backup-failed"), ("policy", "nightly"),
                ("region", "us-east-1"), ("severity", "error"),
            ]
        );
        assert_eq!(notice.subject, "[ERROR] i-0123456789abcdef0: backup failed");
    });
}
