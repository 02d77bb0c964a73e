//! Asks a hook of the operator whether an invitation may be created.
//!
//! A hook that is slow or gone costs an invite at most the configured time and nothing else anything: as many
//! questions as are configured are under way at once, and a circuit ends the waiting for a hook that is down.
//! What a hook did not decide, the configuration does.

mod answer;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use ringwire_wire::view::AuthorizationMessage;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::circuit::{Circuit, Condition};
use crate::config::{self, HttpUrl, OnFailure};
use crate::error::OperationError;
use crate::ids;
use crate::metrics::{AuthorizationOutcome, Stage};
use crate::outbound::Limits;
use crate::shared::Shared;
use crate::webhook::{Signers, answers};
use answer::Verdict;

/// Bytes of the longest answer: many times what it can say.
const ANSWER_BYTES: usize = 16 * 1024;
/// What an inviter is told if the hook gave no reason.
const NO_REASON: &str = "the invitation is not allowed";

/// The hook, as this node sees it.
pub(crate) struct Authorization {
    url: HttpUrl,
    signers: Signers,
    timeout: Duration,
    on_failure: OnFailure,
    /// Questions that may be under way at once.
    max_in_flight: u32,
    /// A permit for each question that is not.
    room: Semaphore,
    circuit: Mutex<Circuit>,
    started: Instant,
}

/// Why there is no verdict.
struct Failure {
    problem: String,
    retry_after_ms: u64,
}

impl Failure {
    fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), retry_after_ms: 0 }
    }
}

impl Authorization {
    /// Takes over checked settings; none if nobody is to be asked.
    pub(crate) fn new(settings: &config::Authorization) -> Option<Self> {
        let url = settings.url.clone()?;
        Some(Self {
            url,
            signers: Signers::new(&settings.secrets.0),
            timeout: Duration::from_millis(settings.timeout_ms),
            on_failure: settings.on_failure,
            max_in_flight: settings.max_in_flight,
            room: Semaphore::new(usize::try_from(settings.max_in_flight).unwrap_or(Semaphore::MAX_PERMITS)),
            circuit: Mutex::new(Circuit::default()),
            started: Instant::now(),
        })
    }

    /// Asks. Nothing has been created when this fails.
    ///
    /// # Errors
    /// The hook denies it, or does not answer and the configuration denies what it did not decide.
    pub(crate) async fn ask(&self, shared: &Shared, message: &AuthorizationMessage) -> Result<(), OperationError> {
        let verdict = shared.metrics.time(Stage::Authorize, self.verdict(shared, message)).await;
        let count = |outcome| shared.metrics.authorizations.count(outcome);
        match verdict {
            Ok(Verdict::Allowed) => {
                count(AuthorizationOutcome::Allowed);
                Ok(())
            }
            Ok(Verdict::Denied(reason)) => {
                count(AuthorizationOutcome::Denied);
                Err(OperationError::Denied(reason.unwrap_or_else(|| NO_REASON.to_owned())))
            }
            Err(Failure { problem, retry_after_ms }) => {
                count(AuthorizationOutcome::Failed);
                tracing::debug!(problem, invitation = %message.data.invitation_id, "the authorization hook did not decide");
                match self.on_failure {
                    OnFailure::Allow => Ok(()),
                    OnFailure::Deny => Err(OperationError::NotAuthorized { retry_after_ms }),
                }
            }
        }
    }

    async fn verdict(&self, shared: &Shared, message: &AuthorizationMessage) -> Result<Verdict, Failure> {
        // Held until the hook has answered, or whoever asks has gone.
        let _room = self.enter()?;
        let body = serde_json::to_vec(message).map_err(|error| Failure::new(error.to_string()))?;
        // A repeated question is a new one: it may get another answer.
        let id = format!("authorize_{:016x}{:016x}", ids::random_u64(), ids::random_u64());
        let headers = self.signers.headers(&id, shared.clock.now(), &body);
        let headers = headers.ok_or_else(|| Failure::new("the question cannot be signed"))?;
        let limits = Limits { timeout: self.timeout, max_body_bytes: ANSWER_BYTES };
        let answer = shared.outbound.post(&self.url, headers, Bytes::from(body), limits).await;
        let works = answers(&answer);
        let verdict = match answer {
            Ok(answer) => answer::read(answer.status, &answer.body),
            Err(error) => Err(error.to_string()),
        };
        self.learn(works, verdict.as_ref().err());
        verdict.map_err(Failure::new)
    }

    /// Room for one question, or for none other if the hook is tried again after it was down.
    fn enter(&self) -> Result<SemaphorePermit<'_>, Failure> {
        let permits = match self.circuit().condition(self.now_ms()) {
            Condition::Closed => 1,
            Condition::Trying => self.max_in_flight,
            Condition::Open(retry_after_ms) => {
                return Err(Failure { problem: "it is down".to_owned(), retry_after_ms });
            }
        };
        self.room.try_acquire_many(permits).map_err(|_| Failure::new("too many questions are under way"))
    }

    fn learn(&self, works: bool, problem: Option<&String>) {
        let now = self.now_ms();
        if works {
            if self.circuit().succeeded() {
                tracing::info!("authorization hook works again");
            }
        } else if self.circuit().failed(now, ids::random_u64()) {
            tracing::warn!(problem, "authorization hook is down");
        }
    }

    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the node started, which is what circuits count in.
    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
