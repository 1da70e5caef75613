//! moto's server as a process of its own.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::http::Server;

/// A running moto. It ends when this is dropped, and when this process ends, however it does: it reads a pipe that
/// nobody writes to.
pub struct Moto {
    /// Where it listens.
    pub server: Server,
    _process: Child,
    _lifeline: ChildStdin,
}

/// How moto passes time.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How many times faster than the clock the waits, retries and polls of the state machines pass.
    pub time_scale: f64,
    /// How long instances take to stop and to start, and snapshots to complete.
    pub transition: Duration,
    /// How many items a page of EC2 holds at most. AWS's 1,000 are more than moto can make in good time.
    pub page: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { time_scale: 10.0, transition: Duration::from_millis(500), page: 1_000 }
    }
}

impl Moto {
    /// Starts moto's server with the Python of `environment`, and waits until it listens. `router_port` is where it
    /// finds the rest of AWS; what it prints goes to `log`.
    ///
    /// # Errors
    /// When it cannot be started or ends at once: its own words are in the log.
    pub async fn start(python: &Path, router_port: u16, pace: Pace, log: &Path) -> io::Result<Self> {
        let mut process = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/moto/serve.py"))
            .env("MOTO_PORT", router_port.to_string())
            // Its own list has 1,300, and a snapshot for each, in every account and Region: that takes seconds.
            .env("MOTO_AMIS_PATH", concat!(env!("CARGO_MANIFEST_DIR"), "/moto/images.json"))
            .env("STOPGAP_TIME_SCALE", pace.time_scale.to_string())
            .env("STOPGAP_TRANSITION_SECONDS", pace.transition.as_secs_f64().to_string())
            .env("STOPGAP_PAGE", pace.page.to_string())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .kill_on_drop(true)
            .spawn()?;
        let ends = process.stdin.take().zip(process.stdout.take());
        let (lifeline, output) = ends.ok_or_else(|| io::Error::other("moto has no pipes"))?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).await?;
        let port: u16 = line
            .trim()
            .parse()
            .map_err(|_| io::Error::other(format!("moto did not start; {} tells why", log.display())))?;
        let server = Server::at(&format!("127.0.0.1:{port}"));
        Ok(Self { server, _process: process, _lifeline: lifeline })
    }
}
