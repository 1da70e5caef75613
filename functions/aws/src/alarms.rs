//! The alarms port.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{AlarmType, Dimension, MetricAlarm};
use stopgap_core::inventory::Location;
use stopgap_core::ports::{ALARMS_AT_ONCE, Alarm, Alarms, Fault, FaultKind, Page};

use crate::classify::fault;
use crate::places::Places;

const DESCRIBE: &str = "DescribeAlarms";

/// CloudWatch in every account and Region that is served.
pub(crate) struct SdkAlarms {
    places: Places<Client>,
}

impl SdkAlarms {
    pub(crate) fn new(places: Places<Client>) -> Self {
        Self { places }
    }

    async fn at(&self, at: &Location) -> Client {
        self.places.client(at, Client::new).await
    }

    async fn describe(
        &self,
        at: &Location,
        names: Option<&[String]>,
        page: Option<String>,
    ) -> Result<Page<Alarm>, Fault> {
        let request = self.at(at).await.describe_alarms().alarm_types(AlarmType::MetricAlarm);
        let request = request.set_alarm_names(names.map(<[String]>::to_vec)).set_next_token(page);
        let request = request.max_records(i32::try_from(ALARMS_AT_ONCE).unwrap_or(i32::MAX));
        let answer = request.send().await.map_err(|error| fault(DESCRIBE, error))?;
        let items = answer.metric_alarms().iter().map(alarm).collect::<Result<_, _>>()?;
        Ok(Page { items, next: answer.next_token.filter(|token| !token.is_empty()) })
    }
}

/// An alarm without a word on whether it acts is one that does: that is what CloudWatch makes of it on creation.
fn alarm(found: &MetricAlarm) -> Result<Alarm, Fault> {
    let name = found
        .alarm_name()
        .ok_or_else(|| Fault::new(DESCRIBE, FaultKind::Malformed, "an alarm has no name"))?;
    let in_math = found.metrics().iter().filter_map(|query| query.metric_stat()?.metric());
    let dimensions = in_math.flat_map(|metric| metric.dimensions()).chain(found.dimensions());
    Ok(Alarm {
        name: name.to_owned(),
        acts: found.actions_enabled().unwrap_or(true),
        instances: instances(dimensions),
    })
}

fn instances<'a>(dimensions: impl Iterator<Item = &'a Dimension>) -> BTreeSet<String> {
    let ids = dimensions.filter(|dimension| dimension.name() == Some("InstanceId"));
    ids.filter_map(|dimension| dimension.value().map(str::to_owned)).collect()
}

#[async_trait(?Send)]
impl Alarms for SdkAlarms {
    async fn describe_alarms(&self, at: &Location, page: Option<String>) -> Result<Page<Alarm>, Fault> {
        self.describe(at, None, page).await
    }

    async fn named_alarms(&self, at: &Location, names: &[String]) -> Result<Vec<Alarm>, Fault> {
        Ok(self.describe(at, Some(names), None).await?.items)
    }

    async fn disable_alarm_actions(&self, at: &Location, names: &[String]) -> Result<(), Fault> {
        let request = self.at(at).await.disable_alarm_actions().set_alarm_names(Some(names.to_vec()));
        request.send().await.map_err(|error| fault("DisableAlarmActions", error))?;
        Ok(())
    }

    async fn enable_alarm_actions(&self, at: &Location, names: &[String]) -> Result<(), Fault> {
        let request = self.at(at).await.enable_alarm_actions().set_alarm_names(Some(names.to_vec()));
        request.send().await.map_err(|error| fault("EnableAlarmActions", error))?;
        Ok(())
    }
}
