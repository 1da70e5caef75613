//! A folder that is filled once for each content of what it is made from.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Fills `folder` with `install`, unless it was filled from the same `source` before. Two processes at once do it once:
/// the second waits.
///
/// # Errors
/// What `install` fails with; then the next call tries again.
pub(crate) fn installed(
    folder: &Path,
    source: &str,
    install: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let lock = File::create(folder.with_extension("lock"))?;
    lock.lock()?;
    let stamp = folder.join(".made-from");
    if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == source) {
        return Ok(());
    }
    fs::remove_dir_all(folder)?;
    fs::create_dir_all(folder)?;
    install()?;
    fs::write(stamp, source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_done_once_for_each_source() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("tool");
        let mut times = 0;
        for source in ["a", "a", "b", "b"] {
            installed(&folder, source, || {
                times += 1;
                Ok(())
            })
            .unwrap();
        }
        assert_eq!(times, 2);
    }

    #[test]
    fn what_failed_is_tried_again() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("tool");
        assert!(installed(&folder, "a", || Err(io::Error::other("no network"))).is_err());
        let mut done = false;
        installed(&folder, "a", || {
            done = true;
            Ok(())
        })
        .unwrap();
        assert!(done);
    }

    #[test]
    fn two_at_once_do_it_once() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("tool");
        let times = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let install = || {
                        times.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        std::thread::sleep(std::time::Duration::from_millis(50));
                        Ok(())
                    };
                    installed(&folder, "a", install).unwrap();
                });
            }
        });
        assert_eq!(times.into_inner(), 1);
    }
}
