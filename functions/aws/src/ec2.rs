//! The EC2 port.

mod from_sdk;
mod preflight;

use async_trait::async_trait;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::Builder;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::operation::describe_snapshots::builders::DescribeSnapshotsFluentBuilder;
use aws_sdk_ec2::types::{
    Filter, InstanceSpecification, InstanceStateChange, ResourceType, Tag, TagSpecification,
};
use stopgap_core::ebs_snapper;
use stopgap_core::inventory::{Instance, Location, Snapshot, Tags, Volume};
use stopgap_core::ports::{
    CreateSnapshots, CreatedSnapshot, Ec2, Fault, FaultKind, InstanceStorage, Modification, Page,
    ScheduledEvent, SnapshotQuery, SpotRequest, StateChange, Which,
};
use stopgap_core::set_tags;

use crate::classify::fault;
use crate::places::Places;

/// EC2's largest page.
const PAGE: i32 = 1000;

/// EC2 in every account and Region that is served.
pub(crate) struct SdkEc2 {
    places: Places<Client>,
}

impl SdkEc2 {
    pub(crate) fn new(places: Places<Client>) -> Self {
        Self { places }
    }

    async fn at(&self, at: &Location) -> Client {
        self.places.client(at, Client::new).await
    }
}

/// What to ask for: a page, or ids. EC2 refuses both together, and takes an empty list of ids for everything, unpaginated.
enum Asked {
    Page { size: i32, token: Option<String> },
    Ids(Vec<String>),
    Nothing,
}

impl Asked {
    fn of(ids: Option<&[String]>, token: Option<String>) -> Self {
        match ids {
            None => Self::Page { size: PAGE, token },
            Some([]) => Self::Nothing,
            Some(ids) => Self::Ids(ids.to_vec()),
        }
    }
}

fn ids(which: &Which) -> Option<&[String]> {
    match which {
        Which::All => None,
        Which::Ids(ids) => Some(ids),
    }
}

fn nothing<T>() -> Page<T> {
    Page { items: Vec::new(), next: None }
}

fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// Asks for what ebs_snapper made of `instance_id`, which may have wildcards.
fn of_ebs_snapper(
    request: DescribeSnapshotsFluentBuilder,
    instance_id: &str,
) -> DescribeSnapshotsFluentBuilder {
    let description = format!("{}*", ebs_snapper::description(instance_id));
    request.filters(filter("tag-key", ebs_snapper::DELETE_ON)).filters(filter("description", &description))
}

fn tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// An empty token is EC2's way to say that there is no more.
fn next(token: Option<String>) -> Option<String> {
    token.filter(|token| !token.is_empty())
}

#[async_trait(?Send)]
impl Ec2 for SdkEc2 {
    async fn describe_instances(
        &self,
        at: &Location,
        which: &Which,
        page: Option<String>,
    ) -> Result<Page<Instance>, Fault> {
        const OPERATION: &str = "DescribeInstances";
        let request = self.at(at).await.describe_instances();
        let request = match Asked::of(ids(which), page) {
            Asked::Page { size, token } => request.max_results(size).set_next_token(token),
            Asked::Ids(ids) => request.set_instance_ids(Some(ids)),
            Asked::Nothing => return Ok(nothing()),
        };
        let answer = request.send().await.map_err(|error| fault(OPERATION, error))?;
        let mut items = Vec::new();
        for reservation in answer.reservations.unwrap_or_default() {
            for instance in reservation.instances() {
                items.push(from_sdk::instance(OPERATION, at, &reservation, instance)?);
            }
        }
        Ok(Page { items, next: next(answer.next_token) })
    }

    async fn describe_volumes(
        &self,
        at: &Location,
        which: &Which,
        page: Option<String>,
    ) -> Result<Page<Volume>, Fault> {
        const OPERATION: &str = "DescribeVolumes";
        let request = self.at(at).await.describe_volumes();
        let request = match Asked::of(ids(which), page) {
            Asked::Page { size, token } => request.max_results(size).set_next_token(token),
            Asked::Ids(ids) => request.set_volume_ids(Some(ids)),
            Asked::Nothing => return Ok(nothing()),
        };
        let answer = request.send().await.map_err(|error| fault(OPERATION, error))?;
        let volumes = answer.volumes.unwrap_or_default();
        let items = volumes.into_iter().map(|volume| from_sdk::volume(OPERATION, volume));
        Ok(Page { items: items.collect::<Result<_, _>>()?, next: next(answer.next_token) })
    }

    async fn describe_snapshots(
        &self,
        at: &Location,
        query: &SnapshotQuery,
        page: Option<String>,
    ) -> Result<Page<Snapshot>, Fault> {
        const OPERATION: &str = "DescribeSnapshots";
        let request = self.at(at).await.describe_snapshots().owner_ids("self");
        let (request, ids) = match query {
            SnapshotQuery::Ours => (request.filters(filter("tag-key", set_tags::OCCURRENCE)), None),
            SnapshotQuery::OfInstance(id) => {
                (request.filters(filter(&format!("tag:{}", set_tags::INSTANCE), id)), None)
            }
            SnapshotQuery::EbsSnapper => (of_ebs_snapper(request, "i-*"), None),
            SnapshotQuery::EbsSnapperOf(id) => (of_ebs_snapper(request, id), None),
            // Without a volume the filter would ask for the pending ones of all.
            SnapshotQuery::PendingOf(volumes) if volumes.is_empty() => return Ok(nothing()),
            SnapshotQuery::PendingOf(volumes) => {
                let of = Filter::builder().name("volume-id").set_values(Some(volumes.clone())).build();
                (request.filters(of).filters(filter("status", "pending")), None)
            }
            SnapshotQuery::Ids(ids) => (request, Some(ids.as_slice())),
        };
        let request = match Asked::of(ids, page) {
            Asked::Page { size, token } => request.max_results(size).set_next_token(token),
            Asked::Ids(ids) => request.set_snapshot_ids(Some(ids)),
            Asked::Nothing => return Ok(nothing()),
        };
        let answer = request.send().await.map_err(|error| fault(OPERATION, error))?;
        let snapshots = answer.snapshots.unwrap_or_default();
        let items = snapshots.into_iter().map(|snapshot| from_sdk::snapshot(OPERATION, snapshot));
        Ok(Page { items: items.collect::<Result<_, _>>()?, next: next(answer.next_token) })
    }

    async fn is_stop_protected(&self, at: &Location, instance_id: &str) -> Result<bool, Fault> {
        self.stop_protection(at, instance_id).await
    }

    async fn scheduled_events(
        &self,
        at: &Location,
        instance_ids: &[String],
    ) -> Result<Vec<ScheduledEvent>, Fault> {
        self.events_of(at, instance_ids).await
    }

    async fn modifications(
        &self,
        at: &Location,
        volume_ids: &[String],
        page: Option<String>,
    ) -> Result<Page<Modification>, Fault> {
        self.modifications_of(at, volume_ids, page).await
    }

    async fn instance_storage(
        &self,
        at: &Location,
        instance_types: &[String],
        page: Option<String>,
    ) -> Result<Page<InstanceStorage>, Fault> {
        self.storage_of(at, instance_types, page).await
    }

    async fn spot_requests(
        &self,
        at: &Location,
        request_ids: &[String],
        page: Option<String>,
    ) -> Result<Page<SpotRequest>, Fault> {
        self.spot_requests_of(at, request_ids, page).await
    }

    async fn stop_instance(&self, at: &Location, instance_id: &str) -> Result<StateChange, Fault> {
        const OPERATION: &str = "StopInstances";
        let request = self.at(at).await.stop_instances().instance_ids(instance_id);
        let answer = request.send().await.map_err(|error| fault(OPERATION, error))?;
        change(OPERATION, answer.stopping_instances(), instance_id)
    }

    async fn start_instance(&self, at: &Location, instance_id: &str) -> Result<StateChange, Fault> {
        const OPERATION: &str = "StartInstances";
        let request = self.at(at).await.start_instances().instance_ids(instance_id);
        let answer = request.send().await.map_err(|error| fault(OPERATION, error))?;
        change(OPERATION, answer.starting_instances(), instance_id)
    }

    /// Never repeated by the SDK: the call has no client token, and one that was not answered may have been carried out.
    /// The task looks for what it made before it calls again.
    async fn create_snapshots(
        &self,
        at: &Location,
        request: &CreateSnapshots,
    ) -> Result<Vec<CreatedSnapshot>, Fault> {
        const OPERATION: &str = "CreateSnapshots";
        let of = InstanceSpecification::builder()
            .instance_id(&request.instance_id)
            .exclude_boot_volume(request.exclude_root);
        let of = request.exclude_volumes.iter().fold(of, |of, id| of.exclude_data_volume_ids(id));
        let tagged = TagSpecification::builder()
            .resource_type(ResourceType::Snapshot)
            .set_tags(Some(tags(&request.tags)))
            .build();
        let call = self
            .at(at)
            .await
            .create_snapshots()
            .instance_specification(of.build())
            .description(&request.description)
            .tag_specifications(tagged);
        let once = Builder::new().retry_config(RetryConfig::disabled());
        let answer = call.customize().config_override(once).send().await;
        let made = answer.map_err(|error| fault(OPERATION, error))?.snapshots.unwrap_or_default();
        made.into_iter().map(|made| from_sdk::created(OPERATION, made)).collect()
    }

    async fn tag_snapshots(&self, at: &Location, snapshot_ids: &[String], add: &Tags) -> Result<(), Fault> {
        if snapshot_ids.is_empty() || add.is_empty() {
            return Ok(());
        }
        let request = self.at(at).await.create_tags().set_resources(Some(snapshot_ids.to_vec()));
        let request = request.set_tags(Some(tags(add)));
        request.send().await.map_err(|error| fault("CreateTags", error))?;
        Ok(())
    }

    async fn delete_snapshot(&self, at: &Location, snapshot_id: &str) -> Result<(), Fault> {
        let request = self.at(at).await.delete_snapshot().snapshot_id(snapshot_id);
        request.send().await.map_err(|error| fault("DeleteSnapshot", error))?;
        Ok(())
    }
}

fn change(
    operation: &'static str,
    changes: &[InstanceStateChange],
    instance_id: &str,
) -> Result<StateChange, Fault> {
    let change = changes.iter().find(|change| change.instance_id() == Some(instance_id));
    let state = |state: Option<&aws_sdk_ec2::types::InstanceState>| from_sdk::state(state?.name()?.as_str());
    change
        .and_then(|change| {
            Some(StateChange { from: state(change.previous_state())?, to: state(change.current_state())? })
        })
        .ok_or_else(|| {
            let message = format!("the answer does not say what became of {instance_id}");
            Fault::new(operation, FaultKind::Malformed, message)
        })
}
