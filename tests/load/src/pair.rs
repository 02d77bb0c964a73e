//! One inviter and one invitee, each on a connection of its own.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::Measured;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Failure = Box<dyn std::error::Error>;

/// How long a run may go on to complete what is under way.
const WIND_DOWN: Duration = Duration::from_secs(10);

/// The parts of frames that matter here.
#[derive(Deserialize)]
struct Frame<'a> {
    id: Option<u64>,
    #[serde(borrow)]
    error: Option<&'a serde_json::value::RawValue>,
    #[serde(borrow)]
    params: Option<Event<'a>>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: &'a str,
    #[serde(borrow)]
    invitation_id: Option<&'a str>,
    offset: Option<u64>,
    #[serde(borrow)]
    data: Option<&'a str>,
}

/// Rings and answers for `length`, with at most `window` invitations under way. The two may be at
/// different nodes.
pub(crate) async fn run(
    (inviter_at, invitee_at): (&str, &str),
    inviter: &str,
    invitee: &str,
    window: usize,
    rate: Option<f64>,
    length: Duration,
) -> Result<Measured, Failure> {
    let (mut inviter, _) = connect(inviter_at, inviter).await?;
    let (mut invitee, name) = connect(invitee_at, invitee).await?;
    let mut measured = Measured::default();
    let mut sent_at: HashMap<u64, Instant> = HashMap::new();
    let started = Instant::now();
    let mut next = 1_u64;
    loop {
        let elapsed = started.elapsed();
        let invites = elapsed < length && sent_at.len() < window;
        let wait = match rate {
            Some(rate) if invites => pause(next, rate).saturating_sub(elapsed),
            Some(_) | None => Duration::ZERO,
        };
        if elapsed >= length && (sent_at.is_empty() || elapsed > length + WIND_DOWN) {
            return Ok(measured);
        }
        tokio::select! {
            biased;
            frame = invitee.next() => answer(&mut invitee, frame, &sent_at, &mut measured).await?,
            frame = inviter.next() => note_answer(&mut inviter, frame, &mut sent_at, &mut measured).await?,
            () = turn(wait), if invites => {
                let id = next + 1;
                let text = format!(
                    r#"{{"jsonrpc":"2.0","id":{id},"method":"invite","params":{{"invitees":["{name}"],"data":"{next}","timeout_s":30}}}}"#
                );
                sent_at.insert(next, Instant::now());
                next += 1;
                inviter.send(Message::text(text)).await?;
            }
            () = tokio::time::sleep(WIND_DOWN) => return Err("the node stopped answering".into()),
        }
    }
}

/// Waits for the time of the next invite; a timer would round even no wait up to a millisecond.
async fn turn(wait: Duration) {
    if wait.is_zero() {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(wait).await;
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of a short run")]
fn pause(number: u64, rate: f64) -> Duration {
    Duration::from_secs_f64((number - 1) as f64 / rate)
}

/// The invitee: acknowledges and accepts every ring.
async fn answer(
    socket: &mut Socket,
    frame: Option<Result<Message, Error>>,
    sent_at: &HashMap<u64, Instant>,
    measured: &mut Measured,
) -> Result<(), Failure> {
    let Message::Text(text) = frame.ok_or("the node closed the invitee's connection")?? else { return Ok(()) };
    let frame: Frame<'_> = serde_json::from_str(&text)?;
    fail_on_error(&frame)?;
    let Some(Event { kind: "invitation.received", invitation_id: Some(id), offset: Some(offset), data: Some(data) }) =
        frame.params
    else {
        return Ok(());
    };
    if let Some(at) = data.parse().ok().and_then(|number: u64| sent_at.get(&number)) {
        measured.rings.add(at.elapsed());
    }
    socket.feed(Message::text(format!(r#"{{"jsonrpc":"2.0","method":"ack","params":{{"offset":{offset}}}}}"#))).await?;
    let accept = format!(
        r#"{{"jsonrpc":"2.0","id":{offset},"method":"accept","params":{{"invitation_id":"{id}","data":"{data}"}}}}"#
    );
    Ok(socket.send(Message::text(accept)).await?)
}

/// The inviter: an `accepted` event completes an invitation.
async fn note_answer(
    socket: &mut Socket,
    frame: Option<Result<Message, Error>>,
    sent_at: &mut HashMap<u64, Instant>,
    measured: &mut Measured,
) -> Result<(), Failure> {
    let Message::Text(text) = frame.ok_or("the node closed the inviter's connection")?? else { return Ok(()) };
    let frame: Frame<'_> = serde_json::from_str(&text)?;
    fail_on_error(&frame)?;
    let Some(Event { kind: "invitation.accepted", data: Some(data), offset: Some(offset), .. }) = frame.params else {
        return Ok(());
    };
    if let Some(at) = data.parse().ok().and_then(|number: u64| sent_at.remove(&number)) {
        measured.answers.add(at.elapsed());
    }
    let ack = format!(r#"{{"jsonrpc":"2.0","method":"ack","params":{{"offset":{offset}}}}}"#);
    Ok(socket.send(Message::text(ack)).await?)
}

fn fail_on_error(frame: &Frame<'_>) -> Result<(), Failure> {
    match frame.error {
        Some(error) => Err(format!("request {:?} failed: {error}", frame.id).into()),
        None => Ok(()),
    }
}

/// Connects and says hello; also gives the user's name.
async fn connect(url: &str, token: &str) -> Result<(Socket, String), Failure> {
    #[derive(Deserialize)]
    struct Hello {
        result: HelloResult,
    }
    #[derive(Deserialize)]
    struct HelloResult {
        user: String,
    }
    let (mut socket, _) = tokio_tungstenite::connect_async_with_config(url, None, true).await?;
    let hello =
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"hello","params":{{"device_id":"load","token":"{token}"}}}}"#);
    socket.send(Message::text(hello)).await?;
    let text = loop {
        if let Message::Text(text) = socket.next().await.ok_or("the node closed the connection")?? {
            break text;
        }
    };
    let Hello { result } = serde_json::from_str(&text).map_err(|_| format!("hello was refused: {text}"))?;
    Ok((socket, result.user))
}
