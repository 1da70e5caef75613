//! What the sources say of themselves: documentation comments of fields and modules.

use std::collections::BTreeMap;
use std::fs;

use stopgap_tests::repository;

/// A field of a struct.
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) doc: String,
    /// Whether serde has a default for it.
    pub(crate) optional: bool,
}

/// The fields of `struct name` in a source file.
pub(crate) fn fields(file: &str, name: &str) -> Vec<Field> {
    let text = fs::read_to_string(repository().join(file)).expect("the source is there");
    let (_, rest) =
        text.split_once(&format!("struct {name} {{\n")).unwrap_or_else(|| panic!("{file} has no {name}"));
    let (body, _) = rest.split_once("\n}\n").expect("the struct ends");
    let (mut fields, mut doc, mut optional) = (Vec::new(), Vec::new(), false);
    for line in body.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("/// ") {
            doc.push(text);
        } else if line.starts_with("#[") {
            optional |= line.contains("serde(default");
        } else if let Some((name, _)) = line.trim_start_matches("pub ").split_once(": ") {
            let doc = std::mem::take(&mut doc).join(" ");
            assert!(!doc.is_empty(), "{name} has no documentation");
            fields.push(Field { name: name.to_owned(), doc, optional: std::mem::take(&mut optional) });
        }
    }
    assert!(!fields.is_empty());
    fields
}

/// What each function does, by the name of its module.
pub(crate) fn function_docs() -> BTreeMap<String, String> {
    let text = fs::read_to_string(repository().join("functions/core/src/tasks/mod.rs"))
        .expect("the source is there");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let pairs = lines.windows(2).filter_map(|pair| {
        let doc = pair[0].strip_prefix("/// ")?;
        let (module, _) = pair[1].split_once(" = \"")?;
        Some((module.to_owned(), doc.to_owned()))
    });
    pairs.collect()
}
