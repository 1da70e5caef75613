//! The fault matrix: whatever goes wrong once, the promises hold; and what is broken on purpose, it finds.

#[path = "faults/page.rs"]
mod page;
#[path = "faults/sabotage.rs"]
mod sabotage;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use stopgap_sim::faults::{
    Act, Kind, Line, Question, Scenario, Setting, Tried, Trouble, matrix, play_all, singles,
};
use stopgap_sim::machines::Machines;
use stopgap_tests::definition::Definition;

/// All single scenarios, played: once for all tests.
fn played() -> &'static [Line] {
    static PLAYED: OnceLock<Vec<Line>> = OnceLock::new();
    PLAYED.get_or_init(|| {
        let machines = Machines::shipped().expect("the shipped machines are sound");
        let scenarios = singles(&machines).expect("they run");
        play_all(&Tried::SHIPPED, &scenarios, &|| {}).expect("they run")
    })
}

#[test]
fn whatever_goes_wrong_once_breaks_no_promise() {
    let violations: Vec<_> = played().iter().flat_map(|line| &line.violations).collect();
    let lines: Vec<String> = violations
        .iter()
        .map(|broken| format!("{}: {} {}", broken.scenario, broken.promise, broken.what))
        .collect();
    assert!(violations.is_empty(), "{}\n{:#?}", lines.join("\n"), violations[0]);
}

/// What a hundred thousand random nights found, shrunk to what is needed for it.
#[test]
fn what_broke_a_promise_in_a_random_night_breaks_none_any_more() {
    let state = |place: &str, act| Trouble::State(place.into(), act);
    let call = |place: &str, operation, nth, kind| Trouble::Call(place.into(), operation, nth, kind);
    let night = |setting, seed, troubles: &[Trouble]| Scenario {
        setting,
        troubles: troubles.to_vec(),
        rescuer: true,
        instances: 4,
        seed,
    };
    let denied = call("NotifyLeftStopped", "GetItem", 1, Kind::AccessDenied);
    let not_stored = call("WaitUntilCompleted", "TransactWriteItems", 6, Kind::NotFound);
    let not_asked = call("rescue.TakeOver", "DescribeExecution", 1, Kind::Conflict);
    let scenarios = [
        // The processes of a group stayed suspended when the member was gone that they were suspended for.
        night(Setting::Suspend, 10953, &[state("EnterStandby", Act::Terminated)]),
        night(Setting::Suspend, 32002, &[state("AreAlarmsWatching", Act::Terminated)]),
        night(
            Setting::Suspend,
            81006,
            &[state("rescue.TakeOver", Act::Terminated), state("EnterStandby", Act::RedrivenBefore)],
        ),
        // A run that had lost its lease told of it where it could not read who holds it.
        night(Setting::Night, 23221, &[state("LeaveStandby", Act::RedrivenAfter), denied]),
        night(
            Setting::Suspend,
            5908,
            &[state("NotifyLeftStopped", Act::TableDown), state("WaitUntilRunning", Act::RedrivenAfter)],
        ),
        // Two executions of one occurrence, the first of them aborted while EC2 made its snapshots, or failed before they
        // were completed: each volume had two.
        night(
            Setting::Night,
            6659,
            &[state("HowToGoOn", Act::RedrivenAfter), state("HowToGoOn", Act::Twice)],
        ),
        night(Setting::Night, 7755, &[state("NotifyBackupFailed", Act::Twice), not_stored]),
        // The rescuer could not ask how a run was that went on, and whose instance was never to be stopped.
        night(Setting::Night, 66680, &[state("WaitForAdmission", Act::RedrivenBefore), not_asked]),
    ];
    let lines = play_all(&Tried::SHIPPED, &scenarios, &|| {}).expect("they run");
    let broken: Vec<_> =
        lines.iter().flat_map(|line| &line.violations).map(|v| (&v.scenario, &v.what)).collect();
    assert_eq!(broken, []);
}

#[test]
fn every_scenario_has_a_name_of_its_own() {
    let names: BTreeSet<String> = played().iter().map(|line| line.scenario.id()).collect();
    assert_eq!(names.len(), played().len());
    assert!(names.contains("StopInstance/StopInstances#1/throttled-once"));
}

#[test]
fn each_call_of_each_state_goes_wrong_in_every_way() {
    let mut ways: std::collections::BTreeMap<(String, String), BTreeSet<Kind>> = Default::default();
    for line in played() {
        if let Some(Trouble::Call(place, operation, nth, kind)) = line.scenario.troubles.last() {
            ways.entry((place.to_string(), format!("{operation}#{nth}"))).or_default().insert(*kind);
        }
    }
    let whole = |kinds: &BTreeSet<Kind>| kinds.len() == Kind::ALL.len();
    // What leads to a state goes wrong in its own way only.
    let in_part: Vec<_> = ways.iter().filter(|(_, kinds)| !whole(kinds) && kinds.len() > 1).collect();
    assert_eq!(in_part, []);
    assert!(ways.len() > 200, "{} calls", ways.len());
}

#[test]
fn every_function_of_every_state_is_tried() {
    let places: BTreeSet<String> = played()
        .iter()
        .filter_map(|line| match line.scenario.troubles.last()? {
            Trouble::Call(place, ..) => Some(place.to_string()),
            _ => None,
        })
        .collect();
    let of = |definition: &Definition, machine: &str| {
        let invokes = definition.tasks().into_iter().filter(|state| state.function().is_some());
        invokes.map(|state| format!("{machine}{}", state.name)).collect::<Vec<_>>()
    };
    let all = [
        of(&Definition::instance(), ""),
        of(&Definition::rescue(), "rescue."),
        of(&Definition::fleet(), "fleet."),
    ];
    let missing: Vec<String> = all.concat().into_iter().filter(|place| !places.contains(place)).collect();
    assert_eq!(missing, NOT_REACHED);
}

/// The states to which no scenario leads. Step Functions itself refuses to start an execution for the first two; the last
/// takes backups of instances that are gone, which tests/orphans.rs has.
const NOT_REACHED: [&str; 3] =
    ["rescue.NotifyNotBegun", "fleet.NotifyRunNotStarted", "fleet.NotifyPruneFailed"];

#[test]
fn a_run_that_is_lost_in_any_state_is_rescued() {
    let lost = |line: &&Line| matches!(line.scenario.troubles.last(), Some(Trouble::State(_, act)) if act.loses_run());
    let acts: BTreeSet<Act> = played()
        .iter()
        .filter(lost)
        .filter_map(|line| match line.scenario.troubles.last()? {
            Trouble::State(_, act) => Some(*act),
            _ => None,
        })
        .collect();
    assert_eq!(acts.len(), 4);
    for line in played().iter().filter(lost) {
        assert!(line.scenario.rescuer, "{}", line.scenario.id());
        assert_eq!(line.violations, [], "{}", line.scenario.id());
    }
}

#[test]
fn what_broke_a_promise_in_a_pair_breaks_none_any_more() {
    let state = |place: &str, act| Trouble::State(place.into(), act);
    let call = |place: &str, operation, nth, kind| Trouble::Call(place.into(), operation, nth, kind);
    let pair = |setting, first, second| Scenario::new(setting, vec![first, second], true);
    let groups = "DescribeAutoScalingGroups";
    let no_group = |nth| call("LeaveStandby", groups, nth, Kind::NotFound);
    let scenarios = [
        // A run and the rescuer side by side left a ticket open.
        pair(
            Setting::Night,
            state("StopInstance", Act::RedrivenBefore),
            call("rescue.TakeOver", "GetItem", 1, Kind::SlowBefore),
        ),
        pair(
            Setting::Night,
            state("StopInstance", Act::RedrivenAfter),
            call("StartInstance", "GetItem", 1, Kind::Throttled),
        ),
        // Two answers that there is no such group were believed: its processes stayed suspended.
        pair(Setting::Suspend, no_group(1), no_group(2)),
        pair(Setting::Suspend, no_group(1), call("LeaveStandby", "ResumeProcesses", 1, Kind::Rejected)),
        // Of a ticket that went out unrecorded a run knows nothing: it opens it again, under the same key.
        pair(
            Setting::Busy,
            call("fleet.NotifyBackupMissed", "Publish", 1, Kind::ThrottledOnce),
            call("fleet.NotifyBackupMissed", "GetItem", 2, Kind::Throttled),
        ),
        // Neither the fleet nor the run could tell of a missed backup, and nobody came back to it.
        pair(
            Setting::Busy,
            call("fleet.NotifyBackupMissed", "Publish", 1, Kind::Throttled),
            state("NotifyBackupMissed", Act::TopicDown),
        ),
        pair(
            Setting::Busy,
            call("fleet.NotifyBackupMissed", "GetItem", 1, Kind::SlowBefore),
            state("NotifyBackupMissed", Act::TopicDown),
        ),
        pair(
            Setting::Busy,
            state("fleet.NotifyBackupMissed", Act::TopicDown),
            state("NotifyBackupMissed", Act::TableDown),
        ),
        // The rescuer sends what the run could not, and in the same moment reports the run as lost, under the same key.
        pair(
            Setting::Suspend,
            call("EnterStandby", "DescribeAutoScalingGroups", 2, Kind::SlowBefore),
            call("NotifyBackupFailed", "Publish", 1, Kind::SlowBefore),
        ),
        // Where the fleet alone could tell of a missed backup, nobody came back to it: it was aborted before it had told, or
        // had neither table nor topic for as long as it tried.
        pair(
            Setting::LateFleet,
            call("fleet.NotifyBackupMissed", "TransactWriteItems", 1, Kind::CrashBefore),
            state("fleet.Dispatch", Act::Aborted),
        ),
        pair(
            Setting::LateFleet,
            call("fleet.NotifyBackupMissed", "TransactWriteItems", 1, Kind::Throttled),
            call("fleet.NotifyBackupMissed", "Publish", 1, Kind::SlowBefore),
        ),
        pair(
            Setting::LateFleet,
            state("fleet.NotifyBackupMissed", Act::TopicDown),
            call("fleet.NotifyBackupMissed", "GetItem", 1, Kind::Throttled),
        ),
        // Whether the first message of a ticket arrived, nobody heard: it may be opened a second time, under its key.
        pair(
            Setting::Busy,
            call("fleet.NotifyBackupMissed", "Publish", 1, Kind::Throttled),
            call("NotifyBackupMissed", "Publish", 1, Kind::Unanswered),
        ),
    ];
    let lines = play_all(&Tried::SHIPPED, &scenarios, &|| {}).expect("they run");
    for line in &lines {
        assert_eq!(line.violations, [], "{}", line.scenario.id());
    }
}

#[test]
fn a_second_thing_goes_wrong_wherever_the_night_goes_on_after_the_first() {
    let of = |only: &str| {
        let question = Question { pairs: true, seeds: 0, only: Some(only.to_owned()) };
        matrix(&question, |_| {}, || {}).expect("it runs")
    };
    let early = of("stopped-before: HowToGoOn/started-by-hand");
    let late = of("stopped-before: CloseRun/aborted");
    for matrix in [&early, &late] {
        assert!(matrix.violations.is_empty(), "{:#?}", matrix.violations[0]);
        assert_eq!(matrix.scenarios, matrix.pairs + 1);
    }
    // What is left of a night when a run closes: the rescuer's look at it, of half a dozen calls at the least.
    assert!(late.pairs > 6 * 5, "{} pairs", late.pairs);
    assert!(early.pairs > 2 * late.pairs, "{} pairs, and {}", early.pairs, late.pairs);
}

#[test]
fn a_thousand_random_nights_break_no_promise() {
    let question = Question { seeds: 1_000, only: Some("no single scenario".to_owned()), pairs: false };
    let matrix = matrix(&question, |_| {}, || {}).expect("it runs");
    assert_eq!((matrix.scenarios, matrix.seeds), (1_000, 1_000));
    assert!(matrix.violations.is_empty(), "{:#?}", matrix.violations[0]);
}
