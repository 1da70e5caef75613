//! The host with a fake function: a few lines of Python that speak the Runtime API.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::*;

/// Does what its event asks for: `answer`, `fail`, `exit`, `sleep`; `pid` tells which process it is.
const FAKE: &str = r#"
import json, os, sys, time, urllib.request as web
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime"
def post(path, document):
    web.urlopen(web.Request(api + path, json.dumps(document).encode(), method="POST"))
if os.environ.get("BROKEN") == "init":
    post("/init/error", {"errorType": "BadEnvironment", "errorMessage": "no table"})
    sys.exit(1)
if os.environ.get("BROKEN") == "exit":
    sys.exit(3)
while True:
    request = web.urlopen(api + "/invocation/next")
    event, id = json.load(request), request.headers["Lambda-Runtime-Aws-Request-Id"]
    if "sleep" in event: time.sleep(event["sleep"])
    if "exit" in event: os._exit(event["exit"])
    if "fail" in event: post(f"/invocation/{id}/error", {"errorType": event["fail"], "errorMessage": "as asked"})
    else: post(f"/invocation/{id}/response", {"pid": os.getpid(), "event": event, "environment": dict(os.environ),
               "headers": {name.lower(): value for name, value in request.headers.items()}})
"#;

struct Scene {
    host: Arc<Host>,
    logs: tempfile::TempDir,
    address: String,
}

/// An answer of the Invoke API.
struct Answer {
    status: u16,
    headers: axum::http::HeaderMap,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Scene {
    async fn new() -> Self {
        let logs = tempfile::tempdir().unwrap();
        let host = Arc::new(Host::new(logs.path()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let routes: Router = routes(Arc::clone(&host));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let scene = Self { host, logs, address };
        scene.deploy(60.0, &[]);
        scene
    }

    /// Deploys the fake function with a timeout in seconds.
    fn deploy(&self, timeout: f64, environment: &[(&str, &str)]) {
        self.host.deploy(Function {
            name: "fake".to_owned(),
            arn: "arn:aws:lambda:eu-west-1:123456789012:function:fake".to_owned(),
            program: "/usr/bin/env".into(),
            arguments: ["python3", "-c", FAKE].map(str::to_owned).to_vec(),
            environment: environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            timeout: std::time::Duration::from_secs_f64(timeout),
            memory_mb: 256,
        });
    }

    async fn invoke(&self, event: Value) -> Answer {
        self.post("fake", "RequestResponse", event.to_string()).await
    }

    async fn post(&self, name: &str, invocation_type: &str, body: String) -> Answer {
        let uri = format!("http://{}/2015-03-31/functions/{name}/invocations", self.address);
        let request = Request::post(uri).header("x-amz-invocation-type", invocation_type);
        let client = Client::builder(TokioExecutor::new()).build_http();
        let answer: Response<_> = client.request(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (parts, body) = answer.into_parts();
        let body = axum::body::to_bytes(Body::new(body), usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

#[tokio::test]
async fn a_function_is_told_what_lambda_tells_it() {
    let scene = Scene::new().await;
    scene.deploy(60.0, &[("STOPGAP_TABLE", "stopgap")]);
    let answer = scene.invoke(json!({ "a": 1 })).await;
    assert_eq!((answer.status, answer.header("x-amz-function-error")), (200, None));
    assert_eq!(answer.header("x-amz-executed-version"), Some("$LATEST"));
    assert_eq!(answer.body["event"], json!({ "a": 1 }));
    let environment = &answer.body["environment"];
    assert_eq!(environment["STOPGAP_TABLE"], "stopgap");
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "fake");
    assert_eq!(environment["AWS_REGION"], "eu-west-1");
    assert!(environment.get("CARGO_MANIFEST_DIR").is_none(), "nothing of this process's own environment");
    let headers = &answer.body["headers"];
    assert_eq!(headers["lambda-runtime-aws-request-id"].as_str(), answer.header("x-amzn-requestid"));
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:fake";
    assert_eq!(headers["lambda-runtime-invoked-function-arn"], arn);
    assert!(headers["lambda-runtime-deadline-ms"].as_str().unwrap().parse::<i64>().unwrap() > 0);
}

#[tokio::test]
async fn an_idle_process_is_used_again_and_a_busy_one_never() {
    let scene = Scene::new().await;
    let first = scene.invoke(json!({})).await;
    let second = scene.invoke(json!({})).await;
    assert_eq!(first.body["pid"], second.body["pid"]);
    let slow = json!({ "sleep": 0.3 });
    let (one, other) = tokio::join!(scene.invoke(slow.clone()), scene.invoke(slow));
    assert_ne!(one.body["pid"], other.body["pid"]);
}

#[tokio::test]
async fn an_error_of_the_function_is_an_answer_with_its_name() {
    let scene = Scene::new().await;
    let answer = scene.invoke(json!({ "fail": "LeaseBusy" })).await;
    assert_eq!((answer.status, answer.header("x-amz-function-error")), (200, Some("Unhandled")));
    assert_eq!(answer.body, json!({ "errorType": "LeaseBusy", "errorMessage": "as asked" }));
    assert_eq!(scene.invoke(json!({})).await.status, 200, "and the process lives on");
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_killed() {
    let scene = Scene::new().await;
    scene.deploy(1.0, &[]);
    let before = scene.invoke(json!({})).await;
    let answer = scene.invoke(json!({ "sleep": 30 })).await;
    assert_eq!((answer.status, answer.header("x-amz-function-error")), (200, Some("Unhandled")));
    assert_eq!(answer.body["errorType"], "Sandbox.Timedout");
    let id = answer.header("x-amzn-requestid").unwrap();
    let message = format!("RequestId: {id} Error: Task timed out after 1.00 seconds");
    assert_eq!(answer.body["errorMessage"], message);
    let process = format!("/proc/{}", before.body["pid"]);
    assert!(!std::path::Path::new(&process).exists(), "its process is gone");
    assert_eq!(scene.invoke(json!({})).await.status, 200, "the next one gets a new process");
}

#[tokio::test]
async fn a_function_that_dies_in_an_invocation_is_an_exit_error() {
    let scene = Scene::new().await;
    let answer = scene.invoke(json!({ "exit": 7 })).await;
    assert_eq!((answer.status, answer.header("x-amz-function-error")), (200, Some("Unhandled")));
    assert_eq!(answer.body["errorType"], "Runtime.ExitError");
    assert!(
        answer.body["errorMessage"].as_str().unwrap().ends_with("Runtime exited with error: exit status 7")
    );
    assert!(scene.invoke(json!({})).await.body["pid"].is_number());
}

#[tokio::test]
async fn a_process_can_be_made_to_crash_by_the_session_token_that_it_signs_with() {
    let scene = Scene::new().await;
    let first = scene.invoke(json!({})).await.body;
    let token = first["environment"]["AWS_SESSION_TOKEN"].as_str().unwrap();
    let (answer, crashed) = tokio::join!(scene.invoke(json!({ "sleep": 30 })), crash(token));
    crashed.unwrap();
    assert_eq!(answer.body["errorType"], "Runtime.ExitError");
    assert_ne!(scene.invoke(json!({})).await.body["pid"], first["pid"], "the next one gets a new process");
}

#[tokio::test]
async fn a_function_that_cannot_start_says_why() {
    let scene = Scene::new().await;
    scene.deploy(60.0, &[("BROKEN", "init")]);
    let answer = scene.invoke(json!({})).await;
    assert_eq!(answer.header("x-amz-function-error"), Some("Unhandled"));
    assert_eq!(answer.body, json!({ "errorType": "BadEnvironment", "errorMessage": "no table" }));
    scene.deploy(60.0, &[("BROKEN", "exit")]);
    assert_eq!(scene.invoke(json!({})).await.body["errorType"], "Runtime.ExitError");
}

#[tokio::test]
async fn an_event_is_accepted_at_once_and_runs_later() {
    let scene = Scene::new().await;
    let answer = scene.post("fake", "Event", json!({ "exit": 0 }).to_string()).await;
    assert_eq!((answer.status, answer.body), (202, Value::Null));
    let log = scene.logs.path().join("fake.log");
    while !log.exists() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn an_unknown_function_and_a_broken_payload_are_refused() {
    let scene = Scene::new().await;
    let unknown = scene.post("nobody", "RequestResponse", "{}".to_owned()).await;
    assert_eq!(
        (unknown.status, unknown.header("x-amzn-errortype")),
        (404, Some("ResourceNotFoundException"))
    );
    assert_eq!(unknown.body, json!({ "Type": "User", "Message": "Function not found: nobody" }));
    let broken = scene.post("fake", "RequestResponse", "{".to_owned()).await;
    assert_eq!(
        (broken.status, broken.header("x-amzn-errortype")),
        (400, Some("InvalidRequestContentException"))
    );
}
