//! A scenario: a tester's short ways to put things into a [`Platform`], and to see what became of them.
//!
//! All that a tester does here goes through AWS's API. Several scenes may share a platform: each has a name of its own,
//! under which it puts its policy and tags its instances.

pub mod backups;
mod executions;
pub mod instances;

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

pub use backups::Snapshot;
pub use executions::Execution;

use crate::clients::Clients;
use crate::platform::Platform;

/// A scenario under way.
pub struct Scene<'a> {
    /// The deployment.
    pub stopgap: &'a Platform,
    /// Clients at home.
    pub aws: Clients,
    /// The name of the scene: the id of its policy, and the value of the tag `Backup` that the policy selects.
    pub name: String,
}

impl<'a> Scene<'a> {
    /// A scene with a policy that selects its instances, once, `minutes` ago; `changes` are merged into the policy.
    ///
    /// # Panics
    /// As everything here does, when moto refuses what AWS would take.
    pub async fn new(stopgap: &'a Platform, name: &str, changes: Value) -> Self {
        let aws = Clients::at_home(&stopgap.cloud.endpoint).await;
        let scene = Self { stopgap, aws, name: name.to_owned() };
        let mut policy = json!({
            "version": 1,
            "id": name,
            "select": { "any": [{ "tag": { "Backup": [name] } }] },
            // So rarely that the occurrence is the same for the whole scene.
            "schedule": { "expression": "cron(0 0 1 1 ? 2099)" },
            "retention": { "keep_last": 3 },
        });
        if let (Some(policy), Value::Object(changes)) = (policy.as_object_mut(), changes) {
            policy.extend(changes);
        }
        scene.put_policy(&policy).await;
        scene
    }

    /// Puts a policy into the table, as a tester does with `aws dynamodb put-item`.
    async fn put_policy(&self, policy: &Value) {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let put = self.aws.dynamodb.put_item().table_name(&self.stopgap.table);
        let put = put.item("partition", text("policies")).item("sort", text(&self.name));
        let put =
            put.item("version", AttributeValue::N("1".to_owned())).item("body", text(&policy.to_string()));
        put.send().await.expect("the policy is put");
    }

    /// The bodies of all records of a partition of the table, by sort key.
    ///
    /// # Panics
    /// When the table cannot be read.
    pub async fn records(&self, partition: &str) -> BTreeMap<String, Value> {
        let query = self.aws.dynamodb.query().table_name(&self.stopgap.table).consistent_read(true);
        let query = query.key_condition_expression("#p = :p").expression_attribute_names("#p", "partition");
        let query = query.expression_attribute_values(":p", AttributeValue::S(partition.to_owned()));
        let items = query.send().await.expect("the table can be read").items.unwrap_or_default();
        let text = |item: &std::collections::HashMap<String, AttributeValue>, name: &str| {
            item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
        };
        let record =
            |item| (text(&item, "sort"), serde_json::from_str(&text(&item, "body")).unwrap_or_default());
        items.into_iter().map(record).collect()
    }

    /// What of leases, intents and slots an instance still holds: nothing, when its run is closed.
    pub async fn held(&self, instance_id: &str) -> Vec<String> {
        let mut held = Vec::new();
        for partition in ["leases", "intents", "slots"] {
            let keys = self.records(partition).await.into_iter();
            let of_instance = keys.filter(|(key, body)| format!("{key} {body}").contains(instance_id));
            held.extend(of_instance.map(|(key, _)| format!("{partition} {key}")));
        }
        held
    }
}
