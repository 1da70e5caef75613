//! How numbers and times are written for people.

use indicatif::HumanCount;
use jiff::Timestamp;
use stopgap_sim::forecast::{Assumptions, Forecast};

/// `12,345`
pub(super) fn grouped(number: u64) -> String {
    HumanCount(number).to_string()
}

/// `12,345` of a number that is not whole.
pub(super) fn rounded(number: f64) -> String {
    format!("{number:.0}").parse().map_or_else(|_| format!("{number:.0}"), grouped)
}

/// `1,234.56`
pub(super) fn dollars(usd: f64) -> String {
    let text = format!("{usd:.2}");
    match text.split_once('.') {
        Some((whole, cents)) => {
            whole.parse().map_or(text.clone(), |whole| format!("{}.{cents}", grouped(whole)))
        }
        None => text,
    }
}

/// `1 h 02 min`, `3 min 20 s`, `65.4 s`; `none` where nothing was down.
pub(super) fn lasting(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        _ if seconds <= 0.0 => "none".to_owned(),
        0..120 => format!("{seconds:.1} s"),
        120..7_200 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", grouped(whole / 3_600), whole / 60 % 60),
    }
}

pub(super) fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

pub(super) fn second(time: Option<Timestamp>) -> String {
    time.map(|time| time.strftime("%H:%M:%S").to_string()).unwrap_or_default()
}

/// What was played, and what repeats it.
pub(super) fn played(forecast: &Forecast) -> String {
    let engine = &forecast.engine;
    format!(
        "Each kind of run was played once on the engine, with the shipped state machines and the real tasks: {} runs in {} \
         bundles of runs that may wait for each other. The {} runs of the forecast repeat those. Of {} ticks of the fleet, {} \
         have work; core's planner planned the {} that differ, and core's retention decided after every backup.",
        grouped(engine.runs_played),
        grouped(engine.bundles_played),
        grouped(engine.runs),
        grouped(engine.ticks),
        grouped(engine.ticks_with_work),
        grouped(engine.ticks_planned),
    )
}

/// What is assumed, a line each.
pub(super) fn assumed(assumed: &Assumptions) -> Vec<(&'static str, String)> {
    let seconds = |duration: std::time::Duration| format!("{} s", duration.as_secs_f64());
    vec![
        ("EC2 stops an instance in", format!("{} (--stop-takes)", seconds(assumed.stop))),
        ("EC2 starts an instance in", format!("{} (--start-takes)", seconds(assumed.start))),
        ("snapshots complete in", format!("{} (--snapshots-take)", seconds(assumed.snapshots))),
        ("a load balancer drains for", format!("{}; the instance runs meanwhile", seconds(assumed.drain))),
        ("of a volume's size is data", format!("{} % (--fill)", assumed.fill_percent)),
        ("of that changes in a day", format!("{} % (--change-rate)", assumed.change_percent_per_day)),
        ("a volume of unknown size has", format!("{} GiB (--volume-size)", assumed.unknown_volume_gib)),
        (
            "a volume's snapshots store",
            "all data once, and what changed between two that are kept, up to all data; deleting one frees only what goes \
             beyond"
                .to_owned(),
        ),
        ("what goes wrong", "nothing; instances stay as the inventory has them".to_owned()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0.004, 1234.5].map(dollars), ["0.00", "1,234.50"]);
        assert_eq!(rounded(1234.6), "1,235");
    }

    #[test]
    fn durations_are_told_in_two_units_at_most() {
        assert_eq!(
            [0.0, 65.44, 200.0, 36_061.0].map(lasting),
            ["none", "65.4 s", "3 min 20 s", "10 h 01 min"]
        );
    }
}
