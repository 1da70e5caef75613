//! What a preflight asks of EC2.

use aws_sdk_ec2::types::{EphemeralNvmeSupport, Filter, InstanceAttributeName, SpotInstanceType};
use stopgap_core::inventory::Location;
use stopgap_core::ports::{
    Fault, FaultKind, InstanceStorage, Modification, Page, ScheduledEvent, SpotRequest,
};

use super::{SdkEc2, filter, from_sdk, next, nothing};
use crate::classify::fault;

/// The largest page of DescribeInstanceTypes.
const TYPES_PAGE: i32 = 100;
/// The largest page of DescribeVolumesModifications.
const MODIFICATIONS_PAGE: i32 = 500;

/// What asks for one of several values.
fn any_of(name: &str, values: &[String]) -> Filter {
    Filter::builder().name(name).set_values(Some(values.to_vec())).build()
}

impl SdkEc2 {
    pub(super) async fn stop_protection(&self, at: &Location, instance_id: &str) -> Result<bool, Fault> {
        const OPERATION: &str = "DescribeInstanceAttribute";
        let request = self.at(at).await.describe_instance_attribute().instance_id(instance_id);
        let request = request.attribute(InstanceAttributeName::DisableApiStop);
        let answer = request.send().await.map_err(|error| fault(OPERATION, error))?;
        answer.disable_api_stop.and_then(|attribute| attribute.value).ok_or_else(|| {
            let message = format!("the answer lacks disableApiStop of {instance_id}");
            Fault::new(OPERATION, FaultKind::Malformed, message)
        })
    }

    pub(super) async fn events_of(
        &self,
        at: &Location,
        instance_ids: &[String],
    ) -> Result<Vec<ScheduledEvent>, Fault> {
        // EC2 would take an empty list for everything.
        if instance_ids.is_empty() {
            return Ok(Vec::new());
        }
        let request = self.at(at).await.describe_instance_status();
        let request = request.set_instance_ids(Some(instance_ids.to_vec()));
        let answer = request.send().await.map_err(|error| fault("DescribeInstanceStatus", error))?;
        let statuses = answer.instance_statuses();
        Ok(statuses.iter().flat_map(from_sdk::events).collect())
    }

    /// By filters: with ids, EC2 fails the whole call for a volume that was never modified.
    pub(super) async fn modifications_of(
        &self,
        at: &Location,
        volume_ids: &[String],
        page: Option<String>,
    ) -> Result<Page<Modification>, Fault> {
        if volume_ids.is_empty() {
            return Ok(nothing());
        }
        let going_on = Filter::builder().name("modification-state").values("modifying").values("optimizing");
        let request = self.at(at).await.describe_volumes_modifications();
        let request = request.filters(any_of("volume-id", volume_ids)).filters(going_on.build());
        let request = request.max_results(MODIFICATIONS_PAGE).set_next_token(page);
        let answer = request.send().await.map_err(|error| fault("DescribeVolumesModifications", error))?;
        let items = answer.volumes_modifications().iter().filter_map(|change| {
            Some(Modification {
                volume_id: change.volume_id()?.to_owned(),
                state: change.modification_state()?.as_str().to_owned(),
                progress: change.progress().and_then(|percent| u8::try_from(percent).ok()),
            })
        });
        Ok(Page { items: items.collect(), next: next(answer.next_token().map(str::to_owned)) })
    }

    /// By filters: a name that EC2 does not know fails no call.
    pub(super) async fn storage_of(
        &self,
        at: &Location,
        instance_types: &[String],
        page: Option<String>,
    ) -> Result<Page<InstanceStorage>, Fault> {
        if instance_types.is_empty() {
            return Ok(nothing());
        }
        let request = self.at(at).await.describe_instance_types();
        let request = request.filters(any_of("instance-type", instance_types));
        let request = request.filters(filter("instance-storage-supported", "true"));
        let request = request.max_results(TYPES_PAGE).set_next_token(page);
        let answer = request.send().await.map_err(|error| fault("DescribeInstanceTypes", error))?;
        let items = answer.instance_types().iter().filter_map(|kind| {
            let storage = kind.instance_storage_info()?;
            Some(InstanceStorage {
                instance_type: kind.instance_type()?.as_str().to_owned(),
                size_gb: storage
                    .total_size_in_gb()
                    .and_then(|size| u64::try_from(size).ok())
                    .unwrap_or_default(),
                always: storage.nvme_support() != Some(&EphemeralNvmeSupport::Unsupported),
            })
        });
        Ok(Page { items: items.collect(), next: next(answer.next_token().map(str::to_owned)) })
    }

    /// By a filter: a request that EC2 has forgotten fails no call.
    pub(super) async fn spot_requests_of(
        &self,
        at: &Location,
        request_ids: &[String],
        page: Option<String>,
    ) -> Result<Page<SpotRequest>, Fault> {
        if request_ids.is_empty() {
            return Ok(nothing());
        }
        let request = self.at(at).await.describe_spot_instance_requests();
        let request = request.filters(any_of("spot-instance-request-id", request_ids));
        let request = request.max_results(super::PAGE).set_next_token(page);
        let answer = request.send().await.map_err(|error| fault("DescribeSpotInstanceRequests", error))?;
        let items = answer.spot_instance_requests().iter().filter_map(|request| {
            Some(SpotRequest {
                id: request.spot_instance_request_id()?.to_owned(),
                // One-time is what a request is that does not say.
                one_time: request.r#type() != Some(&SpotInstanceType::Persistent),
            })
        });
        Ok(Page { items: items.collect(), next: next(answer.next_token().map(str::to_owned)) })
    }
}
