//! The accounts and Regions of a deployment: at home with the function's own role, elsewhere with a role that it assumes.

use std::cell::RefCell;
use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{Region, identity::IdentityCache};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use stopgap_core::inventory::Location;
use stopgap_core::policy::ROLE_PREFIX;

/// The name that the other account's CloudTrail shows.
const SESSION: &str = "stopgap";

/// Account, Region, and the role that is assumed there.
type Reached = (String, String, Option<String>);

/// Configurations by account, Region and role, each made once: a client keeps its connections and, where a role is assumed,
/// its credentials until they expire.
pub(crate) struct Places<C> {
    base: SdkConfig,
    home: Location,
    external_id: Option<String>,
    clients: RefCell<BTreeMap<Reached, C>>,
}

impl<C: Clone> Places<C> {
    /// `external_id` is what the other accounts' roles ask for, so that nobody else's deployment can be talked into
    /// using them.
    pub(crate) fn new(base: &SdkConfig, home: &Location, external_id: Option<&str>) -> Self {
        Self {
            base: base.clone(),
            home: home.clone(),
            external_id: external_id.map(str::to_owned),
            clients: RefCell::default(),
        }
    }

    /// The client for `at`; `make` makes one where there is none yet.
    pub(crate) async fn client(&self, at: &Location, make: impl FnOnce(&SdkConfig) -> C) -> C {
        let role = (at.account != self.home.account)
            .then(|| at.role.clone().unwrap_or_else(|| ROLE_PREFIX.to_owned()));
        let key = (at.account.clone(), at.region.clone(), role.clone());
        if let Some(client) = self.clients.borrow().get(&key) {
            return client.clone();
        }
        let region = Region::new(at.region.clone());
        let mut config = self.base.to_builder().region(region);
        if let Some(role) = role {
            let provider = self.assume(&at.account, &role).await;
            config = config
                .credentials_provider(SharedCredentialsProvider::new(provider))
                .identity_cache(IdentityCache::lazy().build());
        }
        let client = make(&config.build());
        self.clients.borrow_mut().insert(key, client.clone());
        client
    }

    /// The role is assumed at home's own STS endpoint, so that a Region's outage elsewhere does not matter here.
    async fn assume(&self, account: &str, role: &str) -> AssumeRoleProvider {
        let partition = partition(&self.home.region);
        let arn = format!("arn:{partition}:iam::{account}:role/{role}");
        let mut provider = AssumeRoleProvider::builder(arn).session_name(SESSION).configure(&self.base);
        if let Some(external_id) = &self.external_id {
            provider = provider.external_id(external_id);
        }
        provider.build().await
    }
}

/// The partition that a Region belongs to. Roles cannot be assumed across partitions.
fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_named_in_the_partition_of_the_region() {
        assert_eq!(partition("eu-west-1"), "aws");
        assert_eq!(partition("cn-north-1"), "aws-cn");
        assert_eq!(partition("us-gov-west-1"), "aws-us-gov");
    }
}
