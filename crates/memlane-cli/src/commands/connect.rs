//! `memlane connect HOST[:PORT]`: whether a host can be reached, and what it serves.
//!
//! `--json` prints `host`, `address`, `memlane` (its version), `space` (its directory), `mode` (`local`, `remote`), `why`,
//! `access` (`read-only`, `read-write`) and `regions` (rows of `ls`).

use memlane_net::client::Mode;
use serde_json::json;

use crate::context::{Context, Remote};
use crate::failure::Outcome;
use crate::human;
use crate::words::text;

/// Try a host: whether this machine can reach it, with which rights, and what it serves
///
/// Use it from other commands with --at HOST. The token is in MEMLANE_TOKEN, or in the file that MEMLANE_TOKEN_FILE names;
/// on the host's own machine none is needed.
#[derive(Debug, clap::Args)]
pub(crate) struct Connect {
    /// Where it is: HOST, or HOST:PORT when the port is not 7440
    host: String,
}

impl Connect {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let remote = Remote { address: self.host.clone(), fingerprint: context.fingerprint() };
        let client = remote.connect()?;
        let (host, regions) = (client.host(), client.list(&[])?);
        let access = json!(client.access());
        if context.json() {
            return context.print(json!({
                "host": host.host,
                "address": client.address().to_string(),
                "memlane": host.memlane,
                "space": host.space,
                "mode": client.mode().to_string(),
                "why": client.why(),
                "access": access,
                "regions": regions,
            }));
        }
        let serves = human::count(regions.len(), "region");
        let mode = match client.mode() {
            Mode::Local => "local: its memory is used directly",
            Mode::Remote => "remote: everything goes through the host",
        };
        let lines = [
            ("host", format!("{}, memlane {}", host.host, host.memlane)),
            ("mode", mode.to_owned()),
            ("why", client.why().to_owned()),
            ("access", text(&access).to_owned()),
            ("serves", format!("{serves} of {}", host.space)),
        ];
        let lines = lines.iter().map(|(name, text)| format!("\n  {name:<8}{}", text.replace('\n', " ")));
        let sheet = lines.fold(client.address().to_string(), |sheet, line| sheet + &line);
        context.print(human::printable(&sheet))?;
        regions.iter().try_for_each(|region| {
            context.print(human::printable(&format!("    {:<8} {}", text(&region["kind"]), text(&region["id"]))))
        })
    }
}
