//! Waits for invitations in a terminal, and answers them.

mod terminal;

use ringwire_client::params::{AcceptParams, RejectParams, SignalParams};
use ringwire_client::view::InvitationView;
use ringwire_client::{Client, ClientError, Event, InvitationId, UserId};
use terminal::args::{Args, fail};
use terminal::{Screen, command, typed_lines, words};

const USAGE: &str = "\
Waits for invitations, and answers them.

Usage: answer [OPTIONS]

Options:
  --token <TOKEN>    Who you are; else the environment's RINGWIRE_TOKEN
  --device <ID>      This device [default: answer]
  --url <URL,…>      The nodes, each tried when those before it are away [default: ws://127.0.0.1:7700/v1/connect]
  --auto <ANSWER>    Answer at once: accept or reject
  --data <TEXT>      What the inviter gets with an answer
  --help             This text

Type
  a            to accept what rings
  r [REASON]   to reject it; busy is a good reason
  s TEXT       to send a signal to the others
  q            to quit";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args = Args::parse(USAGE, &["auto", "data"]);
    if let Some(problem) = args.rest.first() {
        fail(&format!("what is {problem}? see --help"));
    }
    if let Err(error) = Phone::run(&args).await {
        fail(&error.to_string());
    }
}

/// What answers by itself.
#[derive(Clone, Copy)]
enum Answer {
    Accept,
    Reject,
}

/// One device that rings.
struct Phone {
    client: Client,
    me: UserId,
    screen: Screen,
    automatic: Option<Answer>,
    data: String,
    /// What rings, newest last.
    ringing: Vec<InvitationId>,
    /// The invitation that was accepted last, for signals.
    accepted: Option<InvitationId>,
}

impl Phone {
    async fn run(args: &Args) -> Result<(), ClientError> {
        let automatic = match args.value("auto") {
            None => None,
            Some("accept") => Some(Answer::Accept),
            Some("reject") => Some(Answer::Reject),
            Some(_) => fail("--auto takes accept or reject"),
        };
        let device = args.value("device").unwrap_or("answer");
        let builder = args.client().token(args.token()).device_id(device).platform("terminal");
        let (client, mut events) = builder.connect().await?;
        let me = client.user().expect("a connected client knows its user").clone();
        let screen = Screen::new();
        screen.line(format!("{me} waits for invitations on {device}"));
        let data = args.value("data").unwrap_or_default().to_owned();
        let mut phone = Self { client, me, screen, automatic, data, ringing: Vec::new(), accepted: None };
        let mut typed = typed_lines();
        // The greeting was said above.
        events.next().await;
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => phone.hear(&event).await,
                    None => return Ok(()),
                },
                Some(line) = typed.recv() => match command(&line) {
                    ("q", _) => break,
                    (word, rest) => phone.act(word, rest).await,
                },
            }
        }
        phone.client.close().await;
        Ok(())
    }

    async fn hear(&mut self, event: &Event) {
        if let Some(line) = words::line(event, &self.me) {
            let rings = matches!(event, Event::Received(view) if view.invited == Some(true));
            let hint = if rings && self.automatic.is_none() { "   (a accepts, r rejects)" } else { "" };
            self.screen.line(line + hint);
        }
        match event {
            Event::Received(view) if view.invited == Some(true) => self.ring(view.invitation_id).await,
            Event::Snapshot(snapshot) => {
                self.ringing.clear();
                for state in &snapshot.active {
                    self.ring_from(state).await;
                }
            }
            Event::State(state) => {
                self.ringing.retain(|id| *id != state.invitation_id);
                self.ring_from(state).await;
            }
            Event::Gone { invitation_id } => self.ringing.retain(|id| id != invitation_id),
            Event::AnsweredElsewhere(view) => self.ringing.retain(|id| *id != view.invitation_id),
            Event::Cancelled(view) | Event::TimedOut(view) => {
                let concerned = view.invitees.as_deref().is_some_and(|users| users.contains(&self.me));
                self.ringing.retain(|id| *id != view.invitation_id || !concerned);
            }
            _ => {}
        }
    }

    /// Rings for an invitation that was found ringing.
    async fn ring_from(&mut self, state: &InvitationView) {
        if state.invitees.iter().any(|invitee| invitee.user == self.me && invitee.state == "pending") {
            let rest = state.remaining_ms.map(|ms| format!(", for another {} s", ms.div_ceil(1000)));
            self.screen.line(format!("{} is inviting you{}", state.inviter, rest.unwrap_or_default()));
            self.ring(state.invitation_id).await;
        }
    }

    async fn ring(&mut self, invitation: InvitationId) {
        self.ringing.push(invitation);
        match self.automatic {
            Some(Answer::Accept) => self.act("a", "").await,
            Some(Answer::Reject) => self.act("r", "").await,
            None => {}
        }
    }

    /// Does what was typed, and says what came of it.
    async fn act(&mut self, word: &str, rest: &str) {
        let target = if word == "s" { self.accepted } else { self.ringing.last().copied() };
        let ("a" | "r" | "s", Some(invitation)) = (word, target) else {
            let nothing = if word == "s" { "nothing was accepted yet" } else { "nothing rings" };
            let known = matches!(word, "a" | "r" | "s");
            return self.screen.line(if known { nothing } else { "type a to accept, r [REASON] to reject, q to quit" });
        };
        let outcome = match word {
            "a" => self.accept(invitation).await,
            "r" => self.reject(invitation, rest).await,
            _ => {
                let params = SignalParams { data: rest.into(), ..SignalParams::new(invitation) };
                self.client.signal(params).await.map(|_| "sent")
            }
        };
        // Without an answer of the server it may still ring.
        if word != "s" && matches!(outcome, Ok(_) | Err(ClientError::Server(_))) {
            self.ringing.retain(|id| *id != invitation);
        }
        self.screen.line(match outcome {
            Ok(done) => done.to_owned(),
            Err(error) => error.to_string(),
        });
    }

    async fn accept(&mut self, invitation: InvitationId) -> Result<&'static str, ClientError> {
        let params = AcceptParams { data: self.data.as_str().into(), ..AcceptParams::new(invitation) };
        self.client.accept(params).await?;
        self.accepted = Some(invitation);
        Ok("accepted")
    }

    async fn reject(&mut self, invitation: InvitationId, reason: &str) -> Result<&'static str, ClientError> {
        let reason = (!reason.is_empty()).then(|| reason.into());
        let params = RejectParams { data: self.data.as_str().into(), reason, ..RejectParams::new(invitation) };
        self.client.reject(params).await.map(|_| "rejected")
    }
}
