//! A message as chat applications show it: a custom notification of Amazon Q Developer, version 1.0. What does not follow
//! its schema is not shown at all. <https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html>

use serde_json::{Map, Value, json};

use super::Message;
use crate::text::on_one_line;

/// How long a title may be.
const TITLE: usize = 250;

/// How long a next step may be.
const NEXT_STEP: usize = 350;

/// How long a description may be.
const DESCRIPTION: usize = 8_000;

/// How much of the description one long value may take: of three such and all the short ones it holds everything.
const LONG: usize = 1_800;

/// How much a short value may take.
const SHORT: usize = 150;

/// What stands at the end of what was cut.
const CUT: &str = " … (cut)";

/// The notification. All messages of one ticket are one thread.
pub(super) fn of(message: &Message, subject: &str) -> Value {
    let next_steps: Vec<String> =
        message.next_step.split_inclusive(". ").map(|step| said(step, NEXT_STEP)).collect();
    let keywords: Vec<&str> = [message.kind.as_str(), message.severity.as_str()]
        .into_iter()
        .chain(message.policy.as_deref())
        .collect();
    let context = [
        ("action", Some(message.action.as_str())),
        ("account", message.account.as_deref()),
        ("region", message.region.as_deref()),
        ("instance", message.instance.as_deref()),
        ("policy", message.policy.as_deref()),
    ];
    let context =
        context.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(said(value?, SHORT)))));
    let mut context: Map<String, Value> = context.collect();
    context.insert("sequence".to_owned(), json!(message.sequence.to_string()));
    json!({
        "version": "1.0",
        "source": "custom",
        "id": format!("{}#{}", message.dedup_key, message.sequence),
        "content": {
            "textType": "client-markdown",
            "title": said(subject, TITLE),
            "description": description(message),
            "nextSteps": next_steps,
            "keywords": keywords,
        },
        "metadata": {
            "threadId": message.dedup_key,
            "summary": said(subject, TITLE),
            "additionalContext": context,
        },
    })
}

/// A line for each field. Values are code, in which Markdown means nothing.
fn description(message: &Message) -> String {
    let occurrences = message.occurrences.join(", ");
    let fields = [
        ("Instance", message.instance.as_deref(), SHORT),
        ("Account", message.account.as_deref(), SHORT),
        ("Region", message.region.as_deref(), SHORT),
        ("Policy", message.policy.as_deref(), SHORT),
        ("Occurrences", Some(occurrences.as_str()), LONG),
        ("Failed state", message.failed_state.as_deref(), SHORT),
        ("Error", Some(message.error.as_str()), SHORT),
        ("Cause", Some(message.cause.as_str()), LONG),
        ("stopgap", Some(message.done.as_str()), LONG),
    ];
    let mut lines: Vec<String> = fields
        .into_iter()
        .filter_map(|(name, value, limit)| Some((name, value.filter(|value| !value.is_empty())?, limit)))
        .map(|(name, value, limit)| format!("{name}: `{}`", said(value, limit)))
        .collect();
    lines.extend(message.console_url.as_deref().map(|url| format!("Execution: {}", defused(url))));
    let moments = message.timeline.iter();
    lines.extend(
        moments.map(|moment| format!("{} `{}`", moment.at.strftime("%T UTC"), said(&moment.what, SHORT))),
    );
    cut(&lines.join("\n"), DESCRIPTION)
}

/// The text on one line, without what could call a person or a channel, and no longer than it may be.
fn said(text: &str, limit: usize) -> String {
    cut(defused(text).trim(), limit)
}

/// Slack calls a channel by `<!channel>` and a person by `<@U123>`, Teams by `<at>`; and a backtick would end the code that
/// a value stands in. Look-alikes mean nothing anywhere, where an escape would be shown as it is by one or the other.
fn defused(text: &str) -> String {
    let defused = |c: char| match c {
        '<' => '‹',
        '>' => '›',
        '@' => '＠',
        '`' => '\'',
        c => c,
    };
    on_one_line(text).chars().map(defused).collect()
}

/// No more than `limit` of the text, which then says that it was cut. Counted as JavaScript and Java count, in which a
/// character beyond the first plane is two: the documentation does not say which characters it means.
fn cut(text: &str, limit: usize) -> String {
    let length = |text: &str| text.chars().map(char::len_utf16).sum::<usize>();
    if length(text) <= limit {
        return text.to_owned();
    }
    let room = limit.saturating_sub(length(CUT));
    let mut used = 0;
    let fits = |c: &char| {
        used += c.len_utf16();
        used <= room
    };
    text.chars().take_while(fits).chain(CUT.chars()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::inventory::Location;
    use crate::ticket::{Action, Kind, Matter, Moment, Report, notice};

    fn message(kind: Kind, text: &str) -> Message {
        let matter = Matter {
            kind,
            location: Some(Location::new("123456789012", "us-east-1")),
            instance_id: Some(text.to_owned()),
            policy: Some("nightly".parse().unwrap()),
        };
        let at = "2026-11-21T02:00:00Z".parse().unwrap();
        let report = Report {
            occurrences: vec!["nightly/2026-11-21T02:00:00Z".parse().unwrap(); 100],
            failed_state: Some(text.to_owned()),
            error: text.to_owned(),
            cause: text.to_owned(),
            done: text.to_owned(),
            execution: Some(format!(
                "arn:aws:states:us-east-1:123456789012:execution:stopgap-instance:{text}"
            )),
            timeline: vec![Moment { at, what: text.to_owned() }; 12],
        };
        Message::new(&matter, 1, Action::Open, &report)
    }

    fn length(text: &Value) -> usize {
        text.as_str().unwrap().encode_utf16().count()
    }

    proptest! {
        #[test]
        fn nothing_is_longer_than_it_may_be_and_nothing_calls_anybody(text in "(?s).{0,40}", times in 1..2_000_usize) {
            let message = message(Kind::LeftStopped, &text.repeat(times));
            let chat = notice(&message).unwrap().chat;
            let content = &chat["content"];
            prop_assert!(length(&content["title"]) <= TITLE && length(&content["description"]) <= DESCRIPTION);
            for step in content["nextSteps"].as_array().unwrap() {
                prop_assert!((1..=NEXT_STEP).contains(&length(step)));
            }
            for shown in ["title", "description"] {
                prop_assert!(!content[shown].as_str().unwrap().contains(['<', '>', '@']));
            }
        }
    }

    #[test]
    fn what_is_cut_says_so_and_no_character_is_cut_in_two() {
        assert_eq!(cut("Größe 😀", 8), "Größe 😀");
        assert_eq!(cut("😀😀😀😀😀😀😀", 13), "😀😀 … (cut)");
        assert_eq!(cut("😀😀😀😀😀😀😀", 14), "😀😀😀😀😀😀😀");
        assert_eq!(cut("aaaaaaaaaaaaaa", 12), "aaaa … (cut)");
    }

    #[test]
    fn every_next_step_there_is_is_shown_whole() {
        for kind in Kind::ALL {
            let steps = of(&message(*kind, "x"), "subject")["content"]["nextSteps"].clone();
            let steps: Vec<String> = serde_json::from_value(steps).unwrap();
            assert_eq!(steps.join(" "), kind.next_step());
        }
    }

    #[test]
    fn all_messages_of_a_ticket_are_one_thread() {
        let chat = of(&message(Kind::BackupFailed, "i-1"), "[ERROR] i-1: backup failed");
        let key = "stopgap/backup-failed/123456789012/us-east-1/i-1/nightly";
        assert_eq!((&chat["metadata"]["threadId"], &chat["id"]), (&json!(key), &json!(format!("{key}#1"))));
        assert_eq!(chat["content"]["keywords"], json!(["backup-failed", "error", "nightly"]));
        assert_eq!(chat["metadata"]["additionalContext"]["sequence"], "1");
    }
}
