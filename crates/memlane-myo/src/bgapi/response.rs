//! What the dongle says to a command.

use super::command::Command;
use super::fields::{Fields, Payload};
use super::packet::{Packet, PacketKind};
use super::result::ResultCode;

/// The answer to a command, whose class and number it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Response {
    /// 0/6: how many connections there can be.
    GetConnections {
        /// Slots.
        most: u8,
    },
    /// 3/0.
    Disconnect {
        /// The slot.
        connection: u8,
        /// Whether it was begun.
        result: ResultCode,
    },
    /// 4/4.
    ReadByHandle {
        /// The slot.
        connection: u8,
        /// Whether it was begun.
        result: ResultCode,
    },
    /// 4/5.
    AttributeWrite {
        /// The slot.
        connection: u8,
        /// Whether it was begun.
        result: ResultCode,
    },
    /// 4/6.
    WriteCommand {
        /// The slot.
        connection: u8,
        /// Whether it was sent.
        result: ResultCode,
    },
    /// 6/2.
    Discover {
        /// Whether it was begun.
        result: ResultCode,
    },
    /// 6/3.
    ConnectDirect {
        /// Whether it was begun.
        result: ResultCode,
        /// The slot that the connection will have.
        connection: u8,
    },
    /// 6/4.
    EndProcedure {
        /// [`ResultCode::WRONG_STATE`] when none went on.
        result: ResultCode,
    },
}

impl Response {
    /// Class and number, those of the command.
    #[must_use]
    pub fn number(&self) -> (u8, u8) {
        match self {
            Self::GetConnections { .. } => (0, 6),
            Self::Disconnect { .. } => (3, 0),
            Self::ReadByHandle { .. } => (4, 4),
            Self::AttributeWrite { .. } => (4, 5),
            Self::WriteCommand { .. } => (4, 6),
            Self::Discover { .. } => (6, 2),
            Self::ConnectDirect { .. } => (6, 3),
            Self::EndProcedure { .. } => (6, 4),
        }
    }

    /// What became of the command.
    #[must_use]
    pub fn result(&self) -> ResultCode {
        match *self {
            Self::GetConnections { .. } => ResultCode::SUCCESS,
            Self::Disconnect { result, .. }
            | Self::ReadByHandle { result, .. }
            | Self::AttributeWrite { result, .. }
            | Self::WriteCommand { result, .. }
            | Self::Discover { result }
            | Self::ConnectDirect { result, .. }
            | Self::EndProcedure { result } => result,
        }
    }

    /// The response to `command` with this result and connection, whichever of them it has.
    pub(crate) fn to(command: &Command, connection: u8, result: ResultCode) -> Self {
        match command {
            Command::GetConnections => Self::GetConnections { most: connection },
            Command::Disconnect { .. } => Self::Disconnect { connection, result },
            Command::ReadByHandle { .. } => Self::ReadByHandle { connection, result },
            Command::AttributeWrite { .. } => Self::AttributeWrite { connection, result },
            Command::WriteCommand { .. } => Self::WriteCommand { connection, result },
            Command::Discover { .. } => Self::Discover { result },
            Command::ConnectDirect { .. } => Self::ConnectDirect { result, connection },
            Command::EndProcedure => Self::EndProcedure { result },
        }
    }

    /// The packet that carries it.
    #[must_use]
    pub fn to_packet(&self) -> Packet {
        let payload = match *self {
            Self::GetConnections { most } => Payload::default().u8(most),
            Self::Disconnect { connection, result }
            | Self::ReadByHandle { connection, result }
            | Self::AttributeWrite { connection, result }
            | Self::WriteCommand { connection, result } => Payload::default().u8(connection).u16(result.0),
            Self::Discover { result } | Self::EndProcedure { result } => Payload::default().u16(result.0),
            Self::ConnectDirect { result, connection } => Payload::default().u16(result.0).u8(connection),
        };
        let (class, command) = self.number();
        Packet::message(class, command, payload.0)
    }

    /// What a packet from a dongle answers; `None` if it is no response that is known.
    #[must_use]
    pub fn from_packet(packet: &Packet) -> Option<Self> {
        if packet.kind != PacketKind::Message {
            return None;
        }
        let mut fields = Fields(&packet.payload);
        let number = (packet.class, packet.command);
        let response = match number {
            (0, 6) => Self::GetConnections { most: fields.u8()? },
            (6, 2) => Self::Discover { result: ResultCode(fields.u16()?) },
            (6, 4) => Self::EndProcedure { result: ResultCode(fields.u16()?) },
            (6, 3) => Self::ConnectDirect { result: ResultCode(fields.u16()?), connection: fields.u8()? },
            (3, 0) | (4, 4..=6) => {
                let (connection, result) = (fields.u8()?, ResultCode(fields.u16()?));
                match number {
                    (3, 0) => Self::Disconnect { connection, result },
                    (4, 4) => Self::ReadByHandle { connection, result },
                    (4, 5) => Self::AttributeWrite { connection, result },
                    _ => Self::WriteCommand { connection, result },
                }
            }
            _ => return None,
        };
        fields.end(response)
    }
}
