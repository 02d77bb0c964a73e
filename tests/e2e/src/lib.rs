//! The harness of the end-to-end tests: starts real `ringwire` processes and talks to them over
//! real sockets.
//!
//! A test of semantics takes a [`Site`] and runs twice: on one node, and on three that share a Redis.
//! Every wait is bounded by [`PATIENCE`] and awaits a condition. A server that logs an error or
//! panics fails the test that started it, when its [`Node`] is dropped.

pub mod audit;
pub mod binary;
pub mod device;
pub mod front;
pub mod hook;
pub mod http;
pub mod issuer;
pub mod knock;
pub mod log;
pub mod mute;
pub mod node;
pub mod process;
pub mod settings;
pub mod site;
pub mod story;
pub mod tls;
pub mod witness;

use std::future::Future;
use std::time::Duration;

use serde_json::Value;

pub use device::Device;
pub use front::Front;
pub use hook::{Behaviour, Hook, Targets};
pub use http::Http;
pub use issuer::{Issuer, SigningKey};
pub use knock::Knock;
pub use log::Log;
pub use mute::Mute;
pub use node::Node;
pub use process::{Exit, Process};
pub use settings::Settings;
pub use site::Site;
pub use witness::{Told, Witness};

/// How long anything may take before the test that waits for it fails: far more than a loaded
/// machine needs, far less than the runner's own limit.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// Waits for `future`, at most [`PATIENCE`].
///
/// # Panics
/// When it takes longer; the message says for `what` the test waited.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let Ok(output) = tokio::time::timeout(PATIENCE, future).await else {
        panic!("waited {} s for {what}", PATIENCE.as_secs());
    };
    output
}

/// Checks that a JSON object has these members; it may have more.
///
/// # Panics
/// When one is missing or has another value.
#[track_caller]
#[allow(clippy::needless_pass_by_value, reason = "tests write what they want in place")]
pub fn has(value: &Value, members: Value) {
    for (name, wanted) in members.as_object().expect("the test wants members") {
        assert_eq!(&value[name], wanted, "{name} in {value}");
    }
}

/// Asks again and again until the answer is there, at most [`PATIENCE`]: for conditions of the
/// server that nothing announces.
///
/// # Panics
/// When it takes longer; the message says for `what` the test waited.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    const PAUSE: Duration = Duration::from_millis(10);
    within(what, async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(PAUSE).await;
        }
    })
    .await
}
