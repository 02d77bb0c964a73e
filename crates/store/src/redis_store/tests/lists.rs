//! What the scripts take for granted without a closer look: lists of active invitations that are short enough, and
//! in which a name does not occur; and that a process is told once.

use ringwire_signaling::{ConnectionId, Facts};
use ringwire_test_redis::Server;

use super::fixtures::{Node, quiet};
use crate::Store;
use crate::commit::CommitOutcome;
use crate::conformance::driver::{Driver, device, invite, invite_without_timer, user};
use crate::query::Attach;
use crate::redis_store::reply;
use crate::redis_store::traffic::Purpose;

/// Nobody removes what ended by itself until the list has grown long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_what_ended_stays_bounded_and_takes_no_room() {
    let server = Server::start();
    let node = Node::on(&server);
    let mut driver = Driver::new(&node.fixture);
    driver.policy.timerless_retention_ms = 1;
    for number in 0..200 {
        let request = invite_without_timer(&format!("inviter-{number}"), &["bob"]);
        let creation = driver.creation(driver.id(&request.by.user), &request, &Facts::default());
        assert_eq!(driver.send(creation).await, CommitOutcome::Committed, "invite {number}");
    }
    driver.pass(5).await;
    let request = invite("bob", &["inviter-199"]);
    let creation = driver.creation(driver.id(&request.by.user), &request, &Facts::default());
    assert_eq!(driver.send(creation).await, CommitOutcome::Committed, "what ended crosses nothing");
    let mut command = redis::cmd("HGET");
    command.arg(node.store.state.keys.user(&user("bob"))).arg("a");
    let list = reply::bytes(node.store.state.link.ask(Purpose::Read, &command).await.unwrap()).unwrap();
    assert!(list.len() < 4_000, "{} bytes of what ended", list.len());
}

/// The length before a long name is a character that a name can contain.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_within_another_name_crosses_nothing() {
    let server = Server::start();
    let node = Node::on(&server);
    let driver = Driver::new(&node.fixture);
    let inner = "a".repeat(usize::from(b'!'));
    driver.invite(&invite(&format!("x!{inner}"), &["bob"])).await;
    let request = invite("bob", &[&inner]);
    let creation = driver.creation(driver.id(&request.by.user), &request, &Facts::default());
    assert_eq!(driver.send(creation).await, CommitOutcome::Committed);
    driver.invite(&invite(&inner, &["bob"])).await;
    let creation = driver.creation(driver.id(&request.by.user), &request, &Facts::default());
    assert!(matches!(driver.send(creation).await, CommitOutcome::Guarded(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_with_several_connections_of_a_user_is_told_once() {
    let server = Server::start();
    let (one, other) = (Node::on(&server), Node::on(&server));
    for (node, name) in [(&one, "phone"), (&one, "tablet"), (&other, "desktop")] {
        let attach = Attach {
            user: user("bob"),
            device: device(name),
            incarnation: 7,
            connection: ConnectionId(1),
            resume: None,
        };
        node.store.attach(attach).await.unwrap();
    }
    Driver::new(&one.fixture).invite(&invite("ann", &["bob"])).await;
    quiet(&one.store).await;
    quiet(&other.store).await;
    assert_eq!((one.heard("bob"), other.heard("bob")), (1, 1));
}
