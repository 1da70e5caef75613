use proptest::prelude::*;

use super::*;
use crate::inventory::{InstanceState, Location};

#[test]
fn the_region_comes_from_any_kind_of_zone() {
    for (zone, region) in [
        ("us-east-1a", Some("us-east-1")),
        ("ap-southeast-2c", Some("ap-southeast-2")),
        ("us-gov-west-1b", Some("us-gov-west-1")),
        ("us-west-2-lax-1a", Some("us-west-2")),
        ("us-east-1-wl1-bos-wlz-1", Some("us-east-1")),
        ("eu-central-1-ham-1a", Some("eu-central-1")),
        ("us-iso-east-1a", Some("us-iso-east-1")),
        ("", None),
        ("nowhere", None),
        ("us-east", None),
        ("-1a", None),
        ("1a", None),
    ] {
        assert_eq!(region_of(zone).as_deref(), region, "{zone}");
    }
}

#[test]
fn an_instance_is_read_with_its_place_volumes_tags_and_attributes() {
    let text = r#"{"Reservations": [{"OwnerId": "123456789012", "ReservationId": "r-1", "Groups": [], "Instances": [{
        "InstanceId": "i-1", "InstanceType": "m5.large", "State": {"Code": 80, "Name": "stopped"},
        "StateReason": {"Code": "Client.UserInitiatedShutdown", "Message": "x"},
        "Placement": {"AvailabilityZone": "us-west-2-lax-1a", "GroupName": ""},
        "RootDeviceName": "/dev/xvda", "BlockDeviceMappings": [
            {"DeviceName": "/dev/xvda", "Ebs": {"VolumeId": "vol-1", "AttachTime": "2026-01-02T03:04:05+00:00"}},
            {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"},
            {"DeviceName": "/dev/sdc", "Ebs": {"VolumeId": "vol-2"}}],
        "SecurityGroups": [{"GroupId": "sg-1", "GroupName": "a"}, {"GroupId": "sg-2", "GroupName": "b"}],
        "Tags": [{"Key": "Name", "Value": "w\u00e9b"}, {"Key": "Empty"}]}]}]}"#;
    let described = instances("instances.json", text.as_bytes()).unwrap();
    assert_eq!(described.unknown, []);
    let instance = &described.items[0];
    assert_eq!(instance.location, Location::new("123456789012", "us-west-2"));
    assert_eq!((instance.state, instance.name()), (InstanceState::Stopped, Some("wéb")));
    assert_eq!(instance.state_reason.as_deref(), Some("Client.UserInitiatedShutdown"));
    assert_eq!(instance.tags.get("Empty").map(String::as_str), Some(""));
    let devices: Vec<_> = instance.devices.iter().map(|d| (d.volume_id.as_str(), d.attached_at)).collect();
    assert_eq!(devices, [("vol-1", "2026-01-02T03:04:05Z".parse().ok()), ("vol-2", None)]);
    assert!(instance.is_root("vol-1") && !instance.is_root("vol-2"));
    let values = |name| instance.attributes.values(name).collect::<Vec<_>>();
    assert_eq!(values("instance-type"), ["m5.large"]);
    assert_eq!(values("instance.group-id"), ["sg-1", "sg-2"]);
    assert_eq!(instance.attribute("placement-group-name"), None);
}

#[test]
fn every_attribute_is_a_filter_that_a_policy_may_use() {
    let text = r#"{"Reservations": [{"OwnerId": "1", "ReservationId": "x", "RequesterId": "x", "Instances": [{
        "InstanceId": "i-1", "State": {"Name": "running"}, "Architecture": "x", "Hypervisor": "x", "ImageId": "x",
        "IamInstanceProfile": {"Arn": "x"}, "InstanceLifecycle": "x", "InstanceType": "x", "KeyName": "x",
        "Placement": {"AvailabilityZone": "x", "GroupName": "x", "Tenancy": "x"}, "Platform": "x",
        "PlatformDetails": "x", "PrivateDnsName": "x", "PrivateIpAddress": "x", "PublicDnsName": "x",
        "PublicIpAddress": "x", "RootDeviceName": "x", "RootDeviceType": "x", "SubnetId": "x", "VpcId": "x",
        "VirtualizationType": "x", "SecurityGroups": [{"GroupId": "x", "GroupName": "x"}]}]}]}"#;
    let described = instances("instances.json", text.as_bytes()).unwrap();
    let mut answered: Vec<&str> = described.items[0].attributes.names().collect();
    answered.sort_unstable();
    // Those that are answered from the instance's own fields.
    let own = |name: &&str| {
        name.starts_with("block-device-mapping.")
            || ["instance-id", "instance-state-name", "owner-id", "root-device-name"].contains(name)
    };
    let expected: Vec<&str> = crate::select::FILTERS.iter().copied().filter(|name| !own(name)).collect();
    assert_eq!(answered, expected);
}

#[test]
fn holes_lose_nothing_but_what_is_missing() {
    let text = r#"{"Reservations": [
        {"Instances": [{"InstanceId": "i-1", "State": {"Name": "running"}, "Tags": null, "Placement": {}}]},
        {"OwnerId": "1", "Instances": [{"InstanceId": "i-2"}, {"InstanceId": "i-3", "State": {"Name": "dreaming"}},
            {"InstanceId": "i-1", "State": {"Name": "running"}}]},
        {"OwnerId": "1"}], "NextToken": "abc"}"#;
    let described = instances("instances.json", text.as_bytes()).unwrap();
    assert_eq!(described.items.len(), 1);
    assert!(!described.items[0].location.is_known());
    let unknown: Vec<(&str, &str)> =
        described.unknown.iter().map(|u| (u.kind.as_str(), u.id.as_str())).collect();
    assert_eq!(
        unknown,
        [
            ("page", "instances.json"),
            ("instance", "i-2"),
            ("instance", "i-3"),
            ("instance", "i-1"),
            ("reservation", "")
        ]
    );
}

#[test]
fn volumes_and_snapshots_are_read_with_their_holes() {
    let text = r#"{"Volumes": [{"VolumeId": "vol-1", "Size": 8, "VolumeType": "gp3", "Attachments": [
        {"InstanceId": "i-1", "Device": "/dev/xvda", "State": "attached"}, {"InstanceId": "i-2", "State": "detached"}]},
        {"VolumeId": "vol-2"}, {"VolumeId": "vol-1"}]}"#;
    let described = volumes("volumes.json", text.as_bytes()).unwrap();
    assert_eq!((described.items.len(), described.unknown.len()), (2, 1));
    assert!(described.unknown[0].why.contains("described twice"));
    assert_eq!(described.items[0].attachments.len(), 1);
    assert_eq!(described.items[1].size_gib, 0);

    let text = r#"{"Snapshots": [{"SnapshotId": "snap-1", "OwnerId": "", "State": "completed", "VolumeSize": 8,
        "StartTime": "2026-01-02T03:04:05.678Z", "Tags": [{"Key": "a", "Value": "b"}]}, {"SnapshotId": "snap-2"},
        {"SnapshotId": "snap-3", "State": "dreaming", "StartTime": "2026-01-02T03:04:05.678Z"}]}"#;
    let described = snapshots("snapshots.json", text.as_bytes()).unwrap();
    assert_eq!((described.items.len(), described.items[0].owner.as_deref()), (1, None));
    assert_eq!((described.unknown[0].id.as_str(), described.unknown[1].id.as_str()), ("snap-2", "snap-3"));
}

#[test]
fn a_volume_without_an_id_is_reported_with_its_device() {
    let text = r#"{"Reservations": [{"OwnerId": "1", "Instances": [{"InstanceId": "i-1", "State": {"Name": "running"},
        "BlockDeviceMappings": [{"DeviceName": "/dev/sdb", "Ebs": {}}, {"DeviceName": "/dev/sdc"}]}]}]}"#;
    let described = instances("instances.json", text.as_bytes()).unwrap();
    let unknown: Vec<_> =
        described.unknown.iter().map(|u| (&*u.kind, &*u.id, u.instance_id.as_deref())).collect();
    assert_eq!(unknown, [("volume", "/dev/sdb", Some("i-1"))]);
}

#[test]
fn a_file_of_the_wrong_shape_is_named_with_what_it_is_and_should_be() {
    for (text, says) in [
        (&b""[..], "instances.json: it is empty; save the output of `aws ec2 describe-instances --output json`"),
        (b"\xef\xbb\xbf \n", "it is empty"),
        (b"\xff\xfe{\0}\0", "it is UTF-16"),
        (b"\xc3(", "it is not UTF-8"),
        (b"[]", "it is an array, not an object with `Reservations`"),
        (b"[[1, 2]]", "it is an array, not an object with `Reservations`"),
        (b"null", "it is null"),
        (b"{\"Reservations\": null}", "Reservations: it is null, not an array"),
        (b"{\"Reservations\": [], \"Reservations\": []}", "duplicate field `Reservations`"),
        (b"{\"Reservations\": [1]}", "Reservations[0]: invalid type: integer `1`, expected a reservation, an object"),
        (b"{}", "it has no `Reservations`"),
        (b"{\"Reservations\": {}}", "Reservations: invalid type: map, expected a sequence"),
        (b"{\"Volumes\": []}", "it is the output of `aws ec2 describe-volumes`"),
        (b"{\"Reservations\": [", "it ends too early: EOF while parsing"),
        (b"{\"Reservations\": [NaN]}", "it is not JSON: expected value at line 1 column 19"),
        (b"{\"Reservations\": []} {}", "it is not JSON: trailing characters"),
        (b"An error occurred (UnauthorizedOperation)", "it is not JSON"),
        (b"{\"Reservations\": [{\"Instances\": [{}]}]}", "Reservations[0].Instances[0]: missing field `InstanceId`"),
        (b"{\"Reservations\": [{\"Instances\": [{\"InstanceId\": 7}]}]}", "Reservations[0].Instances[0].InstanceId: invalid type"),
        (b"{\"Reservations\": [{\"Instances\": [{\"InstanceId\": \"i-1\", \"Tags\": [{\"Value\": \"x\"}]}]}]}",
         "Reservations[0].Instances[0].Tags[0]: missing field `Key`"),
    ] {
        let error = instances("instances.json", text).unwrap_err().to_string();
        assert!(error.starts_with("instances.json: ") && error.contains(says), "{says}: {error}");
    }
    let error = snapshots("snapshots.json", br#"{"Snapshots": [{"SnapshotId": "s", "StartTime": "soon"}]}"#)
        .unwrap_err();
    assert!(error.to_string().contains("Snapshots[0].StartTime"), "{error}");
    let bom = "\u{feff}{\"Reservations\": []}";
    assert!(instances("instances.json", bom.as_bytes()).is_ok());
}

proptest! {
    #[test]
    fn no_damage_to_a_file_makes_it_panic(at in 0..200usize, with in "[\\[\\]{}:,\"0-9a-z-]{0,3}") {
        let whole = r#"{"Reservations": [{"OwnerId": "1", "Instances": [{"InstanceId": "i-1", "State": {"Name": "running"},
            "Placement": {"AvailabilityZone": "us-east-1a"}, "Tags": [{"Key": "a", "Value": "b"}]}]}]}"#;
        let mut text = whole.to_owned();
        let at = at.min(text.len());
        text.replace_range(at..(at + 1).min(text.len()), &with);
        for damaged in [text.as_str(), text.get(..at).unwrap_or_default()] {
            let _ = instances("instances.json", damaged.as_bytes());
            let _ = volumes("volumes.json", damaged.as_bytes());
        }
    }
}
