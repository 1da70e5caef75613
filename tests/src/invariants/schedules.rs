//! Schedule expressions.

use jiff::{SignedDuration, Timestamp};
use stopgap_core::schedule::{Expression, Zone};

/// The lines of the input are an expression, an IANA time zone and an RFC 3339 time; the last two may be missing. The
/// questions that can be asked of an expression agree with each other.
///
/// # Panics
/// When that does not hold.
pub fn schedules(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.lines();
    let line = lines.next().unwrap_or_default();
    let expression = match line.parse::<Expression>() {
        Ok(expression) => expression,
        Err(error) => return assert!(error.to_string().contains(line), "{error} does not name {line}"),
    };
    let zone = lines.next().and_then(|line| line.parse().ok()).unwrap_or(Zone::UTC);
    let at = lines.next().and_then(|line| line.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH);
    agrees(&expression, &zone, at);
    is_said_in_words(&expression, &zone);
}

fn agrees(expression: &Expression, zone: &Zone, at: Timestamp) {
    let (latest, next) = (expression.latest(zone, at), expression.next(zone, at));
    assert_eq!(expression.as_str().parse::<Expression>().as_ref(), Ok(expression));
    if let Some(latest) = latest {
        assert!(latest <= at, "{latest} is after {at}");
        assert_eq!(
            expression.latest(zone, latest),
            Some(latest),
            "an occurrence is the newest at its own time"
        );
        assert_eq!(expression.next(zone, latest), next, "nothing lies between {latest} and {at}");
    }
    if let Some(next) = next {
        assert!(next > at, "{next} is not after {at}");
        assert_eq!(expression.latest(zone, next), Some(next), "an occurrence is the newest at its own time");
        assert_eq!(expression.from(zone, next).next(), Some(next), "a beginning at an occurrence counts");
        let before = next.checked_sub(SignedDuration::from_nanos(1)).expect("it is after another time");
        assert_eq!(expression.latest(zone, before), latest, "nothing lies between {at} and {next}");
        assert_eq!(expression.next(zone, before), Some(next));
        is_shown_by_the_clock(expression, zone, next);
    }
    let ahead: Vec<Timestamp> = expression.from(zone, at).take(20).collect();
    assert!(ahead.windows(2).all(|pair| pair[0] < pair[1]), "{ahead:?} are not in order");
    // A rate has occurrences before 1970, too.
    if !expression.as_str().starts_with("rate") {
        let any = expression.ever_occurs(zone);
        assert_eq!(latest.is_some() || next.is_some(), any, "it occurs before or after {at}, or never");
    }
}

/// A clock in the zone shows an occurrence of a `cron` for the first time just then, on a whole minute.
fn is_shown_by_the_clock(expression: &Expression, zone: &Zone, t: Timestamp) {
    if !expression.as_str().starts_with("cron") {
        return;
    }
    let clock = zone.rules().to_datetime(t);
    assert_eq!((clock.second(), clock.subsec_nanosecond()), (0, 0), "{clock}");
    let first = zone.rules().to_ambiguous_timestamp(clock).earlier();
    assert_eq!(first.ok(), Some(t), "{clock} is shown before");
}

fn is_said_in_words(expression: &Expression, zone: &Zone) {
    let words = expression.describe(zone);
    let never = words.ends_with(", which never comes") || words.starts_with("Never: ");
    assert_eq!(never, !expression.ever_occurs(zone), "{words}");
    assert!(words.starts_with(char::is_uppercase) && words.is_ascii() && !words.contains("  "), "{words}");
}
