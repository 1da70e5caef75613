//! What happened in a scenario, for people: a line for each thing, in the order of time.

use std::rc::Rc;

use jiff::Timestamp;

use super::stage::Stage;
use crate::aws::Called;

/// The states of the first night, what went wrong, how the instances stood, and what was told.
pub(super) fn of(stage: &Stage, calls: &[Called], states: &[(Timestamp, Rc<str>)]) -> Vec<String> {
    let mut lines: Vec<(Timestamp, String)> = Vec::new();
    // The fleet's and the rescuer's looks that find nothing are left out.
    let quiet =
        ["fleet.PlanFleet", "fleet.IsThereWork", "fleet.Planned", "rescue.IsOneDebt", "rescue.FindDebts"];
    let quiet = |place: &str| quiet.contains(&place) || ["rescue.Rescue", "rescue.Looked"].contains(&place);
    let entered = states.iter().filter(|(_, state)| !quiet(state));
    lines.extend(entered.map(|(at, state)| (*at, format!("enters {state}"))));
    let wrong = calls.iter().filter(|call| call.wrong);
    lines.extend(wrong.map(|call| (call.at, format!("{} goes wrong", call.site))));
    lines.extend(stage.acted.borrow().iter().map(|at| (*at, "somebody interferes".to_owned())));
    stage.stopgap.aws.look(|world| {
        for id in &stage.subjects {
            let past = world.machine(id).map(|machine| machine.past.as_slice()).unwrap_or_default();
            let changes = past.iter().filter(|(at, ..)| *at > Timestamp::MIN);
            lines.extend(changes.map(|(at, state, _)| (*at, format!("{id} is {state}"))));
        }
        for (at, notice) in &world.published {
            let text = |name: &str| notice.document[name].as_str().unwrap_or_default().to_owned();
            lines.push((*at, format!("ticket {}: {} ({})", text("kind"), text("action"), text("cause"))));
        }
    });
    lines.sort();
    lines.into_iter().map(|(at, what)| format!("{} {what}", at.strftime("%d %H:%M:%S"))).collect()
}
