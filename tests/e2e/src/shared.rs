//! One platform for all tests of a program.

use std::sync::{OnceLock, mpsc};
use std::thread;

use crate::moto::Pace;
use crate::platform::Platform;

/// The platform of this test program, started by the first test that asks for it. It has a thread and a runtime of its
/// own, since each test's runtime ends with the test. moto and the functions end with the process.
///
/// # Panics
/// When it cannot be started, with what is missing.
pub fn platform(name: &'static str) -> &'static Platform {
    static PLATFORM: OnceLock<Result<Platform, String>> = OnceLock::new();
    let started = PLATFORM.get_or_init(|| {
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime starts").block_on(async {
                let _ignored = tell.send(Platform::start(name, Pace::default()).await);
                std::future::pending::<()>().await;
            });
        });
        let started = told.recv().map_err(|_| "the platform's thread ended".to_owned());
        started.and_then(|started| started.map_err(|why| why.to_string()))
    });
    started.as_ref().unwrap_or_else(|why| panic!("{why}"))
}
