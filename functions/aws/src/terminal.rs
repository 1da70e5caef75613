//! Signing in from a person's terminal: the AWS CLI's profiles and variables, and errors that say what would be right.

use std::error::Error;

use aws_config::identity::IdentityCache;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{Region, SdkConfig};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::config::ProvideCredentials;
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;
use stopgap_core::inventory::Location;

use crate::sdk;

/// What the person says; what is left out comes from the environment and the profile, as with the AWS CLI.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The profile of `~/.aws/config`.
    pub profile: Option<String>,
    /// The Region.
    pub region: Option<String>,
    /// Where all services are, instead of AWS.
    pub endpoint_url: Option<String>,
}

/// Who signed in, and where.
pub struct SignedIn {
    /// The SDK's configuration.
    pub sdk: SdkConfig,
    /// The account and Region.
    pub home: Location,
    /// The partition of the account: `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: String,
}

/// Why nobody is signed in, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No Region is set.
    #[error("no Region is set: give --region, set AWS_REGION, or set `region` in the profile")]
    NoRegion,
    /// There are no credentials, or they cannot be loaded.
    #[error(
        "no credentials could be loaded ({0}): give --profile or set AWS_PROFILE; with IAM Identity Center, run `aws sso login` first"
    )]
    NoCredentials(String),
    /// They are there, and no longer valid.
    #[error("the credentials have expired: sign in again, such as by `aws sso login`")]
    Expired,
    /// AWS does not accept them.
    #[error(
        "AWS does not accept the credentials ({0}): see whether `aws sts get-caller-identity` accepts them with the same profile and Region"
    )]
    Refused(String),
    /// There was no answer.
    #[error(
        "the service STS could not be reached in the Region `{region}` ({why}): see whether that is a Region, and --endpoint-url the right address"
    )]
    Unreachable {
        /// The Region.
        region: String,
        /// What happened.
        why: String,
    },
}

/// Signs in: loads credentials, and asks STS whose they are (GetCallerIdentity, which needs no right).
///
/// # Errors
/// What is missing or wrong, in words for a person.
pub async fn sign_in(access: &Access) -> Result<SignedIn, SignInError> {
    let mut loader = sdk::loader();
    if let Some(profile) = &access.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &access.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(url) = &access.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    let sdk = loader.load().await;
    let sdk = access.profile.as_deref().map_or(sdk.clone(), |profile| by_profile(&sdk, profile));
    let region = sdk.region().map(ToString::to_string).ok_or(SignInError::NoRegion)?;
    let provider =
        sdk.credentials_provider().ok_or_else(|| SignInError::NoCredentials("none are set".into()))?;
    provider.provide_credentials().await.map_err(|error| match (innermost(&error), &access.profile) {
        (why, _) if why.contains("xpired") => SignInError::Expired,
        (why, Some(profile)) if why.contains("was not enabled") => {
            SignInError::NoCredentials(format!("there is no profile `{profile}`, or it has none"))
        }
        (why, _) => SignInError::NoCredentials(why),
    })?;
    let caller = aws_sdk_sts::Client::new(&sdk).get_caller_identity().send().await;
    let caller = caller.map_err(|error| refused(&error, &region))?;
    let malformed = || SignInError::Refused("STS did not say whose they are".to_owned());
    let partition = caller.arn().and_then(|arn| arn.split(':').nth(1)).ok_or_else(malformed)?.to_owned();
    let home = Location::new(caller.account().ok_or_else(malformed)?, region);
    Ok(SignedIn { sdk, home, partition })
}

/// With the credentials of a profile alone: who names one does not mean those in the environment, which the SDK would
/// prefer. The AWS CLI has it so.
fn by_profile(sdk: &SdkConfig, profile: &str) -> SdkConfig {
    let mut config = ProviderConfig::without_region().with_region(sdk.region().cloned());
    if let Some(http) = sdk.http_client() {
        config = config.with_http_client(http);
    }
    let provider = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(profile).build();
    sdk.to_builder()
        .credentials_provider(SharedCredentialsProvider::new(provider))
        .identity_cache(IdentityCache::lazy().build())
        .build()
}

fn refused<R>(error: &SdkError<GetCallerIdentityError, R>, region: &str) -> SignInError {
    let SdkError::ServiceError(service) = error else {
        let why = match error {
            SdkError::DispatchFailure(failure) => failure.as_connector_error().map(|error| innermost(error)),
            SdkError::TimeoutError(_) => Some("no answer in time".to_owned()),
            _ => None,
        };
        let why = why.unwrap_or_else(|| "no answer that makes sense".to_owned());
        return SignInError::Unreachable { region: region.to_owned(), why };
    };
    match service.err().code().unwrap_or("no error code") {
        "ExpiredToken" | "ExpiredTokenException" => SignInError::Expired,
        code => {
            let message = service.err().message().unwrap_or("no message");
            SignInError::Refused(format!("{code}: {message}"))
        }
    }
}

/// The message at the bottom of a chain of errors: the ones above it say where, and not what.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    // The SDK's own lists what it tried, line by line; what would be right is said by us.
    let message = innermost.to_string();
    message.lines().next().unwrap_or_default().trim_end_matches(". Attempted:").to_owned()
}
