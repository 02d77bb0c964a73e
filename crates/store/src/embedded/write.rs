//! What an operation that writes has at hand, and how the writer runs one without knowing it.

use ringwire_signaling::UnixMillis;
use ringwire_signaling::inbox::Delivery;
use tokio::sync::oneshot;

use super::dice::Dice;
use super::fault::Fault;
use super::rings::Rings;
use super::tables::Tables;
use crate::error::StoreError;

/// The transaction that all operations of one batch share.
pub(super) struct Write<'txn> {
    pub(super) tables: Tables<'txn>,
    /// The store's time for the operation at hand.
    pub(super) now: UnixMillis,
    pub(super) dice: &'txn mut Dice,
    pub(super) rings: &'txn mut Rings,
}

/// What an operation says, and what rings once it is durable.
pub(super) type Written<T> = Result<(T, Vec<Delivery>), Fault>;

/// One operation in the writer's queue.
pub(super) trait Job: Send {
    /// Performs it. A fault other than of the whole database is kept for the answer, and then
    /// nothing was written.
    fn run(&mut self, write: &mut Write<'_>) -> Result<Vec<Delivery>, Fault>;

    /// Answers the caller: the batch became durable, or it did not.
    fn answer(self: Box<Self>, batch: Result<(), StoreError>);
}

struct Task<T, W> {
    work: Option<W>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

/// An operation to queue, and where its answer will come.
pub(super) fn job<T, W>(work: W) -> (Box<dyn Job>, oneshot::Receiver<Result<T, StoreError>>)
where
    T: Send + 'static,
    W: FnOnce(&mut Write<'_>) -> Written<T> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Task { work: Some(work), outcome: None, reply }), answer)
}

impl<T, W> Job for Task<T, W>
where
    T: Send,
    W: FnOnce(&mut Write<'_>) -> Written<T> + Send,
{
    fn run(&mut self, write: &mut Write<'_>) -> Result<Vec<Delivery>, Fault> {
        let work = self.work.take().expect("a job runs once");
        match work(write) {
            Ok((outcome, deliveries)) => {
                self.outcome = Some(Ok(outcome));
                Ok(deliveries)
            }
            Err(fault @ Fault::Damaged(_)) => {
                self.outcome = Some(Err(fault.into()));
                Ok(Vec::new())
            }
            Err(fault @ Fault::Storage(_)) => Err(fault),
        }
    }

    fn answer(self: Box<Self>, batch: Result<(), StoreError>) {
        let answer = match (batch, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            (Ok(()), None) => Err(StoreError::Unavailable("the operation did not run".to_owned())),
            (Err(error), _) => Err(error),
        };
        // The caller may have gone; the operation stands.
        let _ = self.reply.send(answer);
    }
}
