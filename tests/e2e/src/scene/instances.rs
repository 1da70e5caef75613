//! Instances, in any account.

use aws_sdk_ec2::types::{
    BlockDeviceMapping, EbsBlockDevice, InstanceType, ResourceType, Tag, TagSpecification,
};

use super::Scene;
use crate::clients::Clients;

/// The devices of an instance, the root first.
pub const DEVICES: [&str; 3] = ["/dev/xvda", "/dev/sdf", "/dev/sdg"];

impl Scene<'_> {
    /// A running instance with three tagged volumes that the scene's policy selects, at home.
    pub async fn instance(&self) -> String {
        self.instance_in(&self.aws).await
    }

    /// The same, in the account of `aws`.
    ///
    /// # Panics
    /// When moto refuses it.
    pub async fn instance_in(&self, aws: &Clients) -> String {
        let images = aws.ec2.describe_images().owners("amazon").send().await.expect("there are images");
        let image = images.images().first().and_then(|image| image.image_id()).expect("an image has an id");
        let disk = |device: &str| {
            let ebs = EbsBlockDevice::builder().volume_size(8).build();
            BlockDeviceMapping::builder().device_name(device).ebs(ebs).build()
        };
        let tags = TagSpecification::builder()
            .resource_type(ResourceType::Instance)
            .tags(tag("Name", &format!("{}-1", self.name)))
            .tags(tag("Backup", &self.name));
        let volume_tags =
            TagSpecification::builder().resource_type(ResourceType::Volume).tags(tag("Data", "precious"));
        let run = aws.ec2.run_instances().image_id(image).instance_type(InstanceType::T3Micro);
        let run = run.min_count(1).max_count(1).set_block_device_mappings(Some(DEVICES.map(disk).to_vec()));
        let run = run.tag_specifications(tags.build()).tag_specifications(volume_tags.build());
        let started = run.send().await.expect("an instance starts");
        started.instances()[0].instance_id().expect("an instance has an id").to_owned()
    }

    /// The state of an instance at home.
    pub async fn state(&self, instance_id: &str) -> String {
        state(&self.aws, instance_id).await
    }

    /// Lets nobody stop an instance through the API, or lets them again.
    ///
    /// # Panics
    /// When moto refuses it.
    pub async fn protect_from_stop(&self, instance_id: &str, protect: bool) {
        let value = aws_sdk_ec2::types::AttributeBooleanValue::builder().value(protect).build();
        let modify = self.aws.ec2.modify_instance_attribute().instance_id(instance_id);
        modify.disable_api_stop(value).send().await.expect("the attribute is changed");
    }

    /// Terminates an instance, stop protection or not.
    ///
    /// # Panics
    /// When moto refuses it.
    pub async fn terminate(&self, instance_id: &str) {
        let terminate = self.aws.ec2.terminate_instances().instance_ids(instance_id);
        terminate.send().await.expect("it is terminated");
    }
}

/// The state of an instance in the account of `aws`.
///
/// # Panics
/// When there is none.
pub async fn state(aws: &Clients, instance_id: &str) -> String {
    let described = aws.ec2.describe_instances().instance_ids(instance_id).send().await.expect("it is there");
    let instance = &described.reservations()[0].instances()[0];
    let state = instance.state().and_then(|state| state.name()).expect("an instance has a state");
    state.as_str().to_owned()
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}
