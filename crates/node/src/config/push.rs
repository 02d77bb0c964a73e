//! Where offline pushes go, and events of invitations.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::HttpUrl;
use crate::webhook;

/// Targets of one installation: one for each platform, and some to spare.
const TARGETS: usize = 16;
/// Characters of a target's name.
const NAME_CHARS: usize = 32;

/// See `[push]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// Milliseconds that a target may take to answer.
    pub timeout_ms: u64,
    /// Requests to one target at once.
    pub max_in_flight: usize,
    /// Whom to tell.
    pub targets: Vec<PushTarget>,
}

/// See `[events]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// Whom to tell; nobody is off. They have no platforms.
    pub targets: Vec<PushTarget>,
}

/// One of `[[push.targets]]`, or of `[[events.targets]]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PushTarget {
    /// Its name in logs, metrics and dead letters.
    pub name: String,
    /// Where it is.
    pub url: HttpUrl,
    /// Sign its messages: each with all of these.
    pub secrets: Vec<String>,
    /// Only for users who have registered a device of one of these platforms; empty is for all users.
    #[serde(default)]
    pub platforms: Vec<String>,
}

impl Push {
    /// What is wrong with it: which setting, and why.
    pub(crate) fn problem(&self) -> Option<(&'static str, String)> {
        if !(100..=30_000).contains(&self.timeout_ms) {
            return Some(("push.timeout_ms", "must be between 100 and 30000".into()));
        }
        if !(1..=1_024).contains(&self.max_in_flight) {
            return Some(("push.max_in_flight", "must be between 1 and 1024".into()));
        }
        problem_of_targets(&self.targets, &mut BTreeSet::new(), &PUSH)
    }
}

impl Events {
    /// What is wrong with it, beside these pushes: which setting, and why.
    pub(crate) fn problem(&self, push: &Push) -> Option<(&'static str, String)> {
        if self.targets.iter().any(|target| !target.platforms.is_empty()) {
            return Some((EVENTS.platforms, "are for pushes only".into()));
        }
        let mut names = push.targets.iter().map(|target| target.name.as_str()).collect();
        problem_of_targets(&self.targets, &mut names, &EVENTS)
    }
}

/// The names of a section's settings.
struct Keys {
    targets: &'static str,
    name: &'static str,
    secrets: &'static str,
    platforms: &'static str,
}

const PUSH: Keys = Keys {
    targets: "push.targets",
    name: "push.targets.name",
    secrets: "push.targets.secrets",
    platforms: "push.targets.platforms",
};
const EVENTS: Keys = Keys {
    targets: "events.targets",
    name: "events.targets.name",
    secrets: "events.targets.secrets",
    platforms: "events.targets.platforms",
};

/// Names are unique over both sections: queues, metrics and dead letters know targets by them.
fn problem_of_targets<'a>(
    targets: &'a [PushTarget],
    names: &mut BTreeSet<&'a str>,
    keys: &Keys,
) -> Option<(&'static str, String)> {
    if targets.len() > TARGETS {
        return Some((keys.targets, format!("are more than {TARGETS}")));
    }
    targets.iter().find_map(|target| {
        let name = &target.name;
        if !names.insert(name) {
            return Some((keys.name, format!("{name} is there twice")));
        }
        target.problem(keys)
    })
}

impl PushTarget {
    fn problem(&self, keys: &Keys) -> Option<(&'static str, String)> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        if !(1..=NAME_CHARS).contains(&self.name.len()) || !self.name.bytes().all(is_plain) {
            return Some((keys.name, format!("must be 1 to {NAME_CHARS} of a-z, 0-9, - and _")));
        }
        if let Some(problem) = webhook::secrets_problem(&self.secrets) {
            return Some((keys.secrets, problem.into()));
        }
        if self.platforms.iter().any(String::is_empty) {
            return Some((keys.platforms, "must not hold an empty name".into()));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str, secrets: &[&str]) -> PushTarget {
        PushTarget {
            name: name.to_owned(),
            url: HttpUrl::try_from("https://hook.example/push".to_owned()).unwrap(),
            secrets: secrets.iter().map(|secret| (*secret).to_owned()).collect(),
            platforms: Vec::new(),
        }
    }

    fn problem(targets: Vec<PushTarget>) -> Option<&'static str> {
        Push { timeout_ms: 3_000, max_in_flight: 64, targets }.problem().map(|(key, _)| key)
    }

    #[test]
    fn a_target_has_a_name_of_its_own_and_one_or_two_secrets() {
        const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        assert_eq!(problem(Vec::new()), None);
        assert_eq!(problem(vec![target("ios", &[SECRET]), target("all-1_b", &[SECRET, SECRET])]), None);
        assert_eq!(problem(vec![target("a", &[SECRET]), target("a", &[SECRET])]), Some("push.targets.name"));
        for name in ["", "A", "a b", "é", &"a".repeat(33)] {
            assert_eq!(problem(vec![target(name, &[SECRET])]), Some("push.targets.name"), "{name}");
        }
        let short = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLQ==";
        let bare = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G";
        for secrets in [&[][..], &[SECRET; 3], &[""], &[bare], &["whsec_"], &[short, "whsec_é"], &["whsec_****"]] {
            assert_eq!(problem(vec![target("a", secrets)]), Some("push.targets.secrets"), "{secrets:?}");
        }
        assert_eq!(problem((0..17).map(|n| target(&format!("t{n}"), &[SECRET])).collect()), Some("push.targets"));
    }

    #[test]
    fn a_target_of_events_has_no_platforms_and_no_name_of_a_push_target() {
        const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let push = Push { timeout_ms: 3_000, max_in_flight: 64, targets: vec![target("ios", &[SECRET])] };
        let problem = |targets| Events { targets }.problem(&push).map(|(key, _)| key);
        assert_eq!(problem(Vec::new()), None);
        assert_eq!(problem(vec![target("billing", &[SECRET]), target("archive", &[SECRET])]), None);
        assert_eq!(problem(vec![target("ios", &[SECRET])]), Some("events.targets.name"));
        assert_eq!(problem(vec![target("a", &[SECRET]), target("a", &[SECRET])]), Some("events.targets.name"));
        assert_eq!(problem(vec![target("a", &[])]), Some("events.targets.secrets"));
        let narrow = PushTarget { platforms: vec!["ios".to_owned()], ..target("a", &[SECRET]) };
        assert_eq!(problem(vec![narrow]), Some("events.targets.platforms"));
    }
}
