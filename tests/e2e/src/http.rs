//! Plain HTTP, as much of it as the harness itself needs: to pass requests on, and to ask moto what no client of the SDK
//! is linked for.

use std::collections::BTreeMap;
use std::io;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// More than any request or answer has here.
const BODY_MAX: usize = 256 * 1024 * 1024;

/// A server on this machine.
#[derive(Clone)]
pub struct Server {
    client: Client<HttpConnector, Body>,
    /// `127.0.0.1:4711`.
    address: String,
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, or an error that shows what it is instead.
    pub fn json(&self) -> io::Result<Value> {
        serde_json::from_slice(&self.body).map_err(|e| {
            io::Error::other(format!("status {}, and no JSON ({e}): {}", self.status, self.text()))
        })
    }
}

impl Server {
    /// The server at an address.
    pub fn at(address: &str) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), address: address.to_owned() }
    }

    /// Sends a request on to this server, path and headers unchanged.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn send<B>(&self, request: Request<B>) -> io::Result<Answer>
    where
        Body: From<B>,
    {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("http://{}{path}", self.address).parse::<Uri>().map_err(io::Error::other)?;
        let answer = self.client.request(Request::from_parts(parts, Body::from(body))).await;
        let (parts, body) = answer.map_err(io::Error::other)?.into_parts();
        let body = to_bytes(Body::new(body), BODY_MAX).await.map_err(io::Error::other)?;
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    /// An operation of one of AWS's query APIs (`Action=…`), in an account of moto's.
    ///
    /// # Errors
    /// When the server does not answer, or with anything but a success.
    pub async fn query(
        &self,
        account: &str,
        region: &str,
        service: &str,
        parameters: &BTreeMap<&str, String>,
    ) -> io::Result<String> {
        let form: Vec<_> =
            parameters.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        let request = signed(Request::post("/"), account, region, service)
            .header("content-type", "application/x-www-form-urlencoded");
        let answer = self.send(request.body(form.join("&")).map_err(io::Error::other)?).await?;
        success(answer).map(|answer| answer.text())
    }

    /// A `GET` of one of AWS's REST APIs, answered in JSON.
    ///
    /// # Errors
    /// When the server does not answer, or with anything but a success.
    pub async fn get(&self, account: &str, region: &str, service: &str, path: &str) -> io::Result<Value> {
        let request = signed(Request::get(path), account, region, service);
        success(self.send(request.body("").map_err(io::Error::other)?).await?)?.json()
    }
}

/// The headers by which moto knows account, Region and service. It verifies no signature.
fn signed(
    request: axum::http::request::Builder,
    account: &str,
    region: &str,
    service: &str,
) -> axum::http::request::Builder {
    let scope = format!("AWS4-HMAC-SHA256 Credential=ak/20260101/{region}/{service}/aws4_request");
    request
        .header("authorization", format!("{scope}, SignedHeaders=host, Signature=none"))
        .header("x-moto-account-id", account)
        .header("host", format!("{service}.{region}.amazonaws.com"))
}

fn success(answer: Answer) -> io::Result<Answer> {
    match answer.status {
        200..300 => Ok(answer),
        status => Err(io::Error::other(format!("status {status}: {}", answer.text()))),
    }
}

/// Percent-encodes everything but the characters that never need it.
fn escape(text: &str) -> String {
    let escape_byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape_byte).collect()
}
