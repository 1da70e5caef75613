//! From the SDK's types to ours. What AWS may leave out may be missing; what cannot be done without is a malformed answer.

use aws_sdk_ec2::primitives::DateTime;
use aws_sdk_ec2::types::{self, Reservation, SnapshotInfo, Tag};
use jiff::Timestamp;
use stopgap_core::inventory::{
    Attachment, Attributes, BlockDevice, Instance, InstanceState, Location, Snapshot, SnapshotState, Tags,
    Volume,
};
use stopgap_core::ports::{CreatedSnapshot, Fault, FaultKind, ScheduledEvent};

/// The state that EC2 calls `name`.
pub(super) fn state(name: &str) -> Option<InstanceState> {
    InstanceState::from_name(name)
}

fn needed<T>(operation: &'static str, value: Option<T>, what: &str) -> Result<T, Fault> {
    value.ok_or_else(|| Fault::new(operation, FaultKind::Malformed, format!("the answer lacks {what}")))
}

fn time(time: Option<&DateTime>) -> Option<Timestamp> {
    let time = time?;
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}

fn tags(tags: &[Tag]) -> Tags {
    let pair = |tag: &Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
    tags.iter().filter_map(pair).collect()
}

pub(super) fn instance(
    operation: &'static str,
    at: &Location,
    reservation: &Reservation,
    instance: &types::Instance,
) -> Result<Instance, Fault> {
    let id = needed(operation, instance.instance_id(), "an instance's id")?.to_owned();
    let name = instance.state().and_then(|state| state.name()).map(|name| name.as_str());
    let state = needed(operation, name.and_then(state), &format!("a known state of {id}"))?;
    let device = |mapping: &types::InstanceBlockDeviceMapping| {
        let ebs = mapping.ebs()?;
        Some(BlockDevice {
            device: mapping.device_name().unwrap_or_default().to_owned(),
            volume_id: ebs.volume_id()?.to_owned(),
            attached_at: time(ebs.attach_time()),
        })
    };
    Ok(Instance {
        location: at.clone(),
        state,
        state_reason: instance.state_reason().and_then(|reason| reason.code()).map(str::to_owned),
        root_device: instance.root_device_name().map(str::to_owned),
        devices: instance.block_device_mappings().iter().filter_map(device).collect(),
        tags: tags(instance.tags()),
        attributes: attributes(reservation, instance),
        spot_request: instance.spot_instance_request_id().filter(|id| !id.is_empty()).map(str::to_owned),
        hibernation: instance
            .hibernation_options()
            .and_then(|options| options.configured())
            .unwrap_or_default(),
        passing_address: passing_address(instance),
        id,
    })
}

/// The public address that is of Amazon's own pool: an Elastic IP address belongs to an account.
fn passing_address(instance: &types::Instance) -> Option<String> {
    let mut associations =
        instance.network_interfaces().iter().filter_map(|interface| interface.association());
    let passing = associations.find(|association| association.ip_owner_id() == Some("amazon"))?;
    passing.public_ip().map(str::to_owned)
}

/// The events of an instance that are not over. EC2 goes on telling of one for up to a week after, with a word before its
/// description.
pub(super) fn events(status: &types::InstanceStatus) -> Vec<ScheduledEvent> {
    let over =
        |description: &str| ["[Completed]", "[Canceled]"].iter().any(|word| description.starts_with(word));
    let event = |event: &types::InstanceStatusEvent| {
        let description = event.description().unwrap_or_default();
        (!over(description)).then_some(())?;
        Some(ScheduledEvent {
            instance_id: status.instance_id()?.to_owned(),
            code: event.code()?.as_str().to_owned(),
            description: description.to_owned(),
            not_before: time(event.not_before()),
        })
    };
    status.events().iter().filter_map(event).collect()
}

/// What DescribeInstances filters see of an instance: the names of `stopgap_core::select::FILTERS` that are not told by
/// other fields.
fn attributes(reservation: &Reservation, instance: &types::Instance) -> Attributes {
    let placement = instance.placement();
    let single = [
        ("architecture", instance.architecture().map(|value| value.as_str())),
        ("availability-zone", placement.and_then(|placement| placement.availability_zone())),
        ("dns-name", instance.public_dns_name()),
        ("hypervisor", instance.hypervisor().map(|value| value.as_str())),
        ("iam-instance-profile.arn", instance.iam_instance_profile().and_then(|profile| profile.arn())),
        ("image-id", instance.image_id()),
        ("instance-lifecycle", instance.instance_lifecycle().map(|value| value.as_str())),
        ("instance-type", instance.instance_type().map(|value| value.as_str())),
        ("ip-address", instance.public_ip_address()),
        ("key-name", instance.key_name()),
        ("placement-group-name", placement.and_then(|placement| placement.group_name())),
        ("platform", instance.platform().map(|value| value.as_str())),
        ("platform-details", instance.platform_details()),
        ("private-dns-name", instance.private_dns_name()),
        ("private-ip-address", instance.private_ip_address()),
        ("requester-id", reservation.requester_id()),
        ("reservation-id", reservation.reservation_id()),
        ("root-device-type", instance.root_device_type().map(|value| value.as_str())),
        ("subnet-id", instance.subnet_id()),
        ("tenancy", placement.and_then(|placement| placement.tenancy()).map(|value| value.as_str())),
        ("virtualization-type", instance.virtualization_type().map(|value| value.as_str())),
        ("vpc-id", instance.vpc_id()),
    ];
    let many = instance.security_groups().iter().flat_map(|group| {
        [("instance.group-id", group.group_id()), ("instance.group-name", group.group_name())]
    });
    single.into_iter().chain(many).collect()
}

pub(super) fn volume(operation: &'static str, volume: types::Volume) -> Result<Volume, Fault> {
    let attachment = |attachment: &types::VolumeAttachment| {
        // As in the recordings: what is being detached is attached no longer.
        let gone = matches!(
            attachment.state(),
            Some(types::VolumeAttachmentState::Detached | types::VolumeAttachmentState::Detaching)
        );
        (!gone).then(|| {
            Some(Attachment {
                instance_id: attachment.instance_id()?.to_owned(),
                device: attachment.device().unwrap_or_default().to_owned(),
                attached_at: time(attachment.attach_time()),
            })
        })?
    };
    Ok(Volume {
        size_gib: volume.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
        volume_type: volume.volume_type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        kms_key_id: volume.kms_key_id().map(str::to_owned),
        tags: tags(volume.tags()),
        attachments: volume.attachments().iter().filter_map(attachment).collect(),
        id: needed(operation, volume.volume_id, "a volume's id")?,
    })
}

pub(super) fn snapshot(operation: &'static str, snapshot: types::Snapshot) -> Result<Snapshot, Fault> {
    let id = needed(operation, snapshot.snapshot_id(), "a snapshot's id")?.to_owned();
    let state = snapshot.state().and_then(|state| SnapshotState::from_name(state.as_str()));
    Ok(Snapshot {
        owner: snapshot.owner_id().map(str::to_owned),
        volume_id: snapshot.volume_id().unwrap_or_default().to_owned(),
        state: needed(operation, state, &format!("a known state of {id}"))?,
        started_at: needed(operation, time(snapshot.start_time()), &format!("the start time of {id}"))?,
        size_gib: snapshot.volume_size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
        description: snapshot.description().unwrap_or_default().to_owned(),
        tags: tags(snapshot.tags()),
        id,
    })
}

pub(super) fn created(operation: &'static str, made: SnapshotInfo) -> Result<CreatedSnapshot, Fault> {
    Ok(CreatedSnapshot {
        started_at: needed(operation, time(made.start_time()), "a snapshot's start time")?,
        id: needed(operation, made.snapshot_id, "a snapshot's id")?,
        volume_id: needed(operation, made.volume_id, "a snapshot's volume")?,
    })
}

#[cfg(test)]
mod tests {
    use stopgap_core::select::FILTERS;

    use super::*;

    /// An instance that has everything.
    fn whole() -> (Reservation, types::Instance) {
        let reservation = Reservation::builder().reservation_id("r-1").requester_id("1").build();
        let placement = types::Placement::builder()
            .availability_zone("eu-west-1a")
            .group_name("near")
            .tenancy(types::Tenancy::Default);
        let instance = types::Instance::builder()
            .instance_id("i-1")
            .state(types::InstanceState::builder().name(types::InstanceStateName::Running).build())
            .architecture(types::ArchitectureValues::Arm64)
            .hypervisor(types::HypervisorType::Xen)
            .iam_instance_profile(types::IamInstanceProfile::builder().arn("arn:profile").build())
            .image_id("ami-1")
            .instance_lifecycle(types::InstanceLifecycleType::Spot)
            .instance_type(types::InstanceType::T3Micro)
            .key_name("key")
            .placement(placement.build())
            .platform(types::PlatformValues::Windows)
            .platform_details("Windows")
            .private_dns_name("ip-10-0-0-1")
            .private_ip_address("10.0.0.1")
            .public_dns_name("ec2-1")
            .public_ip_address("192.0.2.1")
            .root_device_type(types::DeviceType::Ebs)
            .security_groups(types::GroupIdentifier::builder().group_id("sg-1").group_name("web").build())
            .subnet_id("subnet-1")
            .virtualization_type(types::VirtualizationType::Hvm)
            .vpc_id("vpc-1");
        (reservation, instance.build())
    }

    #[test]
    fn every_filter_that_a_policy_may_name_can_be_answered() {
        let (reservation, instance) = whole();
        let attributes = attributes(&reservation, &instance);
        // What other fields of our `Instance` tell.
        let elsewhere = [
            "instance-id",
            "instance-state-name",
            "owner-id",
            "root-device-name",
            "block-device-mapping.device-name",
            "block-device-mapping.volume-id",
        ];
        for filter in FILTERS.iter().filter(|filter| !elsewhere.contains(filter)) {
            assert!(attributes.values(filter).next().is_some(), "{filter} is never answered");
        }
        for name in attributes.names() {
            assert!(FILTERS.contains(&name), "{name} is no filter");
        }
    }

    #[test]
    fn an_instance_without_a_state_is_a_malformed_answer() {
        let (reservation, _) = whole();
        let stateless = types::Instance::builder().instance_id("i-2").build();
        let at = Location { account: "123456789012".into(), region: "eu-west-1".into(), role: None };
        let fault = instance("DescribeInstances", &at, &reservation, &stateless).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Malformed);
        assert!(fault.message.contains("i-2"), "{fault}");
    }
}
