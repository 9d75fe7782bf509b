//! The address of a Bluetooth device.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

/// A device's address: six bytes, the last one first, as they travel. Written the usual way, `C2:52:F5:37:29:5D`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Address(pub [u8; 6]);

impl Display for Address {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().rev().enumerate() {
            write!(formatter, "{}{byte:02X}", if place == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("expected an address such as C2:52:F5:37:29:5D, found {text:?}");
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in bytes.iter_mut().rev() {
            let part =
                parts.next().filter(|part| part.len() == 2 && !part.starts_with('+')).ok_or_else(wrong)?;
            *byte = u8::from_str_radix(part, 16).map_err(|_| wrong())?;
        }
        if parts.next().is_some() { Err(wrong()) } else { Ok(Self(bytes)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_it_is_written() {
        let address = Address([0x5d, 0x29, 0x37, 0xf5, 0x52, 0xc2]);
        assert_eq!(address.to_string(), "C2:52:F5:37:29:5D");
        assert_eq!("c2:52:f5:37:29:5d".parse(), Ok(address));
        for wrong in ["", "C2:52:F5:37:29", "C2:52:F5:37:29:5D:00", "C2:52:F5:37:29:+5", "C252F537295D"] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }
}
