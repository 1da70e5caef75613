//! What is asked of AWS, and what is made of its answers.

use std::collections::BTreeMap;

use serde_json::json;
use stopgap_core::inventory::InstanceState;
use stopgap_core::ports::{CreateSnapshots, Notice, SnapshotQuery, Which, all_pages};

use crate::canned::{Canned, home};

/// A page of two instances, one of them without volumes.
const INSTANCES: &str = r#"<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <reservationSet><item><reservationId>r-1</reservationId><ownerId>123456789012</ownerId><instancesSet>
    <item><instanceId>i-1</instanceId><instanceState><code>16</code><name>running</name></instanceState>
      <instanceType>m5.large</instanceType><placement><availabilityZone>us-east-1a</availabilityZone></placement>
      <rootDeviceName>/dev/xvda</rootDeviceName>
      <blockDeviceMapping><item><deviceName>/dev/xvda</deviceName>
        <ebs><volumeId>vol-1</volumeId><attachTime>2026-01-02T03:04:05.000Z</attachTime></ebs></item></blockDeviceMapping>
      <tagSet><item><key>Name</key><value>db</value></item></tagSet></item>
    <item><instanceId>i-2</instanceId><instanceState><code>80</code><name>stopped</name></instanceState>
      <stateReason><code>Client.InternalError</code><message>no grant</message></stateReason></item>
  </instancesSet></item></reservationSet>
  <nextToken>more</nextToken></DescribeInstancesResponse>"#;

const LAST_PAGE: &str = r#"<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
  <reservationSet/></DescribeInstancesResponse>"#;

#[tokio::test]
async fn pages_of_a_thousand_are_read_until_there_is_none() {
    let canned = Canned::answering(&[(200, INSTANCES), (200, LAST_PAGE)]).await;
    let ec2 = canned.aws.ports().ec2;
    let at = home();
    let found = all_pages(|page| ec2.describe_instances(&at, &Which::All, page)).await.unwrap();

    assert_eq!(found.iter().map(|instance| instance.id.as_str()).collect::<Vec<_>>(), ["i-1", "i-2"]);
    assert_eq!(found[0].name(), Some("db"));
    assert!(found[0].is_root("vol-1"));
    assert_eq!(found[0].attribute("instance-type"), Some("m5.large"));
    assert_eq!(found[1].state, InstanceState::Stopped);
    assert_eq!(found[1].state_reason.as_deref(), Some("Client.InternalError"));
    let asked = canned.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|asked| asked.field("MaxResults") == Some("1000")), "{asked:?}");
    assert_eq!(asked[1].field("NextToken"), Some("more"));
}

#[tokio::test]
async fn ids_are_asked_for_without_a_page_size() {
    let canned = Canned::answering(&[(200, LAST_PAGE)]).await;
    let which = Which::Ids(vec!["i-1".to_owned()]);
    canned.aws.ports().ec2.describe_instances(&home(), &which, None).await.unwrap();
    let asked = canned.asked();
    assert_eq!(asked[0].field("InstanceId.1"), Some("i-1"));
    assert_eq!(asked[0].field("MaxResults"), None);
}

/// EC2 takes an empty list of ids for everything, unpaginated.
#[tokio::test]
async fn an_empty_list_of_ids_asks_nothing() {
    let canned = Canned::answering(&[]).await;
    let ec2 = canned.aws.ports().ec2;
    let none = Which::Ids(Vec::new());
    assert!(ec2.describe_instances(&home(), &none, None).await.unwrap().items.is_empty());
    assert!(ec2.describe_volumes(&home(), &none, None).await.unwrap().items.is_empty());
    let none = SnapshotQuery::Ids(Vec::new());
    assert!(ec2.describe_snapshots(&home(), &none, None).await.unwrap().items.is_empty());
    assert!(canned.asked().is_empty());
}

#[tokio::test]
async fn snapshots_are_asked_for_by_owner_and_tag() {
    const NONE: &str = r#"<DescribeSnapshotsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><snapshotSet/></DescribeSnapshotsResponse>"#;
    let canned = Canned::answering(&[(200, NONE), (200, NONE), (200, NONE), (200, NONE)]).await;
    let ec2 = canned.aws.ports().ec2;
    ec2.describe_snapshots(&home(), &SnapshotQuery::Ours, None).await.unwrap();
    let of_instance = SnapshotQuery::OfInstance("i-1".to_owned());
    ec2.describe_snapshots(&home(), &of_instance, None).await.unwrap();
    let of_another_tool = SnapshotQuery::EbsSnapperOf("i-1".to_owned());
    ec2.describe_snapshots(&home(), &of_another_tool, None).await.unwrap();
    ec2.describe_snapshots(&home(), &SnapshotQuery::EbsSnapper, None).await.unwrap();
    let asked = canned.asked();
    for asked in &asked {
        assert_eq!(asked.field("Owner.1"), Some("self"));
        assert_eq!(asked.field("MaxResults"), Some("1000"));
    }
    assert_eq!(asked[0].field("Filter.1.Name"), Some("tag-key"));
    assert_eq!(asked[1].field("Filter.1.Name"), Some("tag%3Astopgap%3Ainstance"));
    assert_eq!(asked[1].field("Filter.1.Value.1"), Some("i-1"));
    for (asked, instance) in [(&asked[2], "i-1"), (&asked[3], "i-%2A")] {
        assert_eq!(asked.field("Filter.1.Name"), Some("tag-key"));
        assert_eq!(asked.field("Filter.1.Value.1"), Some("DeleteOn"));
        assert_eq!(asked.field("Filter.2.Name"), Some("description"));
        let description = format!("Created%20from%20{instance}%20by%20EbsSnapper%28%2A");
        assert_eq!(asked.field("Filter.2.Value.1"), Some(description.as_str()));
    }
}

#[tokio::test]
async fn one_call_snapshots_all_volumes_with_their_tags_but_those_left_out() {
    const MADE: &str = r#"<CreateSnapshotsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><snapshotSet><item>
      <snapshotId>snap-1</snapshotId><volumeId>vol-1</volumeId><state>pending</state>
      <startTime>2026-11-21T02:00:30.000Z</startTime></item></snapshotSet></CreateSnapshotsResponse>"#;
    let canned = Canned::answering(&[(200, MADE)]).await;
    let request = CreateSnapshots {
        instance_id: "i-1".to_owned(),
        exclude_root: true,
        exclude_volumes: vec!["vol-9".to_owned()],
        description: "words".to_owned(),
        tags: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
    };
    let made = canned.aws.ports().ec2.create_snapshots(&home(), &request).await.unwrap();
    assert_eq!((made[0].id.as_str(), made[0].volume_id.as_str()), ("snap-1", "vol-1"));
    assert_eq!(made[0].started_at.to_string(), "2026-11-21T02:00:30Z");
    let asked = &canned.asked()[0];
    assert_eq!(asked.field("InstanceSpecification.InstanceId"), Some("i-1"));
    assert_eq!(asked.field("InstanceSpecification.ExcludeBootVolume"), Some("true"));
    assert_eq!(asked.field("InstanceSpecification.ExcludeDataVolumeId.1"), Some("vol-9"));
    assert_eq!(asked.field("TagSpecification.1.ResourceType"), Some("snapshot"));
    assert_eq!(asked.field("TagSpecification.1.Tag.1.Key"), Some("k"));
}

#[tokio::test]
async fn a_ticket_has_a_body_for_machines_and_one_for_people_and_attributes_to_filter_by() {
    const PUBLISHED: &str =
        "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";
    let canned = Canned::answering(&[(200, PUBLISHED), (200, PUBLISHED)]).await;
    let notice = Notice {
        subject: "subject".to_owned(),
        document: json!({ "kind": "left-stopped" }),
        text: "words".to_owned(),
        attributes: BTreeMap::from([("severity", "critical".to_owned())]),
        chat: json!({ "version": "1.0" }),
    };
    canned.aws.ports().topic.publish(&notice).await.unwrap();
    let asked = &canned.asked()[0];
    assert_eq!((asked.action(), asked.field("MessageStructure")), ("Publish", Some("json")));
    assert_eq!(asked.field("MessageAttributes.entry.1.Name"), Some("severity"));
    assert_eq!(asked.field("MessageAttributes.entry.1.Value.StringValue"), Some("critical"));
    let message = asked.field("Message").unwrap();
    for part in ["default", "email", "left-stopped", "words"] {
        assert!(message.contains(part), "{part}: {message}");
    }

    canned.aws.ports().topic.tell_chat(&notice).await.unwrap();
    let asked = &canned.asked()[1];
    assert_eq!((asked.action(), asked.field("MessageStructure")), ("Publish", None));
    assert!(
        asked.field("TopicArn").is_some_and(|arn| arn.ends_with("stopgap-chat")),
        "{:?}",
        asked.field("TopicArn")
    );
    let message = asked.field("Message").unwrap();
    assert!(message.contains("version") && !message.contains("left-stopped"), "{message}");
    assert_eq!(asked.field("MessageAttributes.entry.1.Value.StringValue"), Some("critical"));
}
