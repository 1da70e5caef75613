//! The ports of `stopgap-core` over the AWS SDK for Rust, and what every Lambda function shares.
//!
//! This is the only crate that names `aws_sdk_*`. A port does not decide: it makes one request (or one page of it),
//! retries what an SDK retries, and classifies what went wrong ([`classify`]).
//!
//! [`Aws`] holds the ports. A function takes those it declares in `stopgap_core::tasks` and links no others:
//!
//! ```text
//! let aws = Aws::new(sdk, home, table).ec2(external_id);
//! ```

#[cfg(feature = "cloudwatch")]
mod alarms;
#[cfg(feature = "autoscaling")]
mod auto_scaling;
mod aws;
pub mod classify;
#[cfg(feature = "ec2")]
mod ec2;
#[cfg(feature = "kms")]
mod keys;
#[cfg(feature = "elasticloadbalancingv2")]
mod load_balancers;
#[cfg(feature = "s3")]
mod objects;
#[cfg(any(
    feature = "ec2",
    feature = "autoscaling",
    feature = "cloudwatch",
    feature = "elasticloadbalancingv2",
    feature = "kms"
))]
mod places;
pub mod sdk;
#[cfg(feature = "sfn")]
mod step_functions;
mod table;
#[cfg(feature = "sns")]
mod topic;

#[cfg(feature = "lambda")]
pub mod lambda;
#[cfg(feature = "terminal")]
pub mod terminal;

pub use aws::Aws;
