//! `memlane discover`: hosts in the same network that announce themselves.
//!
//! `--json` prints an array of `machine`, `addresses` (`ADDRESS:PORT`), `tls`, `protocol`.

use std::time::Duration;

use memlane_net::discovery::{Found, discover};
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::{Exit, Failure, Outcome};

/// Find hosts in the same network that were started with --announce
///
/// Anybody in the network can say such things: connect only with a token and a fingerprint from elsewhere.
#[derive(Debug, clap::Args)]
pub(crate) struct Discover {
    /// Seconds to listen
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    wait: f64,
}

impl Discover {
    pub(crate) fn run(self, context: &Context) -> Outcome {
        let wait = Duration::try_from_secs_f64(self.wait)
            .map_err(|error| Failure::new(Exit::Usage, format!("--wait {}: {error}", self.wait)))?;
        let found = discover(wait).map_err(|error| Failure::new(Exit::Failure, error))?;
        if context.json() {
            return context.print_rows(&found.iter().map(document).collect::<Vec<_>>());
        }
        if found.is_empty() {
            context.remark("nobody announces a host in this network");
        }
        for Found { machine, addresses, tls, .. } in &found {
            let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            let how = if *tls { "TLS" } else { "not encrypted" };
            context.print(format_args!("{machine}  {}  {how}", addresses.join(" ")))?;
        }
        Ok(())
    }
}

fn document(found: &Found) -> Value {
    let addresses: Vec<_> = found.addresses.iter().map(ToString::to_string).collect();
    json!({"machine": found.machine, "addresses": addresses, "tls": found.tls, "protocol": found.protocol})
}
