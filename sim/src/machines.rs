//! The shipped state machines, as the files in `statemachine/` have them.

use std::collections::BTreeMap;
use std::rc::Rc;

use stopgap_core::tasks;

use crate::asl::{StateMachine, substitute};

/// `statemachine/fleet.asl.json`: plans, and dispatches runs.
pub const FLEET: &str = include_str!("../../statemachine/fleet.asl.json");
/// `statemachine/instance.asl.json`: one backup of one instance.
pub const INSTANCE: &str = include_str!("../../statemachine/instance.asl.json");

/// The ARN that Step Functions gives to the instance machine here.
const INSTANCE_ARN: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:instance";

/// `statemachine/rescue.asl.json`: gives back the instances that no run looks after any more.
pub const RESCUE: &str = include_str!("../../statemachine/rescue.asl.json");

/// The machines of a deployment, ready to run. Reading them takes longer than a night that they run, so they are shared.
#[derive(Clone)]
pub struct Machines {
    /// Plans, and dispatches runs.
    pub fleet: Rc<StateMachine>,
    /// One backup of one instance.
    pub instance: Rc<StateMachine>,
    /// Gives instances back.
    pub rescue: Rc<StateMachine>,
}

impl Machines {
    /// Those that are shipped.
    ///
    /// # Errors
    /// What is wrong with a file.
    pub fn shipped() -> Result<Self, String> {
        Self::read(FLEET, INSTANCE, RESCUE)
    }

    /// Those of these texts.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub fn read(fleet: &str, instance: &str, rescue: &str) -> Result<Self, String> {
        Ok(Self {
            fleet: Rc::new(resolve(fleet, &[("InstanceMachine", INSTANCE_ARN)])?),
            instance: Rc::new(resolve(instance, &[])?),
            rescue: Rc::new(resolve(rescue, &[])?),
        })
    }
}

/// The name that states and placeholders give to a function: `StopInstance` for `stop-instance`.
pub fn state_name(function: &str) -> String {
    let capitalised = function.split('-').map(|part| {
        let mut letters = part.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    });
    capitalised.collect()
}

/// A machine with its placeholders resolved: functions by their own names, and `others`.
///
/// # Errors
/// What is wrong with the file, in words, one mistake a line.
pub fn resolve(text: &str, others: &[(&str, &str)]) -> Result<StateMachine, String> {
    let functions = tasks::NAMES.iter().map(|name| (state_name(name), (*name).to_owned()));
    let others = others.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    // A deployment gives each machine just what it names, and so does this.
    let values: BTreeMap<String, String> =
        functions.chain(others).filter(|(name, _)| text.contains(&format!("${{{name}}}"))).collect();
    let text = substitute(text, &values).map_err(|e| e.to_string())?;
    StateMachine::parse(&text)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}
