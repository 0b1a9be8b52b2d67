//! How often and how long: pauses that grow, a turn of chance in each, and an end.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use crate::call::Call;
use crate::error::GitHubError;
use crate::place::Repository;

/// What one operation may take, all its requests together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How often a request is made.
    pub(crate) tries: u32,
    /// How long all of it may take, pauses included.
    pub(crate) total: Duration,
    /// The first pause; each is twice the one before.
    pub(crate) pause: Duration,
    /// The longest pause that is not asked for by GitHub.
    pub(crate) pause_max: Duration,
    /// The largest answer, in bytes.
    pub(crate) body_bytes_max: usize,
    /// The most pages of a list.
    pub(crate) pages_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tries: 6,
            total: Duration::from_secs(240),
            pause: Duration::from_millis(400),
            pause_max: Duration::from_secs(20),
            body_bytes_max: 32 * 1024 * 1024,
            pages_max: 100,
        }
    }
}

/// The tries of one operation.
#[derive(Debug)]
pub(crate) struct Tries {
    limits: Limits,
    began: Instant,
    made: u32,
}

impl Tries {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            began: Instant::now(),
            made: 0,
        }
    }

    /// Waits for the next turn.
    ///
    /// # Errors
    /// Where there is none.
    pub(crate) async fn pause(
        &mut self,
        call: &Call,
        repository: &Repository,
        why: String,
        wait: Option<Duration>,
    ) -> Result<(), GitHubError> {
        self.made += 1;
        let (doing, repository) = (call.doing.clone(), repository.to_string());
        let left = self.limits.total.saturating_sub(self.began.elapsed());
        if let Some(wait) = wait.filter(|wait| *wait >= left) {
            return Err(GitHubError::Limited {
                doing,
                repository,
                wait,
            });
        }
        let pause = wait.unwrap_or_default().max(self.next_pause());
        if self.made >= self.limits.tries || pause >= left {
            return Err(GitHubError::Failed {
                doing,
                repository,
                why,
                tries: self.made,
            });
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// Twice as long each time, and between half and all of it, so that many who failed together do not come back together.
    fn next_pause(&self) -> Duration {
        let doubled = self.limits.pause * 2_u32.saturating_pow(self.made.saturating_sub(1));
        let longest = doubled.min(self.limits.pause_max);
        let chance = RandomState::new().hash_one(self.made) % 1_000;
        longest / 2 + longest / 2 * u32::try_from(chance).unwrap_or_default() / 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let mut tries = Tries::new(Limits::default());
        for (made, at_most) in [(1, 400), (2, 800), (3, 1_600), (30, 20_000)] {
            tries.made = made;
            let pause = tries.next_pause().as_millis();
            assert!((at_most / 2..=at_most).contains(&pause), "{made}: {pause}");
        }
    }
}
