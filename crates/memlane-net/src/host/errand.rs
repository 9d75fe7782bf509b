//! One request on its way to being answered.

use bytes::Bytes;
use serde_json::json;
use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;

use super::link::Link;
use super::outgoing::Outgoing;
use super::service::Done;
use super::session::{Session, Stop};
use super::shared::Shared;
use crate::protocol::fault::{self, Fault};
use crate::protocol::operation::{Answer, Operation, Outcome};

/// A request that was admitted, and whom to answer.
#[derive(Debug)]
pub(super) struct Errand {
    pub(super) shared: Arc<Shared>,
    pub(super) session: Arc<Session>,
    pub(super) link: Arc<Link>,
    pub(super) n: u64,
    /// The operation's name.
    pub(super) name: String,
    /// The region that it is about.
    pub(super) id: Option<String>,
    /// It belongs to the session, not to the connection.
    pub(super) remembered: bool,
}

impl Errand {
    /// Does it as far as it needs no wait; the rest on the side.
    pub(super) fn begin(
        self,
        operation: Result<Operation, Fault>,
        payload: Bytes,
        context: &mut Context<'_>,
    ) -> Result<(), Stop> {
        let admitted = operation.and_then(|operation| {
            self.shared.gate.admit(self.session.access, &operation).map(|()| operation)
        });
        match admitted {
            Err(fault) => self.answer(Err(fault)),
            Ok(operation @ (Operation::Subscribe { .. } | Operation::Watch { .. })) => {
                self.subscribe(&operation);
            }
            Ok(Operation::Unsubscribe { subscription }) => {
                let ended = self.link.unsubscribe(subscription);
                self.answer(ended.map(|()| Done::default()));
            }
            Ok(Operation::Cancel { request }) => {
                let fault = Fault::new(fault::CANCELLED, "the client ended the wait");
                self.session.stop(request, fault.clone());
                self.link.stop(request, fault);
                self.answer(Ok(Done::default()));
            }
            Ok(Operation::Status) => {
                let fields = self.shared.status();
                self.answer(Ok(Done { fields, payload: Bytes::new() }));
            }
            Ok(Operation::Bye) => {
                self.answer(Ok(Done::default()));
                return Err(Stop::Bye);
            }
            Ok(operation) => {
                let mut work = Work::new(&self, operation, payload);
                match Pin::new(&mut work).poll(context) {
                    Poll::Ready(outcome) => self.answer(outcome),
                    Poll::Pending => self.wait(work),
                }
            }
        }
        Ok(())
    }

    /// Goes on with it on the side, so that it holds up nobody.
    fn wait(self, work: Work) {
        let (stop, stopped) = oneshot::channel();
        if self.remembered {
            self.session.waits(self.n, stop);
        } else {
            self.link.waits(self.n, stop);
        }
        tokio::spawn(async move {
            let outcome = tokio::select! {
                biased;
                outcome = self.with_room(work) => Some(outcome),
                stopped = stopped => stopped.ok().map(Err),
            };
            // Nobody wants to know any more when whom it belonged to is gone.
            if let Some(outcome) = outcome {
                self.answer(outcome);
            }
        });
    }

    /// Looks at the work only while its answer can be kept or sent.
    async fn with_room(&self, work: Work) -> Result<Done, Fault> {
        if self.remembered {
            when(work, || self.session.may_record(), || self.session.room()).await
        } else {
            when(work, || self.link.outbox.has_room(), || self.link.outbox.room()).await
        }
    }

    fn subscribe(self, operation: &Operation) {
        let subscribed = self.link.may_subscribe(self.shared.limits.subscriptions);
        match subscribed.and_then(|()| self.shared.service.subscribe(operation)) {
            Err(fault) => self.answer(Err(fault)),
            Ok((mut fields, subscription)) => {
                let (shared, link) = (self.shared.clone(), self.link.clone());
                let number = link.next_subscription();
                fields.insert("subscription".into(), json!(number));
                self.answer(Ok(Done { fields, payload: Bytes::new() }));
                link.deliver(shared, number, operation, subscription);
            }
        }
    }

    fn answer(&self, outcome: Result<Done, Fault>) {
        let (code, outgoing) = self.written(outcome);
        self.shared.note(self, &code);
        if !self.remembered {
            self.link.answered(self.n);
        }
        self.session.answer(&self.link, self.n, self.remembered, outgoing);
    }

    /// The answer, and its outcome's name.
    fn written(&self, outcome: Result<Done, Fault>) -> (String, Outgoing) {
        let (outcome, payload) = match outcome {
            Ok(done) => (Outcome::Ok(done.fields), done.payload),
            Err(fault) => (Outcome::Error(fault), Bytes::new()),
        };
        let code = match &outcome {
            // Answered, and nothing was changed: somebody was faster.
            Outcome::Ok(fields) if fields.get("exchanged") == Some(&false.into()) => {
                fault::CONFLICT.to_owned()
            }
            Outcome::Ok(_) => "ok".to_owned(),
            Outcome::Error(fault) => fault.code.clone(),
        };
        let outgoing = Outgoing::message(&Answer { n: self.n, outcome }, payload);
        let most = self.shared.limits.message_bytes;
        if self.remembered || outgoing.fits(most) {
            return (code, outgoing);
        }
        let message = format!("the answer has {} bytes, {most} are allowed; ask for parts", outgoing.len());
        self.written(Err(Fault::new(fault::LIMIT, message)))
    }
}

/// Polls `work` only while `is_open`; `opened` ends when it is.
async fn when<F: Future<Output = ()>>(
    mut work: Work,
    is_open: impl Fn() -> bool,
    opened: impl Fn() -> F,
) -> Result<Done, Fault> {
    let mut opening = pin!(opened());
    poll_fn(|context| {
        while !is_open() {
            ready!(opening.as_mut().poll(context));
            opening.set(opened());
        }
        Pin::new(&mut work).poll(context)
    })
    .await
}

/// An operation being done. If the host itself fails in it, that is an answer too: nothing else is harmed.
pub(super) struct Work(Pin<Box<dyn Future<Output = Result<Done, Fault>> + Send>>);

impl Work {
    fn new(errand: &Errand, operation: Operation, payload: Bytes) -> Self {
        let (shared, session, link) = (errand.shared.clone(), errand.session.clone(), errand.link.clone());
        Self(Box::pin(async move { shared.serve(&session, &link, operation, payload).await }))
    }
}

impl Future for Work {
    type Output = Result<Done, Fault>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context)))
            .unwrap_or_else(|panic| Poll::Ready(Err(failed_inside(&*panic))))
    }
}

fn failed_inside(panic: &(dyn Any + Send)) -> Fault {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason");
    let message = format!("the host failed inside ({text}); this is a bug of memlane: please report it");
    Fault::new("system", message)
}
