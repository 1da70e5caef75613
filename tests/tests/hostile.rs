//! Names, tags and causes may hold anything. Nothing of it breaks a ticket's JSON, an e-mail or a chat message.
//!
//! What it could do to a terminal is tried in `plan_command` and `retention_command`, to a page in `simulate_command`.

use serde_json::{Value, json};
use stopgap_core::ports::Notice;
use stopgap_core::text::is_deceptive;
use stopgap_tests::Scene;

/// What a tag's key or value can be, up to its 128 or 256 characters.
fn hostile() -> Vec<String> {
    let mut all: Vec<String> = [
        "\"quotes\" 'single' \\ back\\slash",
        "line\r\nBcc: all@example.org\n\nCause         invented",
        "nul\u{0} escape\u{1b}[31m csi\u{9b}2J tab\t",
        "turned\u{202e}txt.exe\u{2066} hidden\u{200b}\u{200d}\u{feff}\u{e0041} line\u{2028}paragraph\u{2029}",
        "</script><img src=x onerror=alert(1)><!-- &amp;",
        "<!channel> <!here|here> <@U0123ABCD> <#C012|general> <at>all</at> @everyone",
        "| a | b |\n|---|---|",
        "` ``` *bold* _under_ [link](https://evil.example) <https://evil.example|safe>",
        "👩‍👩‍👧 Größe 漢字 🦀",
        "{{7*7}} ${HOME} $(id) %s %n {}",
    ]
    .map(str::to_owned)
    .into();
    all.push("😀".repeat(128));
    all.push("long ".repeat(25));
    all
}

/// What a run publishes of an instance that has more tags than a snapshot takes, the hostile ones among those that do not
/// fit: their keys are in the ticket's cause.
fn told(seed: u64) -> (Notice, Value) {
    let scene = Scene::nightly(seed);
    scene.stopgap.aws.change(|world| world.chat = Some(Vec::new()));
    let id = scene.add(|spec| {
        let spec = (0..48).fold(spec, |spec, n| spec.tag(&format!("!{n:02}"), "x"));
        hostile().iter().fold(spec, |spec, text| spec.tag(text, text))
    });
    scene.run(json!({ "instance_id": id }));
    scene.stopgap.aws.look(|world| {
        let chat = world.chat.as_ref().expect("there is a topic for chat");
        assert_eq!((world.published.len(), chat.len()), (1, 1));
        (world.published[0].1.clone(), chat[0].1.clone())
    })
}

#[test]
fn the_document_reads_back_to_what_was_written() {
    let (notice, _) = told(1);
    let sent = notice.document.to_string();
    assert!(!sent.chars().any(|c| c < ' '), "a document is one line");
    let read: Value = serde_json::from_str(&sent).unwrap();
    assert_eq!(read, notice.document);
    let cause = read["cause"].as_str().unwrap();
    for text in hostile() {
        assert!(cause.contains(&text), "{text:?}");
    }
}

#[test]
fn an_e_mail_has_one_line_for_each_field_and_a_subject_that_sns_takes() {
    let (notice, _) = told(2);
    let labels = [
        "Instance",
        "Account",
        "Region",
        "Policy",
        "Occurrences",
        "Error",
        "Cause",
        "stopgap",
        "Next step",
        "Execution",
        "2026-11-21 ",
    ];
    for line in notice.text.lines().skip(2) {
        assert!(labels.iter().any(|label| line.starts_with(label)), "{line:?}");
    }
    let causes = notice.text.lines().filter(|line| line.starts_with("Cause")).count();
    assert_eq!((causes, notice.text.contains("Bcc: all@example.org")), (1, true), "within the one line");
    assert!(!notice.text.chars().any(|c| c != '\n' && is_deceptive(c)), "{:?}", notice.text);
    assert!((1..=100).contains(&notice.subject.len()), "{}", notice.subject);
    assert!(notice.subject.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{}", notice.subject);
}

#[test]
fn a_chat_message_calls_nobody_and_stays_in_its_lines() {
    let (notice, chat) = told(3);
    assert_eq!(chat, notice.chat);
    let shown = chat["content"]["description"].as_str().unwrap();
    assert!(!shown.contains(['<', '>', '@']), "{shown}");
    assert!(!shown.chars().any(|c| c != '\n' && is_deceptive(c)), "{shown:?}");
    for line in shown.lines().filter(|line| !line.starts_with("Execution: https://")) {
        // A label, and a value that is code from its first backtick to its last.
        assert_eq!((line.matches('`').count(), line.ends_with('`')), (2, true), "{line}");
    }
    let cause = shown.lines().find(|line| line.starts_with("Cause: ")).unwrap();
    assert!(
        cause.contains("‹!channel›") && cause.contains("＠everyone") && cause.contains("[link]"),
        "{cause}"
    );
}
