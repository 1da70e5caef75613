//! DynamoDB's refusals and conditions.

use serde_json::{Value, json};
use stopgap_core::ports::{Expect, FaultKind, Key, Write, Written};

use crate::canned::Canned;

fn key() -> Key {
    Key { partition: "leases".to_owned(), sort: "i-1".to_owned() }
}

fn put(expect: Expect) -> Write {
    Write::Put { key: key(), expect, body: json!({ "a": 1 }), expires_at: None }
}

fn cancelled(code: &str) -> String {
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "message": "Transaction cancelled",
        "CancellationReasons": [{ "Code": code, "Message": "words" }],
    })
    .to_string()
}

async fn written(status: u16, answer: &str) -> (Result<Written, FaultKind>, Vec<Value>) {
    let canned = Canned::answering(&[(status, answer)]).await;
    let result = canned.aws.ports().table.write(vec![put(Expect::Version(3))]).await;
    let asked = canned.asked().iter().map(|asked| serde_json::from_str(&asked.body).unwrap()).collect();
    (result.map_err(|fault| fault.kind), asked)
}

#[tokio::test]
async fn a_condition_that_does_not_hold_is_a_refusal_and_no_fault() {
    let (result, asked) = written(400, &cancelled("ConditionalCheckFailed")).await;
    assert_eq!(result, Ok(Written::Refused));
    assert_eq!(asked.len(), 1, "the SDK tried again what was refused");
}

/// Another transaction on the same item passes: the condition was not judged.
#[tokio::test]
async fn a_conflict_with_another_transaction_is_throttling() {
    let (result, _) = written(400, &cancelled("TransactionConflict")).await;
    assert_eq!(result, Err(FaultKind::Throttled));
}

#[tokio::test]
async fn a_write_has_a_client_token_so_that_its_retry_is_not_refused() {
    let (result, asked) = written(200, "{}").await;
    assert_eq!(result, Ok(Written::Done));
    assert!(asked[0]["ClientRequestToken"].as_str().is_some_and(|token| !token.is_empty()), "{asked:?}");
}

#[tokio::test]
async fn an_item_put_by_hand_without_a_version_is_version_0() {
    let item = r#"{"Item":{"partition":{"S":"leases"},"sort":{"S":"i-1"},"body":{"S":"{\"a\":1}"}}}"#;
    let canned = Canned::answering(&[(200, item)]).await;
    let found = canned.aws.ports().table.get(&key()).await.unwrap().unwrap();
    assert_eq!((found.version, found.body), (0, json!({ "a": 1 })));
}

#[tokio::test]
async fn an_item_that_makes_no_sense_is_malformed_and_named() {
    let item = r#"{"Item":{"partition":{"S":"leases"},"sort":{"S":"i-1"},"body":{"S":"{"}}}"#;
    let canned = Canned::answering(&[(200, item)]).await;
    let fault = canned.aws.ports().table.get(&key()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Malformed);
    assert!(fault.message.contains("`leases`, `i-1`"), "{fault}");
}
