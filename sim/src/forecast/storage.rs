//! How much snapshots store: a simple model that errs on the side of too much.
//!
//! EBS snapshots are incremental: each stores the blocks that changed since the volume's snapshot before, and a block is
//! freed when the last snapshot that refers to it is deleted. How much two changes hit the same block is not known. Here,
//! no block changes again before all others have. So, for the kept snapshots of a volume:
//!
//! - the oldest stores all data of the volume: its size times the share that is filled;
//! - each later one stores what changed since the one that is kept before it: days between them times the rate of change
//!   times the data, and at most all data;
//! - deleting one between two others moves what it stored to the next, and frees only what then goes beyond all data;
//! - deleting the oldest makes the next one hold all data, and frees what that one stored.

use jiff::Timestamp;

use super::Assumptions;

const DAY: f64 = 86_400.0;

/// How many GiB a volume's snapshots of `times` (oldest first) store for each GiB of its size.
pub fn stored_share(times: impl IntoIterator<Item = Timestamp>, assumed: &Assumptions) -> f64 {
    let data = assumed.fill_percent / 100.0;
    let a_day = data * assumed.change_percent_per_day / 100.0;
    let mut before: Option<Timestamp> = None;
    let mut stored = 0.0;
    for time in times {
        stored += before.map_or(data, |before| {
            let days = time.duration_since(before).as_secs_f64() / DAY;
            (days * a_day).min(data)
        });
        before = Some(time);
    }
    stored
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half of a volume is data, a tenth of which changes a day: 0.5 of its size, and 0.05 a day.
    const ASSUMED: fn() -> Assumptions =
        || Assumptions { fill_percent: 50.0, change_percent_per_day: 10.0, ..Assumptions::default() };

    fn share(days: &[i64]) -> f64 {
        let times = days.iter().map(|day| Timestamp::from_second(day * 86_400).unwrap());
        (stored_share(times, &ASSUMED()) * 1e9).round() / 1e9
    }

    #[test]
    fn the_first_is_full_and_each_later_one_stores_what_changed() {
        assert_eq!(share(&[]), 0.0);
        assert_eq!(share(&[0]), 0.5);
        // 0.5 + 0.05 + 0.05
        assert_eq!(share(&[0, 1, 2]), 0.6);
        // A week between: 0.5 + 7 × 0.05
        assert_eq!(share(&[0, 7]), 0.85);
    }

    #[test]
    fn no_snapshot_stores_more_than_all_data() {
        // Thirty days would be 1.5.
        assert_eq!(share(&[0, 30]), 1.0);
    }

    #[test]
    fn deleting_one_in_between_frees_only_what_goes_beyond_all_data() {
        assert_eq!(share(&[0, 1, 2, 3]), share(&[0, 3]));
        // 0.5 + 8 × 0.05 + 8 × 0.05, and without the middle one min(16 × 0.05, 0.5).
        assert_eq!((share(&[0, 8, 16]), share(&[0, 16])), (1.3, 1.0));
    }

    #[test]
    fn deleting_the_oldest_frees_what_the_next_one_stored() {
        // The next one holds all data then, of which it stored 3 × 0.05.
        assert_eq!((share(&[0, 3, 4]), share(&[3, 4])), (0.7, 0.55));
    }
}
