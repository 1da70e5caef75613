//! What AWS refuses, and what is made of it.

use std::collections::BTreeMap;

use stopgap_core::error::{ErrorName, TaskError};
use stopgap_core::ports::{CreateSnapshots, FaultKind, Which};

use crate::canned::{Canned, ec2_error, elsewhere, home};

const STARTED: &str = r#"<StartInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><instancesSet><item>
  <instanceId>i-1</instanceId><currentState><code>0</code><name>pending</name></currentState>
  <previousState><code>80</code><name>stopped</name></previousState></item></instancesSet></StartInstancesResponse>"#;

fn snapshots() -> CreateSnapshots {
    CreateSnapshots {
        instance_id: "i-1".to_owned(),
        exclude_root: false,
        exclude_volumes: Vec::new(),
        description: String::new(),
        tags: BTreeMap::new(),
    }
}

#[tokio::test]
async fn a_start_that_is_throttled_is_asked_for_again() {
    let throttled = ec2_error("RequestLimitExceeded");
    let canned = Canned::answering(&[(503, &throttled), (503, &throttled), (200, STARTED)]).await;
    canned.aws.ports().ec2.start_instance(&home(), "i-1").await.unwrap();
    assert_eq!(canned.asked().len(), 3);
}

#[tokio::test]
async fn throttling_that_goes_on_ends_as_throttled() {
    let throttled = ec2_error("RequestLimitExceeded");
    let canned = Canned::answering(&[(503, throttled.as_str()); 12]).await;
    let fault = canned.aws.ports().ec2.start_instance(&home(), "i-1").await.unwrap_err();
    assert_eq!((fault.kind, fault.operation), (FaultKind::Throttled, "StartInstances"));
    assert!((2..12).contains(&canned.asked().len()), "{} requests", canned.asked().len());
}

/// CreateSnapshots has no client token: an internal error does not tell whether there are snapshots now.
#[tokio::test]
async fn a_create_is_never_repeated_by_the_sdk() {
    for (status, code, kind) in [
        (500, "InternalError", FaultKind::Unavailable),
        (503, "RequestLimitExceeded", FaultKind::Throttled),
        (503, "Unavailable", FaultKind::Unavailable),
    ] {
        let canned = Canned::answering(&[(status, &ec2_error(code))]).await;
        let fault = canned.aws.ports().ec2.create_snapshots(&home(), &snapshots()).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{code}");
        assert_eq!(canned.asked().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn what_ec2_says_reaches_the_ticket_with_its_code() {
    let canned = Canned::answering(&[(400, &ec2_error("InsufficientInstanceCapacity"))]).await;
    let fault = canned.aws.ports().ec2.start_instance(&home(), "i-1").await.unwrap_err();
    let error = TaskError::from(fault);
    assert_eq!(error.name, ErrorName::CapacityUnavailable);
    assert_eq!(error.cause, "StartInstances: InsufficientInstanceCapacity: words");
}

#[tokio::test]
async fn an_answer_that_is_no_answer_is_malformed() {
    let canned = Canned::answering(&[(200, "<html>a proxy's page</html>")]).await;
    let fault = canned.aws.ports().ec2.create_snapshots(&home(), &snapshots()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Malformed, "{fault}");
    let canned = Canned::answering(&[(200, "<StartInstancesResponse/>")]).await;
    let fault = canned.aws.ports().ec2.start_instance(&home(), "i-1").await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Malformed, "{fault}");
}

#[tokio::test]
async fn another_account_is_reached_through_its_role_with_the_external_id_once() {
    const ASSUMED: &str = r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
      <Credentials><AccessKeyId>a</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
      <Expiration>2096-01-01T00:00:00Z</Expiration></Credentials>
      <AssumedRoleUser><AssumedRoleId>r</AssumedRoleId><Arn>arn:aws:sts::111122223333:assumed-role/stopgap-spoke/stopgap</Arn>
      </AssumedRoleUser></AssumeRoleResult></AssumeRoleResponse>"#;
    let canned = Canned::answering(&[(200, ASSUMED), (200, STARTED), (200, STARTED)]).await;
    let ec2 = canned.aws.ports().ec2;
    ec2.start_instance(&elsewhere(), "i-1").await.unwrap();
    ec2.start_instance(&elsewhere(), "i-1").await.unwrap();
    let asked = canned.asked();
    let actions: Vec<&str> = asked.iter().map(|asked| asked.action()).collect();
    assert_eq!(actions, ["AssumeRole", "StartInstances", "StartInstances"]);
    assert_eq!(asked[0].field("ExternalId"), Some("secret-handshake"));
    assert_eq!(asked[0].field("RoleArn"), Some("arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fstopgap-spoke"));
}

#[tokio::test]
async fn an_account_that_refuses_the_role_is_access_denied() {
    const REFUSED: &str = r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
      <Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error>
      <RequestId>1</RequestId></ErrorResponse>"#;
    let canned = Canned::answering(&[(403, REFUSED); 8]).await;
    let asked = canned.aws.ports().ec2.describe_instances(&elsewhere(), &Which::All, None).await;
    let fault = asked.unwrap_err();
    assert_eq!(fault.kind, FaultKind::AccessDenied, "{fault}");
    assert!(fault.message.contains("sts:AssumeRole"), "{fault}");
}

#[tokio::test]
async fn a_token_that_nobody_waits_for_any_more_is_no_error() {
    let stale = r#"{"__type":"TaskTimedOut","message":"Task Timed Out"}"#;
    let canned = Canned::answering(&[(400, stale), (400, stale)]).await;
    let callbacks = canned.aws.ports().callbacks;
    callbacks.succeed("token", serde_json::json!({})).await.unwrap();
    callbacks.fail("token", &TaskError::new(ErrorName::StartFailed, "words")).await.unwrap();
    assert_eq!(canned.asked().len(), 2);
}

#[tokio::test]
async fn an_execution_that_does_not_exist_is_not_running() {
    let gone = r#"{"__type":"ExecutionDoesNotExist","message":"Execution Does Not Exist"}"#;
    let canned = Canned::answering(&[(400, gone)]).await;
    assert!(!canned.aws.ports().executions.is_running("arn:x").await.unwrap());
}
