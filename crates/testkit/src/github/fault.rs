//! What a fault does to a request, and the ways in which a GitHub can be odd for good.

use std::fmt;

use crate::fault::Hook;

/// One fault of a GitHub.
pub type Fault = crate::fault::Fault<Does>;

/// The faults of a GitHub. `At::KeySuffix` looks at the path with its query, as [`Request::path`](super::Request) has it.
pub type Plan = crate::fault::Plan<Does>;

/// What a fault does.
#[derive(Clone)]
pub enum Does {
    /// The connection closes; nothing was done.
    DropBefore,
    /// The request was carried out, and the connection closes without an answer.
    DropAfter,
    /// This status with GitHub's JSON for a body; nothing was done.
    Status(u16),
    /// This status, and yet the request was carried out.
    StatusAfter(u16),
    /// This status with a page for people, as GitHub's edge sends it; nothing was done.
    HtmlStatus(u16),
    /// A rate limit; nothing was done.
    RateLimited {
        /// 403 or 429.
        status: u16,
        /// `retry-after` in seconds, as the secondary limits send it.
        retry_after: Option<u64>,
        /// `x-ratelimit-remaining: 0` and this `x-ratelimit-reset` in seconds since 1970, as the primary limit sends it.
        remaining0_reset: Option<u64>,
    },
    /// 200 with JSON that ends in its middle; the request was carried out.
    Garbage200,
    /// No answer, ever; nothing was done.
    Hang,
    /// An upload that breaks off: 502, and an empty asset in the state `starter` is left, which blocks its name.
    StarterLeft,
    /// An upload whose stored bytes are not the sent ones: 201, with the digest of what is stored.
    CorruptUpload,
    /// Calls this, then closes the connection; nothing was done.
    KillBefore(Hook),
    /// Carries the request out, calls this, then closes the connection.
    KillAfter(Hook),
}

impl fmt::Debug for Does {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DropBefore => formatter.write_str("a connection that closes before"),
            Self::DropAfter => formatter.write_str("a lost answer"),
            Self::Status(status) => write!(formatter, "{status}"),
            Self::StatusAfter(status) => write!(formatter, "{status} after the fact"),
            Self::HtmlStatus(status) => write!(formatter, "{status} with a page"),
            Self::RateLimited { status, .. } => write!(formatter, "{status} for the rate"),
            Self::Garbage200 => formatter.write_str("200 with half an answer"),
            Self::Hang => formatter.write_str("no answer ever"),
            Self::StarterLeft => formatter.write_str("502 and a starter"),
            Self::CorruptUpload => formatter.write_str("other bytes stored"),
            Self::KillBefore(_) => formatter.write_str("a kill before"),
            Self::KillAfter(_) => formatter.write_str("a kill after"),
        }
    }
}

/// How a GitHub, or the repository, is odd for good.
#[derive(Debug, Clone)]
pub struct Quirks {
    /// The API is under `/api/v3` too, and the uploads under `/api/uploads`, as on GitHub Enterprise Server.
    pub enterprise: bool,
    /// Without a token there is nothing to see.
    pub private: bool,
    /// A new release shows in the list of releases only after so many lists.
    pub list_lag: usize,
    /// Releases cannot be changed once they are published.
    pub immutable: bool,
    /// Assets have no digests, as on older GitHub Enterprise Servers.
    pub no_digests: bool,
    /// The most bytes that an asset may have. GitHub: less than 2 GiB.
    pub asset_bytes_max: u64,
    /// The most assets that a release may have.
    pub assets_max: usize,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            enterprise: false,
            private: false,
            list_lag: 0,
            immutable: false,
            no_digests: false,
            asset_bytes_max: (2 << 30) - 1,
            assets_max: 1000,
        }
    }
}
