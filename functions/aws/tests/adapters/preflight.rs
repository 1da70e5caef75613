//! What a preflight asks of AWS, and what is made of the answers.

use stopgap_core::ports::{FaultKind, SnapshotQuery, Which};

use crate::canned::{Canned, home};

/// What EC2 answers to `operation`.
fn ec2(operation: &str, content: &str) -> String {
    format!(
        r#"<{operation}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">{content}</{operation}Response>"#
    )
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[tokio::test]
async fn an_instance_says_of_itself_what_a_stop_costs() {
    let interface = |owner: &str, ip: &str| {
        format!(
            "<networkInterfaceSet><item><association><publicIp>{ip}</publicIp><ipOwnerId>{owner}</ipOwnerId>\
             </association></item></networkInterfaceSet>"
        )
    };
    let instance = |id: &str, more: &str| {
        format!(
            "<item><instanceId>{id}</instanceId><instanceState><name>running</name></instanceState>{more}</item>"
        )
    };
    let passing = instance("i-1", &interface("amazon", "203.0.113.7"));
    let elastic = instance("i-2", &interface("123456789012", "203.0.113.8"));
    let spot = "<spotInstanceRequestId>sir-1</spotInstanceRequestId><instanceLifecycle>spot</instanceLifecycle>\
                <hibernationOptions><configured>true</configured></hibernationOptions>";
    let spot = instance("i-3", spot);
    let reservation = format!("<item><instancesSet>{passing}{elastic}{spot}</instancesSet></item>");
    let page = ec2("DescribeInstances", &format!("<reservationSet>{reservation}</reservationSet>"));
    let canned = Canned::answering(&[(200, page.as_str())]).await;
    let found = canned.aws.ports().ec2.describe_instances(&home(), &Which::All, None).await.unwrap().items;
    let addresses: Vec<_> = found.iter().map(|instance| instance.passing_address.as_deref()).collect();
    assert_eq!(addresses, [Some("203.0.113.7"), None, None]);
    assert_eq!((found[1].hibernation, found[2].hibernation), (false, true));
    assert_eq!((found[1].spot_request.as_deref(), found[2].spot_request.as_deref()), (None, Some("sir-1")));
}

#[tokio::test]
async fn stop_protection_is_one_attribute() {
    let on = ec2("DescribeInstanceAttribute", "<disableApiStop><value>true</value></disableApiStop>");
    let nothing = ec2("DescribeInstanceAttribute", "<instanceId>i-1</instanceId>");
    let canned = Canned::answering(&[(200, on.as_str()), (200, nothing.as_str())]).await;
    let ports = canned.aws.ports();
    assert!(ports.ec2.is_stop_protected(&home(), "i-1").await.unwrap());
    // An answer that does not say is not taken for a no.
    assert!(ports.ec2.is_stop_protected(&home(), "i-1").await.is_err());
    let asked = &canned.asked()[0];
    assert_eq!((asked.field("Attribute"), asked.field("InstanceId")), (Some("disableApiStop"), Some("i-1")));
}

#[tokio::test]
async fn events_that_are_over_are_not_told() {
    let event = |code: &str, description: &str| {
        format!(
            "<item><code>{code}</code><description>{description}</description>\
             <notBefore>2026-11-24T03:00:00.000Z</notBefore></item>"
        )
    };
    let events = [
        event("system-reboot", "reboot"),
        event("instance-stop", "[Completed] stop"),
        event("instance-retirement", "[Canceled] retirement"),
    ];
    let status =
        format!("<item><instanceId>i-1</instanceId><eventsSet>{}</eventsSet></item>", events.concat());
    let answer = ec2("DescribeInstanceStatus", &format!("<instanceStatusSet>{status}</instanceStatusSet>"));
    let canned = Canned::answering(&[(200, answer.as_str())]).await;
    let found = canned.aws.ports().ec2.scheduled_events(&home(), &ids(&["i-1", "i-2"])).await.unwrap();
    let told: Vec<_> = found.iter().map(|event| (event.instance_id.as_str(), event.code.as_str())).collect();
    assert_eq!(told, [("i-1", "system-reboot")]);
    assert_eq!(found[0].not_before, "2026-11-24T03:00:00Z".parse().ok());
    let asked = &canned.asked()[0];
    assert_eq!((asked.field("InstanceId.2"), asked.field("MaxResults")), (Some("i-2"), None));
}

#[tokio::test]
async fn modifications_storage_and_spot_requests_are_asked_for_by_filters_that_fail_for_no_unknown_name() {
    let change = "<volumeModificationSet><item><volumeId>vol-1</volumeId>\
                  <modificationState>optimizing</modificationState><progress>40</progress></item></volumeModificationSet>";
    let kinds = [("i3.large", 475, "required"), ("m3.large", 32, "unsupported")].map(|(kind, size, nvme)| {
        format!(
            "<item><instanceType>{kind}</instanceType><instanceStorageInfo><totalSizeInGB>{size}</totalSizeInGB>\
             <nvmeSupport>{nvme}</nvmeSupport></instanceStorageInfo></item>"
        )
    });
    let kinds = format!("<instanceTypeSet>{}</instanceTypeSet>", kinds.concat());
    let requests = [("sir-1", "one-time"), ("sir-2", "persistent")].map(|(id, kind)| {
        format!("<item><spotInstanceRequestId>{id}</spotInstanceRequestId><type>{kind}</type></item>")
    });
    let requests = format!("<spotInstanceRequestSet>{}</spotInstanceRequestSet>", requests.concat());
    let canned = Canned::answering(&[
        (200, ec2("DescribeVolumesModifications", change).as_str()),
        (200, ec2("DescribeInstanceTypes", &kinds).as_str()),
        (200, ec2("DescribeSpotInstanceRequests", &requests).as_str()),
    ])
    .await;
    let ports = canned.aws.ports();
    let changes = ports.ec2.modifications(&home(), &ids(&["vol-1"]), None).await.unwrap().items;
    assert_eq!((changes[0].state.as_str(), changes[0].progress), ("optimizing", Some(40)));
    let storage =
        ports.ec2.instance_storage(&home(), &ids(&["i3.large", "m3.large"]), None).await.unwrap().items;
    let always: Vec<_> = storage.iter().map(|storage| (storage.size_gb, storage.always)).collect();
    assert_eq!(always, [(475, true), (32, false)]);
    let spot = ports.ec2.spot_requests(&home(), &ids(&["sir-1", "sir-2"]), None).await.unwrap().items;
    assert_eq!(spot.iter().map(|request| request.one_time).collect::<Vec<_>>(), [true, false]);

    let asked = canned.asked();
    for (asked, filter, value) in [
        (&asked[0], "volume-id", "vol-1"),
        (&asked[1], "instance-type", "i3.large"),
        (&asked[2], "spot-instance-request-id", "sir-1"),
    ] {
        assert_eq!(asked.field("Filter.1.Name"), Some(filter));
        assert_eq!(asked.field("Filter.1.Value.1"), Some(value));
    }
    assert_eq!(asked[0].field("Filter.2.Value.2"), Some("optimizing"));
}

#[tokio::test]
async fn pending_snapshots_are_the_accounts_own_of_these_volumes() {
    let none = ec2("DescribeSnapshots", "<snapshotSet/>");
    let canned = Canned::answering(&[(200, none.as_str())]).await;
    let query = SnapshotQuery::PendingOf(ids(&["vol-1", "vol-2"]));
    canned.aws.ports().ec2.describe_snapshots(&home(), &query, None).await.unwrap();
    let asked = &canned.asked()[0];
    assert_eq!(asked.field("Owner.1"), Some("self"));
    assert_eq!(
        (asked.field("Filter.1.Name"), asked.field("Filter.1.Value.2")),
        (Some("volume-id"), Some("vol-2"))
    );
    assert_eq!(
        (asked.field("Filter.2.Name"), asked.field("Filter.2.Value.1")),
        (Some("status"), Some("pending"))
    );
}

#[tokio::test]
async fn a_key_has_a_state_and_one_that_is_refused_is_not_one_that_is_gone() {
    let canned = Canned::answering(&[
        (200, r#"{"KeyMetadata": {"KeyId": "1", "Enabled": false, "KeyState": "PendingDeletion"}}"#),
        (400, r#"{"__type": "NotFoundException", "message": "words"}"#),
        (400, r#"{"__type": "AccessDeniedException", "message": "words"}"#),
    ])
    .await;
    let keys = canned.aws.ports().keys;
    let state = keys.key_state(&home(), "1").await.unwrap();
    assert_eq!((state.0.as_str(), state.is_unusable()), ("PendingDeletion", true));
    for kind in [FaultKind::NotFound, FaultKind::AccessDenied] {
        assert_eq!(keys.key_state(&home(), "1").await.unwrap_err().kind, kind);
    }
}
