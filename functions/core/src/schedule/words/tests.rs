use proptest::prelude::*;

use crate::schedule::{Expression, Zone};

fn words(expression: &str) -> String {
    expression.parse::<Expression>().unwrap().describe(&Zone::UTC)
}

#[track_caller]
fn says(rows: &[(&str, &str)]) {
    for (expression, expected) in rows {
        let words = words(&format!("cron({expression})"));
        assert_eq!(words, format!("{expected} (UTC)"), "{expression}");
    }
}

#[test]
fn times_of_the_day_are_said_as_a_person_would() {
    says(&[
        ("0 2 * * ? *", "At 02:00 every day"),
        ("30 8,20 * * ? *", "At 08:30 and 20:30 every day"),
        ("1/25 4,6 * * ? *", "At 04:01, 04:26, 04:51, 06:01, 06:26 and 06:51 every day"),
        ("0 */6 * * ? *", "At 00:00, 06:00, 12:00 and 18:00"),
        ("* * * * ? *", "Every minute"),
        ("*/15 * * * ? *", "Every 15 minutes"),
        ("0,15,30,45 * ? * * *", "Every 15 minutes"),
        ("0 * * * ? *", "Every hour, on the hour"),
        ("5 * * * ? *", "At minute 5 of every hour"),
        ("0 0/2 * * ? *", "Every 2 hours"),
        ("30 1/2 * * ? *", "Every 2 hours from 01:30 to 23:30"),
        ("1/5 * * * ? *", "Every 5 minutes from 00:01 to 23:56"),
        ("0 8-18 ? * MON-FRI *", "Every hour from 08:00 to 18:00 on Mondays to Fridays"),
        ("*/15 9-17 * * ? *", "Every 15 minutes from 09:00 to 17:45 every day"),
        ("* 3 * * ? *", "Every minute from 03:00 to 03:59 every day"),
        ("*/7 * * * ? *", "Every 7 minutes from minute 0 to 56 of every hour"),
        ("5,20 * * * ? *", "At minutes 5 and 20 of every hour"),
        ("5-30/7 9-17 * * ? *", "Every 7 minutes from minute 5 to 26 of the hours 9 to 17 every day"),
        ("* 0/2 * * ? *", "Every minute of every 2nd hour from 0 to 22 every day"),
        ("0/10 1,2,3,22 * * ? *", "Every 10 minutes of the hours 1 to 3 and 22 every day"),
        ("10,11,12,40 7-9,20 * * ? *", "At minutes 10 to 12 and 40 of the hours 7 to 9 and 20 every day"),
        (
            "0/30 20-2 ? * MON-FRI *",
            "Every 30 minutes of the hours 0 to 2 and 20 to 23 on Mondays to Fridays",
        ),
        ("15 0-4,7,9,20 * * ? *", "At minute 15 of the hours 0 to 4, 7, 9 and 20 every day"),
    ]);
}

#[test]
fn days_are_said_with_their_wildcards() {
    says(&[
        ("0 2 ? * * *", "At 02:00 every day"),
        ("0 2 1-31 * ? *", "At 02:00 every day"),
        ("0 2 ? * SUN-SAT *", "At 02:00 every day"),
        ("0 2 * JAN ? *", "At 02:00 every day in January"),
        ("0 2 1 * ? *", "At 02:00 on the 1st of every month"),
        ("0 2 1,15 1/3 ? *", "At 02:00 on the 1st and 15th of January, April, July and October"),
        ("0 2 1-7,21-23 * ? *", "At 02:00 on the 1st to 7th and 21st to 23rd of every month"),
        ("0 2 2,3,11,12,13,22 * ? *", "At 02:00 on the 2nd, 3rd, 11th to 13th and 22nd of every month"),
        ("0 2 1/2 * ? *", "At 02:00 on every 2nd day from the 1st to the 31st of every month"),
        ("0 2 31 * ? *", "At 02:00 on the 31st of every month that has one"),
        ("0 2 29 2 ? *", "At 02:00 on the 29th of February"),
        ("0 2 L * ? *", "At 02:00 on the last day of every month"),
        ("0 2 L jan-mar ? *", "At 02:00 on the last day of January to March"),
        ("0 2 LW * ? *", "At 02:00 on the last weekday (Monday to Friday) of every month"),
        (
            "0 2 15W * ? *",
            "At 02:00 on the weekday (Monday to Friday) of the same month nearest to the 15th of every month",
        ),
        (
            "0 2 31W * ? *",
            "At 02:00 on the weekday (Monday to Friday) of the same month nearest to the 31st of every month that has one",
        ),
        ("0 2 ? * 2 *", "At 02:00 on Mondays"),
        ("0 2 ? * mon,wed,Fri *", "At 02:00 on Mondays, Wednesdays and Fridays"),
        ("0 2 ? 5,6 SAT-SAT,1 *", "At 02:00 on Sundays and Saturdays in May and June"),
        ("0 2 ? * L *", "At 02:00 on Saturdays"),
        ("0 2 ? * 3#2 *", "At 02:00 on the second Tuesday of every month"),
        ("0 2 ? * SUN#5 *", "At 02:00 on the fifth Sunday of every month that has one"),
        ("0 2 ? 12 FRI#1 *", "At 02:00 on the first Friday of December"),
        ("0 2 ? * 6L *", "At 02:00 on the last Friday of every month"),
    ]);
}

#[test]
fn years_are_said_where_they_are_not_all() {
    says(&[
        ("0 2 * * ? 1970-2199", "At 02:00 every day"),
        ("0 2 * * ? 2026", "At 02:00 every day, in 2026"),
        ("0 2 * * ? 2026-2028", "At 02:00 every day, from 2026 to 2028"),
        ("0 2 * * ? 2026,2027", "At 02:00 every day, from 2026 to 2027"),
        ("0 2 * * ? 2026-2199", "At 02:00 every day, from 2026 on"),
        ("0 2 * * ? 2026/2", "At 02:00 every day, every 2nd year from 2026 on"),
        ("0 2 * * ? 2026-2035/3", "At 02:00 every day, every 3rd year from 2026 to 2035"),
        ("0 2 * * ? 2026,2028-2030", "At 02:00 every day, in 2026 and 2028 to 2030"),
        ("* * * * ? 2026", "Every minute, in 2026"),
    ]);
}

#[test]
fn rates_single_times_and_what_never_comes_are_said_too() {
    let chicago: Zone = "America/Chicago".parse().unwrap();
    for (expression, expected) in [
        ("rate(1 minute)", "Every minute"),
        ("rate(90 minutes)", "Every 90 minutes, counted from 1970-01-01T00:00Z"),
        ("rate(60 minutes)", "Every hour, counted from 1970-01-01T00:00Z"),
        ("rate(12 hours)", "Every 12 hours, counted from 1970-01-01T00:00Z"),
        ("rate(1 day)", "Every 24 hours, counted from 1970-01-01T00:00Z"),
        ("rate(7 days)", "Every 7 days of 24 hours, counted from 1970-01-01T00:00Z"),
        ("at(2026-11-21T02:00:00)", "Once, at 02:00 on 21 November 2026 (America/Chicago)"),
        ("at(2026-11-01T02:00:05)", "Once, at 02:00:05 on 1 November 2026 (America/Chicago)"),
        ("at(2026-03-08T02:30:00)", "Never: clocks in America/Chicago skip 02:30 on 8 March 2026"),
        ("cron(0 0 30 2 ? *)", "At 00:00 on the 30th of February (America/Chicago), which never comes"),
        (
            "cron(30 2 8 3 ? 2026)",
            "At 02:30 on the 8th of March, in 2026 (America/Chicago), which never comes",
        ),
    ] {
        assert_eq!(expression.parse::<Expression>().unwrap().describe(&chicago), expected, "{expression}");
    }
}

/// A field's text: every form there is, with values that often meet.
fn field(min: u16, max: u16) -> impl Strategy<Value = String> {
    let value = min..=max;
    let part = prop_oneof![
        3 => value.clone().prop_map(|value| value.to_string()),
        1 => Just("*".to_owned()),
        1 => (1..=max.min(20)).prop_map(|step| format!("*/{step}")),
        1 => (value.clone(), 1..=max.min(20)).prop_map(|(from, step)| format!("{from}/{step}")),
        2 => (value.clone(), value.clone()).prop_map(move |(a, b)| match max { 2199 => format!("{}-{}", a.min(b), a.max(b)), _ => format!("{a}-{b}") }),
        1 => (value.clone(), value, 1..=max.min(20))
            .prop_map(|(a, b, step)| format!("{}-{}/{step}", a.min(b), a.max(b))),
    ];
    proptest::collection::vec(part, 1..4).prop_map(|parts| parts.join(","))
}

fn days() -> impl Strategy<Value = (String, String)> {
    prop_oneof![
        field(1, 31).prop_map(|day| (day, "?".to_owned())),
        field(1, 7).prop_map(|weekday| ("?".to_owned(), weekday)),
        prop_oneof![
            Just("L".to_owned()),
            Just("LW".to_owned()),
            (1..=31u16).prop_map(|day| format!("{day}W"))
        ]
        .prop_map(|day| (day, "?".to_owned())),
        prop_oneof![
            (1..=7u16, 1..=5u16).prop_map(|(day, nth)| format!("{day}#{nth}")),
            (1..=7u16).prop_map(|day| format!("{day}L")),
        ]
        .prop_map(|weekday| ("?".to_owned(), weekday)),
    ]
}

/// Two expressions that differ in one field or in none.
fn pair() -> impl Strategy<Value = (String, String)> {
    let fields = || (field(0, 59), field(0, 23), days(), field(1, 12), field(1970, 2199));
    (fields(), fields(), 0..6).prop_map(|(one, other, differs)| {
        let mut second = one.clone();
        match differs {
            0 => second.0 = other.0,
            1 => second.1 = other.1,
            2 => second.2 = other.2,
            3 => second.3 = other.3,
            4 => second.4 = other.4,
            _ => {}
        }
        let text = |(minutes, hours, (day, weekday), months, years): (
            String,
            String,
            (String, String),
            String,
            String,
        )| { format!("{minutes} {hours} {day} {months} {weekday} {years}") };
        (text(one), text(second))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]
    #[test]
    fn the_words_are_the_same_exactly_when_the_values_are((one, other) in pair()) {
        let fields = |text: &str| crate::schedule::fields::Fields::parse(text).unwrap();
        let (one, other) = (fields(&one), fields(&other));
        prop_assert_eq!(super::cron(&one) == super::cron(&other), one == other, "{:?} {:?}", one, other);
    }
}
