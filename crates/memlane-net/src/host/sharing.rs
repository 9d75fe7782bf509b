//! A second door: where the same host listens for other machines too, opened and closed while it serves.

use qrcode::QrCode;
use qrcode::render::svg;
use serde_json::{Map, Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use super::error::HostError;
use super::page;
use super::server::{accept_all, listen};
use super::service::bad;
use super::shared::Shared;
use super::tls::{Served, Tls};
use super::watcher::locked;
use crate::machine;
use crate::protocol::DEFAULT_PORT;
use crate::protocol::fault::Fault;

/// So many ports are tried from the usual one on, when nobody asked for a certain one: the host itself may have it.
const PORTS: u16 = 10;

/// The door for others, if it is open.
#[derive(Debug, Default)]
pub(super) struct Sharing(Mutex<Option<Door>>);

/// Dropped, it is closed, and so are the connections through it.
#[derive(Debug)]
struct Door {
    address: SocketAddr,
    fingerprint: Option<String>,
    accepting: AbortHandle,
    closed: watch::Sender<bool>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.accepting.abort();
        self.closed.send_replace(true);
    }
}

impl Sharing {
    pub(super) fn close(&self) {
        let door = locked(&self.0).take();
        drop(door);
    }
}

/// Listens at `place` too, or on all of this machine's addresses at a usual port. An open door is closed first.
pub(super) fn share(shared: &Arc<Shared>, place: Option<&str>, tls: bool) -> Result<(), Fault> {
    let places: Vec<SocketAddr> = match place {
        Some(place) => vec![machine::listening(place).map_err(bad)?],
        None => (0..PORTS).map(|more| (Ipv4Addr::UNSPECIFIED, DEFAULT_PORT + more).into()).collect(),
    };
    let mut door = locked(&shared.sharing.0);
    *door = None;
    let tls = if tls {
        Some(Tls::self_made().prepare(&shared.vault, &shared.gate.names)?)
    } else {
        shared.tls.clone()
    };
    let mut refused = bad("there is no place to listen");
    let found = places.into_iter().find_map(|place| {
        listen(place).map_err(|error| refused = HostError::Listen(place, error).into()).ok()
    });
    let listener = found.ok_or(refused)?;
    let address = listener.local_addr().map_err(|error| Fault::new("system", error.to_string()))?;
    let closed = watch::Sender::new(false);
    let (fingerprint, acceptor) = match tls {
        Some(Served { config, fingerprint }) => (Some(fingerprint), Some(TlsAcceptor::from(config))),
        None => (None, None),
    };
    let (through, host) = (closed.subscribe(), shared.clone());
    let accepting =
        tokio::spawn(async move { accept_all(&listener, &host, acceptor.as_ref(), &through).await });
    tracing::info!(%address, "shared");
    *door = Some(Door { address, fingerprint, accepting: accepting.abort_handle(), closed });
    Ok(())
}

/// Closes the door that `share` opened.
pub(super) fn unshare(shared: &Shared) -> Result<(), Fault> {
    if locked(&shared.sharing.0).is_none() && !shared.address.ip().is_loopback() {
        return Err(bad(format!("the host itself listens at {}; end it to stop sharing", shared.address)));
    }
    shared.sharing.close();
    tracing::info!("shared no more");
    Ok(())
}

/// Where the host is, and with `tokens` what lets in.
pub(super) fn describe(shared: &Shared, tokens: bool) -> Map<String, Value> {
    let given = Some(&shared.gate.tokens).filter(|_| tokens);
    let (writing, reading) =
        (given.and_then(|given| given.read_write()), given.and_then(|given| given.read_only()));
    let url = |address, tls| page::url(address, tls, given.and_then(|given| given.most()));
    let own = shared.tls.as_ref().map(|tls| &tls.fingerprint);
    let open = locked(&shared.sharing.0).as_ref().map(|door| (door.address, door.fingerprint.clone()));
    let itself = (!shared.address.ip().is_loopback()).then(|| (shared.address, own.cloned()));
    let (mut others, mut qr) = (Value::Null, Value::Null);
    if let Some((address, fingerprint)) = open.or(itself) {
        let url = url(address, fingerprint.is_some());
        others = json!({
            "address": address.ip().to_string(),
            "port": address.port(),
            "reach": machine::reached_at(address).to_string(),
            "url": url,
            "fingerprint": fingerprint,
        });
        qr = if tokens { picture(&url).into() } else { Value::Null };
    }
    let document = json!({
        "address": shared.address.ip().to_string(),
        "port": shared.address.port(),
        "url": url(shared.address, own.is_some()),
        "shared": others,
        "read_write": writing,
        "read_only": reading,
        "qr": qr,
        "url_once": given.and_then(|_| page::url_once(shared).ok()),
    });
    document.as_object().cloned().unwrap_or_default()
}

/// The text as a QR code, in SVG. None of one that is too long for any.
fn picture(text: &str) -> Option<String> {
    let code = QrCode::new(text).ok()?;
    Some(code.render::<svg::Color>().min_dimensions(200, 200).build())
}
