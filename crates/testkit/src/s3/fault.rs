//! Faults by plan, and the ways in which a store can be odd for good.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// One fault, which strikes once.
#[derive(Debug, Clone)]
pub struct Fault {
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
    /// The n-th request since the plan was made on a key that ends so, from 1.
    KeySuffix(&'static str, usize),
}

/// What a fault does.
#[derive(Clone)]
pub enum Does {
    /// The connection closes; nothing was done.
    DropBefore,
    /// The request was carried out, and the connection closes without an answer.
    DropAfter,
    /// 500, and nothing was done.
    Status500,
    /// 500, and yet the request was carried out.
    Status500After,
    /// 503 `SlowDown`; nothing was done.
    SlowDown503,
    /// 409 `ConditionalRequestConflict`; nothing was done. Requests other than writes get a 503 instead.
    Conflict409,
    /// 200 with an error for a body; nothing was done.
    ErrorBody200,
    /// No answer, ever; nothing was done.
    Hang,
    /// Calls this, then closes the connection; nothing was done.
    KillBefore(Hook),
    /// Carries the request out, calls this, then closes the connection.
    KillAfter(Hook),
}

/// What a test does in the middle of a request.
pub type Hook = Arc<dyn Fn() + Send + Sync>;

impl fmt::Debug for Does {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::DropBefore => "a connection that closes before",
            Self::DropAfter => "a lost answer",
            Self::Status500 => "500",
            Self::Status500After => "500 after the fact",
            Self::SlowDown503 => "503",
            Self::Conflict409 => "409",
            Self::ErrorBody200 => "200 with an error",
            Self::Hang => "no answer ever",
            Self::KillBefore(_) => "a kill before",
            Self::KillAfter(_) => "a kill after",
        })
    }
}

/// The faults of a server, and what it has counted for them.
#[derive(Debug, Default, Clone)]
pub struct Plan {
    faults: Vec<Fault>,
    operations: BTreeMap<&'static str, usize>,
    keys: Vec<String>,
}

impl Plan {
    /// These faults, each once.
    pub fn of(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self {
            faults: faults.into_iter().collect(),
            ..Self::default()
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

/// How a store is odd for good.
#[derive(Debug, Default, Clone)]
pub struct Quirks {
    /// `If-None-Match` and `If-Match` are taken and not heeded.
    pub conditions_ignored: bool,
    /// `If-Match` holds only without the quotes that belong to an ETag.
    pub unquoted_etags_only: bool,
    /// Writing keys that begin so is not allowed.
    pub deny_writes_under: Option<String>,
}
