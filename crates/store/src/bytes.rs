//! Values of fixed shape, as the stores write and read them field by field. Numbers are little-endian.

use ringwire_signaling::inbox::{Check, Epoch};
use ringwire_signaling::{DeviceId, InvitationId, Partition, UnixMillis, UserId};

/// Bytes are not what was written; names what they should have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged(pub(crate) &'static str);

/// Reads fields in the order in which they were written.
#[derive(Clone)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Fields<'a> {
    /// Reads `bytes`; `what` names them in an error.
    pub(crate) fn of(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    pub(crate) fn damaged(&self) -> Damaged {
        Damaged(self.what)
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8], Damaged> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(|| self.damaged())?;
        self.rest = rest;
        Ok(taken)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.damaged())?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Damaged> {
        self.take::<1>().map(|[byte]| byte)
    }

    pub(crate) fn small(&mut self) -> Result<u16, Damaged> {
        self.take().map(u16::from_le_bytes)
    }

    pub(crate) fn short(&mut self) -> Result<u32, Damaged> {
        self.take().map(u32::from_le_bytes)
    }

    pub(crate) fn number(&mut self) -> Result<u64, Damaged> {
        self.take().map(u64::from_le_bytes)
    }

    pub(crate) fn wide(&mut self) -> Result<u128, Damaged> {
        self.take().map(u128::from_le_bytes)
    }

    pub(crate) fn time(&mut self) -> Result<UnixMillis, Damaged> {
        self.number().map(UnixMillis)
    }

    pub(crate) fn check(&mut self) -> Result<Check, Damaged> {
        self.short().map(Check)
    }

    pub(crate) fn epoch(&mut self) -> Result<Epoch, Damaged> {
        self.number().map(Epoch)
    }

    pub(crate) fn invitation(&mut self) -> Result<InvitationId, Damaged> {
        let partition = Partition(self.byte()?);
        Ok(InvitationId { partition, bits: self.take().map(u128::from_be_bytes)? })
    }

    /// A text of at most 255 bytes.
    pub(crate) fn text(&mut self) -> Result<&'a str, Damaged> {
        let length = usize::from(self.byte()?);
        std::str::from_utf8(self.bytes(length)?).map_err(|_| self.damaged())
    }

    pub(crate) fn user(&mut self) -> Result<UserId, Damaged> {
        UserId::parse(self.text()?).map_err(|_| self.damaged())
    }

    pub(crate) fn device(&mut self) -> Result<DeviceId, Damaged> {
        DeviceId::parse(self.text()?).map_err(|_| self.damaged())
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Everything that was not read.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }
}

/// A text of at most 255 bytes, behind its length.
pub(crate) fn push_text(to: &mut Vec<u8>, text: &str) {
    to.push(u8::try_from(text.len()).expect("ids are at most 128 bytes"));
    to.extend_from_slice(text.as_bytes());
}

/// Writes fields.
#[derive(Default)]
pub(crate) struct Row(Vec<u8>);

impl Row {
    pub(crate) fn sized(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    pub(crate) fn byte(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub(crate) fn short(mut self, value: u32) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn number(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn wide(mut self, value: u128) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// A text of at most 255 bytes, which every id is.
    pub(crate) fn text(mut self, value: &str) -> Self {
        push_text(&mut self.0, value);
        self
    }

    pub(crate) fn rest(mut self, value: &[u8]) -> Self {
        self.0.extend_from_slice(value);
        self
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_read_back_in_order() {
        let row = Row::sized(0).byte(1).short(2).number(3).wide(4).text("é").rest(b"rest").finish();
        let mut fields = Fields::of(&row, "a row");
        assert_eq!(fields.byte().unwrap(), 1);
        assert_eq!(fields.short().unwrap(), 2);
        assert_eq!(fields.number().unwrap(), 3);
        assert_eq!(fields.wide().unwrap(), 4);
        assert_eq!(fields.text().unwrap(), "é");
        assert!(!fields.is_at_end());
        assert_eq!(fields.rest(), b"rest");
    }

    #[test]
    fn a_row_that_ends_early_is_damaged() {
        let mut fields = Fields::of(&[5, b'a'], "a row");
        assert!(matches!(fields.text(), Err(Damaged("a row"))));
        let mut fields = Fields::of(&[0; 7], "a row");
        assert!(matches!(fields.number(), Err(Damaged("a row"))));
    }
}
