//! What moto does wrong, by the contract that it breaks.
//!
//! A contract that is listed here is run on moto like any other. It has to fail, with the words that are given; when moto
//! has mended the fault, the test says so.

/// A fault of moto's.
pub(crate) struct Fault {
    /// The contract that it breaks.
    pub(crate) contract: &'static str,
    /// What the broken contract says: a part of the message of its panic.
    pub(crate) says: &'static str,
    /// What moto does instead of what AWS documents.
    pub(crate) why: &'static str,
}

/// The faults of moto 5.2.5.
pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        contract: "standby_below_the_minimum_is_rejected",
        says: "left: Ok(())",
        why: "EnterStandby does not look at the group's minimum.",
    },
    Fault {
        contract: "standby_of_what_is_in_standby_is_rejected",
        says: "left: Ok(())",
        why: "EnterStandby does not look at the member's state, and decrements the capacity again.",
    },
    Fault {
        contract: "leaving_standby_without_being_in_it_is_rejected",
        says: "left: Ok(())",
        why: "ExitStandby does not look at the member's state, and increments the capacity.",
    },
    Fault {
        contract: "standby_of_what_is_no_member_is_rejected",
        says: "left: Ok(())",
        why: "EnterStandby passes over what is not in the group.",
    },
    Fault {
        contract: "changing_a_group_nobody_knows_is_rejected",
        says: "left: [Err(Unavailable), Err(Unavailable), Err(Unavailable), Err(Unavailable)]",
        why: "It fails with a KeyError, which is status 500, where Auto Scaling has a ValidationError.",
    },
    Fault {
        contract: "stopping_what_is_terminated_is_a_conflict",
        says: "left: Ok(StateChange { from: Terminated",
        why: "StopInstances takes a terminated instance, where EC2 has IncorrectInstanceState.",
    },
    Fault {
        contract: "starting_what_is_terminated_is_a_conflict",
        says: "left: Ok(StateChange { from: Terminated",
        why: "StartInstances brings a terminated instance back to life, where EC2 has IncorrectInstanceState.",
    },
    Fault {
        contract: "stopping_what_is_stopped_is_no_error",
        says: "left: (Stopped, Stopping)",
        why: "StopInstances always answers that the instance is stopping.",
    },
    Fault {
        contract: "starting_what_runs_is_no_error",
        says: "left: (Running, Pending)",
        why: "StartInstances always answers that the instance is pending.",
    },
    Fault {
        contract: "leaving_out_the_root_as_a_data_volume_is_rejected",
        says: "left: Ok([CreatedSnapshot",
        why: "CreateSnapshots does not check ExcludeDataVolumeIds.",
    },
    Fault {
        contract: "more_tags_than_a_snapshot_may_have_make_no_snapshot",
        says: "left: [Snapshot {",
        why: "CreateSnapshots makes the snapshot and then finds that it has too many tags; on AWS it is all or nothing.",
    },
    Fault {
        contract: "a_reserved_tag_makes_no_snapshot",
        says: "left: Ok([CreatedSnapshot",
        why: "Tags that begin with `aws:` are taken.",
    },
    Fault {
        contract: "a_subject_of_two_lines_is_rejected",
        says: "left: Ok(())",
        why: "SNS publishes whatever subject, if it is not too long.",
    },
    Fault {
        contract: "a_transaction_without_a_write_is_rejected",
        says: "left: Ok(Done)",
        why: "TransactWriteItems takes no items at all, where DynamoDB has a ValidationException.",
    },
    Fault {
        contract: "an_instance_is_registered_once_for_each_port",
        says: "healthy targets",
        why: "A target group has each target once, whatever its ports.",
    },
    Fault {
        contract: "deregistering_what_is_not_registered_is_no_error",
        says: "left: Err(Rejected)",
        why: "DeregisterTargets fails with InvalidTarget, where it returns successfully on AWS.",
    },
];

#[test]
fn every_fault_is_of_one_contract_and_told_once() {
    let contracts = [
        crate::accounts::NAMES,
        crate::alarms::NAMES,
        crate::auto_scaling::NAMES,
        crate::callbacks::NAMES,
        crate::executions::NAMES,
        crate::instances::NAMES,
        crate::load_balancers::NAMES,
        crate::plans_and_tickets::NAMES,
        crate::preflight::NAMES,
        crate::snapshots::NAMES,
        crate::table::NAMES,
    ]
    .concat();
    for (n, fault) in FAULTS.iter().enumerate() {
        assert!(contracts.contains(&fault.contract), "{} is no contract", fault.contract);
        assert!(FAULTS[..n].iter().all(|other| other.contract != fault.contract), "{} twice", fault.contract);
        assert!(!fault.says.is_empty() && !fault.why.is_empty(), "{}", fault.contract);
    }
}
