//! A function's process, and the Runtime API that it alone talks to.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::runtime_api::{Invocation, Line, runtime_api};
use super::{Function, Outcome};

/// A process that serves one invocation after the other. Dropping it kills the process.
pub(super) struct Sandbox {
    process: Child,
    line: Line,
    api: JoinHandle<io::Result<()>>,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.api.abort();
    }
}

impl Sandbox {
    /// Starts the function's program with the environment that Lambda gives it, and nothing of this process's own.
    pub(super) async fn start(function: &Function, logs: &Path) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (routes, line) = runtime_api();
        let api = tokio::spawn(async move { axum::serve(listener, routes).await });

        let log = logs.join(format!("{}.log", function.name));
        let log = OpenOptions::new().create(true).append(true).open(log)?;
        let process = Command::new(&function.program)
            .args(&function.arguments)
            .env_clear()
            .envs(&function.environment)
            .env("AWS_LAMBDA_RUNTIME_API", &address)
            // Part of each request that is signed with it: so the router knows the process that asks.
            .env("AWS_SESSION_TOKEN", &address)
            .env("AWS_LAMBDA_FUNCTION_NAME", &function.name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string())
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.name))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", &address)
            .env("AWS_REGION", function.region())
            .env("AWS_DEFAULT_REGION", function.region())
            .env("LAMBDA_TASK_ROOT", "/var/task")
            .env("_HANDLER", "bootstrap")
            .env("PATH", "/usr/local/bin:/usr/bin/:/bin")
            .env("TZ", ":UTC")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn();
        match process {
            Ok(process) => Ok(Self { process, line, api }),
            Err(why) => {
                api.abort();
                Err(why)
            }
        }
    }

    /// Whether the process has not ended.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Runs one invocation to its end, which is at the latest when `limit` has passed.
    pub(super) async fn run(&mut self, invocation: Invocation, limit: Duration) -> Outcome {
        if self.line.invocations.send(invocation).await.is_err() {
            return Outcome::exited(self.process.wait().await);
        }
        let outcome = tokio::select! {
            // In this order: what a process said before it ended counts.
            biased;
            outcome = self.line.outcomes.recv() => outcome,
            status = self.process.wait() => {
                Some(self.line.outcomes.try_recv().unwrap_or_else(|_| Outcome::exited(status)))
            }
            () = tokio::time::sleep(limit) => Some(Outcome::TimedOut(limit)),
        };
        let outcome = match outcome {
            Some(outcome) => outcome,
            None => Outcome::exited(self.process.wait().await),
        };
        if !outcome.process_lives() {
            // Seen to be gone before the caller is told, as Lambda freezes what it gives up.
            let _already_gone = self.process.kill().await;
        }
        outcome
    }
}
