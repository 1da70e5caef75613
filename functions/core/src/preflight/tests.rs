use std::cell::RefCell;
use std::collections::BTreeSet;

use futures::FutureExt;

use super::facts::many;
use super::*;
use crate::inventory::{Instance, Volume};
use crate::policy::{Policy, parse};
use crate::ports::{Fault, FaultKind, InstanceStorage, KeyState, SpotRequest};
use crate::testing::{instance, snapshot, volume};

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

fn policy(more: &str) -> Policy {
    let text = format!(
        r#"{{"id": "nightly", "select": {{"any": [{{"name": "db-*"}}]}}, "retention": {{"keep_last": 1}},
            "schedule": {{"expression": "cron(0 2 * * ? *)"}}{more}}}"#
    );
    parse(&text).unwrap().remove(0)
}

fn look(policy: &Policy, instance: &Instance, volumes: &[Volume], facts: &Facts) -> Report {
    let by_id = volumes.iter().map(|volume| (volume.id.as_str(), volume)).collect();
    let selection = policy.volumes.applied_to(instance, &by_id);
    let subject = Subject { policy, instance, volumes: volumes.iter().collect(), selection, stops: true };
    subject.look(facts, "2026-11-21T02:00:00Z".parse().unwrap())
}

fn names(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|judged| judged.finding.as_str()).collect()
}

#[test]
fn a_plain_instance_is_in_nobodys_way() {
    let report = look(
        &policy(""),
        &instance("i-1", &["vol-1"], &[]),
        &[volume("vol-1", "i-1", &[])],
        &Facts::default(),
    );
    assert_eq!(report, Report::default());
}

#[test]
fn as_many_pending_snapshots_as_ec2_allows_of_a_type_are_too_many_for_another() {
    let pending = |of: &str, count: usize| -> Facts {
        let snapshots =
            (0..count).map(|n| snapshot(&format!("snap-{n}"), of, "i-1", "x/2026-11-20T02:00:00Z", 1));
        Facts { pending: [(of.to_owned(), Ok(snapshots.collect()))].into(), ..Facts::default() }
    };
    for (kind, allowed) in
        [("gp2", 5), ("gp3", 5), ("io1", 5), ("io2", 5), ("standard", 5), ("st1", 1), ("sc1", 1)]
    {
        let (instance, volumes) = (
            instance("i-1", &["vol-1"], &[]),
            [Volume { volume_type: kind.to_owned(), ..volume("vol-1", "i-1", &[]) }],
        );
        let found = |count| look(&policy(""), &instance, &volumes, &pending("vol-1", count));
        assert_eq!(names(&found(allowed - 1)), Vec::<&str>::new(), "{kind}");
        assert_eq!(names(&found(allowed)), ["pending-snapshots"], "{kind}");
    }
}

#[test]
fn a_volume_that_is_left_out_may_be_as_it_likes_but_its_key_must_open_it() {
    let policy = policy(r#", "volumes": {"except": [{"tag": {"x": ["*"]}}]}"#);
    let instance = instance("i-1", &["vol-1", "vol-2"], &[]);
    let left_out = Volume { kms_key_id: Some("key".to_owned()), ..volume("vol-2", "i-1", &[("x", "")]) };
    let volumes = [volume("vol-1", "i-1", &[]), left_out];
    let full = (0..9).map(|n| snapshot(&format!("snap-{n}"), "vol-2", "i-1", "x/2026-11-20T02:00:00Z", 1));
    let mut facts = Facts { pending: [("vol-2".to_owned(), Ok(full.collect()))].into(), ..Facts::default() };
    assert_eq!(look(&policy, &instance, &volumes, &facts), Report::default());
    for (state, found) in [
        (Some("Enabled"), false),
        (Some("Updating"), false),
        (Some("Disabled"), true),
        (Some("PendingDeletion"), true),
        (Some("PendingImport"), true),
        (Some("Unavailable"), true),
        (None, true),
    ] {
        let state = state.map(|state| KeyState(state.to_owned()));
        facts.keys = [("key".to_owned(), Ok(vec![state.clone()]))].into();
        let report = look(&policy, &instance, &volumes, &facts);
        assert_eq!(names(&report) == ["kms-key-unusable"], found, "{state:?}: {report:?}");
    }
}

#[test]
fn a_call_copies_128_volumes_and_leaves_40_data_volumes_out_beside_the_root() {
    let ids: Vec<String> = (0..129).map(|n| format!("vol-{n:03}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let none = Facts::default();
    for (count, found) in [(128, vec![]), (129, vec!["too-many-volumes"])] {
        let report = look(&policy(""), &instance("i-1", &ids[..count], &[]), &[], &none);
        assert_eq!(names(&report), found, "{count}");
    }
    let sparing = policy(r#", "volumes": {"root": false, "except": [{"tag": {"x": ["*"]}}]}"#);
    for (left_out, found) in [(40, vec![]), (41, vec!["too-many-volumes"])] {
        let volumes: Vec<Volume> =
            ids[1..=left_out].iter().map(|id| volume(id, "i-1", &[("x", "")])).collect();
        let report = look(&sparing, &instance("i-1", &ids[..left_out + 2], &[]), &volumes, &none);
        assert_eq!(names(&report), found, "{left_out}");
    }
}

#[test]
fn what_is_not_known_is_no_finding_and_no_silence() {
    let spot = Instance { spot_request: Some("sir-1".to_owned()), ..instance("i-1", &["vol-1"], &[]) };
    let volumes = [volume("vol-1", "i-1", &[])];
    fn denied<T>() -> Result<Vec<T>, String> {
        Err("DescribeX: denied".to_owned())
    }
    let facts = Facts {
        stop_protected: [("i-1".to_owned(), denied())].into(),
        spot_requests: [("sir-1".to_owned(), Ok(Vec::<SpotRequest>::new()))].into(),
        storage: [("m5.large".to_owned(), denied())].into(),
        ..Facts::default()
    };
    let report = look(&policy(""), &spot, &volumes, &facts);
    assert_eq!((report.findings.len(), report.not_known.len()), (0, 3), "{report:?}");
    assert_eq!(report.refusals(), Vec::<String>::new());
    assert!(report.notes().iter().all(|note| note.starts_with("not known whether ")), "{report:?}");

    let stored = InstanceStorage { instance_type: "m5.large".to_owned(), size_gb: 75, always: false };
    let facts = Facts { storage: [("m5.large".to_owned(), Ok(vec![stored]))].into(), ..Facts::default() };
    assert_eq!(look(&policy(""), &spot, &volumes, &facts).not_known.len(), 1);
}

#[test]
fn facts_are_asked_for_in_bulk_and_only_a_refusal_is_a_fact_that_is_not_known() {
    let ids: BTreeSet<String> = (0..250).map(|n| format!("sir-{n:03}")).collect();
    let asked = RefCell::new(Vec::new());
    let ask = |answer: fn(&String) -> Result<SpotRequest, FaultKind>| {
        let asked = &asked;
        let answered = many(
            ids.clone(),
            |request: &SpotRequest| &request.id,
            async |ids: &[String]| {
                asked.borrow_mut().push(ids.len());
                let answers: Result<Vec<_>, _> = ids.iter().take(1).map(answer).collect();
                answers.map_err(|kind| Fault::new("DescribeX", kind, "words"))
            },
        );
        answered.now_or_never().expect("nothing waits")
    };
    let known = ask(|id| Ok(SpotRequest { id: id.clone(), one_time: true })).unwrap();
    assert_eq!(asked.take(), [100, 100, 50]);
    assert_eq!((known["sir-000"].as_ref().unwrap().len(), known["sir-001"].as_ref().unwrap().len()), (1, 0));
    assert_eq!(known.len(), 250);

    let denied = ask(|_| Err(FaultKind::AccessDenied)).unwrap();
    assert!(denied.values().all(|fact| fact.as_ref().is_err_and(|why| why.contains("DescribeX"))));
    for kind in [FaultKind::Throttled, FaultKind::Unavailable, FaultKind::Unanswered, FaultKind::Malformed] {
        asked.take();
        let answer = ask(match kind {
            FaultKind::Throttled => |_| Err(FaultKind::Throttled),
            FaultKind::Unavailable => |_| Err(FaultKind::Unavailable),
            FaultKind::Unanswered => |_| Err(FaultKind::Unanswered),
            _ => |_| Err(FaultKind::Malformed),
        });
        assert_eq!(answer.unwrap_err().kind, kind);
    }
}
