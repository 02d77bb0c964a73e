//! Values of fixed shape, written and read field by field. Numbers are little-endian.

use super::fault::Fault;

/// Reads fields in the order in which they were written.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Fields<'a> {
    /// Reads `bytes`; `what` names the row in a fault.
    pub(super) fn of(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    pub(super) fn damaged(&self) -> Fault {
        Fault::Damaged(self.what)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(Fault::Damaged(self.what))?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        self.take::<1>().map(|[byte]| byte)
    }

    pub(super) fn short(&mut self) -> Result<u32, Fault> {
        self.take().map(u32::from_le_bytes)
    }

    pub(super) fn number(&mut self) -> Result<u64, Fault> {
        self.take().map(u64::from_le_bytes)
    }

    pub(super) fn wide(&mut self) -> Result<u128, Fault> {
        self.take().map(u128::from_le_bytes)
    }

    /// A text of at most 255 bytes.
    pub(super) fn text(&mut self) -> Result<&'a str, Fault> {
        let length = usize::from(self.byte()?);
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Fault::Damaged(self.what))?;
        self.rest = rest;
        std::str::from_utf8(taken).map_err(|_| Fault::Damaged(self.what))
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Everything that was not read.
    pub(super) fn rest(self) -> &'a [u8] {
        self.rest
    }
}

/// Writes fields.
#[derive(Default)]
pub(super) struct Row(Vec<u8>);

impl Row {
    pub(super) fn sized(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    pub(super) fn byte(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub(super) fn short(mut self, value: u32) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(super) fn number(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(super) fn wide(mut self, value: u128) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// A text of at most 255 bytes, which every id is.
    pub(super) fn text(mut self, value: &str) -> Self {
        let length = u8::try_from(value.len()).expect("ids are at most 128 bytes");
        self.0.push(length);
        self.0.extend_from_slice(value.as_bytes());
        self
    }

    pub(super) fn rest(mut self, value: &[u8]) -> Self {
        self.0.extend_from_slice(value);
        self
    }

    pub(super) fn finish(self) -> Vec<u8> {
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
        assert!(matches!(fields.text(), Err(Fault::Damaged("a row"))));
        let mut fields = Fields::of(&[0; 7], "a row");
        assert!(matches!(fields.number(), Err(Fault::Damaged("a row"))));
    }
}
