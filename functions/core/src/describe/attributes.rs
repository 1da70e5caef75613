//! What DescribeInstances filters see of a described instance (see [`crate::select::FILTERS`]).

use compact_str::CompactString;

use super::instances::{RawInstance, RawReservation};
use crate::inventory::Attributes;

/// Filter names with their values, for what the instance says.
///
/// `instance-lifecycle` and `tenancy` follow the API: EC2 leaves the lifecycle out for on-demand instances, and the
/// filter knows no value for them either.
pub(super) fn of(raw: &RawInstance, reservation: &RawReservation) -> Attributes {
    let placement = raw.placement.as_ref();
    let single = [
        ("architecture", &raw.architecture),
        ("availability-zone", placement.map_or(&None, |placement| &placement.availability_zone)),
        ("dns-name", &raw.public_dns_name),
        ("hypervisor", &raw.hypervisor),
        ("iam-instance-profile.arn", raw.iam_instance_profile.as_ref().map_or(&None, |profile| &profile.arn)),
        ("image-id", &raw.image_id),
        ("instance-lifecycle", &raw.instance_lifecycle),
        ("instance-type", &raw.instance_type),
        ("ip-address", &raw.public_ip_address),
        ("key-name", &raw.key_name),
        ("placement-group-name", placement.map_or(&None, |placement| &placement.group_name)),
        ("platform", &raw.platform),
        ("platform-details", &raw.platform_details),
        ("private-dns-name", &raw.private_dns_name),
        ("private-ip-address", &raw.private_ip_address),
        ("requester-id", &reservation.requester_id),
        ("reservation-id", &reservation.reservation_id),
        ("root-device-type", &raw.root_device_type),
        ("subnet-id", &raw.subnet_id),
        ("tenancy", placement.map_or(&None, |placement| &placement.tenancy)),
        ("virtualization-type", &raw.virtualization_type),
        ("vpc-id", &raw.vpc_id),
    ];
    let groups = raw.security_groups.iter().flatten();
    let many = groups.flat_map(|group| {
        [("instance.group-id", &group.group_id), ("instance.group-name", &group.group_name)]
    });
    let attributes = single.into_iter().chain(many);
    attributes.map(|(name, value)| (name, value.as_ref().map(CompactString::as_str))).collect()
}
