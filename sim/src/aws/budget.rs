//! Request budgets: a token bucket per account, Region and operation. EC2 evaluates each API individually.

use jiff::Timestamp;

/// How large an operation's budget is: the kinds that AWS tells apart, with burst and refill per second as AWS documents them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Budget {
    /// Describe*, filtered or paginated.
    Describe,
    /// CreateSnapshot(s) and DeleteSnapshot.
    Snapshot,
    /// CreateTags.
    CreateTags,
    /// StopInstances.
    Stop,
    /// StartInstances.
    Start,
    /// Auto Scaling; AWS does not document its limits.
    AutoScaling,
    /// Elastic Load Balancing; AWS does not document its limits.
    LoadBalancing,
    /// DescribeAlarms.
    AlarmReads,
    /// EnableAlarmActions and DisableAlarmActions.
    AlarmWrites,
}

impl Budget {
    fn burst_and_refill(self) -> (f64, f64) {
        match self {
            Self::Describe => (100.0, 20.0),
            Self::Snapshot => (100.0, 5.0),
            Self::CreateTags => (100.0, 10.0),
            Self::Stop => (50.0, 5.0),
            Self::Start => (5.0, 2.0),
            Self::AutoScaling | Self::LoadBalancing => (100.0, 10.0),
            // Transactions per second, of CloudWatch's service quotas; no burst is documented.
            Self::AlarmReads => (9.0, 9.0),
            Self::AlarmWrites => (3.0, 3.0),
        }
    }
}

/// A token bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    tokens: f64,
    burst: f64,
    refill: f64,
    filled_at: Option<Timestamp>,
}

impl Bucket {
    /// A full one; a scarce one is a quarter of it, as if others in the account used the rest.
    pub(super) fn new(budget: Budget, scarce: bool) -> Self {
        let share = if scarce { 0.25 } else { 1.0 };
        let (burst, refill) = budget.burst_and_refill();
        Self { tokens: burst * share, burst: burst * share, refill: refill * share, filled_at: None }
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&mut self, now: Timestamp) -> bool {
        let since = self.filled_at.map_or(0.0, |then| now.duration_since(then).as_secs_f64());
        self.tokens = (self.tokens + since * self.refill).min(self.burst);
        self.filled_at = Some(now);
        let taken = self.tokens >= 1.0;
        if taken {
            self.tokens -= 1.0;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_let_through_five_at_once_and_two_a_second_after() {
        let mut bucket = Bucket::new(Budget::Start, false);
        let start = Timestamp::UNIX_EPOCH;
        assert_eq!((0..9).filter(|_| bucket.take(start)).count(), 5);
        let later = start + jiff::SignedDuration::from_secs(1);
        assert_eq!((0..9).filter(|_| bucket.take(later)).count(), 2);
    }

    #[test]
    fn a_bucket_never_holds_more_than_its_burst() {
        let mut bucket = Bucket::new(Budget::Start, false);
        assert!(bucket.take(Timestamp::UNIX_EPOCH));
        let much_later = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24);
        assert_eq!((0..99).filter(|_| bucket.take(much_later)).count(), 5);
    }
}
