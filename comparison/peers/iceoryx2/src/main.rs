//! iceoryx2, as its documentation has it: services between processes, a node for each process.
#![deny(unsafe_code)]

mod publish_subscribe;
mod service;

use std::process::ExitCode;

use anyhow::Result;
use harness::{Peer, Terms};
use iceoryx2::prelude::*;
use iceoryx2::service::port_factory::{event, publish_subscribe as slices};
use iceoryx2::service::service_name::ServiceName;

fn main() -> ExitCode {
    // Dead processes are a part of the measurement, and no news.
    set_log_level(LogLevel::Error);
    Peer::new("iceoryx2", "0.10.0")
        .passes::<publish_subscribe::Newest>()
        .attaches::<publish_subscribe::Newest>()
        .passes::<publish_subscribe::Queue>()
        .attaches::<service::Service>()
        .run()
}

type Slices = slices::PortFactory<ipc::Service, [u8], ()>;
type Events = event::PortFactory<ipc::Service>;

/// Publishers and nodes that died may be there until somebody has cleaned up after them.
const DEAD: usize = 4;

thread_local! {
    static NODE: Result<Node<ipc::Service>> = Ok(NodeBuilder::new().create::<ipc::Service>()?);
}

fn with_node<R>(act: impl FnOnce(&Node<ipc::Service>) -> Result<R>) -> Result<R> {
    NODE.with(|node| act(node.as_ref().map_err(|error| anyhow::anyhow!("no node: {error}"))?))
}

/// How a service of bytes is made or opened.
#[derive(Clone, Copy)]
enum Open {
    Create,
    Existing,
    Either,
}

/// A service of bytes for one publisher, and for so many subscribers that each hold up to so many messages.
fn slices(terms: &Terms, id: &str, open: Open, overflow: bool, buffer: usize) -> Result<Slices> {
    let name: ServiceName = id.try_into()?;
    with_node(|node| {
        let builder = node
            .service_builder(&name)
            .publish_subscribe::<[u8]>()
            .enable_safe_overflow(overflow)
            .subscriber_max_buffer_size(buffer)
            .subscriber_max_borrowed_samples(1)
            .history_size(0)
            .max_publishers(1 + DEAD)
            .max_subscribers(terms.readers + DEAD)
            .max_nodes(1 + terms.readers + DEAD);
        Ok(match open {
            Open::Create => builder.create()?,
            Open::Existing => builder.open()?,
            Open::Either => builder.open_or_create()?,
        })
    })
}

/// What wakes those who sleep: a service of events by the same name.
fn events(terms: &Terms, id: &str) -> Result<Events> {
    let name: ServiceName = id.try_into()?;
    with_node(|node| {
        Ok(node
            .service_builder(&name)
            .event()
            .max_notifiers(1 + DEAD)
            .max_listeners(terms.readers + DEAD)
            .max_nodes(1 + terms.readers + DEAD)
            .open_or_create()?)
    })
}
