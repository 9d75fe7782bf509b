//! What the host asks of the dongle.

use super::address::Address;
use super::fields::{Fields, Payload};
use super::packet::{Packet, PacketKind};
use std::fmt::{self, Display, Formatter};

/// Bytes of the longest value that can be written at once.
pub const LONGEST_WRITE: usize = 20;

/// A command. Each is answered by one [`Response`](super::Response), and some by events afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// 0/6 `system_get_connections`: a `connection_status` for each slot.
    GetConnections,
    /// 3/0 `connection_disconnect`; then `connection_disconnected`.
    Disconnect {
        /// The slot.
        connection: u8,
    },
    /// 4/4 `attclient_read_by_handle`; then `attclient_attribute_value`, or `attclient_procedure_completed` with an
    /// error.
    ReadByHandle {
        /// The slot.
        connection: u8,
        /// The attribute.
        handle: u16,
    },
    /// 4/5 `attclient_attribute_write`; then `attclient_procedure_completed`.
    AttributeWrite {
        /// The slot.
        connection: u8,
        /// The attribute.
        handle: u16,
        /// Up to [`LONGEST_WRITE`] bytes.
        value: Vec<u8>,
    },
    /// 4/6 `attclient_write_command`: no event follows, and nobody says whether it arrived.
    WriteCommand {
        /// The slot.
        connection: u8,
        /// The attribute.
        handle: u16,
        /// Up to [`LONGEST_WRITE`] bytes.
        value: Vec<u8>,
    },
    /// 6/2 `gap_discover`; then `gap_scan_response` until the procedure is ended.
    Discover {
        /// 0 limited, 1 general, 2 everything that is heard.
        mode: u8,
    },
    /// 6/3 `gap_connect_direct`; then `connection_status`.
    ConnectDirect {
        /// Whom to connect to.
        address: Address,
        /// 0 public, 1 random.
        address_type: u8,
        /// The shortest connection interval, in 1.25 ms.
        interval_min: u16,
        /// The longest connection interval, in 1.25 ms.
        interval_max: u16,
        /// The supervision timeout, in 10 ms.
        timeout: u16,
        /// How many intervals the device may leave out.
        latency: u16,
    },
    /// 6/4 `gap_end_procedure`: of discovering or connecting.
    EndProcedure,
}

impl Command {
    /// Its name in BGAPI.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::GetConnections => "system_get_connections",
            Self::Disconnect { .. } => "connection_disconnect",
            Self::ReadByHandle { .. } => "attclient_read_by_handle",
            Self::AttributeWrite { .. } => "attclient_attribute_write",
            Self::WriteCommand { .. } => "attclient_write_command",
            Self::Discover { .. } => "gap_discover",
            Self::ConnectDirect { .. } => "gap_connect_direct",
            Self::EndProcedure => "gap_end_procedure",
        }
    }

    /// Class and number; the response has the same.
    #[must_use]
    pub fn number(&self) -> (u8, u8) {
        match self {
            Self::GetConnections => (0, 6),
            Self::Disconnect { .. } => (3, 0),
            Self::ReadByHandle { .. } => (4, 4),
            Self::AttributeWrite { .. } => (4, 5),
            Self::WriteCommand { .. } => (4, 6),
            Self::Discover { .. } => (6, 2),
            Self::ConnectDirect { .. } => (6, 3),
            Self::EndProcedure => (6, 4),
        }
    }

    /// The packet to send.
    #[must_use]
    pub fn to_packet(&self) -> Packet {
        let payload = match self {
            Self::GetConnections | Self::EndProcedure => Payload::default(),
            Self::Disconnect { connection } => Payload::default().u8(*connection),
            Self::ReadByHandle { connection, handle } => Payload::default().u8(*connection).u16(*handle),
            Self::AttributeWrite { connection, handle, value }
            | Self::WriteCommand { connection, handle, value } => {
                Payload::default().u8(*connection).u16(*handle).array(value)
            }
            Self::Discover { mode } => Payload::default().u8(*mode),
            Self::ConnectDirect { address, address_type, interval_min, interval_max, timeout, latency } => {
                let who = Payload::default().bytes(&address.0).u8(*address_type);
                who.u16(*interval_min).u16(*interval_max).u16(*timeout).u16(*latency)
            }
        };
        let (class, command) = self.number();
        Packet::message(class, command, payload.0)
    }

    /// What a packet from a host asks; `None` if it is no command that is known.
    #[must_use]
    pub fn from_packet(packet: &Packet) -> Option<Self> {
        if packet.kind != PacketKind::Message {
            return None;
        }
        let mut fields = Fields(&packet.payload);
        let command = match (packet.class, packet.command) {
            (0, 6) => Self::GetConnections,
            (3, 0) => Self::Disconnect { connection: fields.u8()? },
            (4, 4) => Self::ReadByHandle { connection: fields.u8()?, handle: fields.u16()? },
            (4, 5) => Self::AttributeWrite {
                connection: fields.u8()?,
                handle: fields.u16()?,
                value: fields.array()?,
            },
            (4, 6) => {
                Self::WriteCommand { connection: fields.u8()?, handle: fields.u16()?, value: fields.array()? }
            }
            (6, 2) => Self::Discover { mode: fields.u8()? },
            (6, 3) => Self::ConnectDirect {
                address: fields.address()?,
                address_type: fields.u8()?,
                interval_min: fields.u16()?,
                interval_max: fields.u16()?,
                timeout: fields.u16()?,
                latency: fields.u16()?,
            },
            (6, 4) => Self::EndProcedure,
            _ => return None,
        };
        fields.end(command)
    }
}

impl Display for Command {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())?;
        match self {
            Self::ReadByHandle { handle, .. }
            | Self::AttributeWrite { handle, .. }
            | Self::WriteCommand { handle, .. } => write!(formatter, " of attribute 0x{handle:02x}"),
            Self::ConnectDirect { address, .. } => write!(formatter, " to {address}"),
            _ => Ok(()),
        }
    }
}
