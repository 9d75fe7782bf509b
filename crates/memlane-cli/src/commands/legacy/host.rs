//! `memlane legacy host`: serves a text to clients of the original, and keeps it in step with a region.
//!
//! `--json` prints one object, once it listens: `ip`, `port`, `shm_id`, and `region`, null without one.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use memlane::{Error, Text};
use memlane_interop::Name;
use memlane_interop::text_block::TEXT_BYTES_MAX;
use memlane_net::legacy::{Bridge, Host, Limits, Options, POLL, Side};
use memlane_net::machine;
use serde_json::json;

use super::runtime;
use crate::context::Context;
use crate::failure::Outcome;
use crate::frame::interrupt::Interrupt;

/// Without a bridge there is nothing to do but to wait for the end.
const LONG: Duration = Duration::from_hours(1);

/// Serve a text to the clients of the original Shared Memory Manager
///
/// Prints the address, the port and the id that they ask for, and serves until Ctrl-C or SIGTERM, which removes the
/// block. A block that a killed host left is taken over with its text if --name names it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Where to listen: 192.168.1.5, 192.168.1.5:7000 or :7000; everywhere and on a free port unless said
    #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = parse_listen, default_value = "0.0.0.0")]
    listen: SocketAddr,

    /// The name of the block, which is the id for the clients; one by chance unless said
    #[arg(long, value_name = "SHM", value_parser = Name::new)]
    name: Option<Name>,

    /// Keep this text region in step with the block, both ways; it is made when missing
    #[arg(long, value_name = "ID")]
    region: Option<String>,
}

impl Arguments {
    pub(crate) fn run(&self, context: &Context) -> Outcome {
        let interrupt = Interrupt::listen()?;
        let text = self.region.as_deref().map(|id| open(context, id)).transpose()?;
        let runtime = runtime()?;
        let options = Options { listen: self.listen, name: self.name.clone(), limits: Limits::default() };
        let host = runtime.block_on(Host::start(options))?;
        let mut bridge = text.map(|text| Bridge::new(text, host.block().clone())).transpose()?;
        self.announce(context, &host)?;
        let mut complaint = None;
        while !interrupt.requested() {
            match &mut bridge {
                Some(bridge) => step(context, &interrupt, bridge, &mut complaint),
                None => interrupt.sleep_until(Instant::now() + LONG),
            }
        }
        let stopped = runtime.block_on(host.stop());
        // Who still waits for the lock of a block that is gone is not waited for.
        runtime.shutdown_background();
        Ok(stopped?)
    }

    fn announce(&self, context: &Context, host: &Host) -> Outcome {
        let reach = machine::reached_at(host.address());
        let (ip, port) = (reach.ip(), reach.port());
        let id = host.name().text();
        if context.json() {
            return context.print(json!({"ip": ip, "port": port, "shm_id": id, "region": self.region}));
        }
        context.print(format_args!("IP      {ip}\nPort    {port}\nshm_id  {id}"))
    }
}

/// The region, which others may have made with room for more.
fn open(context: &Context, id: &str) -> Outcome<Text> {
    let space = context.space()?;
    match Text::open(space, id) {
        Err(Error::NotFound { .. }) => Ok(Text::open_or_create(space, id, TEXT_BYTES_MAX)?),
        opened => Ok(opened?),
    }
}

/// Says what does not stand, and each trouble once.
fn step(context: &Context, interrupt: &Interrupt, bridge: &mut Bridge, complaint: &mut Option<String>) {
    match bridge.step() {
        Ok(step) => {
            *complaint = None;
            if let Some((side, text)) = step.lost {
                let other = if side == Side::Block { Side::Region } else { Side::Block };
                context.say(format_args!(
                    "the {side} and the {other} were written at once; the {other}'s text stands, the {side}'s was: {text:?}"
                ));
            }
        }
        Err(error) => {
            let error = error.to_string();
            if complaint.as_ref() != Some(&error) {
                context.say(format_args!("region and block are not in step: {error}"));
                *complaint = Some(error);
            }
            interrupt.sleep_until(Instant::now() + POLL);
        }
    }
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    // An IPv6 address may begin with two colons.
    if let Some(port) = text.strip_prefix(':').filter(|port| !port.starts_with(':')) {
        let port = port.parse().map_err(|_| format!("`{port}` is no port; a port is like 7000"))?;
        return Ok((Ipv4Addr::UNSPECIFIED, port).into());
    }
    let of_address = |address: IpAddr| SocketAddr::from((address, 0));
    let parsed = text.parse().or_else(|_| text.parse().map(of_address));
    parsed.map_err(|_| format!("`{text}` is no address; one is like 192.168.1.5 or 192.168.1.5:7000"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_port() {
        for (text, address) in [
            ("0.0.0.0", "0.0.0.0:0"),
            ("127.0.0.1:7000", "127.0.0.1:7000"),
            (":7000", "0.0.0.0:7000"),
            ("::1", "[::1]:0"),
            ("[::1]:7000", "[::1]:7000"),
        ] {
            assert_eq!(parse_listen(text), Ok(address.parse().unwrap()), "{text}");
        }
        for text in ["", ":", "localhost", "1.2.3.4:99999"] {
            assert!(parse_listen(text).is_err(), "{text}");
        }
    }
}
