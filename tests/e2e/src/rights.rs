//! What the functions call, held against what their roles allow. moto asks no role; so this does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, Method};
use serde_json::Value;

/// The access key of a function: what its calls are known by.
const KEY: &str = "FUNCTION-";

/// The access key that a function signs its calls with.
pub fn access_key(function: &str) -> String {
    format!("{KEY}{function}")
}

/// IAM actions by function.
pub type Actions = BTreeMap<String, BTreeSet<String>>;

/// The calls so far.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<Actions>>);

impl Calls {
    /// What each function has called so far, as IAM names it.
    pub fn so_far(&self) -> Actions {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes note of a request, if a function made it with its own role.
    pub(crate) fn note(&self, method: &Method, headers: &HeaderMap, body: &[u8]) {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let Some((function, service)) = caller(headers) else { return };
        let actions = actions(service, method, header("x-amz-target"), body);
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.entry(function.to_owned()).or_default().extend(actions);
    }
}

/// The function that made a request with its own role, and the service that it asks.
pub(crate) fn caller(headers: &HeaderMap) -> Option<(&str, &str)> {
    signer(headers.get("authorization")?.to_str().ok()?)
}

/// The operation that a request is of; none of S3's has a name.
pub(crate) fn operation(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()?.rsplit('.').next());
    let action = || form_action(&String::from_utf8_lossy(body)).map(str::to_owned);
    target.map(str::to_owned).or_else(action)
}

/// `Action=…` of a query API.
fn form_action(form: &str) -> Option<&str> {
    form.split('&').find_map(|field| field.strip_prefix("Action="))
}

/// The function and the service in `Credential=FUNCTION-notify/20261121/us-east-1/sns/aws4_request`.
fn signer(authorization: &str) -> Option<(&str, &str)> {
    let (_, credential) = authorization.split_once("Credential=")?;
    let mut parts = credential.split('/');
    let function = parts.next()?.strip_prefix(KEY)?;
    Some((function, parts.nth(2)?))
}

/// The IAM actions that a request is authorized as.
fn actions(service: &str, method: &Method, target: Option<&str>, body: &[u8]) -> Vec<String> {
    let named = |action: &str| format!("{service}:{action}");
    if let Some(operation) = target.and_then(|target| target.rsplit('.').next()) {
        return match operation {
            "TransactWriteItems" => writes(body).into_iter().map(|write| named(&write)).collect(),
            operation => vec![named(operation)],
        };
    }
    let form = String::from_utf8_lossy(body);
    let action = form_action(&form);
    match (action, service) {
        // What tags on creation is authorized as CreateTags too.
        (Some(action), "ec2") if form.contains("TagSpecification.") => {
            vec![named(action), named("CreateTags")]
        }
        (Some(action), _) => vec![named(action)],
        (None, "s3") if method == Method::PUT => vec![named("PutObject")],
        (None, _) => vec![format!("{service}:{method}, whatever that is")],
    }
}

/// A transaction is authorized as the writes that it is made of.
fn writes(body: &[u8]) -> BTreeSet<String> {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let items = request["TransactItems"].as_array().into_iter().flatten();
    let kinds = items.filter_map(|item| item.as_object()).flat_map(|item| item.keys());
    kinds.map(|kind| format!("{kind}Item")).collect()
}

/// What the roles of a stack's functions allow, by function (`stop-instance`).
pub fn granted(template: &Value) -> Actions {
    let resources = &template["Resources"];
    let functions = resources.as_object().into_iter().flat_map(|all| all.values());
    let functions = functions.filter(|resource| resource["Type"] == "AWS::Lambda::Function");
    let named = functions.filter_map(|function| {
        let properties = &function["Properties"];
        let name = properties["FunctionName"].as_str()?.split_once('-')?.1;
        let role = &resources[properties["Role"]["Fn::GetAtt"][0].as_str()?]["Properties"];
        let statements = role["Policies"].as_array().into_iter().flatten();
        let statements = statements
            .flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().into_iter().flatten());
        let actions = statements.flat_map(|statement| match &statement["Action"] {
            Value::Array(actions) => actions.iter().filter_map(Value::as_str).collect(),
            action => action.as_str().into_iter().collect::<Vec<_>>(),
        });
        Some((name.to_owned(), actions.map(str::to_owned).collect()))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_call_is_known_by_who_signed_it_and_for_what() {
        let header =
            "AWS4-HMAC-SHA256 Credential=FUNCTION-notify/20261121/us-east-1/sns/aws4_request, Signed";
        assert_eq!(signer(header), Some(("notify", "sns")));
        assert_eq!(signer("AWS4-HMAC-SHA256 Credential=ASIA123/20261121/us-east-1/ec2/aws4_request"), None);
    }

    #[test]
    fn requests_are_named_as_iam_names_them() {
        let post = Method::POST;
        let of = |service, target, body: &str| actions(service, &post, target, body.as_bytes());
        assert_eq!(of("ec2", None, "Action=StopInstances&Version=1"), ["ec2:StopInstances"]);
        let tagged = "Action=CreateSnapshots&TagSpecification.1.ResourceType=snapshot";
        assert_eq!(of("ec2", None, tagged), ["ec2:CreateSnapshots", "ec2:CreateTags"]);
        let target = Some("AWSStepFunctions.SendTaskSuccess");
        assert_eq!(of("states", target, "{}"), ["states:SendTaskSuccess"]);
        let body =
            json!({ "TransactItems": [{ "Update": {} }, { "Delete": {} }, { "Update": {} }] }).to_string();
        let target = Some("DynamoDB_20120810.TransactWriteItems");
        assert_eq!(of("dynamodb", target, &body), ["dynamodb:DeleteItem", "dynamodb:UpdateItem"]);
        assert_eq!(actions("s3", &Method::PUT, None, b"[]"), ["s3:PutObject"]);
    }

    #[test]
    fn what_a_role_allows_is_read_from_the_template() {
        let template = json!({ "Resources": {
            "F": { "Type": "AWS::Lambda::Function",
                   "Properties": { "FunctionName": "stopgap-notify", "Role": { "Fn::GetAtt": ["R", "Arn"] } } },
            "R": { "Type": "AWS::IAM::Role", "Properties": { "Policies": [{ "PolicyDocument": { "Statement": [
                { "Action": "sns:Publish" }, { "Action": ["dynamodb:GetItem", "dynamodb:Query"] } ] } }] } },
        } });
        let allowed = ["dynamodb:GetItem", "dynamodb:Query", "sns:Publish"].map(str::to_owned);
        assert_eq!(granted(&template), Actions::from([("notify".to_owned(), BTreeSet::from(allowed))]));
    }
}
