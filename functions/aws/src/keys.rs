//! The KMS port.

use async_trait::async_trait;
use aws_sdk_kms::Client;
use stopgap_core::inventory::Location;
use stopgap_core::ports::{Fault, FaultKind, KeyState, Keys};

use crate::classify::fault;
use crate::places::Places;

/// KMS in every account and Region that is served.
pub(crate) struct SdkKeys {
    places: Places<Client>,
}

impl SdkKeys {
    pub(crate) fn new(places: Places<Client>) -> Self {
        Self { places }
    }
}

#[async_trait(?Send)]
impl Keys for SdkKeys {
    async fn key_state(&self, at: &Location, key_id: &str) -> Result<KeyState, Fault> {
        const OPERATION: &str = "DescribeKey";
        let request = self.places.client(at, Client::new).await.describe_key().key_id(key_id);
        let answer = request.send().await.map_err(|error| fault(OPERATION, error))?;
        let state = answer.key_metadata.and_then(|key| key.key_state);
        state.map(|state| KeyState(state.as_str().to_owned())).ok_or_else(|| {
            Fault::new(OPERATION, FaultKind::Malformed, format!("the answer lacks the state of {key_id}"))
        })
    }
}
