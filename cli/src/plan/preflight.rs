//! The table of what is found of instances before they are backed up.

use stopgap_core::plan::preflight::Preflight;

use crate::output::section;

/// A row for each finding, and for each thing that could not be found out.
pub(super) fn table(found: &[Preflight]) -> String {
    let rows = found.iter().flat_map(|Preflight { instance_id, policy, report }| {
        let row = |what: [String; 4]| [&[instance_id.clone(), policy.to_string()], what.as_slice()].concat();
        let findings = report.findings.iter().map(move |judged| {
            row([
                judged.finding.to_string(),
                judged.verdict.to_string(),
                judged.detail.clone(),
                judged.next_step.clone(),
            ])
        });
        let not_known = report
            .not_known
            .iter()
            .map(move |why| row([String::new(), "note".to_owned(), why.clone(), String::new()]));
        findings.chain(not_known)
    });
    let columns = ["INSTANCE", "POLICY", "FINDING", "FOLLOWS", "WHAT", "TO DO"];
    section("Preflight", &columns, rows.collect())
}
