//! What the dongle says by itself.

use super::address::Address;
use super::fields::{Fields, Payload};
use super::packet::{Packet, PacketKind};
use super::result::ResultCode;
use std::fmt::{self, Display, Formatter};

/// Bit 0 of a connection's flags: there is one.
const CONNECTED: u8 = 1;

/// Why an attribute's value comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// 0: it was asked for.
    Read,
    /// 1: the device notifies.
    Notify,
    /// 2: the device indicates; the dongle has confirmed it.
    Indicate,
    /// Any other: part of a long value, or an indication to be confirmed.
    Other(u8),
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// 0/6 `system_protocol_error`: the dongle did not understand a command, and gives no response to it.
    ProtocolError {
        /// Why.
        reason: ResultCode,
    },
    /// 3/0 `connection_status`.
    ConnectionStatus {
        /// The slot.
        connection: u8,
        /// Bit 0: there is a connection. Bit 1: it is encrypted. Bit 2: it is new. Bit 3: its parameters changed.
        flags: u8,
        /// The other side.
        address: Address,
        /// 0 public, 1 random.
        address_type: u8,
        /// The connection interval, in 1.25 ms.
        interval: u16,
        /// The supervision timeout, in 10 ms.
        timeout: u16,
        /// How many intervals the device may leave out.
        latency: u16,
        /// Its bond, 255 for none.
        bonding: u8,
    },
    /// 3/4 `connection_disconnected`.
    Disconnected {
        /// The slot.
        connection: u8,
        /// Why.
        reason: ResultCode,
    },
    /// 4/1 `attclient_procedure_completed`.
    ProcedureCompleted {
        /// The slot.
        connection: u8,
        /// What became of it.
        result: ResultCode,
        /// The attribute.
        handle: u16,
    },
    /// 4/5 `attclient_attribute_value`.
    AttributeValue {
        /// The slot.
        connection: u8,
        /// The attribute.
        handle: u16,
        /// Why it comes.
        value_type: ValueType,
        /// Its bytes.
        value: Vec<u8>,
    },
    /// 6/0 `gap_scan_response`: an advertisement was heard.
    ScanResponse {
        /// Its strength, in dBm.
        rssi: i8,
        /// 0 connectable advertisement, 4 answer to a scan, and other kinds.
        packet_type: u8,
        /// Who sent it.
        sender: Address,
        /// 0 public, 1 random.
        address_type: u8,
        /// Its bond, 255 for none.
        bond: u8,
        /// What it advertises.
        data: Vec<u8>,
    },
    /// Any other.
    Other(Packet),
}

impl ValueType {
    fn number(self) -> u8 {
        match self {
            Self::Read => 0,
            Self::Notify => 1,
            Self::Indicate => 2,
            Self::Other(number) => number,
        }
    }

    fn of(number: u8) -> Self {
        match number {
            0 => Self::Read,
            1 => Self::Notify,
            2 => Self::Indicate,
            other => Self::Other(other),
        }
    }
}

impl Event {
    /// Class and number.
    #[must_use]
    pub fn number(&self) -> (u8, u8) {
        match self {
            Self::ProtocolError { .. } => (0, 6),
            Self::ConnectionStatus { .. } => (3, 0),
            Self::Disconnected { .. } => (3, 4),
            Self::ProcedureCompleted { .. } => (4, 1),
            Self::AttributeValue { .. } => (4, 5),
            Self::ScanResponse { .. } => (6, 0),
            Self::Other(packet) => (packet.class, packet.command),
        }
    }

    /// Whether it says that this slot has a connection.
    #[must_use]
    pub fn says_connected(&self, slot: u8) -> bool {
        matches!(self, Self::ConnectionStatus { connection, flags, .. }
            if *connection == slot && flags & CONNECTED != 0)
    }

    /// The packet that carries it.
    #[must_use]
    pub fn to_packet(&self) -> Packet {
        let empty = Payload::default();
        let payload = match self {
            Self::ProtocolError { reason } => empty.u16(reason.0),
            Self::ConnectionStatus {
                connection,
                flags,
                address,
                address_type,
                interval,
                timeout,
                latency,
                bonding,
            } => {
                let who = empty.u8(*connection).u8(*flags).bytes(&address.0).u8(*address_type);
                who.u16(*interval).u16(*timeout).u16(*latency).u8(*bonding)
            }
            Self::Disconnected { connection, reason } => empty.u8(*connection).u16(reason.0),
            Self::ProcedureCompleted { connection, result, handle } => {
                empty.u8(*connection).u16(result.0).u16(*handle)
            }
            Self::AttributeValue { connection, handle, value_type, value } => {
                empty.u8(*connection).u16(*handle).u8(value_type.number()).array(value)
            }
            Self::ScanResponse { rssi, packet_type, sender, address_type, bond, data } => {
                let strength = empty.u8(rssi.cast_unsigned()).u8(*packet_type);
                strength.bytes(&sender.0).u8(*address_type).u8(*bond).array(data)
            }
            Self::Other(packet) => return packet.clone(),
        };
        let (class, command) = self.number();
        Packet::event(class, command, payload.0)
    }

    /// What a packet tells; `None` if it is no event, or does not have the fields of its kind.
    #[must_use]
    pub fn from_packet(packet: &Packet) -> Option<Self> {
        if packet.kind != PacketKind::Event {
            return None;
        }
        let mut fields = Fields(&packet.payload);
        let event = match (packet.class, packet.command) {
            (0, 6) => Self::ProtocolError { reason: ResultCode(fields.u16()?) },
            (3, 0) => Self::ConnectionStatus {
                connection: fields.u8()?,
                flags: fields.u8()?,
                address: fields.address()?,
                address_type: fields.u8()?,
                interval: fields.u16()?,
                timeout: fields.u16()?,
                latency: fields.u16()?,
                bonding: fields.u8()?,
            },
            (3, 4) => Self::Disconnected { connection: fields.u8()?, reason: ResultCode(fields.u16()?) },
            (4, 1) => Self::ProcedureCompleted {
                connection: fields.u8()?,
                result: ResultCode(fields.u16()?),
                handle: fields.u16()?,
            },
            (4, 5) => Self::AttributeValue {
                connection: fields.u8()?,
                handle: fields.u16()?,
                value_type: ValueType::of(fields.u8()?),
                value: fields.array()?,
            },
            (6, 0) => Self::ScanResponse {
                rssi: fields.u8()?.cast_signed(),
                packet_type: fields.u8()?,
                sender: fields.address()?,
                address_type: fields.u8()?,
                bond: fields.u8()?,
                data: fields.array()?,
            },
            _ => return Some(Self::Other(packet.clone())),
        };
        fields.end(event)
    }
}

impl Display for Event {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::ProtocolError { reason } => write!(formatter, "protocol error: {reason}"),
            Self::ConnectionStatus { connection, flags, address, .. } => {
                write!(
                    formatter,
                    "connection status: connection {connection} to {address}, flags 0x{flags:02x}"
                )
            }
            Self::Disconnected { connection, reason } => {
                write!(formatter, "connection disconnected: connection {connection}, {reason}")
            }
            Self::ProcedureCompleted { result, handle, .. } => {
                write!(formatter, "procedure completed: attribute 0x{handle:02x}, {result}")
            }
            Self::AttributeValue { handle, value, .. } => {
                write!(formatter, "attribute value: 0x{handle:02x}, {} bytes", value.len())
            }
            Self::ScanResponse { rssi, sender, .. } => {
                write!(formatter, "scan response: {sender}, {rssi} dBm")
            }
            Self::Other(packet) => {
                write!(formatter, "event {}/{}, {} bytes", packet.class, packet.command, packet.payload.len())
            }
        }
    }
}
