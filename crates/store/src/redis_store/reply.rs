//! Taking replies apart.

use redis::Value;

use crate::error::StoreError;

/// A reply that is not what its command answers.
pub(super) fn unexpected() -> StoreError {
    StoreError::Damaged("a reply of the server".to_owned())
}

pub(super) fn array(value: Value) -> Result<Vec<Value>, StoreError> {
    match value {
        Value::Array(values) => Ok(values),
        _ => Err(unexpected()),
    }
}

pub(super) fn integer(value: &Value) -> Result<i64, StoreError> {
    match value {
        Value::Int(number) => Ok(*number),
        Value::BulkString(digits) => {
            std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or_else(unexpected)
        }
        _ => Err(unexpected()),
    }
}

/// Bytes; none for what is not there.
pub(super) fn optional(value: Value) -> Result<Option<Vec<u8>>, StoreError> {
    match value {
        Value::BulkString(bytes) => Ok(Some(bytes)),
        Value::SimpleString(text) => Ok(Some(text.into_bytes())),
        Value::Nil => Ok(None),
        _ => Err(unexpected()),
    }
}

pub(super) fn bytes(value: Value) -> Result<Vec<u8>, StoreError> {
    optional(value)?.ok_or_else(unexpected)
}

/// A list of which every element is bytes.
pub(super) fn list(value: Value) -> Result<Vec<Vec<u8>>, StoreError> {
    array(value)?.into_iter().map(bytes).collect()
}

/// The elements of a reply, in order.
pub(super) struct Parts(std::vec::IntoIter<Value>);

impl Parts {
    pub(super) fn of(value: Value) -> Result<Self, StoreError> {
        Ok(Self(array(value)?.into_iter()))
    }

    /// The next element; nil when there is none.
    pub(super) fn next(&mut self) -> Value {
        self.0.next().unwrap_or(Value::Nil)
    }
}
