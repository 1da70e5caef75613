//! What the integration tests under `tests/` share.
