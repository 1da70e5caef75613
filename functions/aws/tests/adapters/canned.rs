//! A server that gives prepared answers, one a request, and keeps what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use stopgap_aws::{Aws, sdk};
use stopgap_core::inventory::Location;

/// What the server was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The body: a form for EC2, Auto Scaling, SNS and STS, JSON for the others.
    pub(crate) body: String,
}

impl Asked {
    /// The value of a form's field, without the escapes that these tests do not need.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let prefix = format!("{name}=");
        self.body.split('&').find_map(|pair| pair.strip_prefix(&prefix))
    }

    pub(crate) fn action(&self) -> &str {
        self.field("Action").unwrap_or_default()
    }
}

#[derive(Clone, Default)]
struct Shared {
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// The server, and stopgap's ports pointed at it.
pub(crate) struct Canned {
    shared: Shared,
    pub(crate) aws: Aws,
}

impl Canned {
    /// Answers in turn; whatever is asked after the last is answered with 500.
    pub(crate) async fn answering(answers: &[(u16, &str)]) -> Self {
        let shared = Shared::default();
        shared.answers.lock().unwrap().extend(answers.iter().map(|(s, body)| (*s, (*body).to_owned())));
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

        let credentials = Credentials::new("key", "secret", None, None, "test");
        let config = sdk::loader()
            .region(aws_config::Region::new("us-east-1"))
            .endpoint_url(format!("http://{address}"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .load()
            .await;
        let aws = Aws::new(config, home(), "stopgap")
            .ec2(Some("secret-handshake"))
            .auto_scaling(None)
            .alarms(None)
            .load_balancers(None)
            .keys(None)
            .topic(
                "arn:aws:sns:us-east-1:123456789012:stopgap-tickets",
                Some("arn:aws:sns:us-east-1:123456789012:stopgap-chat"),
            )
            .callbacks()
            .executions();
        Self { shared, aws }
    }

    /// What was asked, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }
}

async fn answer(
    State(shared): State<Shared>,
    _: HeaderMap,
    body: Bytes,
) -> (StatusCode, [(&'static str, &'static str); 1], String) {
    shared.asked.lock().unwrap().push(Asked { body: String::from_utf8_lossy(&body).into_owned() });
    let (status, body) =
        shared.answers.lock().unwrap().pop_front().unwrap_or_else(|| (500, ec2_error("InternalError")));
    let kind = if body.starts_with('{') { "application/x-amz-json-1.0" } else { "text/xml" };
    (StatusCode::from_u16(status).unwrap(), [("content-type", kind)], body)
}

/// An error as EC2 writes it.
pub(crate) fn ec2_error(code: &str) -> String {
    format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>words</Message></Error></Errors>\
         <RequestID>1</RequestID></Response>"
    )
}

pub(crate) fn home() -> Location {
    Location { account: "123456789012".to_owned(), region: "us-east-1".to_owned(), role: None }
}

/// An account that is reached through its role.
pub(crate) fn elsewhere() -> Location {
    Location {
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        role: Some("stopgap-spoke".to_owned()),
    }
}
