//! How the SDK is used: its HTTP client, its time limits and its retries.

use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use stopgap_core::ports::TELLS_WITHIN;

/// How long one try of a request may take. EC2 answers in tenths of a second; a page of a thousand instances in seconds.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long a request may take with all its retries: below the functions' time-out of 60 s, so that a function that
/// meets a service that hangs still tells which one.
const OPERATION: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_millis(3_100);
/// The same for a request of the table or the topic, so that one that hangs is tried again within [`TELLS_WITHIN`].
const TELLING_ATTEMPT: Duration = Duration::from_secs(4);
/// Short waits, and not many: what asks for a start has an instance that is down. The state machine's own Retry goes on
/// after them.
const ATTEMPTS: u32 = 6;
const BACKOFF: Duration = Duration::from_millis(200);
const BACKOFF_MAX: Duration = Duration::from_millis(1_500);

/// A loader with our HTTP client, time limits and retries; what else it takes from the environment is the SDK's own.
///
/// Retries are adaptive: the client slows down when AWS throttles it. TLS is rustls on ring: it starts faster and is
/// smaller than the SDK's default.
pub fn loader() -> ConfigLoader {
    let ring = tls::Provider::Rustls(CryptoMode::Ring);
    let http = aws_smithy_http_client::Builder::new().tls_provider(ring).build_https();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .timeout_config(limits(ATTEMPT, OPERATION))
        .retry_config(retries())
}

/// The same configuration with the time limits of the table and the topic.
pub(crate) fn telling(sdk: &SdkConfig) -> SdkConfig {
    sdk.clone().into_builder().timeout_config(limits(TELLING_ATTEMPT, TELLS_WITHIN)).build()
}

fn limits(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}

fn retries() -> RetryConfig {
    RetryConfig::adaptive()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(BACKOFF)
        .with_max_backoff(BACKOFF_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The states wait 65 s for a function that may run for 60.
    const FUNCTION: Duration = Duration::from_secs(60);

    #[test]
    fn a_request_with_all_its_retries_ends_before_the_function_does() {
        assert!(OPERATION < FUNCTION);
        assert!(ATTEMPT < OPERATION);
        assert_eq!(retries().max_attempts(), ATTEMPTS);
    }

    #[test]
    fn a_ticket_is_out_before_the_function_ends_that_tells_it_though_the_table_hangs() {
        // The lease, and the ticket twice; the ticket's record twice; then it is published.
        let before = 5 * TELLS_WITHIN;
        assert!(before + TELLS_WITHIN < FUNCTION);
        assert!(2 * TELLING_ATTEMPT <= TELLS_WITHIN, "what hangs is tried again");
    }
}
