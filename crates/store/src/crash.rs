//! Crash points: places where a test kills this very process, to show that whatever was being written converges.
//!
//! Compiled to nothing unless the feature `crash-points` is on, which only tests turn on.

/// Dies here if it is this point's turn (`LASTMILE_CRASH_AT`, counted from 1 over the whole process).
#[cfg(feature = "crash-points")]
pub(crate) fn point() {
    use std::sync::atomic::{AtomicU64, Ordering};
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let turn = std::env::var("LASTMILE_CRASH_AT")
        .ok()
        .and_then(|turn| turn.parse::<u64>().ok());
    if turn.is_some_and(|turn| PASSED.fetch_add(1, Ordering::SeqCst) + 1 == turn) {
        // A real `kill -9`: no destructor, no buffer, no lock is released by us.
        let _ = std::process::Command::new("kill")
            .args(["-9", &std::process::id().to_string()])
            .status();
        std::process::abort();
    }
}

#[cfg(not(feature = "crash-points"))]
pub(crate) fn point() {}
