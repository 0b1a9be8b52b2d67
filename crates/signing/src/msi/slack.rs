//! What of a compound file nobody signs: bytes that belong to no stream.

use std::io::{Read, Seek};

use crate::msi::compound::{CHUNK_BYTES, Compound, MINI_SECTOR_BYTES, count_non_zero};
use crate::msi::limits::CompoundError;

/// Bytes that are signed by nobody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Unsigned {
    /// Bytes other than zero in sectors that belong to nothing, and behind the ends of streams in their last sectors.
    /// signtool leaves such gaps where it finds them (apache/poi#731).
    pub(super) slack: u64,
    /// Bytes behind the last sector in use, whatever they are. Windows refuses a package for them, also where the FAT
    /// counts their sectors as free (mtrojnar/osslsigncode#273).
    pub(super) trailing: u64,
}

impl<R: Read + Seek> Compound<'_, R> {
    /// What of the file nobody signs, after everything was claimed and read.
    pub(super) fn unsigned(&mut self) -> Result<Unsigned, CompoundError> {
        let last = self.chains.used.iter().rposition(|used| *used);
        let sectors = last.map_or(0, |last| last as u64 + 1);
        // The header takes the place of a sector.
        let end = ((sectors + 1) * self.sector_bytes).min(self.size);
        let chains = std::mem::take(&mut self.chains);
        let sector_bytes = self.sector_bytes;
        let offset = |sector: usize| (sector as u64 + 1) * sector_bytes;
        for (from, to) in chains.unused() {
            self.slack += self.count(offset(from), offset(to).min(end))?;
        }
        self.count_unused_mini()?;
        Ok(Unsigned {
            slack: self.slack,
            trailing: self.size - end,
        })
    }

    fn count(&mut self, mut from: u64, to: u64) -> Result<u64, CompoundError> {
        let mut found = 0;
        while from < to {
            let bytes = (to - from).min(CHUNK_BYTES);
            found += count_non_zero(self.read_at(from, bytes)?);
            from += bytes;
        }
        Ok(found)
    }

    /// Mini sectors that belong to nothing, and what is behind the last in the mini stream's last sector.
    fn count_unused_mini(&mut self) -> Result<(), CompoundError> {
        let in_sector = usize::try_from(self.sector_bytes / MINI_SECTOR_BYTES).unwrap_or(1);
        for (index, sector) in std::mem::take(&mut self.mini_sectors)
            .into_iter()
            .enumerate()
        {
            let first = index * in_sector;
            let used = self.mini.used.get(first..).unwrap_or_default();
            let used = used.get(..in_sector).unwrap_or(used).to_vec();
            if used.len() == in_sector && used.iter().all(|used| *used) {
                continue;
            }
            let offset = self.offset(sector);
            let there = self.sector_bytes.min(self.size.saturating_sub(offset));
            let sector = self.read_at(offset, there)?.chunks(64);
            let unused = sector.zip(used.iter().copied().chain(std::iter::repeat(false)));
            let found = unused.filter(|(_, used)| !used);
            let found: u64 = found.map(|(bytes, _)| count_non_zero(bytes)).sum();
            self.slack += found;
        }
        Ok(())
    }
}
