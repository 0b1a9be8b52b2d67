//! Where a server's requests are numbered and logged, and where it is said what happens to them besides being answered.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::fault::Plan;
use crate::hold::{Held, Hold};

/// The desk of a server whose log holds `Request` and whose faults do `Does`.
pub(crate) struct Desk<Request, Does>(Mutex<Papers<Request, Does>>);

struct Papers<Request, Does> {
    requests: Vec<Request>,
    /// Rises with every clearing, so that a late answer is not written to a new log.
    log: usize,
    plan: Plan<Does>,
    holds: Vec<Held>,
}

/// The place of a request in the log.
pub(crate) struct Ticket {
    log: usize,
    number: usize,
}

/// A request that was numbered, and what is to happen to it.
pub(crate) struct Arrival<Does> {
    pub(crate) ticket: Ticket,
    pub(crate) fault: Option<Does>,
    pub(crate) held: Option<Held>,
}

impl<Request, Does> Default for Desk<Request, Does> {
    fn default() -> Self {
        Self(Mutex::new(Papers {
            requests: Vec::new(),
            log: 0,
            plan: Plan::default(),
            holds: Vec::new(),
        }))
    }
}

impl<Request: Clone, Does> Desk<Request, Does> {
    fn papers(&self) -> MutexGuard<'_, Papers<Request, Does>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.papers().requests.clone()
    }

    pub(crate) fn clear_requests(&self) {
        let mut papers = self.papers();
        papers.requests.clear();
        papers.log += 1;
    }

    pub(crate) fn plan(&self, plan: Plan<Does>) {
        self.papers().plan = plan;
    }

    pub(crate) fn hold(&self, operation: &'static str, key_suffix: &str) -> Hold {
        let (hold, held) = crate::hold::hold(operation, key_suffix);
        self.papers().holds.push(held);
        hold
    }

    /// Numbers a request, and gives what is to happen to it.
    pub(crate) fn register(
        &self,
        operation: &'static str,
        key: &str,
        request: impl FnOnce(usize) -> Request,
    ) -> Arrival<Does> {
        let mut papers = self.papers();
        let number = papers.requests.len() + 1;
        papers.requests.push(request(number));
        let fault = papers.plan.strike(number, operation, key);
        let held = papers
            .holds
            .iter()
            .position(|held| held.operation == operation && key.ends_with(&held.key_suffix));
        let held = held.map(|held| papers.holds.remove(held));
        let ticket = Ticket {
            log: papers.log,
            number,
        };
        Arrival {
            ticket,
            fault,
            held,
        }
    }

    /// Writes to the log what became of a request.
    pub(crate) fn answered(&self, ticket: &Ticket, note: impl FnOnce(&mut Request)) {
        let mut papers = self.papers();
        if ticket.log == papers.log
            && let Some(request) = papers.requests.get_mut(ticket.number - 1)
        {
            note(request);
        }
    }
}
