//! Invites users from a terminal and shows what becomes of it.

mod terminal;

use ringwire_client::params::{CancelParams, InviteParams, ModifyParams, SignalParams};
use ringwire_client::{Client, ClientError, Event, Events, GroupId, InvitationId, UserId};
use terminal::args::{Args, fail};
use terminal::{Screen, command, typed_lines, words};

const USAGE: &str = "\
Invites users, and shows what becomes of it.

Usage: ring [OPTIONS] <USER>...

Options:
  --token <TOKEN>    Who you are; else the environment's RINGWIRE_TOKEN
  --device <ID>      This device [default: ring]
  --url <URL,…>      The nodes, each tried when those before it are away [default: ws://127.0.0.1:7700/v1/connect]
  --group <ID>       Invite within a group
  --timeout <S>      How long it rings, 0 for no end [default: 30]
  --data <TEXT>      What the invitees get
  --name <NAME>      Your name, as the invitees see it
  --help             This text

While it rings, type
  c          to cancel
  m TEXT     to change the data
  s TEXT     to send a signal

Ends when everybody has answered; the exit code is 0 if somebody accepted, else 1.";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args = Args::parse(USAGE, &["group", "timeout", "data", "name"]);
    match run(&args).await {
        Ok(true) => {}
        Ok(false) => std::process::exit(1),
        Err(error) => fail(&error.to_string()),
    }
}

/// Whether somebody accepted.
async fn run(args: &Args) -> Result<bool, ClientError> {
    let params = params(args);
    let device = args.value("device").unwrap_or("ring");
    let builder = args.client().token(args.token()).device_id(device).platform("terminal");
    let (client, mut events) = builder.connect().await?;
    let me = client.user().expect("a connected client knows its user").clone();
    let screen = Screen::new();
    screen.line(format!("connected as {me}, device {device}"));

    let (names, seconds) = (args.rest.join(", "), params.timeout_s);
    let invited = client.invite(params).await?;
    for (user, reason) in &invited.failed {
        screen.line(format!("{user} is not invited: {reason}"));
    }
    let end = if seconds == 0 { String::new() } else { format!(" for {seconds} s") };
    if invited.failed.len() < args.rest.len() {
        screen.line(format!("inviting {names}{end}   (c cancels, m TEXT modifies, s TEXT signals)"));
        watch(&client, &mut events, invited.invitation_id, &me, &screen).await?;
    }
    let state = client.get(invited.invitation_id).await?;
    screen.line(words::outcome(&state));
    client.close().await;
    Ok(state.invitees.iter().any(|invitee| invitee.state == "accepted"))
}

fn params(args: &Args) -> InviteParams {
    if args.rest.is_empty() {
        fail("whom to invite? see --help");
    }
    let user = |name: &String| UserId::parse(name).unwrap_or_else(|problem| fail(&format!("{name} {problem}")));
    let mut params = InviteParams::new(args.rest.iter().map(user).collect());
    params.data = args.value("data").unwrap_or_default().into();
    params.inviter_name = args.value("name").map(Into::into);
    params.group_id =
        args.value("group").map(|id| GroupId::parse(id).unwrap_or_else(|problem| fail(&format!("--group {problem}"))));
    if let Some(seconds) = args.value("timeout") {
        params.timeout_s = seconds.parse().unwrap_or_else(|_| fail("--timeout takes whole seconds"));
    }
    params
}

/// Shows events and does what is typed, until the invitation is settled.
async fn watch(
    client: &Client,
    events: &mut Events,
    invitation: InvitationId,
    me: &UserId,
    screen: &Screen,
) -> Result<(), ClientError> {
    let mut typed = typed_lines();
    loop {
        tokio::select! {
            event = events.next() => {
                // The first greeting and snapshot tell what is known here.
                let Some(event) = event.filter(|event| !matches!(event, Event::Connected { resumed: false, .. })) else {
                    match client.end_reason() {
                        Some(reason) => return Err(ClientError::Closed(reason.clone())),
                        None => continue,
                    }
                };
                if let Some(line) = words::line(&event, me) {
                    screen.line(line);
                }
                if event.invitation_id() == Some(invitation) && is_settled(&event) {
                    return Ok(());
                }
            }
            Some(line) = typed.recv() => match act(client, invitation, &line).await {
                Ok(Some(done)) => screen.line(done),
                Ok(None) => return Ok(()),
                Err(error) => screen.line(error.to_string()),
            },
        }
    }
}

fn is_settled(event: &Event) -> bool {
    match event {
        Event::State(state) => state.is_settled(),
        Event::Gone { .. } => true,
        event => event.view().is_some_and(|view| view.settled),
    }
}

/// Does what was typed; none if the invitation is settled by it.
async fn act(client: &Client, invitation: InvitationId, line: &str) -> Result<Option<&'static str>, ClientError> {
    match command(line) {
        ("c", data) => {
            let params = CancelParams { data: data.into(), ..CancelParams::new(invitation) };
            client.cancel(params).await.map(|_| None)
        }
        ("m", data) => {
            let params = ModifyParams { data: data.into(), ..ModifyParams::new(invitation) };
            client.modify(params).await.map(|_| Some("changed"))
        }
        ("s", data) => {
            let params = SignalParams { data: data.into(), ..SignalParams::new(invitation) };
            client.signal(params).await.map(|_| Some("sent"))
        }
        _ => Ok(Some("type c to cancel, m TEXT to change the data, s TEXT to send a signal")),
    }
}
