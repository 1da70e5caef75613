//! Where a policy selects: accounts and Regions, and the role by which an account is reached.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::types::Policy;
use crate::inventory::Location;

/// What the names of all roles that stopgap's functions may assume begin with.
pub const ROLE_PREFIX: &str = "stopgap-spoke";
/// How long a role's name may be (IAM).
pub const ROLE_MAX: usize = 64;

/// Regions of an account, in which a policy selects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Target {
    /// The account, by its 12 digits; the one that stopgap is deployed in if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::schema::account")]
    pub account: Option<String>,
    /// The Regions, at least one; the one that stopgap is deployed in if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::schema::regions")]
    pub regions: Option<Vec<String>>,
    /// The name of the role to assume in the account; `stopgap-spoke` if it is left out. Stopgap's own account needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "super::schema::role")]
    pub role: Option<String>,
}

/// What a policy without targets has.
static HOME: [Target; 1] = [Target { account: None, regions: None, role: None }];

impl Policy {
    /// The accounts and Regions of this policy, for a stopgap that is deployed at `home`, each once, in the order of its
    /// targets.
    pub fn locations(&self, home: &Location) -> Vec<Location> {
        let mut seen = BTreeSet::new();
        let mut found: Vec<Location> =
            self.targets().iter().flat_map(|target| target.locations(home)).collect();
        // What is said twice shows only here: `{}` and home's own account and Region are the same.
        found.retain(|location| seen.insert(location.clone()));
        found
    }

    /// Whether this policy selects there. Where `home` is not known, a target selects in whatever account or Region it
    /// leaves open, and so does what a recording does not tell of an instance's place.
    pub fn targets_place(&self, at: &Location, home: Option<&Location>) -> bool {
        self.targets().iter().any(|target| target.is_at(at, home))
    }

    fn targets(&self) -> &[Target] {
        if self.targets.is_empty() { &HOME } else { &self.targets }
    }
}

impl Target {
    fn locations(&self, home: &Location) -> Vec<Location> {
        let account = self.account.as_deref().unwrap_or(&home.account);
        let role = (account != home.account).then(|| self.role.as_deref().unwrap_or(ROLE_PREFIX).to_owned());
        let regions = self.regions.as_deref().unwrap_or(std::slice::from_ref(&home.region));
        regions.iter().map(|region| Location::new(account, region).by_role(role.clone())).collect()
    }

    fn is_at(&self, at: &Location, home: Option<&Location>) -> bool {
        let account = self.account.as_deref().or(home.map(|home| home.account.as_str()));
        let region = |region: &String| at.region.is_empty() || *region == at.region;
        account.is_none_or(|account| at.account.is_empty() || account == at.account)
            && match &self.regions {
                Some(regions) => regions.iter().any(region),
                None => home.is_none_or(|home| region(&home.region)),
            }
    }
}

/// Whether a text is an account's id.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a text has the form of a Region's code: words of small letters and a number, such as `us-gov-west-1`. Which
/// Regions there are is AWS's to say, and changes.
pub(super) fn is_region(text: &str) -> bool {
    let mut parts: Vec<&str> = text.split('-').collect();
    let number = parts.pop().unwrap_or_default();
    (1..=2).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
        && parts.len() >= 2
        && parts.iter().all(|part| part.len() >= 2 && part.bytes().all(|b| b.is_ascii_lowercase()))
}

/// Whether a text is the name of a role that stopgap may assume.
pub(super) fn is_role(text: &str) -> bool {
    let rest = text.strip_prefix(ROLE_PREFIX);
    text.len() <= ROLE_MAX
        && rest.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b)))
}

#[cfg(test)]
mod tests;
