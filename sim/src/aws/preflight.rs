//! What a preflight asks of EC2 and KMS, and what would go wrong without one.

use async_trait::async_trait;
use stopgap_core::inventory::Location;
use stopgap_core::ports::{
    Fault, FaultKind, InstanceStorage, KeyState, Keys, Modification, Page, ScheduledEvent, SpotRequest,
};

use super::Aws;
use super::budget::Budget;
use super::faults::FaultName;
use super::world::{Machine, Place};

/// Everything on one page.
fn whole<T>(items: Vec<T>) -> Page<T> {
    Page { items, next: None }
}

/// Why EC2 does not stop this one, if so.
pub(super) fn never_stops(machine: &Machine, place: &Place) -> Option<Fault> {
    const OPERATION: &str = "StopInstances";
    let instance = &machine.instance;
    let id = &instance.id;
    if machine.faults.contains(&FaultName::StopProtected) {
        let message = format!(
            "OperationNotPermitted: The instance '{id}' may not be stopped. Modify its 'disableApiStop' instance attribute"
        );
        return Some(Fault::new(OPERATION, FaultKind::Rejected, message));
    }
    let one_time =
        instance.spot_request.as_ref().and_then(|request| place.spot_requests.get(request)) == Some(&true);
    let kind = if instance.attribute("root-device-type") == Some("instance-store") {
        "does not have an 'ebs' root device type and cannot be stopped"
    } else if one_time {
        "is a one-time Spot instance and cannot be stopped"
    } else {
        return None;
    };
    let message = format!("UnsupportedOperation: The instance '{id}' {kind}.");
    Some(Fault::new(OPERATION, FaultKind::Rejected, message))
}

/// Whether KMS opens all volumes of this one, as a start needs.
pub(super) fn opens(machine: &Machine, place: &Place) -> bool {
    let volumes = machine.instance.devices.iter().filter_map(|device| place.volumes.get(&device.volume_id));
    let mut keys = volumes.filter_map(|volume| volume.kms_key_id.as_ref());
    keys.all(|key| place.keys.get(key).is_some_and(|state| !state.is_unusable()))
}

/// How many snapshots of a volume of this type may be pending at once.
pub(super) fn pending_allowed(volume_type: &str) -> usize {
    if matches!(volume_type, "st1" | "sc1") { 1 } else { 5 }
}

impl Aws {
    /// One request, and what it finds there.
    async fn asked<T>(
        &self,
        operation: &'static str,
        at: &Location,
        look: impl FnOnce(&Place) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.request(operation, at, Budget::Describe).await?;
        self.change(|world| look(world.places.entry(at.clone()).or_default()))
    }

    pub(super) async fn stop_protection(&self, at: &Location, id: &str) -> Result<bool, Fault> {
        self.asked("DescribeInstanceAttribute", at, |place| {
            let machine = place.machines.get(id).ok_or_else(|| {
                let message = format!("InvalidInstanceID.NotFound: The instance ID '{id}' does not exist");
                Fault::new("DescribeInstanceAttribute", FaultKind::NotFound, message)
            })?;
            Ok(machine.faults.contains(&FaultName::StopProtected))
        })
        .await
    }

    pub(super) async fn events_of(
        &self,
        at: &Location,
        ids: &[String],
    ) -> Result<Vec<ScheduledEvent>, Fault> {
        self.asked("DescribeInstanceStatus", at, |place| {
            Ok(place.events.iter().filter(|event| ids.contains(&event.instance_id)).cloned().collect())
        })
        .await
    }

    pub(super) async fn modifications_of(
        &self,
        at: &Location,
        ids: &[String],
    ) -> Result<Page<Modification>, Fault> {
        self.asked("DescribeVolumesModifications", at, |place| {
            Ok(whole(
                place
                    .modifications
                    .iter()
                    .filter(|change| ids.contains(&change.volume_id))
                    .cloned()
                    .collect(),
            ))
        })
        .await
    }

    pub(super) async fn storage_of(
        &self,
        at: &Location,
        types: &[String],
    ) -> Result<Page<InstanceStorage>, Fault> {
        self.asked("DescribeInstanceTypes", at, |place| {
            let storage = place.storage.iter().filter(|storage| types.contains(&storage.instance_type));
            Ok(whole(storage.cloned().collect()))
        })
        .await
    }

    pub(super) async fn spot_requests_of(
        &self,
        at: &Location,
        ids: &[String],
    ) -> Result<Page<SpotRequest>, Fault> {
        self.asked("DescribeSpotInstanceRequests", at, |place| {
            let known = place.spot_requests.iter().filter(|(id, _)| ids.contains(id));
            Ok(whole(
                known.map(|(id, one_time)| SpotRequest { id: id.clone(), one_time: *one_time }).collect(),
            ))
        })
        .await
    }
}

#[async_trait(?Send)]
impl Keys for Aws {
    async fn key_state(&self, at: &Location, key_id: &str) -> Result<KeyState, Fault> {
        self.asked("DescribeKey", at, |place| {
            place.keys.get(key_id).cloned().ok_or_else(|| {
                let message = format!("NotFoundException: Key '{key_id}' does not exist");
                Fault::new("DescribeKey", FaultKind::NotFound, message)
            })
        })
        .await
    }
}
