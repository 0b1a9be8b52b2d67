//! What a fault does to a request, and the ways in which a store can be odd for good.

use std::fmt;

use crate::fault::Hook;

/// One fault of an S3 service.
pub type Fault = crate::fault::Fault<Does>;

/// The faults of an S3 service.
pub type Plan = crate::fault::Plan<Does>;

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
