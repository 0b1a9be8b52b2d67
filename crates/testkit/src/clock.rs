//! The server's clock, which only tests move.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// 2026-11-23T08:00:00Z, where every test begins.
const BEGINNING: u64 = 1_795_420_800;

/// Seconds since 1970.
#[derive(Debug)]
pub struct Clock(AtomicU64);

impl Default for Clock {
    fn default() -> Self {
        Self(AtomicU64::new(BEGINNING))
    }
}

impl Clock {
    /// Seconds since 1970.
    pub fn unix(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// The same as a time.
    pub fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.unix())
    }

    /// Puts it to this second.
    pub fn set(&self, unix: u64) {
        self.0.store(unix, Ordering::SeqCst);
    }

    /// Moves it on by whole seconds.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_secs(), Ordering::SeqCst);
    }
}
