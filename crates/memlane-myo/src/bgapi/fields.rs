//! The fields of a payload, taken from it and put into it one after the other.

use super::address::Address;

/// What is left of a payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    pub(super) fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.bytes().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.bytes().map(u16::from_le_bytes)
    }

    pub(super) fn address(&mut self) -> Option<Address> {
        self.bytes().map(Address)
    }

    /// An array, with its length in front.
    pub(super) fn array(&mut self) -> Option<Vec<u8>> {
        let length = self.u8()?;
        let (array, rest) = self.0.split_at_checked(length.into())?;
        self.0 = rest;
        Some(array.to_vec())
    }

    /// What was made of the fields, if they were the whole payload.
    pub(super) fn end<T>(self, made: T) -> Option<T> {
        self.0.is_empty().then_some(made)
    }
}

/// A payload being put together.
#[derive(Debug, Default)]
pub(super) struct Payload(pub(super) Vec<u8>);

impl Payload {
    pub(super) fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub(super) fn u16(self, value: u16) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// The array and, in front, its length; cut to what a length byte can say.
    pub(super) fn array(self, array: &[u8]) -> Self {
        let array = &array[..array.len().min(u8::MAX.into())];
        self.u8(array.len() as u8).bytes(array)
    }
}
