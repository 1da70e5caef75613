//! The look of progress bars.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar in front of `words`, in indicatif's template language. On stderr, so that stdout has the result alone; hidden where
/// that is no terminal.
pub(crate) fn bar(words: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(&format!("{{bar:16}} {words}")) {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar
}
