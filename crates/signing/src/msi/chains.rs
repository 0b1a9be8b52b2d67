//! Chains of sectors ([MS-CFB] 2.3): the FAT says of each sector which one follows.
//!
//! Every sector may belong to one thing only, so whoever follows a chain takes what it passes. That ends every cycle,
//! keeps two streams from sharing bytes, and bounds all work by the length of the file.

use crate::msi::limits::CompoundError;

/// [MS-CFB] 2.1: sectors have numbers up to MAXREGSECT; what is above has a meaning of its own.
pub(super) const REGULAR_MAX: u32 = 0xffff_fffa;
pub(super) const END_OF_CHAIN: u32 = 0xffff_fffe;
pub(super) const FREE: u32 = 0xffff_ffff;

/// What follows each sector, and which belong to something.
#[derive(Debug, Default)]
pub(super) struct Chains {
    pub(super) next: Vec<u32>,
    pub(super) used: Vec<bool>,
}

impl Chains {
    pub(super) fn new(next: Vec<u32>, count: usize) -> Self {
        let used = vec![false; count];
        Self { next, used }
    }

    /// Takes one sector.
    pub(super) fn take(&mut self, sector: u32) -> Result<(), CompoundError> {
        match self.used.get_mut(sector as usize) {
            Some(true) => Err(CompoundError::Shared(sector)),
            Some(used) => {
                *used = true;
                Ok(())
            }
            None => Err(CompoundError::Broken(sector)),
        }
    }

    pub(super) fn after(&self, sector: u32) -> Result<u32, CompoundError> {
        let next = self.next.get(sector as usize);
        next.copied().ok_or(CompoundError::Broken(sector))
    }

    /// Takes a chain: so many sectors of it, or all. Links behind the last that is wanted are not followed.
    pub(super) fn claim(
        &mut self,
        start: u32,
        count: Option<u64>,
        mut each: impl FnMut(u32),
    ) -> Result<(), CompoundError> {
        let (mut at, mut taken) = (start, 0);
        while count.map_or(at != END_OF_CHAIN, |count| taken < count) {
            self.take(at)?;
            each(at);
            taken += 1;
            at = self.after(at)?;
        }
        Ok(())
    }

    /// Runs of sectors that belong to nothing: the first, and behind the last.
    pub(super) fn unused(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let from = at + self.used.get(at..)?.iter().position(|used| !used)?;
            let length = self.used.get(from..)?.iter().position(|used| *used);
            at = length.map_or(self.used.len(), |length| from + length);
            Some((from, at))
        })
    }
}
