//! Shapes and sizes, checked before anything else.

use std::sync::Arc;

use crate::command::Push;
use crate::limits::{DATA_BYTES, PUSH_PART_BYTES, PUSH_TEXT_BYTES, REASON_CHARS};
use crate::refusal::Refusal;

pub(super) fn data(data: &str) -> Result<(), Refusal> {
    size("data", data, DATA_BYTES)
}

pub(super) fn size(field: &'static str, text: &str, limit: usize) -> Result<(), Refusal> {
    if text.len() > limit { Err(Refusal::PayloadTooLarge { field, limit }) } else { Ok(()) }
}

pub(super) fn reason(reason: Option<&Arc<str>>) -> Result<(), Refusal> {
    match reason {
        Some(text) if text.chars().count() > REASON_CHARS => {
            Err(Refusal::invalid("reason", format!("is longer than {REASON_CHARS} characters")))
        }
        Some(text) if text.is_empty() => Err(Refusal::invalid("reason", "must not be empty")),
        Some(_) | None => Ok(()),
    }
}

pub(super) fn push(push: Option<&Push>) -> Result<(), Refusal> {
    let Some(push) = push else { return Ok(()) };
    if push.desc.is_empty() && !push.disable {
        return Err(Refusal::invalid("push.desc", "is required unless push is disabled"));
    }
    size("push.title", &push.title, PUSH_TEXT_BYTES)?;
    size("push.desc", &push.desc, PUSH_TEXT_BYTES)?;
    size("push.resource_id", &push.resource_id, PUSH_TEXT_BYTES)?;
    size("push.ext", &push.ext, PUSH_PART_BYTES)?;
    size("push.vendor", &push.vendor, PUSH_PART_BYTES)
}
