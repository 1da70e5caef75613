#!/usr/bin/env python3
"""Writes schedules.json: when schedule expressions occur, worked out without any code of stopgap's.

    python3 tests/data/schedules.py > tests/data/schedules.json

It reads EventBridge Scheduler's documentation and nothing else: a clock is watched minute by minute, as a person in the
zone would see it, and each minute is held against the fields. A minute that the clock never shows is not seen, and one
that it shows again is passed over: "When time shifts forward in the Spring, if a cron expression falls on a non-existent
date and time, your schedule invocation is skipped. When time shifts backwards in the Fall, your schedule runs only once."
Only the standard library is used; the time zones are the machine's, or those of the package tzdata.
"""

import json
import re
import sys
from calendar import monthrange
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
WEEKDAYS = "SUN MON TUE WED THU FRI SAT".split()
MINUTE = timedelta(minutes=1)
UNITS = {"minute": 60, "hour": 3600, "day": 86400}


def number(text, names):
    return names.index(text.upper()) + 1 if text.upper() in names else int(text)


def allows(field, value, low, high, names=()):
    """Whether a list of values, ranges and steps allows a value."""
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        elif "-" in span:
            first, last = (number(end, names) for end in span.split("-"))
        else:
            first = number(span, names)
            last = high if step else first
        # "0/30 20-2" is to run "between 10:00 PM on the starting day to 2:00 AM on the following day".
        after = range(low, last + 1) if last < first else ()
        if value in [*range(first, high + 1 if after else last + 1), *after][:: int(step or 1)]:
            return True
    return False


def weekday(day):
    """1 is Sunday."""
    return day.isoweekday() % 7 + 1


def is_workday(day):
    return day.isoweekday() <= 5


def allows_day(field, day):
    """The field day-of-month."""
    days = monthrange(day.year, day.month)[1]
    if field == "L":
        return day.day == days
    if field == "LW":
        return is_workday(day) and not any(is_workday(day.replace(day=d)) for d in range(day.day + 1, days + 1))
    if field.endswith("W"):
        wanted = int(field[:-1])
        workdays = [d for d in range(1, days + 1) if is_workday(day.replace(day=d))]
        return wanted <= days and day.day == min(workdays, key=lambda d: abs(d - wanted))
    return allows(field, day.day, 1, 31)


def allows_weekday(field, day):
    """The field day-of-week."""
    if field == "L":
        return weekday(day) == 7
    if field.endswith("L"):
        return weekday(day) == number(field[:-1], WEEKDAYS) and (day + timedelta(days=7)).month != day.month
    if "#" in field:
        which, nth = field.split("#")
        return weekday(day) == number(which, WEEKDAYS) and (day.day - 1) // 7 + 1 == int(nth)
    return allows(field, weekday(day), 1, 7, WEEKDAYS)


def cron(fields, zone, start):
    minutes, hours, days, months, weekdays, years = fields.split()
    day = start.astimezone(zone).date() - timedelta(days=2)
    while day.year < 2200:
        if (
            allows(years, day.year, 1970, 2199)
            and allows(months, day.month, 1, 12, MONTHS)
            and (days == "?" or allows_day(days, day))
            and (weekdays == "?" or allows_weekday(weekdays, day))
        ):
            # Offsets are between -12 and +14 hours; two more hours for a clock that is set back.
            now = datetime(day.year, day.month, day.day, tzinfo=timezone.utc) - 16 * 60 * MINUTE
            shown = None
            for _ in range(58 * 60):
                clock = now.astimezone(zone).replace(tzinfo=None)
                if clock.date() == day and (shown is None or clock > shown):
                    shown = clock
                    if now >= start and allows(minutes, clock.minute, 0, 59) and allows(hours, clock.hour, 0, 23):
                        yield now
                now += MINUTE
        day += timedelta(days=1)


def rate(text, start):
    value, unit = text.split()
    period = int(value) * UNITS[unit.removesuffix("s")]
    now = -(-start.timestamp() // period) * period
    while True:
        yield datetime.fromtimestamp(now, timezone.utc)
        now += period


def at(text, zone, start):
    wanted = datetime.fromisoformat(text)
    now = wanted.replace(tzinfo=timezone.utc) - 16 * 60 * MINUTE
    for _ in range(58 * 60):
        if now.astimezone(zone).replace(tzinfo=None) == wanted:
            if now >= start:
                yield now
            return
        now += MINUTE


def occurrences(expression, zone, start):
    kind, text = re.fullmatch(r"(\w+)\((.*)\)", expression).groups()
    if kind == "cron":
        return cron(text, zone, start)
    return rate(text, start) if kind == "rate" else at(text, zone, start)


def row(expression, zone_name, start, count):
    """What `stopgap schedule` is to print: the times, of which there are fewer than `count` where it ends."""
    zone = ZoneInfo(zone_name)
    times = []
    for time in occurrences(expression, zone, datetime.fromisoformat(start.replace("Z", "+00:00"))):
        times.append(time.astimezone(zone).isoformat())
        if len(times) == count:
            break
    return {"expression": expression, "timezone": zone_name, "from": start, "count": count, "times": times}


CHICAGO, LONDON, LORD_HOWE, KOLKATA = "America/Chicago", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata"
# Expression, zone, from, count.
ROWS = [
    # Chicago's clocks skip 02:00 to 03:00 on 2026-03-08 and 2027-03-14, and show 01:00 to 02:00 twice on 2026-11-01 and
    # 2027-11-07.
    ("cron(30 2 * * ? *)", CHICAGO, "2026-03-06T12:00:00Z", 4),
    ("cron(30 2 * * ? *)", CHICAGO, "2027-03-12T12:00:00Z", 4),
    ("cron(30 1 * * ? *)", CHICAGO, "2026-10-30T12:00:00Z", 4),
    ("cron(30 1 * * ? *)", CHICAGO, "2027-11-05T12:00:00Z", 4),
    ("cron(0/20 1-3 * * ? *)", CHICAGO, "2026-03-08T06:30:00Z", 12),
    ("cron(*/15 0-2 * * ? *)", CHICAGO, "2026-11-01T05:00:00Z", 14),
    ("cron(*/15 0-2 * * ? *)", CHICAGO, "2027-11-07T05:30:00Z", 14),
    ("cron(0 * * * ? *)", CHICAGO, "2026-11-01T04:00:00Z", 8),
    ("cron(0 * * * ? *)", CHICAGO, "2027-03-14T05:00:00Z", 6),
    # From within the repeated hour, the first and the second time it is shown.
    ("cron(45 1 * * ? *)", CHICAGO, "2026-11-01T06:30:00Z", 2),
    ("cron(45 1 * * ? *)", CHICAGO, "2026-11-01T07:30:00Z", 2),
    ("cron(45 1 * * ? *)", CHICAGO, "2026-11-01T07:45:00Z", 2),
    # From just on an occurrence, and a second later.
    ("cron(45 1 * * ? *)", CHICAGO, "2026-11-01T06:45:00Z", 2),
    ("cron(45 1 * * ? *)", CHICAGO, "2026-11-01T06:45:01Z", 2),
    ("at(2026-03-08T02:30:00)", CHICAGO, "2026-01-01T00:00:00Z", 3),
    ("at(2026-03-08T03:00:00)", CHICAGO, "2026-01-01T00:00:00Z", 3),
    ("at(2027-11-07T01:30:00)", CHICAGO, "2026-01-01T00:00:00Z", 3),
    ("at(2027-11-07T01:30:00)", CHICAGO, "2027-11-07T07:00:00Z", 3),
    ("rate(1 hour)", CHICAGO, "2026-11-01T05:10:00Z", 4),
    ("rate(1 day)", CHICAGO, "2027-03-13T00:00:00Z", 3),
    # London's skip 01:00 to 02:00 on 2026-03-29 and 2027-03-28, and show it twice on 2026-10-25 and 2027-10-31.
    ("cron(15 1 * * ? *)", LONDON, "2026-03-28T00:00:00Z", 3),
    ("cron(15 1 * * ? *)", LONDON, "2027-03-27T00:00:00Z", 3),
    ("cron(15 1 * * ? *)", LONDON, "2026-10-24T00:00:00Z", 3),
    ("cron(15 1 * * ? *)", LONDON, "2027-10-30T12:00:00Z", 3),
    ("cron(30 0/1 ? * SUN *)", LONDON, "2026-03-29T00:00:00Z", 6),
    ("cron(59 1 L 10 ? *)", LONDON, "2026-01-01T00:00:00Z", 3),
    ("at(2027-03-28T01:00:00)", LONDON, "2026-01-01T00:00:00Z", 2),
    ("at(2026-10-25T01:00:00)", LONDON, "2026-01-01T00:00:00Z", 2),
    # Lord Howe moves by half an hour: it shows 01:30 to 02:00 twice on 2026-04-05 and 2027-04-04, and skips 02:00 to
    # 02:30 on 2026-10-04 and 2027-10-03.
    ("cron(45 1 * * ? *)", LORD_HOWE, "2026-04-03T20:00:00Z", 3),
    ("cron(45 1 * * ? *)", LORD_HOWE, "2027-04-02T20:00:00Z", 3),
    ("cron(15 2 * * ? *)", LORD_HOWE, "2026-10-02T20:00:00Z", 3),
    ("cron(15 2 * * ? *)", LORD_HOWE, "2027-10-01T20:00:00Z", 3),
    ("cron(*/10 1-2 ? * 1#1 *)", LORD_HOWE, "2026-10-03T15:00:00Z", 10),
    ("cron(*/10 1-2 ? 4 SUN#1 2027)", LORD_HOWE, "2027-04-03T14:30:00Z", 12),
    ("at(2026-10-04T02:15:00)", LORD_HOWE, "2026-01-01T00:00:00Z", 2),
    # Kolkata's clocks are never changed: 5:30 ahead.
    ("cron(0 2 8 3 ? *)", KOLKATA, "2026-03-01T00:00:00Z", 3),
    ("cron(30 1 1 NOV ? 2026-2027)", KOLKATA, "2026-01-01T00:00:00Z", 5),
    ("cron(0 0 * * ? *)", KOLKATA, "2027-03-27T18:30:00Z", 3),
    ("rate(6 hours)", KOLKATA, "2026-03-29T00:00:01Z", 3),
    # Clocks that are changed at midnight, and a day that begins at 01:00.
    ("cron(0 0 ? * FRI *)", "Africa/Cairo", "2026-04-16T00:00:00Z", 3),
    ("cron(15 23 ? * THU *)", "Africa/Cairo", "2026-10-22T00:00:00Z", 3),
    ("cron(45 2 ? 9,4 SUN *)", "Pacific/Chatham", "2026-09-26T00:00:00Z", 3),
    ("cron(30 0 1 1 ? *)", "Pacific/Kiritimati", "2026-12-30T00:00:00Z", 2),
    # Days of the month.
    ("cron(0 2 L * ? *)", CHICAGO, "2027-12-15T00:00:00Z", 4),
    ("cron(0 2 LW * ? *)", LONDON, "2026-01-01T00:00:00Z", 12),
    ("cron(0 2 15W * ? *)", KOLKATA, "2026-01-01T00:00:00Z", 12),
    ("cron(0 2 1W * ? *)", "UTC", "2026-01-01T00:00:00Z", 12),
    ("cron(0 2 31W * ? *)", "UTC", "2026-01-01T00:00:00Z", 7),
    ("cron(0 2 30W 2-6/2 ? 2026,2027)", "UTC", "2026-01-01T00:00:00Z", 9),
    ("cron(0 0 29 2 ? *)", LONDON, "2026-01-01T00:00:00Z", 3),
    ("cron(5 4 1-7/3,20,28-31 FEB-APR ? *)", CHICAGO, "2026-02-27T00:00:00Z", 12),
    ("cron(0 12 1/5 * ? *)", KOLKATA, "2026-02-20T00:00:00Z", 6),
    # Days of the week.
    ("cron(0 2 ? * MON-FRI *)", CHICAGO, "2026-03-06T00:00:00Z", 6),
    ("cron(0 2 ? * 2#3 *)", CHICAGO, "2026-01-01T00:00:00Z", 6),
    ("cron(0 2 ? * FRI#2 *)", LONDON, "2026-01-01T00:00:00Z", 6),
    ("cron(0 2 ? * 5#5 *)", "UTC", "2026-01-01T00:00:00Z", 5),
    ("cron(0 2 ? * 6L *)", LORD_HOWE, "2026-01-01T00:00:00Z", 12),
    ("cron(0 2 ? * suNL *)", "UTC", "2026-01-01T00:00:00Z", 4),
    ("cron(0 2 ? * L *)", "UTC", "2026-11-20T00:00:00Z", 3),
    ("cron(0 2 ? * 7,1 *)", "UTC", "2026-11-20T00:00:00Z", 4),
    ("cron(0 2 ? * TUE,THU-SAT *)", KOLKATA, "2026-11-20T00:00:00Z", 6),
    ("cron(0 2 ? 1,jul MON#1 *)", "UTC", "2026-11-20T00:00:00Z", 4),
    # Steps, lists, ranges and years.
    ("cron(0/30 20-2 ? * MON-FRI *)", CHICAGO, "2026-10-31T04:00:00Z", 12),
    ("cron(0 3 ? * SAT-SUN *)", LONDON, "2026-10-24T00:00:00Z", 4),
    ("cron(50-10/10 22-1/3 30-1 NOV-FEB/2 ? *)", KOLKATA, "2026-11-29T00:00:00Z", 12),
    ("cron(1/5 23 * * ? *)", "UTC", "2026-11-20T23:50:00Z", 5),
    ("cron(1/25 4,6 1 * ? *)", "UTC", "2026-11-20T00:00:00Z", 7),
    ("cron(10-50/20,59 8-10,22/1 * * ? *)", LONDON, "2026-11-20T10:40:00Z", 9),
    ("cron(0 0/6 * * ? 2026-2028)", CHICAGO, "2028-12-31T00:00:00Z", 9),
    ("cron(0 0 1 1/4 ? 2026/3)", "UTC", "2026-11-20T00:00:00Z", 4),
    ("cron(0 0 1 1 ? 2199)", LONDON, "2026-11-20T00:00:00Z", 2),
    ("cron(0 0 31 2 ? *)", "UTC", "2026-11-20T00:00:00Z", 5),
    ("cron(0 2 * * ? 2025)", "UTC", "2026-11-20T00:00:00Z", 5),
    ("cron(* * 31 12 ? 2026)", KOLKATA, "2026-12-31T18:27:30Z", 5),
    # Elapsed time, from 1970-01-01T00:00Z.
    ("rate(1 minute)", "UTC", "2026-11-20T23:59:30Z", 2),
    ("rate(5 minutes)", KOLKATA, "2026-11-20T00:00:00Z", 3),
    ("rate(7 days)", LONDON, "2026-10-20T00:00:00Z", 3),
    ("rate(45 minutes)", LORD_HOWE, "2026-04-04T14:00:00Z", 4),
    ("rate(1 days)", "UTC", "2026-11-20T00:00:00Z", 2),
    ("at(2026-11-21T02:00:00)", CHICAGO, "2026-11-21T08:00:00Z", 2),
    ("at(2026-11-21T02:00:00)", CHICAGO, "2026-11-21T08:00:01Z", 2),
    ("at(2026-11-21T02:00:00)", KOLKATA, "2026-01-01T00:00:00Z", 2),
]

if __name__ == "__main__":
    json.dump([row(*cells) for cells in ROWS], sys.stdout, indent=1)
    print()
