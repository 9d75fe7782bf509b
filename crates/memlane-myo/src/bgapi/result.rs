//! What a dongle says of a command, by number and name.

use std::fmt::{self, Display, Formatter};

/// A result or a reason, as responses and events carry it. 0 is success; `0x01xx` are the dongle's own, `0x02xx`
/// Bluetooth's, `0x03xx` the security manager's and `0x04xx` the attribute protocol's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ResultCode(pub u16);

impl ResultCode {
    /// It was done.
    pub const SUCCESS: Self = Self(0x0000);
    /// A parameter of the command made no sense.
    pub const INVALID_PARAMETER: Self = Self(0x0180);
    /// The dongle is in no state for it, as for ending a procedure when none goes on.
    pub const WRONG_STATE: Self = Self(0x0181);
    /// The command was longer than the dongle takes.
    pub const BUFFERS_FULL: Self = Self(0x0183);
    /// There is no such connection.
    pub const NOT_CONNECTED: Self = Self(0x0186);
    /// Nothing was heard of the other side for too long.
    pub const SUPERVISION_TIMEOUT: Self = Self(0x0208);
    /// The other side ended the connection.
    pub const REMOTE_ENDED: Self = Self(0x0213);
    /// This side ended the connection.
    pub const LOCAL_ENDED: Self = Self(0x0216);
    /// There is no such attribute.
    pub const INVALID_HANDLE: Self = Self(0x0401);
    /// The attribute cannot be read.
    pub const READ_NOT_PERMITTED: Self = Self(0x0402);
    /// The attribute cannot be written.
    pub const WRITE_NOT_PERMITTED: Self = Self(0x0403);

    /// Whether it was done.
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Self::SUCCESS
    }

    /// In words; `unknown result` for numbers that have none here.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            0x0000 => "success",
            0x0180 => "invalid parameter",
            0x0181 => "device in wrong state",
            0x0182 => "out of memory",
            0x0183 => "buffers full",
            0x0184 => "command not implemented",
            0x0185 => "command too long or wrong",
            0x0186 => "not connected",
            0x0187 => "overflow",
            0x0205 => "authentication failure",
            0x0206 => "key missing",
            0x0207 => "memory capacity exceeded",
            0x0208 => "supervision timeout",
            0x0209 => "connection limit reached",
            0x020c => "command not allowed in this state",
            0x0212 => "invalid command parameter",
            0x0213 => "the remote side ended the connection",
            0x0216 => "the local side ended the connection",
            0x023a => "controller busy",
            0x023b => "unacceptable connection interval",
            0x023e => "connection failed to be established",
            0x0401 => "invalid attribute handle",
            0x0402 => "read not permitted",
            0x0403 => "write not permitted",
            0x0405 => "insufficient authentication",
            0x0407 => "invalid offset",
            0x040a => "attribute not found",
            0x040d => "invalid attribute value length",
            0x040e => "unlikely error",
            _ => "unknown result",
        }
    }
}

impl Display for ResultCode {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "0x{:04x} {}", self.0, self.name())
    }
}
