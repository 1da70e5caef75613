//! What stands for AWS: moto, the function host, and the router before them. Nothing is deployed to it yet.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::faults::Faults;
use crate::host::Host;
use crate::http::Server;
use crate::moto::{Moto, Pace};
use crate::rights::Calls;
use crate::router::{self, Events};
use crate::tools::progress;
use crate::{paths, tools};

/// The account that moto takes for the caller's: the hub.
pub const ACCOUNT: &str = "123456789012";
/// The hub's Region.
pub const REGION: &str = "us-east-1";

/// A running cloud. It ends when it is dropped.
pub struct Cloud {
    /// Where all of AWS is: `http://127.0.0.1:4711`.
    pub endpoint: String,
    /// The folder with the logs of moto and of the functions.
    pub logs: PathBuf,
    /// Whether the events of EC2 and EBS arrive.
    pub events: Events,
    /// What runs the functions.
    pub host: Arc<Host>,
    /// What the functions call.
    pub calls: Calls,
    /// What goes wrong with the functions' calls.
    pub faults: Faults,
    moto: Moto,
}

impl Cloud {
    /// Installs moto if need be, and starts everything. `name` is the folder for its logs under `target/e2e`.
    ///
    /// # Errors
    /// When Python is missing, or something does not start: with what to do about it, where that is known.
    pub async fn start(name: &str, pace: Pace) -> io::Result<Self> {
        let target = paths::target();
        let python = tools::moto(&target.join("tools"))?;
        let logs = target.join("e2e").join(name);
        if logs.exists() {
            fs::remove_dir_all(&logs)?;
        }
        fs::create_dir_all(&logs)?;

        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        progress("starting moto");
        let moto = Moto::start(&python, port, pace, &logs.join("moto.log")).await?;
        let (host, events) = (Arc::new(Host::new(&logs)), Events::delivered());
        let (calls, faults) = (Calls::default(), Faults::default());
        let server = moto.server.clone();
        let routes = router::routes(Arc::clone(&host), server, events.clone(), calls.clone(), faults.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { endpoint: format!("http://127.0.0.1:{port}"), logs, events, host, calls, faults, moto })
    }

    /// moto itself.
    pub fn moto(&self) -> &Server {
        &self.moto.server
    }
}
