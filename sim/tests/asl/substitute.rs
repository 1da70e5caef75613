//! Placeholders.

use std::collections::BTreeMap;

use stopgap_sim::asl::{SubstituteError, substitute};

fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn fills_in_every_placeholder() {
    let filled = substitute(r#"{"A": "${X}", "B": "${X}-${Y}$"}"#, &values(&[("X", "1"), ("Y", "2")]));
    assert_eq!(filled.unwrap(), r#"{"A": "1", "B": "1-2$"}"#);
}

#[test]
fn an_unknown_an_unused_and_an_unclosed_placeholder_are_errors() {
    assert_eq!(substitute("${X}", &values(&[])), Err(SubstituteError::Unknown("X".into())));
    assert_eq!(substitute("x", &values(&[("X", "1")])), Err(SubstituteError::Unused("X".into())));
    assert_eq!(substitute("ab${X", &values(&[("X", "1")])), Err(SubstituteError::Unclosed(2)));
}
