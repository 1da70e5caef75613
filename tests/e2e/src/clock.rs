//! The time. Here, as on AWS, it is the wall's.

use jiff::Timestamp;

/// The time now.
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "moto and the functions live by the wall clock")]
    Timestamp::now()
}
