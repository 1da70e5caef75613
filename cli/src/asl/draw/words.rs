//! Rules and errors in words.

use serde_json::Value;

/// How many errors an arrow names when it cannot name all.
const NAMED: usize = 2;

/// The errors of a `Catch`; nothing for any error.
pub(super) fn of_errors(errors: &[String]) -> String {
    if errors.iter().any(|error| error == "States.ALL") {
        return String::new();
    }
    match errors.len().saturating_sub(NAMED) {
        more @ 2.. => format!("{} and {more} more", errors[..NAMED].join(", ")),
        _ => errors.join(" or "),
    }
}

/// A rule of a Choice.
pub(super) fn of_rule(rule: &Value) -> String {
    if let Some(parts) = rule["And"].as_array() {
        let parts: Vec<String> = parts.iter().map(of_rule).collect();
        // "has a and has b" is "has a and b".
        let rest = parts.iter().skip(1).map(|part| part.strip_prefix("has ").map(str::to_owned));
        let short = rest
            .collect::<Option<Vec<String>>>()
            .filter(|_| parts.first().is_some_and(|first| first.starts_with("has ")));
        return match short {
            Some(rest) => [&parts[..1], &rest].concat().join(" and "),
            None => parts.join(" and "),
        };
    }
    if let Some(parts) = rule["Or"].as_array() {
        return format!("({})", parts.iter().map(of_rule).collect::<Vec<_>>().join(" or "));
    }
    if rule["Not"].is_object() {
        return format!("not {}", of_rule(&rule["Not"]));
    }
    let subject = last_word(rule["Variable"].as_str().unwrap_or_default());
    let known = ["Variable", "Next", "Comment"];
    let test = rule.as_object().and_then(|rule| rule.iter().find(|(key, _)| !known.contains(&key.as_str())));
    test.map_or(subject.clone(), |(operator, operand)| of_test(&subject, operator, operand))
}

fn of_test(subject: &str, operator: &str, operand: &Value) -> String {
    let yes = operand.as_bool() != Some(false);
    if let Some(property) = operator.strip_prefix("Is") {
        return match (property, yes) {
            ("Present", true) => format!("has {subject}"),
            ("Present", false) => format!("has no {subject}"),
            (_, true) => format!("{subject} is {}", property.to_lowercase()),
            (_, false) => format!("{subject} is not {}", property.to_lowercase()),
        };
    }
    let bare = operator.strip_suffix("Path").unwrap_or(operator);
    let operand = match operand.as_str() {
        Some(path) if bare != operator => last_word(path),
        Some(text) => text.to_owned(),
        None => operand.to_string(),
    };
    match ["Boolean", "String", "Numeric", "Timestamp"].iter().find_map(|kind| bare.strip_prefix(kind)) {
        Some("Equals") if bare != operator => format!("{subject} is {operand}"),
        Some("Equals") if bare == "BooleanEquals" && yes => subject.to_owned(),
        Some("Equals") if bare == "BooleanEquals" => format!("not {subject}"),
        Some("Equals") => format!("{subject} is {operand}"),
        Some("GreaterThan") => format!("{subject} > {operand}"),
        Some("LessThan") => format!("{subject} < {operand}"),
        Some("GreaterThanEquals") => format!("{subject} ≥ {operand}"),
        Some("LessThanEquals") => format!("{subject} ≤ {operand}"),
        Some("Matches") => format!("{subject} is like {operand}"),
        _ => format!("{subject} {operator} {operand}"),
    }
}

/// The field that a path ends in, as words: `$.prepared.Payload.restart_owed` is `restart owed`.
fn last_word(path: &str) -> String {
    path.rsplit('.').next().unwrap_or(path).replace('_', " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_read_as_words() {
        let cases = [
            (json!({ "Variable": "$.a.restart_owed", "BooleanEquals": true, "Next": "X" }), "restart owed"),
            (json!({ "Variable": "$.stop", "BooleanEquals": false }), "not stop"),
            (json!({ "Variable": "$.outcome", "StringEquals": "dry-run" }), "outcome is dry-run"),
            (json!({ "Variable": "$.items", "NumericGreaterThan": 0 }), "items > 0"),
            (json!({ "Variable": "$.a", "NumericLessThanEqualsPath": "$.b.limit" }), "a ≤ limit"),
            (json!({ "Variable": "$.a", "IsPresent": false }), "has no a"),
            (json!({ "Variable": "$.a", "IsNull": true }), "a is null"),
            (
                json!({ "And": [{ "Variable": "$.a", "IsPresent": true }, { "Variable": "$.b", "IsPresent": true }] }),
                "has a and b",
            ),
            (
                json!({ "And": [{ "Variable": "$.a", "IsPresent": true }, { "Variable": "$.b", "StringMatches": "x*" }] }),
                "has a and b is like x*",
            ),
            (json!({ "Not": { "Or": [{ "Variable": "$.a", "StringEquals": "b" }] } }), "not (a is b)"),
        ];
        for (rule, words) in cases {
            assert_eq!(of_rule(&rule), words);
        }
    }

    #[test]
    fn an_arrow_names_few_errors_and_counts_the_rest() {
        let errors =
            |names: &[&str]| of_errors(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(errors(&["States.ALL"]), "");
        assert_eq!(errors(&["A", "B", "C"]), "A or B or C");
        assert_eq!(errors(&["A", "B", "C", "D", "E"]), "A, B and 3 more");
    }
}
