//! `aws ec2 describe-instances`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use compact_str::CompactString;
use jiff::Timestamp;
use serde::Deserialize;

use super::error::{self, INSTANCES};
use super::{DescribeError, Described, RawTag, attributes, more_pages, region_of, tags};
use crate::inventory::{BlockDevice, Instance, InstanceState, Location, Unknown};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Whole<'a> {
    #[serde(borrow)]
    reservations: Option<Vec<RawReservation<'a>>>,
    #[serde(borrow)]
    next_token: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a reservation, an object")]
pub(super) struct RawReservation<'a> {
    pub(super) owner_id: Option<String>,
    pub(super) reservation_id: Option<CompactString>,
    pub(super) requester_id: Option<CompactString>,
    #[serde(borrow)]
    instances: Option<Vec<RawInstance<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an instance, an object")]
pub(super) struct RawInstance<'a> {
    instance_id: String,
    state: Option<RawState>,
    state_reason: Option<RawReason>,
    pub(super) placement: Option<RawPlacement>,
    pub(super) root_device_name: Option<String>,
    block_device_mappings: Option<Vec<RawMapping>>,
    #[serde(borrow)]
    tags: Option<Vec<RawTag<'a>>>,
    pub(super) architecture: Option<CompactString>,
    pub(super) hypervisor: Option<CompactString>,
    pub(super) iam_instance_profile: Option<RawProfile>,
    pub(super) image_id: Option<CompactString>,
    pub(super) instance_lifecycle: Option<CompactString>,
    pub(super) instance_type: Option<CompactString>,
    pub(super) key_name: Option<CompactString>,
    pub(super) platform: Option<CompactString>,
    pub(super) platform_details: Option<CompactString>,
    pub(super) private_dns_name: Option<CompactString>,
    pub(super) private_ip_address: Option<CompactString>,
    pub(super) public_dns_name: Option<CompactString>,
    pub(super) public_ip_address: Option<CompactString>,
    pub(super) root_device_type: Option<CompactString>,
    pub(super) security_groups: Option<Vec<RawGroup>>,
    pub(super) subnet_id: Option<CompactString>,
    pub(super) virtualization_type: Option<CompactString>,
    pub(super) vpc_id: Option<CompactString>,
    spot_instance_request_id: Option<String>,
    hibernation_options: Option<RawHibernation>,
    network_interfaces: Option<Vec<RawInterface>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "hibernation options, an object")]
struct RawHibernation {
    configured: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a network interface, an object")]
struct RawInterface {
    association: Option<RawAssociation>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an association, an object")]
struct RawAssociation {
    ip_owner_id: Option<String>,
    public_ip: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a state, an object")]
struct RawState {
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a state reason, an object")]
struct RawReason {
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a placement, an object")]
pub(super) struct RawPlacement {
    pub(super) availability_zone: Option<CompactString>,
    pub(super) group_name: Option<CompactString>,
    pub(super) tenancy: Option<CompactString>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a profile, an object")]
pub(super) struct RawProfile {
    pub(super) arn: Option<CompactString>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a security group, an object")]
pub(super) struct RawGroup {
    pub(super) group_id: Option<CompactString>,
    pub(super) group_name: Option<CompactString>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a block device mapping, an object")]
struct RawMapping {
    device_name: Option<String>,
    /// Absent for instance-store volumes.
    ebs: Option<RawEbs>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an EBS volume, an object")]
struct RawEbs {
    volume_id: Option<String>,
    attach_time: Option<Timestamp>,
}

pub(super) fn read<'a>(file: &str, bytes: &'a [u8]) -> Result<Described<Instance>, DescribeError> {
    let take = |whole: &mut Whole<'a>| whole.reservations.take();
    let (whole, reservations) = error::read::<Whole, _>(file, bytes, INSTANCES, take)?;
    let mut items = Vec::new();
    let mut unknown: Vec<Unknown> = more_pages(file, whole.next_token.is_some()).into_iter().collect();
    let mut seen = BTreeSet::new();
    for mut reservation in reservations {
        let Some(instances) = reservation.instances.take() else {
            let id = reservation.reservation_id.as_deref().unwrap_or_default();
            unknown.push(Unknown::new(
                "reservation",
                id,
                None,
                "it has no `Instances`: what is in it is not known",
            ));
            continue;
        };
        for raw in instances {
            let id = raw.instance_id.clone();
            let nameless = nameless(&raw);
            match instance(raw, &reservation) {
                Ok(_) if !seen.insert(id.clone()) => {
                    unknown.push(Unknown::new(
                        "instance",
                        &id,
                        Some(&id),
                        "it is described twice; only the first counts",
                    ));
                }
                Ok(instance) => {
                    unknown.extend(nameless);
                    items.push(instance);
                }
                Err(why) => unknown.push(Unknown::new("instance", &id, Some(&id), why)),
            }
        }
    }
    Ok(Described { items, unknown })
}

/// The EBS volumes of an instance that its block device mapping does not name.
fn nameless(raw: &RawInstance) -> Vec<Unknown> {
    let mappings = raw.block_device_mappings.iter().flatten();
    let nameless = mappings.filter(|mapping| mapping.ebs.as_ref().is_some_and(|ebs| ebs.volume_id.is_none()));
    let unknown = |mapping: &RawMapping| {
        let device = mapping.device_name.as_deref().unwrap_or_default();
        let why =
            "the instance has an EBS volume there, but its id is not recorded; it is missing from the plan";
        Unknown::new("volume", device, Some(&raw.instance_id), why)
    };
    nameless.map(unknown).collect()
}

fn instance(raw: RawInstance, reservation: &RawReservation) -> Result<Instance, String> {
    let name = raw.state.as_ref().and_then(|state| state.name.as_deref());
    let state = match name {
        None => {
            return Err("it has no `State.Name`: whether it still exists is not known, so it is not planned"
                .to_owned());
        }
        Some(name) => InstanceState::from_name(name).ok_or_else(|| {
            format!("its state `{name}` is not one that EC2 documents, so it is not planned")
        })?,
    };
    let attributes = attributes::of(&raw, reservation);
    let zone = raw.placement.as_ref().and_then(|placement| placement.availability_zone.as_deref());
    let location = Location::new(
        reservation.owner_id.clone().unwrap_or_default(),
        zone.and_then(region_of).unwrap_or_default(),
    );
    let device = |mapping: RawMapping| {
        let ebs = mapping.ebs?;
        Some(BlockDevice {
            device: mapping.device_name.unwrap_or_default(),
            volume_id: ebs.volume_id?,
            attached_at: ebs.attach_time,
        })
    };
    // Of Amazon's own pool: an Elastic IP address belongs to an account.
    let associations =
        raw.network_interfaces.into_iter().flatten().filter_map(|interface| interface.association);
    let mut passing = associations.filter(|association| association.ip_owner_id.as_deref() == Some("amazon"));
    Ok(Instance {
        spot_request: raw.spot_instance_request_id.filter(|id| !id.is_empty()),
        hibernation: raw.hibernation_options.and_then(|options| options.configured).unwrap_or_default(),
        passing_address: passing.find_map(|association| association.public_ip),
        id: raw.instance_id,
        location,
        state,
        state_reason: raw.state_reason.and_then(|reason| reason.code),
        root_device: raw.root_device_name,
        devices: raw.block_device_mappings.unwrap_or_default().into_iter().filter_map(device).collect(),
        tags: tags(raw.tags),
        attributes,
    })
}
