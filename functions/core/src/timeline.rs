//! What happened in a run, for people: read off its document.

use jiff::Timestamp;

use crate::tasks::Document;
use crate::ticket::Moment;

/// The moments of a run so far, oldest first.
pub fn of(document: &Document) -> Vec<Moment> {
    let answer = |at: Option<Timestamp>, what: &str| at.map(|at| Moment { at, what: what.to_owned() });
    let snapshots = document.snapshots.as_ref().map(|answer| &answer.payload);
    let made = snapshots.map_or_else(String::new, |made| format!("{} snapshots begun", made.snapshots.len()));
    let moments = [
        answer(document.prepared.as_ref().map(|a| a.payload.at), "instance leased, restart promised"),
        answer(document.standby.as_ref().map(|a| a.payload.at), "kept from Auto Scaling"),
        answer(document.deregistered.as_ref().map(|a| a.payload.at), "out of its load balancers"),
        answer(document.silenced.as_ref().map(|a| a.payload.at), "alarms silenced"),
        answer(document.stop.as_ref().map(|a| a.payload.at), "stop asked for"),
        answer(document.stopped.map(|a| a.at), "seen stopped"),
        answer(snapshots.map(|made| made.at), &made),
        answer(document.start.as_ref().map(|a| a.payload.at), "start asked for"),
        answer(document.running.map(|a| a.at), "seen running"),
        answer(document.registered.as_ref().map(|a| a.payload.at), "healthy in its load balancers"),
        answer(document.confirmed.as_ref().map(|a| a.payload.at), "restart confirmed"),
        answer(document.restored.as_ref().map(|a| a.payload.at), "alarms restored"),
        answer(document.completed.map(|a| a.at), "all snapshots completed"),
        answer(document.tags.as_ref().map(|a| a.payload.at), "tags copied"),
    ];
    let mut moments: Vec<Moment> = moments.into_iter().flatten().collect();
    // EC2 tells whole seconds. Within one second the order is that of the run: nothing is copied before it was seen stopped.
    moments.sort_by_key(|moment| moment.at.as_second());
    moments
}
