//! Which set a snapshot says that it belongs to.

use jiff::Timestamp;

use crate::occurrence::Occurrence;
use crate::policy::PolicyId;
use crate::set_tags;

/// The set tags of a snapshot, as they stand. Of a snapshot that has some tag of ours, and not all of them need be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claim<'a> {
    policy: Option<&'a str>,
    instance: Option<&'a str>,
    occurrence: Option<&'a str>,
    volumes: Option<&'a str>,
}

/// The set that a snapshot belongs to, by its tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership<'a> {
    /// The policy's id.
    pub policy: &'a str,
    /// The occurrence's time, to the letter: stopgap writes whole seconds, and what has a fraction is another set.
    pub at: Timestamp,
    /// The instance's id.
    pub instance_id: &'a str,
    /// How many volumes the set has.
    pub volumes: usize,
}

impl<'a> Claim<'a> {
    /// The set tags among `tags`; `None` when no tag is ours.
    pub fn of(tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        let mut claim = Self::default();
        let mut ours = false;
        for (key, value) in tags {
            ours |= claim.add(key, value);
        }
        ours.then_some(claim)
    }

    /// Takes a tag, if it is ours; answers whether it is.
    fn add(&mut self, key: &str, value: &'a str) -> bool {
        if !key.starts_with(set_tags::PREFIX) {
            return false;
        }
        match key {
            set_tags::POLICY => self.policy = Some(value),
            set_tags::INSTANCE => self.instance = Some(value),
            set_tags::OCCURRENCE => self.occurrence = Some(value),
            set_tags::VOLUMES => self.volumes = Some(value),
            _ => {}
        }
        true
    }

    /// The set that the tags name.
    ///
    /// # Errors
    /// What is wrong with the tags, in words.
    pub fn read(&self) -> Result<Membership<'a>, String> {
        let missing = |key: &str| format!("it has tags of stopgap's, but no `{key}`");
        let policy = self.policy.ok_or_else(|| missing(set_tags::POLICY))?;
        let instance_id = self.instance.ok_or_else(|| missing(set_tags::INSTANCE))?;
        let text = self.occurrence.ok_or_else(|| missing(set_tags::OCCURRENCE))?;
        let occurrence: Occurrence =
            text.parse().map_err(|error| format!("its tag `{}`: {error}", set_tags::OCCURRENCE))?;
        let volumes = self.volumes.ok_or_else(|| missing(set_tags::VOLUMES))?;
        if occurrence.policy.as_str() != policy {
            return Err(format!("its tags name two policies, `{policy}` and `{}`", occurrence.policy));
        }
        if !instance_id.starts_with("i-") {
            return Err(format!("its tag `{}` is no instance id: `{instance_id}`", set_tags::INSTANCE));
        }
        let volumes = volumes.parse::<usize>().ok().filter(|n| *n > 0).ok_or_else(|| {
            format!("its tag `{}` is not a number of volumes: `{volumes}`", set_tags::VOLUMES)
        })?;
        let at = text.split_once('/').and_then(|(_, at)| at.parse().ok()).unwrap_or(occurrence.at);
        Ok(Membership { policy, at, instance_id, volumes })
    }

    /// The same, faster, if all is right with the tags and they name this policy.
    pub fn read_of(&self, policy: &PolicyId) -> Option<Membership<'a>> {
        let named = self.policy.filter(|named| *named == policy.as_str())?;
        let at = self.occurrence?.strip_prefix(named)?.strip_prefix('/')?.parse().ok()?;
        let instance_id = self.instance.filter(|instance| instance.starts_with("i-"))?;
        let volumes = self.volumes?.parse().ok().filter(|volumes| *volumes > 0)?;
        Some(Membership { policy: named, at, instance_id, volumes })
    }
}
