//! What the rules cost: they run on every command and on every delivery.

use std::sync::Arc;

use divan::{Bencher, black_box};
use ringwire_signaling::command::{Answer, AnswerKind, By, Cancel, Command, Invite};
use ringwire_signaling::guard::Facts;
use ringwire_signaling::inbox::{Attachment, Delivery, Resumption};
use ringwire_signaling::invitation::Audience;
use ringwire_signaling::session::Session;
use ringwire_signaling::{
    Check, ConnectionId, DeviceId, Entry, Epoch, Event, Invitation, InvitationId, Partition, Policy, Position,
    RequestId, UnixMillis, UserId, step,
};

const ID: InvitationId = InvitationId { partition: Partition(7), bits: 42 };

fn main() {
    divan::main();
}

fn user(name: &str) -> UserId {
    UserId::parse(name).expect("a user id")
}

fn by(name: &str) -> By {
    By { user: user(name), device: Some(DeviceId::parse("phone").expect("a device id")) }
}

fn request_id() -> RequestId {
    RequestId::parse("8f3c2f0e-6d7f-4a3b-9a52-0c1b0a6d6a11").expect("a request id")
}

fn invite(invitees: usize) -> Invite {
    Invite {
        by: by("alice"),
        invitees: (0..invitees).map(|number| user(&format!("user-{number}"))).collect(),
        data: "{\"room\":7}".into(),
        timeout_s: 30,
        online_user_only: false,
        group: None,
        audience: Audience::Members,
        push: None,
        kind: Some(0),
        inviter_name: Some("Alice".into()),
        receipts: true,
        request_id: Some(request_id()),
    }
}

fn created(command: &Invite) -> step::Step {
    step::invite(command, ID, &Facts::default(), UnixMillis(1_000), &Policy::default()).expect("it is allowed")
}

fn bench_step(bencher: Bencher<'_, '_>, state: &Invitation, command: &Command) {
    bencher.bench(|| step::step(black_box(state), black_box(command), UnixMillis(2_000)));
}

fn accept(name: &str) -> Command {
    Command::Answer(Answer {
        by: by(name),
        kind: AnswerKind::Accept,
        data: "ok".into(),
        request_id: Some(request_id()),
    })
}

#[divan::bench]
fn invite_one(bencher: Bencher<'_, '_>) {
    let command = invite(1);
    bencher.bench(|| created(black_box(&command)));
}

#[divan::bench]
fn invite_a_hundred(bencher: Bencher<'_, '_>) {
    let command = invite(100);
    bencher.bench(|| created(black_box(&command)));
}

#[divan::bench]
fn accept_one(bencher: Bencher<'_, '_>) {
    bench_step(bencher, &created(&invite(1)).next, &accept("user-0"));
}

#[divan::bench]
fn accept_among_a_hundred(bencher: Bencher<'_, '_>) {
    bench_step(bencher, &created(&invite(100)).next, &accept("user-50"));
}

#[divan::bench]
fn cancel_one(bencher: Bencher<'_, '_>) {
    let cancel = Cancel { by: by("alice"), data: "".into(), invitees: None, request_id: Some(request_id()) };
    bench_step(bencher, &created(&invite(1)).next, &Command::Cancel(cancel));
}

#[divan::bench]
fn time_out_one(bencher: Bencher<'_, '_>) {
    let state = created(&invite(1)).next;
    bencher.bench(|| step::step(black_box(&state), &Command::Timeout, UnixMillis(40_000)));
}

/// A ring for a user with that many devices.
#[divan::bench(args = [1, 3])]
fn deliver(bencher: Bencher<'_, '_>, devices: u64) {
    let event: Arc<Event> = Arc::clone(&created(&invite(1)).notices[0].event);
    let mut session = Session::new(user("user-0"), 1);
    for connection in 0..devices {
        let position = Position { epoch: Epoch(1), offset: 0, check: Check(0) };
        let device = DeviceId::parse(&format!("device-{connection}")).expect("a device id");
        let attachment = Attachment { position, resumption: Resumption::Backlog(Vec::new()) };
        session.attach(ConnectionId(connection), device, attachment);
    }
    let mut offset = 0;
    bencher.bench_local(|| {
        offset += 1;
        session.deliver(Delivery {
            user: user("user-0"),
            epoch: Epoch(1),
            entry: Entry { offset, check: Check(0), previous: Check(0), event: Arc::clone(&event) },
            origin: None,
        })
    });
}
