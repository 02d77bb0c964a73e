//! Frames as a client reads them, from this server and from newer ones.

use ringwire_signaling::apply::Bearing;
use ringwire_signaling::{Check, Epoch, Position};
use ringwire_wire::frame::{self, Incoming};
use ringwire_wire::view::{CloseReason, ClosingView, EventView, PingResult, SnapshotView};
use ringwire_wire::{ErrorBody, Id};

use crate::samples::{EPOCH, NOW, entry, events, snapshot};

#[test]
fn an_event_reads_back_as_its_view() {
    for (name, event) in events() {
        let entry = entry(event);
        let Incoming::Event(view) = Incoming::parse(&frame::event(&entry, EPOCH)).unwrap() else { panic!("{name}") };
        assert_eq!(*view, EventView::of(&entry, EPOCH).into_owned(), "{name}");
        assert_eq!(view.name, entry.event.name());
        assert!(EventView::NAMES.contains(&view.name.as_ref()));
        assert_eq!(view.position(), Position { epoch: EPOCH, offset: entry.offset, check: entry.check });
        let beside = name == "ringing" || name == "signal";
        assert_eq!(view.bearing() == Bearing::Beside, beside, "{name}");
    }
}

#[test]
fn a_result_reads_back_with_its_id() {
    for id in [Id::Number(-7), Id::Text("é\"".into())] {
        let text = frame::result(&id, &PingResult { server_time: 5 });
        let Incoming::Result { id: read, result } = Incoming::parse(&text).unwrap() else { panic!() };
        assert_eq!(read, id);
        assert_eq!(serde_json::from_str::<PingResult>(result.get()).unwrap().server_time, 5);
    }
    let Incoming::Result { result, .. } = Incoming::parse(r#"{"jsonrpc":"2.0","id":1,"result":null}"#).unwrap() else {
        panic!()
    };
    assert_eq!(result.get(), "null");
}

#[test]
fn an_error_reads_back_also_without_an_id() {
    for id in [Some(Id::Number(1)), None] {
        let text = frame::error(id.as_ref(), &ErrorBody::unavailable(200));
        let Incoming::Error { id: read, error } = Incoming::parse(&text).unwrap() else { panic!() };
        assert_eq!((read, error), (id, ErrorBody::unavailable(200)));
    }
}

#[test]
fn a_snapshot_and_a_close_read_back() {
    let view = SnapshotView::of(&snapshot(), NOW);
    let Incoming::Snapshot(read) = Incoming::parse(&frame::snapshot(&view)).unwrap() else { panic!() };
    assert_eq!(*read, view);
    assert_eq!(read.position(), snapshot().position);
    let view = ClosingView::new(CloseReason::TokenExpired, Some(NOW));
    let Incoming::Closing(read) = Incoming::parse(&frame::closing(&view)).unwrap() else { panic!() };
    assert_eq!((read.close_reason(), read.closes_at), (Some(CloseReason::TokenExpired), Some(NOW.0)));
}

#[test]
fn a_newer_server_does_not_break_a_client() {
    let unknown = r#"{"jsonrpc":"2.0","method":"event","params":
        {"type":"invitation.moved","epoch":"0000000000000007","offset":9,"check":"000000ff","to":{"x":[1]}}}"#;
    let Incoming::Unknown { name, position } = Incoming::parse(unknown).unwrap() else { panic!() };
    assert_eq!(name, "invitation.moved");
    assert_eq!(position, Some(Position { epoch: Epoch(7), offset: 9, check: Check(255) }));

    let session = r#"{"jsonrpc":"2.0","method":"event","params":{"type":"session.notice","text":"hi"}}"#;
    let Incoming::Unknown { position: None, .. } = Incoming::parse(session).unwrap() else { panic!() };

    let method = r#"{"jsonrpc":"2.0","method":"hint"}"#;
    let Incoming::Unknown { name, position: None } = Incoming::parse(method).unwrap() else { panic!() };
    assert_eq!(name, "hint");

    let (_, event) = events().swap_remove(3);
    let more = frame::event(&entry(event), EPOCH).replacen("\"offset\"", "\"moon\":{\"a\":null},\"offset\"", 1);
    let Incoming::Event(_) = Incoming::parse(&more).unwrap() else { panic!() };

    let closing = r#"{"jsonrpc":"2.0","method":"event","params":{"type":"session.closing","reason":"tired"}}"#;
    let Incoming::Closing(closing) = Incoming::parse(closing).unwrap() else { panic!() };
    assert_eq!(closing.close_reason(), None);
}

#[test]
fn what_is_no_frame_is_an_error() {
    for text in [
        "",
        "[]",
        "7",
        "{}",
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","result":{}}"#,
        r#"{"jsonrpc":"2.0","method":"event"}"#,
        r#"{"jsonrpc":"2.0","method":"event","params":{"type":"signal"}}"#,
        r#"{"jsonrpc":"2.0","method":"event","params":{"type":7}}"#,
    ] {
        assert!(Incoming::parse(text).is_err(), "{text}");
    }
}

#[test]
fn writing_an_event_allocates_once() {
    for (name, event) in events() {
        let text = frame::event(&entry(event), EPOCH);
        assert!(text.capacity() <= 1_024, "{name}: {}", text.capacity());
        assert!(text.len() * 2 > text.capacity(), "{name}: {} of {}", text.len(), text.capacity());
    }
}

#[test]
fn a_result_that_has_no_form_is_answered_as_an_internal_error() {
    let impossible = std::collections::BTreeMap::from([((1, 2), 3)]);
    let Incoming::Error { id, error } = Incoming::parse(&frame::result(&Id::Number(1), &impossible)).unwrap() else {
        panic!()
    };
    assert_eq!((id, error.data.name.as_ref()), (Some(Id::Number(1)), "internal_error"));
}
