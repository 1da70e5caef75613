use std::collections::BTreeSet;

use super::*;

fn found(finding: Finding) -> Found {
    Found::new(finding, "i-1")
}

#[test]
fn findings_have_distinct_names_which_are_those_that_are_written_down() {
    let names: BTreeSet<&str> = Finding::ALL.iter().map(|finding| finding.as_str()).collect();
    assert_eq!(names.len(), Finding::ALL.len());
    for finding in Finding::ALL {
        assert_eq!(serde_json::to_value(finding).unwrap(), finding.as_str());
    }
    for verdict in Verdict::ALL {
        assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.as_str());
    }
}

#[test]
fn what_no_policy_can_change_is_refused() {
    for finding in Finding::ALL.iter().filter(|finding| finding.fixed().is_some()) {
        assert_eq!(finding.default_verdict(), Verdict::Refuse, "{finding}");
        // Even if a record from elsewhere says otherwise.
        let overrides = Overrides(BTreeMap::from([(*finding, Verdict::Ignore)]));
        assert_eq!(overrides.verdict(*finding), Verdict::Refuse, "{finding}");
    }
}

#[test]
fn a_policy_decides_what_follows_and_the_gravest_comes_first() {
    let all = [Finding::PublicAddressLost, Finding::Hibernation, Finding::InstanceStoreData];
    let by_default = Overrides::default().judge(all.map(found));
    let verdicts = |judged: &[Judged]| -> Vec<(Finding, Verdict)> {
        judged.iter().map(|judged| (judged.finding, judged.verdict)).collect()
    };
    assert_eq!(
        verdicts(&by_default),
        [
            (Finding::InstanceStoreData, Verdict::Refuse),
            (Finding::PublicAddressLost, Verdict::Warn),
            (Finding::Hibernation, Verdict::Warn),
        ]
    );
    let overrides = Overrides(BTreeMap::from([
        (Finding::InstanceStoreData, Verdict::Warn),
        (Finding::PublicAddressLost, Verdict::Refuse),
        (Finding::Hibernation, Verdict::Ignore),
    ]));
    assert_eq!(
        verdicts(&overrides.judge(all.map(found))),
        [(Finding::PublicAddressLost, Verdict::Refuse), (Finding::InstanceStoreData, Verdict::Warn)]
    );
}
