//! An example of every kind of ticket, from its opening to its end, as the shipped machines publish it: what
//! `docs/tickets/` shows to those who connect a ticketing system. UPDATE=1 in the environment writes it.

mod stories;

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;
use stopgap_core::ports::Notice;
use stopgap_core::ticket::{self, Kind};
use stopgap_tests::{repository, with_part};

/// The messages of one ticket, of all that a story tells.
fn of_kind(kind: Kind, told: &'static [Notice]) -> Vec<&'static Notice> {
    told.iter().filter(|notice| notice.document["kind"] == kind.as_str()).collect()
}

#[test]
fn every_kind_is_opened_once_updated_when_there_is_news_and_resolved_by_what_mends_it() {
    for kind in Kind::ALL {
        let told = stories::tell(*kind);
        let messages = of_kind(*kind, told);
        let keys: Vec<&Value> = messages.iter().map(|notice| &notice.document["dedup_key"]).collect();
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{kind}: {keys:?}");
        let sequences: Vec<_> = messages.iter().map(|notice| notice.document["sequence"].as_u64()).collect();
        assert!(sequences.is_sorted_by(|a, b| a < b), "{kind}: {sequences:?}");

        let mut actions: Vec<&str> =
            messages.iter().filter_map(|notice| notice.document["action"].as_str()).collect();
        // Each try of a backup may have other snapshots to tell of.
        actions.dedup_by(|a, b| (*a, *b) == ("update", "update"));
        let wanted: &[&str] = match kind {
            // Once refused, and then not any more.
            Kind::AlarmsSilenced | Kind::PruneFailed | Kind::PlanFailed => &["open", "resolve"],
            _ => &["open", "update", "resolve"],
        };
        assert_eq!(actions, wanted, "{kind}");
    }
}

/// Writes a file of the documentation with UPDATE=1 in the environment, and answers whether it is as it should be.
fn is_kept(path: &str, wanted: &str) -> bool {
    let path = repository().join("docs").join(path);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, wanted).expect("the documentation can be written");
    }
    fs::read_to_string(&path).unwrap_or_default() == wanted
}

const WRITE: &str = "run `UPDATE=1 cargo test -p stopgap-tests --test ticket_examples`";

#[test]
fn the_examples_in_the_documentation_are_what_is_published() {
    for kind in Kind::ALL {
        let told = stories::tell(*kind);
        let documents: Vec<&Value> =
            of_kind(*kind, told).into_iter().map(|notice| &notice.document).collect();
        let wanted = serde_json::to_string_pretty(&documents).unwrap() + "\n";
        assert!(is_kept(&format!("tickets/{kind}.json"), &wanted), "{kind} differs: {WRITE}");
    }
    let files = fs::read_dir(repository().join("docs/tickets")).unwrap().count();
    assert_eq!(files, Kind::ALL.len(), "docs/tickets has a file for each kind, and no other");
}

#[test]
fn the_page_shows_the_fields_of_the_schema_and_what_the_machines_publish() {
    let told = stories::tell(Kind::LeftStopped);
    let first = of_kind(Kind::LeftStopped, told)[0];
    let attributes: Vec<String> =
        first.attributes.iter().map(|(name, value)| format!("`{name}` = `{value}`")).collect();
    let mail = format!("Subject: {}\n\n{}", first.subject, first.text);
    let page = fs::read_to_string(repository().join("docs/tickets.md")).unwrap();
    let wanted = with_part(&page, "fields", &fields());
    let wanted = with_part(&wanted, "examples", &examples());
    let wanted = with_part(&wanted, "attributes", &format!("{}.\n", attributes.join(", ")));
    let wanted = with_part(&wanted, "mail", &format!("```text\n{mail}\n```\n"));
    let chat = serde_json::to_string_pretty(&first.chat).unwrap();
    let wanted = with_part(&wanted, "chat", &format!("```json\n{chat}\n```\n"));
    assert!(is_kept("tickets.md", &wanted), "docs/tickets.md differs: {WRITE}");
}

/// The fields of a message, as the schema describes them.
fn fields() -> String {
    let schema = ticket::schema();
    let mut table = String::from("| field | meaning |\n|---|---|\n");
    for (name, field) in schema["properties"].as_object().expect("the schema has fields") {
        let _ = writeln!(
            table,
            "| `{name}` | {} |",
            field["description"].as_str().expect("every field says what it is")
        );
    }
    table
}

/// The kinds, with what became of each example.
fn examples() -> String {
    let mut table = String::from("| kind | severity | example |\n|---|---|---|\n");
    for kind in Kind::ALL {
        let told = stories::tell(*kind);
        let steps = of_kind(*kind, told).into_iter().map(|notice| {
            let text = |field: &str| notice.document[field].as_str().unwrap_or_default();
            let error =
                if text("error").is_empty() { String::new() } else { format!(" ({})", text("error")) };
            format!("{}{error}", text("action"))
        });
        let steps = steps.collect::<Vec<_>>().join(", ");
        let _ =
            writeln!(table, "| [`{kind}`](tickets/{kind}.json) | {} | {steps} |", kind.severity().as_str());
    }
    table
}

#[test]
fn every_example_is_valid_by_the_published_schema() {
    let schema = fs::read_to_string(repository().join("functions/core/ticket.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator =
        jsonschema::options().should_validate_formats(true).build(&schema).expect("the schema is sound");
    let mut broken: Option<Value> = None;
    for kind in Kind::ALL {
        let path = repository().join(format!("docs/tickets/{kind}.json"));
        let messages: Vec<Value> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        assert!(!messages.is_empty(), "{kind}");
        for message in messages {
            let errors: Vec<String> = validator
                .iter_errors(&message)
                .map(|error| format!("{error} at {}", error.instance_path()))
                .collect();
            assert_eq!(errors, Vec::<String>::new(), "{kind}");
            broken.get_or_insert(message)["severity"] = Value::from("urgent");
        }
    }
    assert!(!validator.is_valid(&broken.expect("there are examples")), "the schema refuses what is none");
}
