//! The tags by which snapshots describe themselves, and what EC2 allows in tags.
//!
//! The set tags are the same on every snapshot of a CreateSnapshots call, since its TagSpecifications apply to all of
//! them. They make the snapshots a set even if the table is lost.

/// The policy's id.
pub const POLICY: &str = "stopgap:policy";
/// The instance's id.
pub const INSTANCE: &str = "stopgap:instance";
/// The [occurrence](crate::occurrence::Occurrence): `<policy id>/<RFC 3339 UTC time>`.
pub const OCCURRENCE: &str = "stopgap:occurrence";
/// How many volumes the set has.
pub const VOLUMES: &str = "stopgap:volumes";
/// The device name of the snapshot's volume; added after the set tags.
pub const DEVICE: &str = "stopgap:device";

/// What the keys of our own tags begin with.
pub const PREFIX: &str = "stopgap:";
/// How many characters a tag's key may have (EC2).
pub const KEY_MAX: usize = 128;
/// How many characters a tag's value may have (EC2).
pub const VALUE_MAX: usize = 256;
/// How many tags a resource may have, not counting those whose keys begin with `aws:` (EC2).
pub const TAGS_MAX: usize = 50;

/// Whether a tag may be put on our snapshots on a user's behalf.
///
/// # Errors
/// In words: `aws:` is EC2's own (in any case), `stopgap:` is ours, and key and value have limits.
pub fn check(key: &str, value: &str) -> Result<(), String> {
    let reserved =
        |prefix: &str| key.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if reserved("aws:") {
        Err("a tag key cannot begin with `aws:`: EC2 keeps it for itself".to_owned())
    } else if reserved(PREFIX) {
        Err(format!("a tag key cannot begin with `{PREFIX}`: stopgap keeps it for itself"))
    } else if !(1..=KEY_MAX).contains(&key.chars().count()) {
        Err(format!("a tag key has 1 to {KEY_MAX} characters, this one has {}", key.chars().count()))
    } else if value.chars().count() > VALUE_MAX {
        Err(format!("a tag value has up to {VALUE_MAX} characters, this one has {}", value.chars().count()))
    } else {
        Ok(())
    }
}
