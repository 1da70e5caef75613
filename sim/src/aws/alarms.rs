//! The alarms port.

use async_trait::async_trait;
use stopgap_core::inventory::Location;
use stopgap_core::ports::{ALARMS_AT_ONCE, Alarm, Alarms, Fault, FaultKind, Page};

use super::Aws;
use super::budget::Budget;

/// CloudWatch takes no more names than this in one request.
fn check(operation: &'static str, names: &[String]) -> Result<(), Fault> {
    if names.is_empty() || names.len() > ALARMS_AT_ONCE {
        let message =
            format!("ValidationError: {} names, where 1 to {ALARMS_AT_ONCE} are taken", names.len());
        return Err(Fault::new(operation, FaultKind::Rejected, message));
    }
    Ok(())
}

impl Aws {
    async fn set_acts(
        &self,
        operation: &'static str,
        at: &Location,
        names: &[String],
        acts: bool,
    ) -> Result<(), Fault> {
        self.request(operation, at, Budget::AlarmWrites).await?;
        check(operation, names)?;
        self.change(|world| {
            let Some(place) = world.places.get_mut(at) else { return };
            for name in names {
                if let Some(alarm) = place.alarms.get_mut(name) {
                    alarm.acts = acts;
                }
            }
        });
        Ok(())
    }
}

#[async_trait(?Send)]
impl Alarms for Aws {
    async fn describe_alarms(&self, at: &Location, page: Option<String>) -> Result<Page<Alarm>, Fault> {
        self.request("DescribeAlarms", at, Budget::AlarmReads).await?;
        Ok(self.look(|world| {
            let all = world.places.get(at).into_iter().flat_map(|place| place.alarms.values());
            let from = page.and_then(|token| token.parse::<usize>().ok()).unwrap_or(0);
            let mut rest = all.skip(from).cloned();
            let items: Vec<Alarm> = rest.by_ref().take(ALARMS_AT_ONCE).collect();
            let next = rest.next().map(|_| (from + ALARMS_AT_ONCE).to_string());
            Page { items, next }
        }))
    }

    async fn named_alarms(&self, at: &Location, names: &[String]) -> Result<Vec<Alarm>, Fault> {
        const OPERATION: &str = "DescribeAlarms";
        self.request(OPERATION, at, Budget::AlarmReads).await?;
        check(OPERATION, names)?;
        Ok(self.look(|world| {
            let alarms = world.places.get(at).map(|place| &place.alarms);
            names.iter().filter_map(|name| alarms?.get(name).cloned()).collect()
        }))
    }

    async fn disable_alarm_actions(&self, at: &Location, names: &[String]) -> Result<(), Fault> {
        self.set_acts("DisableAlarmActions", at, names, false).await
    }

    async fn enable_alarm_actions(&self, at: &Location, names: &[String]) -> Result<(), Fault> {
        self.set_acts("EnableAlarmActions", at, names, true).await
    }
}
