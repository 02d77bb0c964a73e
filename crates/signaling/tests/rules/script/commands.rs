//! Words for commands. A person is written `alice/phone`, or `alice` when a server acts for her.

use std::sync::Arc;

use ringwire_signaling::command::Push;
use ringwire_signaling::invitation::Audience;
use ringwire_signaling::limits::DEFAULT_TIMEOUT_S;
use ringwire_signaling::{Answer, AnswerKind, By, Cancel, Command, DeviceId, Invite, Modify, RequestId, Signal};

use super::{Asked, group, user, users};

pub(crate) fn by(person: &str) -> By {
    match person.split_once('/') {
        Some((name, device)) => By { user: user(name), device: Some(DeviceId::parse(device).expect("a device id")) },
        None => By { user: user(person), device: None },
    }
}

fn request(id: &str) -> RequestId {
    RequestId::parse(id).expect("a request id")
}

#[derive(Clone)]
pub(crate) struct InviteWords(pub(crate) Invite);

pub(crate) fn invite<const N: usize>(inviter: &str, invitees: [&str; N]) -> InviteWords {
    InviteWords(Invite {
        by: by(inviter),
        invitees: users(invitees),
        data: "".into(),
        timeout_s: DEFAULT_TIMEOUT_S,
        online_user_only: false,
        group: None,
        audience: Audience::Members,
        push: None,
        kind: None,
        inviter_name: None,
        receipts: true,
        request_id: None,
    })
}

impl InviteWords {
    pub(crate) fn data(mut self, data: &str) -> Self {
        self.0.data = data.into();
        self
    }

    pub(crate) fn timeout_s(mut self, seconds: u32) -> Self {
        self.0.timeout_s = seconds;
        self
    }

    pub(crate) fn online_user_only(mut self) -> Self {
        self.0.online_user_only = true;
        self
    }

    pub(crate) fn in_group(mut self, name: &str) -> Self {
        self.0.group = Some(group(name));
        self
    }

    pub(crate) fn only_invitees_hear(mut self) -> Self {
        self.0.audience = Audience::Invitees;
        self
    }

    pub(crate) fn push(mut self, push: Push) -> Self {
        self.0.push = Some(push);
        self
    }

    pub(crate) fn kind(mut self, kind: i64) -> Self {
        self.0.kind = Some(kind);
        self
    }

    pub(crate) fn named(mut self, name: &str) -> Self {
        self.0.inviter_name = Some(name.into());
        self
    }

    pub(crate) fn without_receipts(mut self) -> Self {
        self.0.receipts = false;
        self
    }

    pub(crate) fn request(mut self, id: &str) -> Self {
        self.0.request_id = Some(request(id));
        self
    }
}

pub(crate) struct AnswerWords(Answer);

pub(crate) fn accept(person: &str) -> AnswerWords {
    AnswerWords(Answer { by: by(person), kind: AnswerKind::Accept, data: "".into(), request_id: None })
}

pub(crate) fn reject(person: &str) -> AnswerWords {
    let kind = AnswerKind::Reject { reason: None };
    AnswerWords(Answer { by: by(person), kind, data: "".into(), request_id: None })
}

impl AnswerWords {
    pub(crate) fn data(mut self, data: &str) -> Self {
        self.0.data = data.into();
        self
    }

    pub(crate) fn reason(mut self, reason: &str) -> Self {
        self.0.kind = AnswerKind::Reject { reason: Some(reason.into()) };
        self
    }

    pub(crate) fn request(mut self, id: &str) -> Self {
        self.0.request_id = Some(request(id));
        self
    }
}

pub(crate) struct CancelWords(Cancel);

pub(crate) fn cancel(person: &str) -> CancelWords {
    CancelWords(Cancel { by: by(person), data: "".into(), invitees: None, request_id: None })
}

impl CancelWords {
    pub(crate) fn only<const N: usize>(mut self, invitees: [&str; N]) -> Self {
        self.0.invitees = Some(users(invitees));
        self
    }

    pub(crate) fn data(mut self, data: &str) -> Self {
        self.0.data = data.into();
        self
    }

    pub(crate) fn request(mut self, id: &str) -> Self {
        self.0.request_id = Some(request(id));
        self
    }
}

pub(crate) struct ModifyWords(Modify);

pub(crate) fn modify(person: &str, data: &str) -> ModifyWords {
    ModifyWords(Modify { by: by(person), data: data.into(), version: None, request_id: None })
}

impl ModifyWords {
    pub(crate) fn version(mut self, version: u64) -> Self {
        self.0.version = Some(version);
        self
    }

    pub(crate) fn request(mut self, id: &str) -> Self {
        self.0.request_id = Some(request(id));
        self
    }
}

pub(crate) struct SignalWords(Signal);

pub(crate) fn signal(person: &str, data: impl Into<Arc<str>>) -> SignalWords {
    SignalWords(Signal { by: by(person), data: data.into(), to: None, request_id: None })
}

impl SignalWords {
    pub(crate) fn to<const N: usize>(mut self, addressees: [&str; N]) -> Self {
        self.0.to = Some(users(addressees));
        self
    }

    pub(crate) fn request(mut self, id: &str) -> Self {
        self.0.request_id = Some(request(id));
        self
    }
}

/// An administrator cancels.
pub(crate) fn force_cancel(reason: &str) -> Command {
    Command::ForceCancel { reason: reason.into() }
}

pub(crate) fn timeout() -> Command {
    Command::Timeout
}

impl From<Command> for Asked {
    fn from(command: Command) -> Self {
        Self::Command(command)
    }
}

impl From<InviteWords> for Asked {
    fn from(words: InviteWords) -> Self {
        Self::Invite(words.0)
    }
}

impl From<AnswerWords> for Asked {
    fn from(words: AnswerWords) -> Self {
        Self::Command(Command::Answer(words.0))
    }
}

impl From<CancelWords> for Asked {
    fn from(words: CancelWords) -> Self {
        Self::Command(Command::Cancel(words.0))
    }
}

impl From<ModifyWords> for Asked {
    fn from(words: ModifyWords) -> Self {
        Self::Command(Command::Modify(words.0))
    }
}

impl From<SignalWords> for Asked {
    fn from(words: SignalWords) -> Self {
        Self::Signal(words.0)
    }
}
