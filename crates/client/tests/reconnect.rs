//! When a client connects again, and what it does then.

#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod fake;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fake::{Fake, Peer, soon};
use ringwire_client::params::{AcceptParams, InviteParams};
use ringwire_client::{Builder, Client, ClientError, DisconnectReason, ErrorCode, Event, Events, InvitationId, UserId};
use serde_json::json;

async fn connected(fake: &Fake, builder: Builder) -> (Client, Events, Peer) {
    let (connected, peer) = tokio::join!(builder.connect(), fake.greet(4));
    let (client, mut events) = connected.unwrap();
    assert!(matches!(soon(events.next()).await, Some(Event::Connected { resumed: false, .. })));
    assert!(matches!(soon(events.next()).await, Some(Event::Snapshot(_))));
    (client, events, peer)
}

async fn loss(events: &mut Events) -> (DisconnectReason, Option<Duration>) {
    match soon(events.next()).await {
        Some(Event::Disconnected { reason, retry_in }) => (reason, retry_in),
        other => panic!("expected a loss, got {other:?}"),
    }
}

fn invitation() -> InvitationId {
    "00-00000000000000000000000000000001".parse().unwrap()
}

#[tokio::test]
async fn some_close_codes_lead_to_another_connection_that_resumes() {
    let fake = Fake::start().await;
    let (_client, mut events, mut peer) = connected(&fake, fake.client()).await;
    for code in [1012, 4103, 4105, 1001] {
        peer.close(code).await;
        let (reason, retry_in) = loss(&mut events).await;
        assert_eq!(reason, DisconnectReason::Closed { code, reason: "because".to_owned() });
        assert!(retry_in.is_some());
        peer = fake.greet(4).await;
        assert_eq!(peer.hello["resume"], json!({"epoch": "00000000000000e1", "offset": 4, "check": "00000001"}));
        assert!(matches!(soon(events.next()).await, Some(Event::Connected { resumed: true, .. })));
    }
}

#[tokio::test]
async fn other_close_codes_end_the_client() {
    for code in [4100, 4101, 4104, 4102, 1008, 4999] {
        let fake = Fake::start().await;
        let (client, mut events, peer) = connected(&fake, fake.client()).await;
        peer.close(code).await;
        let (reason, retry_in) = loss(&mut events).await;
        assert_eq!((reason.close_code(), retry_in), (Some(code), None));
        assert_eq!(soon(events.next()).await, None);
        assert_eq!(soon(client.ping()).await.unwrap_err().close_code(), Some(code));
        assert_eq!(client.end_reason(), Some(&reason));
        assert!(fake.is_left_alone().await);
    }
}

#[tokio::test]
async fn a_lost_network_leads_to_another_connection_from_the_last_event() {
    let fake = Fake::start().await;
    let (_client, mut events, mut peer) = connected(&fake, fake.client()).await;
    peer.ring(7, 1).await;
    assert!(matches!(soon(events.next()).await, Some(Event::Received(_))));
    drop(peer);
    assert!(loss(&mut events).await.1.is_some());
    assert_eq!(fake.accept().await.hello["resume"]["offset"], 7);
    // That attempt failed too, which is not reported again.
    let mut peer = fake.greet(9).await;
    peer.cancel(9, 1).await;
    assert!(matches!(soon(events.next()).await, Some(Event::Connected { resumed: true, .. })));
    assert!(matches!(soon(events.next()).await, Some(Event::Cancelled(_))));
}

#[tokio::test]
async fn an_expired_token_is_replaced_by_the_token_source() {
    let fake = Fake::start().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let source = move || {
        let number = asked.fetch_add(1, Ordering::Relaxed) + 1;
        async move { if number == 2 { Err("not now") } else { Ok(format!("token-{number}")) } }
    };
    let (_client, mut events, peer) = connected(&fake, fake.client().token_source(source)).await;
    assert_eq!(peer.token, "token-1");
    peer.close(4102).await;
    assert!(loss(&mut events).await.1.is_some());
    let mut peer = fake.greet(4).await;
    assert_eq!(peer.token, "token-3");
    assert!(matches!(soon(events.next()).await, Some(Event::Connected { resumed: true, .. })));

    peer.notify(&json!({"type": "session.closing", "reason": "token_expired", "closes_at": 1})).await;
    assert!(matches!(soon(events.next()).await, Some(Event::Closing(_))));
    assert_eq!(peer.request("refresh_token").await.1, json!({"token": "token-4"}));
}

#[tokio::test]
async fn a_refreshed_token_is_used_by_the_next_connection() {
    let fake = Fake::start().await;
    let (client, mut events, mut peer) = connected(&fake, fake.client()).await;
    let (refreshed, ()) = tokio::join!(client.refresh_token("t2"), async {
        let (id, params) = peer.request("refresh_token").await;
        assert_eq!(params, json!({"token": "t2"}));
        peer.answer(&id, &json!({"expires_at": 5})).await;
    });
    assert_eq!(refreshed.unwrap().expires_at, 5);
    peer.close(4102).await;
    assert!(loss(&mut events).await.1.is_some());
    assert_eq!(fake.accept().await.token, "t2");
}

#[tokio::test]
async fn a_server_that_refuses_ends_the_client_and_one_that_is_not_ready_does_not() {
    let fake = Fake::start().await;
    let (refused, ()) = tokio::join!(fake.client().connect(), async {
        fake.accept().await.refuse_hello(4010, "unauthenticated").await;
    });
    assert_eq!(refused.unwrap_err().code(), Some(ErrorCode::Unauthenticated));

    let (client, mut events) = fake.client().start().unwrap();
    fake.accept().await.refuse_hello(5003, "unavailable").await;
    assert!(loss(&mut events).await.1.is_some());
    fake.accept().await.refuse_hello(4010, "unauthenticated").await;
    let (reason, retry_in) = loss(&mut events).await;
    assert!(matches!(reason, DisconnectReason::Refused(_)) && retry_in.is_none());
    assert_eq!(soon(client.ping()).await.unwrap_err().code(), Some(ErrorCode::Unauthenticated));
}

#[tokio::test]
async fn nobody_there_fails_at_once() {
    let fake = Fake::start().await;
    let builder = fake.client();
    drop(fake);
    assert!(matches!(soon(builder.connect()).await, Err(ClientError::Closed(DisconnectReason::Lost(_)))));
}

#[tokio::test]
async fn an_operation_is_repeated_with_its_request_id_until_it_is_answered() {
    let fake = Fake::start().await;
    let (client, _events, mut peer) = connected(&fake, fake.client()).await;
    let operation = tokio::spawn(async move { client.accept(AcceptParams::new(invitation())).await });
    let (id, first) = peer.request("accept").await;
    assert!(first["request_id"].is_string());
    peer.refuse(&id, 5003, "unavailable").await;
    assert_eq!(peer.request("accept").await.1, first);
    drop(peer);
    let mut peer = fake.greet(4).await;
    let (id, again) = peer.request("accept").await;
    assert_eq!(again, first);
    peer.answer(&id, &json!({"invitation_id": invitation().to_string(), "version": 2, "at": 1})).await;
    assert_eq!(operation.await.unwrap().unwrap().version, 2);
}

#[tokio::test]
async fn an_operation_waits_for_a_connection_and_has_a_deadline() {
    let fake = Fake::start().await;
    let (client, _events) = fake.client().request_timeout(Duration::from_millis(300)).start().unwrap();
    let invite = || client.invite(InviteParams::new(vec![UserId::parse("alice").unwrap()]));
    let (invited, _peer) = tokio::join!(invite(), async {
        let mut peer = fake.greet(4).await;
        let (id, _) = peer.request("invite").await;
        let result = json!({"invitation_id": invitation().to_string(), "created_at": 1, "expires_at": 2, "failed": {}});
        peer.answer(&id, &result).await;
        peer
    });
    assert_eq!(invited.unwrap().invitation_id, invitation());
    assert_eq!(soon(invite()).await, Err(ClientError::Timeout));
}

#[tokio::test]
async fn what_rang_and_ended_while_away_does_not_ring() {
    let fake = Fake::start().await;
    let (_client, mut events, peer) = connected(&fake, fake.client()).await;
    drop(peer);
    loss(&mut events).await;
    let mut peer = fake.greet(8).await;
    peer.ring(5, 1).await;
    peer.cancel(6, 1).await;
    peer.ring(7, 2).await;
    // What is at the end of the inbox has expired: the answer to the client's question ends the backlog.
    let (id, _) = peer.request("ping").await;
    peer.answer(&id, &json!({"server_time": 1})).await;
    assert!(matches!(soon(events.next()).await, Some(Event::Connected { resumed: true, .. })));
    assert!(matches!(soon(events.next()).await, Some(Event::Cancelled(_))));
    assert!(matches!(soon(events.next()).await, Some(Event::Received(_))));
    peer.acknowledged(8).await;
}

#[tokio::test]
async fn what_the_app_can_see_is_acknowledged_and_nothing_else() {
    let fake = Fake::start().await;
    let (client, mut events, mut peer) = connected(&fake, fake.client().event_capacity(2)).await;
    peer.acknowledged(4).await;
    for offset in 5..100 {
        peer.ring(offset, u8::try_from(offset).unwrap()).await;
    }
    // As many events as the app lets wait.
    peer.acknowledged(6).await;
    for _ in 5..100 {
        assert!(matches!(soon(events.next()).await, Some(Event::Received(_))));
    }
    peer.acknowledged(99).await;
    drop(events);
    peer.ring(100, 100).await;
    let (pinged, ()) = tokio::join!(client.ping(), async {
        let frame = peer.next().await;
        assert_eq!(frame["method"], "ping");
        peer.answer(&frame["id"], &json!({"server_time": 1})).await;
    });
    assert!(pinged.is_ok());
}

#[tokio::test]
async fn an_app_can_close() {
    let fake = Fake::start().await;
    let (client, mut events, _peer) = connected(&fake, fake.client()).await;
    soon(client.close()).await;
    assert_eq!(loss(&mut events).await, (DisconnectReason::ByApp, None));
    assert!(fake.is_left_alone().await);
    soon(client.close()).await;
}

#[tokio::test]
async fn a_silent_server_is_taken_for_lost() {
    let fake = Fake::start().await;
    let (_client, mut events, _peer) = connected(&fake, fake.client()).await;
    // From here on time passes as soon as everybody waits.
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    let lost = tokio::time::timeout(Duration::from_mins(1), events.next()).await.unwrap();
    assert!(matches!(lost, Some(Event::Disconnected { reason: DisconnectReason::Silent, retry_in: Some(_) })));
    assert!(began.elapsed() > Duration::from_secs(39) && began.elapsed() < Duration::from_secs(41));
}

#[tokio::test]
async fn a_client_goes_on_at_another_node_and_stays_there() {
    let (gone, first, second) = (Fake::start().await, Fake::start().await, Fake::start().await);
    let builder = gone.client().fallback_url(first.url()).fallback_url(second.url());
    drop(gone);
    let (_client, mut events, peer) = connected(&first, builder).await;
    peer.close(1012).await;
    loss(&mut events).await;
    // It was a node that could be reached: it is tried first.
    let peer = first.greet(4).await;
    assert_eq!(peer.hello["resume"]["offset"], json!(4));
    assert!(matches!(soon(events.next()).await, Some(Event::Connected { resumed: true, .. })));
    drop((first, peer));
    loss(&mut events).await;
    let peer = second.greet(4).await;
    assert_eq!(peer.hello["resume"]["offset"], json!(4));
    assert!(matches!(soon(events.next()).await, Some(Event::Connected { resumed: true, .. })));
}
