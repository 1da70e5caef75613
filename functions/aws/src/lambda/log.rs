//! Logs: one JSON document a line on stdout, each with what the invocation is about.

use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Sets up logging, once for the process.
pub(super) fn init(level: &str) {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_span_events(FmtSpan::NONE)
        .with_writer(std::io::stdout);
    // A second call, as in tests, changes nothing.
    let _ = tracing_subscriber::registry().with(targets(level)).with(lines).try_init();
}

/// What a level lets through: of stopgap's own lines as it says, of everyone else's what is wrong. The SDK writes requests
/// into its debug lines; whoever wants those names its target.
fn targets(level: &str) -> Targets {
    let others = Targets::new().with_default(tracing::Level::WARN);
    let ours = |level| others.clone().with_target("stopgap_core", level).with_target("stopgap_aws", level);
    match level.parse::<tracing::Level>() {
        Ok(level) => ours(level),
        Err(_) => level.parse().unwrap_or_else(|_| ours(tracing::Level::INFO)),
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_level_is_of_stopgaps_lines_and_not_of_the_sdks() {
        let debug = targets("debug");
        assert!(debug.would_enable("stopgap_aws::lambda", &Level::DEBUG));
        assert!(!debug.would_enable("aws_smithy_runtime::client", &Level::DEBUG));
        assert!(debug.would_enable("aws_smithy_runtime::client", &Level::WARN));
    }

    #[test]
    fn targets_are_taken_as_they_are_and_nonsense_for_info() {
        assert!(targets("info,aws_smithy_runtime=debug").would_enable("aws_smithy_runtime", &Level::DEBUG));
        assert!(targets("stopgap_core=loud").would_enable("stopgap_aws", &Level::INFO));
    }
}
