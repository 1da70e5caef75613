//! A synthesized template as moto's CloudFormation can create it.
//!
//! moto knows part of AWS's resource types. What it does not know and nothing here needs is left out (policies, alarms,
//! schedules); versions and aliases of functions and machines become what they are of. Every change is told.

use std::collections::BTreeMap;
use std::io;

use serde_json::{Map, Value, json};

use super::Assembly;
use super::machine::inline_definition;
use super::references::{Stand, replace};

/// The types that moto makes.
const MADE: &[&str] = &[
    "AWS::DynamoDB::Table",
    "AWS::Events::EventBus",
    "AWS::Events::Rule",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::StepFunctions::StateMachine",
];

/// The types that stand for another resource: the property that names it, and what a reference to them becomes.
const VERSIONS: &[(&str, &str)] = &[
    ("AWS::Lambda::Alias", "FunctionName"),
    ("AWS::Lambda::Version", "FunctionName"),
    ("AWS::StepFunctions::StateMachineAlias", "RoutingConfiguration"),
    ("AWS::StepFunctions::StateMachineVersion", "StateMachineArn"),
];

/// A template that moto can create, and how it differs from what was synthesized.
#[derive(Clone, Debug)]
pub struct Adapted {
    /// The template.
    pub template: Value,
    /// The changes: what became of resources of which type.
    pub changes: Vec<String>,
}

/// Changes a stack's template into what moto can create.
///
/// # Errors
/// When the stack is not there, or a state machine's file is not.
pub fn adapt(assembly: &Assembly, stack: &str) -> io::Result<Adapted> {
    let mut template = assembly.template(stack)?;
    let mut changes = Vec::new();
    let resources = take_resources(&mut template);

    let mut stands = BTreeMap::new();
    let mut kept = Map::new();
    for (id, mut resource) in resources {
        let kind = resource["Type"].as_str().unwrap_or_default().to_owned();
        if let Some((_, property)) = VERSIONS.iter().find(|(version, _)| *version == kind) {
            changes.push(format!("{kind} became what it is a version of"));
            stands.insert(id, Stand::For(first_reference(&resource["Properties"][*property])));
        } else if !MADE.contains(&&*kind) {
            changes.push(format!("{kind} was left out"));
            stands.insert(id, Stand::Nothing);
        } else {
            change(&kind, &mut resource["Properties"], assembly, |what| {
                changes.push(format!("{kind}: {what}"))
            })?;
            kept.insert(id, resource);
        }
    }
    let functions = of_type(&kept, "AWS::Lambda::Function");
    template["Resources"] = Value::Object(kept);
    replace(&mut template, &stands, &functions);
    Ok(Adapted { template, changes })
}

/// What moto cannot read within a resource that it makes.
fn change(
    kind: &str,
    properties: &mut Value,
    assembly: &Assembly,
    mut tell: impl FnMut(&str),
) -> io::Result<()> {
    match kind {
        "AWS::Lambda::Function" => {
            // Never run: the host runs the program that cargo built.
            properties["Code"] = json!({ "ZipFile": "a stub" });
            tell("the code became a stub");
        }
        "AWS::StepFunctions::StateMachine" => inline_definition(properties, assembly, tell)?,
        _ => {}
    }
    Ok(())
}

/// Takes the resources out, with what only a real deployment reads: the version of the CDK's bootstrap stack.
fn take_resources(template: &mut Value) -> Map<String, Value> {
    let Some(parts) = template.as_object_mut() else { return Map::new() };
    parts.remove("Rules");
    if let Some(parameters) = parts.get_mut("Parameters").and_then(Value::as_object_mut) {
        parameters.remove("BootstrapVersion");
    }
    match parts.remove("Resources") {
        Some(Value::Object(resources)) => resources,
        _ => Map::new(),
    }
}

/// The first `Ref` or `Fn::GetAtt` in a property: what a version or alias is of.
fn first_reference(value: &Value) -> Value {
    match value {
        Value::Object(fields) if fields.contains_key("Ref") || fields.contains_key("Fn::GetAtt") => {
            value.clone()
        }
        Value::Object(fields) => {
            fields.values().map(first_reference).find(|v| !v.is_null()).unwrap_or_default()
        }
        Value::Array(items) => items.iter().map(first_reference).find(|v| !v.is_null()).unwrap_or_default(),
        _ => Value::Null,
    }
}

fn of_type(resources: &Map<String, Value>, kind: &str) -> Vec<String> {
    resources.iter().filter(|(_, resource)| resource["Type"] == kind).map(|(id, _)| id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An assembly with one stack `S` of these resources, and one asset.
    fn adapted(resources: Value) -> Adapted {
        let folder = tempfile::tempdir().unwrap();
        let template = json!({
            "Parameters": { "BootstrapVersion": { "Type": "AWS::SSM::Parameter::Value<String>" } },
            "Rules": {},
            "Resources": resources,
            "Outputs": { "Machine": { "Value": { "Ref": "Alias" } } },
        });
        std::fs::write(folder.path().join("S.template.json"), template.to_string()).unwrap();
        let machine = r#"{"States":{"A":{"Resource":"${Task}","ToleratedFailurePercentage":100,"ExecutionType":"EXPRESS"}}}"#;
        std::fs::write(folder.path().join("asset.m.json"), machine).unwrap();
        adapt(&Assembly { folder: folder.path().to_owned() }, "S").unwrap()
    }

    fn stack() -> Value {
        json!({
            "Function": { "Type": "AWS::Lambda::Function", "DependsOn": ["Policy"],
                          "Properties": { "Code": { "S3Key": "x" } } },
            "Version": { "Type": "AWS::Lambda::Version", "Properties": { "FunctionName": { "Ref": "Function" } } },
            "Machine": { "Type": "AWS::StepFunctions::StateMachine", "Properties": {
                "DefinitionS3Location": { "Bucket": "b", "Key": "m.json" },
                "DefinitionSubstitutions": { "Task": { "Ref": "Version" } } } },
            "MachineVersion": { "Type": "AWS::StepFunctions::StateMachineVersion",
                                "Properties": { "StateMachineArn": { "Ref": "Machine" } } },
            "Alias": { "Type": "AWS::StepFunctions::StateMachineAlias", "Properties": {
                "RoutingConfiguration": [{ "StateMachineVersionArn": { "Ref": "MachineVersion" } }] } },
            "Policy": { "Type": "AWS::SNS::TopicPolicy", "Properties": {} },
        })
    }

    #[test]
    fn versions_and_aliases_become_what_they_are_of() {
        let template = adapted(stack()).template;
        assert_eq!(template["Outputs"]["Machine"]["Value"], json!({ "Ref": "Machine" }));
        let parts = &template["Resources"]["Machine"]["Properties"]["DefinitionString"]["Fn::Join"][1];
        assert_eq!(parts[1], json!({ "Fn::GetAtt": ["Function", "Arn"] }));
    }

    #[test]
    fn what_moto_does_not_know_is_left_out_with_all_that_leads_to_it() {
        let template = adapted(stack()).template;
        let ids: Vec<_> = template["Resources"].as_object().unwrap().keys().collect();
        assert_eq!(ids, ["Function", "Machine"]);
        assert_eq!(template["Resources"]["Function"]["DependsOn"], json!([]));
        assert!(template.get("Rules").is_none());
        assert_eq!(template["Parameters"], json!({}));
    }

    #[test]
    fn a_definition_is_put_into_the_template_in_words_that_moto_reads() {
        let template = adapted(stack()).template;
        let properties = &template["Resources"]["Machine"]["Properties"];
        let after = properties["DefinitionString"]["Fn::Join"][1][2].as_str().unwrap();
        assert_eq!(after, r#"","ToleratedFailurePercentage":100.0,"ExecutionType":"STANDARD"}}}"#);
        assert!(properties.get("DefinitionS3Location").is_none());
    }

    #[test]
    fn every_change_is_told() {
        let changes = adapted(stack()).changes.join("\n");
        for told in
            ["AWS::SNS::TopicPolicy was left out", "AWS::Lambda::Function: the code became a stub", "EXPRESS"]
        {
            assert!(changes.contains(told), "{told} in:\n{changes}");
        }
    }
}
