//! Buckets that are directories.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use futures::future::{LocalBoxFuture, ready};
use jiff::Timestamp;
use serde_json::{Value, json};
use stopgap_sim::stepfunctions::{ObjectStore, TaskFailure};

/// Serves `root/bucket/key`, and nothing outside of it.
pub(super) struct Directory {
    root: PathBuf,
    /// What `LastModified` says: virtual time, not that of the files.
    modified: Timestamp,
}

impl Directory {
    pub(super) fn new(root: PathBuf, modified: Timestamp) -> Self {
        Self { root, modified }
    }

    fn read(&self, bucket: &str, key: &str) -> Result<Vec<u8>, TaskFailure> {
        let bucket = self.bucket(bucket)?;
        let no_such_key =
            || failure("S3.NoSuchKeyException", format!("The specified key does not exist: {key}"));
        let path = inside(&bucket, key).ok_or_else(no_such_key)?;
        fs::read(path).map_err(|_| no_such_key())
    }

    fn bucket(&self, bucket: &str) -> Result<PathBuf, TaskFailure> {
        // A bucket is one folder: no separators in its name.
        let path =
            Some(bucket).filter(|name| !name.contains(['/', '\\'])).and_then(|name| inside(&self.root, name));
        path.filter(|path| path.is_dir()).ok_or_else(|| {
            failure("S3.NoSuchBucketException", format!("The specified bucket does not exist: {bucket}"))
        })
    }

    fn keys(&self, bucket: &str, prefix: &str) -> Result<Vec<Value>, TaskFailure> {
        let bucket = self.bucket(bucket)?;
        let mut files = Vec::new();
        walk(&bucket, "", &mut files).map_err(|error| failure("S3.S3Exception", error.to_string()))?;
        files.sort();
        let modified = self.modified.as_second();
        let listed = files.into_iter().filter(|(key, _)| key.starts_with(prefix)).map(|(key, size)| {
            json!({"Key": key, "LastModified": modified, "Size": size, "StorageClass": "STANDARD"})
        });
        Ok(listed.collect())
    }
}

impl ObjectStore for Directory {
    fn get(&self, bucket: &str, key: &str) -> LocalBoxFuture<'static, Result<Vec<u8>, TaskFailure>> {
        Box::pin(ready(self.read(bucket, key)))
    }

    fn list(&self, bucket: &str, prefix: &str) -> LocalBoxFuture<'static, Result<Vec<Value>, TaskFailure>> {
        Box::pin(ready(self.keys(bucket, prefix)))
    }
}

fn failure(error: &str, cause: String) -> TaskFailure {
    TaskFailure { error: error.into(), cause }
}

/// `root/relative`, if that is in `root`: neither `..` nor a symbolic link leads out.
fn inside(root: &Path, relative: &str) -> Option<PathBuf> {
    let relative = Path::new(relative);
    if !relative.components().all(|part| matches!(part, Component::Normal(_)))
        || relative.as_os_str().is_empty()
    {
        return None;
    }
    let (root, path) = (root.canonicalize().ok()?, root.join(relative).canonicalize().ok()?);
    path.starts_with(root).then_some(path)
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<(String, u64)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let key = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), &format!("{key}/"), files)?;
        } else if kind.is_file() {
            files.push((key, entry.metadata()?.len()));
        }
    }
    Ok(())
}
