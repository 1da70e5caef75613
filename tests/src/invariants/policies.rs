//! Policy documents.

use std::collections::BTreeSet;

use stopgap_core::policy::{self, Policy, PolicyErrors};

/// A document is read, or every mistake in it is told; what is read can be written and read again.
///
/// # Panics
/// When that does not hold.
pub fn policies(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let read = policy::parse(text);
    assert_eq!(read, policy::parse(text), "the same text is read differently the second time");
    match read {
        Ok(policies) => {
            let ids: BTreeSet<&str> = policies.iter().map(|policy| policy.id.as_str()).collect();
            assert!(!policies.is_empty() && ids.len() == policies.len(), "no policy, or two with one id");
            policies.iter().for_each(is_whole);
            let written = serde_json::to_string(&policies).expect("a policy is JSON");
            assert_eq!(policy::parse(&written).as_ref(), Ok(&policies), "written and read again: {written}");
        }
        Err(PolicyErrors(issues)) => {
            assert!(!issues.is_empty(), "refused without a reason");
            for issue in issues {
                assert!(!issue.message.trim().is_empty(), "nothing is said of {}", issue.at);
            }
        }
    }
}

/// What has been read keeps what docs/policies.md promises.
fn is_whole(policy: &Policy) {
    let Policy { schedule, retention, select, .. } = policy;
    assert!(schedule.expression.ever_occurs(&schedule.timezone), "{} never occurs", schedule.expression);
    assert!(schedule.start_within.exact().is_some(), "start_within {}", schedule.start_within);
    assert!(!select.any.is_empty(), "it selects nothing");
    let rules = serde_json::to_value(retention).expect("a retention is JSON");
    assert!(rules.as_object().is_some_and(|rules| !rules.is_empty()), "it keeps nothing");
}
