//! From what the SDK says to our vocabulary: the one place that knows AWS's error codes.

use std::error::Error;

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use stopgap_core::ports::{Fault, FaultKind};

/// AWS's error codes, each with what it means to us. Codes that are not here are judged by their HTTP status
/// ([`of_code`]).
///
/// Sources: the EC2, Auto Scaling, Elastic Load Balancing, DynamoDB, S3, SNS, Step Functions and STS API references ("Common errors" and each
/// operation's own), and the SDK's service models.
pub const CODES: &[(&str, FaultKind)] = &[
    // Request limits. They pass.
    ("RequestLimitExceeded", FaultKind::Throttled),
    ("Throttling", FaultKind::Throttled),
    ("ThrottlingException", FaultKind::Throttled),
    ("Throttled", FaultKind::Throttled),
    ("ThrottledException", FaultKind::Throttled),
    ("TooManyRequestsException", FaultKind::Throttled),
    ("RequestThrottled", FaultKind::Throttled),
    ("RequestThrottledException", FaultKind::Throttled),
    ("SlowDown", FaultKind::Throttled),
    ("EC2ThrottledException", FaultKind::Throttled),
    ("PriorRequestNotComplete", FaultKind::Throttled),
    ("SnapshotCreationPerVolumeRateExceeded", FaultKind::Throttled),
    ("ProvisionedThroughputExceededException", FaultKind::Throttled),
    ("TransactionInProgressException", FaultKind::Throttled),
    ("TransactionConflictException", FaultKind::Throttled),
    ("ScalingActivityInProgress", FaultKind::Throttled),
    ("ScalingActivityInProgressFault", FaultKind::Throttled),
    ("ResourceContention", FaultKind::Throttled),
    ("ResourceContentionFault", FaultKind::Throttled),
    ("KMSThrottling", FaultKind::Throttled),
    ("KMSThrottlingException", FaultKind::Throttled),
    // The service failed. Most likely nothing was done.
    ("InternalError", FaultKind::Unavailable),
    ("InternalFailure", FaultKind::Unavailable),
    ("InternalServerError", FaultKind::Unavailable),
    ("InternalServiceError", FaultKind::Unavailable),
    ("ServerInternal", FaultKind::Unavailable),
    ("ServiceUnavailable", FaultKind::Unavailable),
    ("ServiceUnavailableException", FaultKind::Unavailable),
    ("Unavailable", FaultKind::Unavailable),
    ("HealthUnavailable", FaultKind::Unavailable),
    ("RequestTimeout", FaultKind::Unanswered),
    ("RequestTimeoutException", FaultKind::Unanswered),
    // What the role may not do, or who it is not.
    ("UnauthorizedOperation", FaultKind::AccessDenied),
    ("UnauthorizedAccess", FaultKind::AccessDenied),
    ("AccessDenied", FaultKind::AccessDenied),
    ("AccessDeniedException", FaultKind::AccessDenied),
    ("AuthFailure", FaultKind::AccessDenied),
    ("AuthorizationError", FaultKind::AccessDenied),
    ("AuthorizationErrorException", FaultKind::AccessDenied),
    ("InvalidClientTokenId", FaultKind::AccessDenied),
    ("UnrecognizedClientException", FaultKind::AccessDenied),
    ("SignatureDoesNotMatch", FaultKind::AccessDenied),
    ("ExpiredToken", FaultKind::AccessDenied),
    ("ExpiredTokenException", FaultKind::AccessDenied),
    ("OptInRequired", FaultKind::AccessDenied),
    ("Blocked", FaultKind::AccessDenied),
    ("KMSAccessDenied", FaultKind::AccessDenied),
    ("KMSAccessDeniedException", FaultKind::AccessDenied),
    // What is not there.
    ("InvalidInstanceID.NotFound", FaultKind::NotFound),
    ("InvalidInstanceID.Malformed", FaultKind::NotFound),
    ("InvalidVolume.NotFound", FaultKind::NotFound),
    ("InvalidVolumeID.Malformed", FaultKind::NotFound),
    ("InvalidSnapshot.NotFound", FaultKind::NotFound),
    ("InvalidSnapshotID.Malformed", FaultKind::NotFound),
    ("ResourceNotFoundException", FaultKind::NotFound),
    ("ExecutionDoesNotExist", FaultKind::NotFound),
    ("StateMachineDoesNotExist", FaultKind::NotFound),
    ("NotFound", FaultKind::NotFound),
    ("NotFoundException", FaultKind::NotFound),
    ("NoSuchBucket", FaultKind::NotFound),
    ("NoSuchKey", FaultKind::NotFound),
    ("TargetGroupNotFound", FaultKind::NotFound),
    // The wrong state for it.
    ("IncorrectInstanceState", FaultKind::Conflict),
    ("IncorrectState", FaultKind::Conflict),
    ("IncorrectStateException", FaultKind::Conflict),
    ("InvalidSnapshot.InUse", FaultKind::Conflict),
    ("SnapshotLocked", FaultKind::Conflict),
    ("VolumeInUse", FaultKind::Conflict),
    ("ExecutionAlreadyExists", FaultKind::Conflict),
    // Quotas. They do not pass by themselves.
    ("SnapshotLimitExceeded", FaultKind::LimitExceeded),
    ("PendingSnapshotLimitExceeded", FaultKind::LimitExceeded),
    ("ConcurrentSnapshotLimitExceeded", FaultKind::LimitExceeded),
    ("TagLimitExceeded", FaultKind::LimitExceeded),
    ("TagPolicyViolation", FaultKind::Rejected),
    ("InstanceLimitExceeded", FaultKind::LimitExceeded),
    ("VcpuLimitExceeded", FaultKind::LimitExceeded),
    ("ExecutionLimitExceeded", FaultKind::LimitExceeded),
    ("TooManyTargets", FaultKind::LimitExceeded),
    ("TooManyRegistrationsForTargetId", FaultKind::LimitExceeded),
    // No room.
    ("InsufficientInstanceCapacity", FaultKind::NoCapacity),
    ("InsufficientHostCapacity", FaultKind::NoCapacity),
    ("InsufficientReservedInstanceCapacity", FaultKind::NoCapacity),
    ("InsufficientCapacityOnHost", FaultKind::NoCapacity),
    ("InsufficientCapacity", FaultKind::NoCapacity),
    // Other refusals, named here so that nobody wonders whether they were forgotten.
    ("UnsupportedOperation", FaultKind::Rejected),
    ("OperationNotPermitted", FaultKind::Rejected),
    ("ValidationError", FaultKind::Rejected),
    ("ValidationException", FaultKind::Rejected),
    ("InvalidParameterValue", FaultKind::Rejected),
    ("InvalidParameterCombination", FaultKind::Rejected),
    ("InvalidParameter", FaultKind::Rejected),
    ("InvalidParameterException", FaultKind::Rejected),
    ("MissingParameter", FaultKind::Rejected),
    ("InvalidRequest", FaultKind::Rejected),
    ("DryRunOperation", FaultKind::Rejected),
    ("InvalidTarget", FaultKind::Rejected),
];

/// What an error code means. One that is not in [`CODES`] is the service's failure with a 5xx status, a missing
/// resource when it ends in `.NotFound`, and a refusal otherwise. An error without an error's status is an answer that
/// the SDK could not read.
pub fn of_code(code: &str, status: u16) -> FaultKind {
    let known = CODES.iter().find(|(known, _)| *known == code).map(|(_, kind)| *kind);
    known.unwrap_or_else(|| match status {
        ..=399 => FaultKind::Malformed,
        500.. => FaultKind::Unavailable,
        429 => FaultKind::Throttled,
        _ if code.ends_with(".NotFound") => FaultKind::NotFound,
        401 | 403 if code.is_empty() => FaultKind::AccessDenied,
        _ => FaultKind::Rejected,
    })
}

/// What a failed request means. It is logged too, since a retry may hide it.
pub fn fault<E, R>(operation: &'static str, error: SdkError<E, R>) -> Fault
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    R: std::fmt::Debug + Status + Send + Sync + 'static,
{
    let fault = judge(operation, error);
    tracing::info!(operation, kind = ?fault.kind, "{}", fault.message);
    fault
}

fn judge<E, R>(operation: &'static str, error: SdkError<E, R>) -> Fault
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    R: std::fmt::Debug + Status + Send + Sync + 'static,
{
    if let SdkError::ServiceError(service) = &error {
        let (code, message) = (service.err().code().unwrap_or_default(), service.err().message());
        let kind = of_code(code, service.raw().status());
        let code = if code.is_empty() { "no error code" } else { code };
        return Fault::new(operation, kind, format!("{code}: {}", message.unwrap_or("no message")));
    }
    let kind = match &error {
        // Sent, and not answered in time.
        SdkError::TimeoutError(_) => FaultKind::Unanswered,
        // The credentials of another account are refused before anything is sent.
        SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) if is_refused(&error) => {
            FaultKind::AccessDenied
        }
        // A connection that breaks may break after the request was taken.
        SdkError::DispatchFailure(failure) if failure.is_timeout() || failure.is_io() => {
            FaultKind::Unanswered
        }
        SdkError::DispatchFailure(failure) if failure.is_user() => FaultKind::Rejected,
        SdkError::DispatchFailure(_) => FaultKind::Unavailable,
        SdkError::ResponseError(_) => FaultKind::Malformed,
        _ => FaultKind::Rejected,
    };
    Fault::new(operation, kind, DisplayErrorContext(&error).to_string())
}

/// Whether it is STS that refused, however deep that is buried: assuming a role is no request of its own to the SDK, but
/// part of the request that needs it.
fn is_refused(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(assume) = error.downcast_ref::<aws_sdk_sts::operation::assume_role::AssumeRoleError>() {
            let code = assume.code().unwrap_or_default();
            return CODES.contains(&(code, FaultKind::AccessDenied));
        }
        cause = error.source();
    }
    false
}

/// The HTTP status of an answer.
pub trait Status {
    /// The status code, such as 400.
    fn status(&self) -> u16;
}

impl Status for aws_sdk_dynamodb::config::http::HttpResponse {
    fn status(&self) -> u16 {
        aws_sdk_dynamodb::config::http::HttpResponse::status(self).as_u16()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_listed_once() {
        let names: BTreeSet<&str> = CODES.iter().map(|(code, _)| *code).collect();
        assert_eq!(names.len(), CODES.len());
    }

    /// The codes that the rest of stopgap decides by, as AWS documents them.
    #[test]
    fn what_aws_documents_is_what_we_understand() {
        let table = [
            ("RequestLimitExceeded", 503, FaultKind::Throttled),
            ("SnapshotCreationPerVolumeRateExceeded", 400, FaultKind::Throttled),
            ("InternalError", 500, FaultKind::Unavailable),
            ("Unavailable", 503, FaultKind::Unavailable),
            ("UnauthorizedOperation", 403, FaultKind::AccessDenied),
            ("InvalidInstanceID.NotFound", 400, FaultKind::NotFound),
            ("InvalidSnapshot.NotFound", 400, FaultKind::NotFound),
            ("IncorrectInstanceState", 400, FaultKind::Conflict),
            ("InvalidSnapshot.InUse", 400, FaultKind::Conflict),
            ("ConcurrentSnapshotLimitExceeded", 400, FaultKind::LimitExceeded),
            ("PendingSnapshotLimitExceeded", 400, FaultKind::LimitExceeded),
            ("TagLimitExceeded", 400, FaultKind::LimitExceeded),
            ("InsufficientInstanceCapacity", 500, FaultKind::NoCapacity),
            ("UnsupportedOperation", 400, FaultKind::Rejected),
            ("OperationNotPermitted", 400, FaultKind::Rejected),
        ];
        for (code, status, kind) in table {
            assert_eq!(of_code(code, status), kind, "{code}");
        }
    }

    #[test]
    fn a_code_nobody_knows_is_judged_by_its_status() {
        assert_eq!(of_code("Brandnew", 503), FaultKind::Unavailable);
        assert_eq!(of_code("Brandnew", 429), FaultKind::Throttled);
        assert_eq!(of_code("Brandnew", 400), FaultKind::Rejected);
        assert_eq!(of_code("InvalidBrandnew.NotFound", 400), FaultKind::NotFound);
        assert_eq!(of_code("", 403), FaultKind::AccessDenied);
        assert_eq!(of_code("", 400), FaultKind::Rejected);
    }
}
