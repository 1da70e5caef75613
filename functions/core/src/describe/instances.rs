//! `aws ec2 describe-instances`.

use std::borrow::Cow;

use compact_str::CompactString;
use jiff::Timestamp;
use serde::Deserialize;

use super::error::{self, INSTANCES};
use super::{DescribeError, Described, Found, RawTag, attributes, region_of, scan, tags};
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

fn add(found: &mut Found<Instance>, mut reservation: RawReservation) {
    let Some(instances) = reservation.instances.take() else {
        let id = reservation.reservation_id.as_deref().unwrap_or_default();
        let why = "it has no `Instances`: what is in it is not known";
        found.unknown.push(Unknown::new("reservation", id, None, why));
        return;
    };
    for raw in instances {
        let id = raw.instance_id.clone();
        let nameless = nameless(&raw);
        match instance(raw, &reservation) {
            Ok(instance) => {
                if found.is_first("instance", &id, Some(&id)) {
                    found.unknown.extend(nameless);
                    found.items.push(instance);
                }
            }
            Err(why) => found.unknown.push(Unknown::new("instance", &id, Some(&id), why)),
        }
    }
}

pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Described<Instance>, DescribeError> {
    let mut found = Found::new();
    let read =
        scan::items(bytes, INSTANCES.array, |scanner| scanner.value().map(|item| add(&mut found, item)));
    match read {
        Ok(rest) => Ok(found.end(file, rest.more)),
        // Whatever is odd about it: the ordinary way takes it, or says why not.
        Err(_) => read_whole(file, bytes),
    }
}

/// The same, all reservations at once.
fn read_whole<'a>(file: &str, bytes: &'a [u8]) -> Result<Described<Instance>, DescribeError> {
    let take = |whole: &mut Whole<'a>| whole.reservations.take();
    let (whole, reservations) = error::read::<Whole, _>(file, bytes, INSTANCES, take)?;
    let mut found = Found::new();
    reservations.into_iter().for_each(|reservation| add(&mut found, reservation));
    Ok(found.end(file, whole.next_token.is_some()))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn file() -> String {
        let instance = |n: usize| {
            json!({
                "InstanceId": format!("i-{n}"), "State": { "Code": 16, "Name": "running" }, "Tags": [{ "Key": "Name", "Value": "d\u{e9}" }],
                "Placement": { "AvailabilityZone": "eu-west-1a" }, "BlockDeviceMappings": [{ "DeviceName": "/dev/sda", "Ebs": {} }],
            })
        };
        let reservation =
            |n: usize| json!({ "OwnerId": "111122223333", "Instances": [instance(n), instance(n / 2)] });
        json!({ "Reservations": [reservation(1), reservation(2), { "ReservationId": "r-1" }], "NextToken": "t" }).to_string()
    }

    #[test]
    fn one_by_one_as_much_is_read_as_all_at_once() {
        let (file, both) =
            (file(), |text: &str| (read("f", text.as_bytes()), read_whole("f", text.as_bytes())));
        let (quickly, whole) = both(&file);
        assert_eq!(quickly, whole);
        let Described { items, unknown } = quickly.unwrap();
        // i-0, i-1 and i-2; another page, three devices without a volume, one instance twice, and a reservation without any.
        assert_eq!((items.len(), unknown.len()), (3, 6));
        assert_eq!(unknown[0].kind, "page");
    }

    proptest! {
        #[test]
        fn a_damaged_file_is_read_alike_or_refused_alike(at in 0..1_000_usize, by in "[\\[\\]{}\",:x ]?") {
            let file = file();
            let at = (0..=at % file.len()).rev().find(|at| file.is_char_boundary(*at)).unwrap_or_default();
            let behind = file[at..].char_indices().nth(1).map_or(file.len(), |(next, _)| at + next);
            let damaged = format!("{}{by}{}", &file[..at], &file[behind..]);
            prop_assert_eq!(read("f", damaged.as_bytes()), read_whole("f", damaged.as_bytes()));
        }
    }
}
