//! The CDK app's templates.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use stopgap_core::tasks;

use crate::paths::repository;
use crate::tools::{self, installed, progress, run};

/// What the CDK app was synthesized to.
#[derive(Clone, Debug)]
pub struct Assembly {
    /// Its folder, with templates and assets.
    pub folder: PathBuf,
}

impl Assembly {
    /// A stack's template.
    ///
    /// # Errors
    /// When the app has no such stack.
    pub fn template(&self, stack: &str) -> io::Result<Value> {
        let text = tools::read(&self.folder.join(format!("{stack}.template.json")))?;
        serde_json::from_str(&text).map_err(io::Error::other)
    }

    /// A file asset by its key in the staging bucket.
    ///
    /// # Errors
    /// When there is none.
    pub fn asset(&self, key: &str) -> io::Result<String> {
        tools::read(&self.folder.join(format!("asset.{key}")))
    }
}

/// Synthesizes the CDK app into `target/e2e`, unless that was done from the same files and context before. The functions
/// in it are stubs: what runs are the programs that cargo built.
///
/// # Errors
/// When Node or its modules are missing, or the app does not synthesize.
pub fn synthesize(name: &str, target: &Path, context: &Value) -> io::Result<Assembly> {
    let app = repository().join("cdk");
    tools::cdk(&app, &target.join("tools"))?;
    let artifacts = stub_artifacts(&target.join("e2e/stubs"))?;
    let mut context = context.clone();
    context["artifacts"] = json!(artifacts);

    let folder = target.join("e2e/cdk").join(name);
    fs::create_dir_all(target.join("e2e/cdk"))?;
    installed(&folder, &sources(&app, &context)?, || {
        progress(&format!("synthesizing {name}"));
        let mut command = Command::new("node");
        command.args(["--import", "tsx", "bin/app.ts"]).current_dir(&app);
        command.env("CDK_OUTDIR", &folder).env("CDK_CONTEXT_JSON", context.to_string());
        run(&mut command).map(drop)
    })?;
    Ok(Assembly { folder })
}

/// Everything that the templates are made from, as one text.
fn sources(app: &Path, context: &Value) -> io::Result<String> {
    let mut text = context.to_string();
    let machines = repository().join("statemachine");
    for start in
        [app.join("bin"), app.join("lib"), app.join("cdk.json"), app.join("package-lock.json"), machines]
    {
        append(&start, &mut text)?;
    }
    Ok(text)
}

fn append(path: &Path, text: &mut String) -> io::Result<()> {
    if path.is_dir() {
        let mut entries =
            fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| append(entry, text));
    }
    text.push_str(&format!("\n== {}\n{}", path.display(), tools::read(path)?));
    Ok(())
}

/// A folder with a `bootstrap` for each function that only the synthesis looks at.
fn stub_artifacts(folder: &Path) -> io::Result<PathBuf> {
    for name in tasks::NAMES {
        let function = folder.join(name);
        fs::create_dir_all(&function)?;
        fs::write(function.join("bootstrap"), "a stub\n")?;
    }
    Ok(folder.to_owned())
}
