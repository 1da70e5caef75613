//! What a preflight is about, and what is found of it.

use jiff::Timestamp;

use super::facts::{Facts, Known};
use super::{Asked, Finding, Found, Report, Verdict};
use crate::inventory::{Instance, Location, Volume};
use crate::policy::Policy;
use crate::ports::{Fault, Ports};
use crate::scaling;
use crate::select::VolumeSelection;

/// How many volumes CreateSnapshots takes at most.
const VOLUMES_MAX: usize = 128;
/// How many data volumes it leaves out at most (`ExcludeDataVolumeIds`).
const LEFT_OUT_MAX: usize = 40;

/// A backup that is about to be made.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The policy that asks for it.
    pub policy: &'a Policy,
    /// The instance.
    pub instance: &'a Instance,
    /// Its volumes, as far as they are known.
    pub volumes: Vec<&'a Volume>,
    /// Which of them the backup contains.
    pub selection: VolumeSelection,
    /// Whether the instance is stopped for it.
    pub stops: bool,
}

/// What is found of a subject, before the policy is asked what follows.
#[derive(Default)]
struct Looked {
    found: Vec<Found>,
    not_known: Vec<String>,
}

impl Subject<'_> {
    /// Whether `finding` is asked of it: not if nothing would follow.
    pub fn asks(&self, finding: Finding) -> bool {
        (self.stops || finding.asked() == Asked::Always)
            && self.policy.preflight.verdict(finding) != Verdict::Ignore
    }

    /// The keys that its volumes are encrypted with: all of them are needed to start it, copied or not.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&str, &str)> {
        self.volumes.iter().filter_map(|volume| Some((volume.id.as_str(), volume.kms_key_id.as_deref()?)))
    }

    /// The instance's type.
    pub(super) fn instance_type(&self) -> Option<&str> {
        self.instance.attribute("instance-type")
    }

    /// Asks what is to be asked, and looks.
    ///
    /// # Errors
    /// As [`Facts::read`].
    pub async fn preflight(&self, ports: Ports<'_>, at: &Location, now: Timestamp) -> Result<Report, Fault> {
        let facts = Facts::read(ports, at, std::slice::from_ref(self)).await?;
        Ok(self.look(&facts, now))
    }

    /// What is found of it, by what is known of it and by `facts`, and what follows. Nothing is found by a fact that was
    /// not asked for.
    pub fn look(&self, facts: &Facts, now: Timestamp) -> Report {
        let mut looked = Looked::default();
        self.look_at_instance(facts, now, &mut looked);
        self.look_at_volumes(facts, &mut looked);
        self.look_at_group(facts, &mut looked);
        let Looked { mut found, mut not_known } = looked;
        found.retain(|found| self.asks(found.finding));
        not_known.sort();
        not_known.dedup();
        Report { findings: self.policy.preflight.judge(found), not_known }
    }

    fn look_at_instance(&self, facts: &Facts, now: Timestamp, looked: &mut Looked) {
        let Instance { id, .. } = self.instance;
        if self.instance.attribute("root-device-type") == Some("instance-store") {
            looked.find(Finding::InstanceStoreRoot, format!("the root device of {id} is an instance store"));
        }
        if self.instance.hibernation {
            looked.find(
                Finding::Hibernation,
                format!("{id} is enabled for hibernation, and is stopped without"),
            );
        }
        if let Some(address) = &self.instance.passing_address {
            let detail = format!("{id} has the address {address}, which is not an Elastic IP address");
            looked.find(Finding::PublicAddressLost, detail);
        }
        if let Some(request) = &self.instance.spot_request {
            let what = |_: &str| format!("whether {id} is of a one-time Spot request");
            match looked.known(&facts.spot_requests, Some(request), what) {
                [] if matches!(facts.spot_requests.get(request), Some(Ok(_))) => {
                    looked.not_known(&what(request), &format!("EC2 does not know {request} any more"));
                }
                [found, ..] if found.one_time => {
                    looked.find(
                        Finding::OneTimeSpot,
                        format!("{id} is of the one-time Spot request {request}"),
                    );
                }
                _ => {}
            }
        }
        let protection = |_: &str| format!("whether {id} has stop protection");
        if looked.known(&facts.stop_protected, Some(id), protection).contains(&true) {
            looked.find(Finding::StopProtected, format!("{id} has stop protection"));
        }
        let storage = |of: &str| format!("whether {of} ({id}) has instance-store volumes");
        for storage in looked.known(&facts.storage, self.instance_type(), storage) {
            let (kind, size) = (&storage.instance_type, storage.size_gb);
            if storage.always {
                let detail =
                    format!("{id} is of the type {kind}, which has {size} GB of instance-store volumes");
                looked.find(Finding::InstanceStoreData, detail);
            } else {
                // EC2 lists a type's instance-store volumes in no description of an instance.
                let what = format!(
                    "whether {id} was launched with the {size} GB of instance-store volumes that {kind} can have"
                );
                looked.not_known(&what, "EC2 does not tell");
            }
        }
        for event in
            looked.known(&facts.events, Some(id), |_| format!("whether EC2 has an event scheduled for {id}"))
        {
            let when = match event.not_before {
                Some(from) if from > now => format!("from {from} on"),
                Some(from) => format!("since {from}"),
                None => "at a time that it does not say".to_owned(),
            };
            let detail = format!("{} of {id} {when} ({})", event.code, event.description);
            looked.find(Finding::MaintenanceEvent, detail);
        }
    }

    fn look_at_group(&self, facts: &Facts, looked: &mut Looked) {
        let (id, name) = (&self.instance.id, self.instance.auto_scaling_group());
        let whether = |group: &str| format!("whether {group} can spare {id}");
        for group in looked.known(&facts.groups, name, whether) {
            looked.found.extend(scaling::found(self.policy, name.unwrap_or_default(), group, id));
        }
    }

    fn look_at_volumes(&self, facts: &Facts, looked: &mut Looked) {
        let id = &self.instance.id;
        let copied = self.selection.ids.len();
        let left_out = self.selection.left_out.keys().filter(|volume| !self.instance.is_root(volume)).count();
        if copied > VOLUMES_MAX {
            looked.find(Finding::TooManyVolumes, format!("{copied} volumes of {id} would be copied"));
        }
        if left_out > LEFT_OUT_MAX {
            looked
                .find(Finding::TooManyVolumes, format!("{left_out} data volumes of {id} would be left out"));
        }
        // Recordings may lack one, and a plan says so; that EC2 does not describe it is another matter.
        for volume in self.selection.unknown.iter().filter(|volume| facts.pending.contains_key(*volume)) {
            looked.not_known(&format!("what {volume} is like"), "there is no description of it");
        }
        for (volume, key) in self.keys() {
            let usable = |key: &str| format!("whether the key {key} of {volume} is enabled");
            for state in looked.known(&facts.keys, Some(key), usable) {
                match state {
                    Some(state) if state.is_unusable() => {
                        let detail =
                            format!("{volume} is encrypted with {key}, which is in the state {}", state.0);
                        looked.find(Finding::KmsKeyUnusable, detail);
                    }
                    None => {
                        let detail =
                            format!("{volume} is encrypted with {key}, which does not exist any more");
                        looked.find(Finding::KmsKeyUnusable, detail);
                    }
                    Some(_) => {}
                }
            }
        }
        for volume in self.volumes.iter().filter(|volume| self.selection.ids.contains(&volume.id)) {
            let (of, kind) = (&volume.id, &volume.volume_type);
            let modified = |_: &str| format!("whether {of} is being modified");
            for change in looked.known(&facts.modifications, Some(of), modified) {
                let progress = change.progress.map(|percent| format!(", {percent} %")).unwrap_or_default();
                looked.find(Finding::VolumeModifying, format!("{of} is {}{progress}", change.state));
            }
            let pending =
                looked.known(&facts.pending, Some(of), |_| format!("how many snapshots of {of} are pending"));
            let allowed = pending_allowed(kind);
            if pending.len() >= allowed {
                let detail = format!(
                    "{} snapshots of {of} ({kind}) are pending, and EC2 allows {allowed}",
                    pending.len()
                );
                looked.find(Finding::PendingSnapshots, detail);
            }
        }
    }
}

/// How many snapshots of a volume of this type may be pending at once, as the EBS quotas have it.
fn pending_allowed(volume_type: &str) -> usize {
    match volume_type {
        "st1" | "sc1" => 1,
        _ => 5,
    }
}

impl Looked {
    fn find(&mut self, finding: Finding, detail: String) {
        self.found.push(Found::new(finding, detail));
    }

    fn not_known(&mut self, what: &str, why: &str) {
        self.not_known.push(format!("not known {what}: {why}"));
    }

    /// The facts of `of`: none if they were not asked for, and none but a note if they could not be found out.
    fn known<'f, T>(
        &mut self,
        facts: &'f Known<T>,
        of: Option<&str>,
        what: impl FnOnce(&str) -> String,
    ) -> &'f [T] {
        let Some((of, fact)) = of.and_then(|of| facts.get(of).map(|fact| (of, fact))) else { return &[] };
        match fact {
            Ok(facts) => facts,
            Err(why) => {
                self.not_known(&what(of), why);
                &[]
            }
        }
    }
}
