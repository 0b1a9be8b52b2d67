//! Faults by plan: which request is struck. What then happens is each server's own.

use std::collections::BTreeMap;
use std::sync::Arc;

/// One fault, which strikes once.
#[derive(Debug, Clone)]
pub struct Fault<Does> {
    /// The request it strikes.
    pub at: At,
    /// What then happens.
    pub does: Does,
}

/// The request that a fault strikes.
#[derive(Debug, Clone, Copy)]
pub enum At {
    /// The n-th request since the log was cleared, from 1.
    Nth(usize),
    /// The n-th request of this operation since the plan was made, from 1.
    NthOf(&'static str, usize),
    /// The n-th request since the plan was made on a key (or path) that ends so, from 1.
    KeySuffix(&'static str, usize),
}

/// What a test does in the middle of a request.
pub type Hook = Arc<dyn Fn() + Send + Sync>;

/// The faults of a server, and what it has counted for them.
#[derive(Debug, Clone)]
pub struct Plan<Does> {
    faults: Vec<Fault<Does>>,
    operations: BTreeMap<&'static str, usize>,
    keys: Vec<String>,
}

impl<Does> Default for Plan<Does> {
    fn default() -> Self {
        Self::of([])
    }
}

impl<Does> Plan<Does> {
    /// These faults, each once.
    pub fn of(faults: impl IntoIterator<Item = Fault<Does>>) -> Self {
        Self {
            faults: faults.into_iter().collect(),
            operations: BTreeMap::new(),
            keys: Vec::new(),
        }
    }

    /// The fault that strikes this request, if any. The plan forgets it.
    pub(crate) fn strike(
        &mut self,
        number: usize,
        operation: &'static str,
        key: &str,
    ) -> Option<Does> {
        let of_operation = self.operations.entry(operation).or_default();
        *of_operation += 1;
        let of_operation = *of_operation;
        self.keys.push(key.to_owned());
        let keys = &self.keys;
        let strikes = |at: &At| match *at {
            At::Nth(n) => n == number,
            At::NthOf(named, n) => named == operation && n == of_operation,
            At::KeySuffix(suffix, n) => {
                key.ends_with(suffix)
                    && keys.iter().filter(|key| key.ends_with(suffix)).count() == n
            }
        };
        let struck = self.faults.iter().position(|fault| strikes(&fault.at))?;
        Some(self.faults.remove(struck).does)
    }
}
