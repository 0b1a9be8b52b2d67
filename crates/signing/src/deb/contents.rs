//! What is in a Debian package: the files that it installs, and below `DEBIAN/`, as `dpkg-deb` calls it, those that say how,
//! with the scripts that are run then.

use std::io::{self, Read, SeekFrom};

use thiserror::Error;

use super::ar::{self, Member};
use super::{Compression, wrong_members};
use crate::tar;
use crate::verify::Bytes;
use crate::walk::entry::{Each, Entry, EntryKind};
use crate::walk::room;

/// Where `dpkg-deb --raw-extract` puts the control files.
const CONTROL_FOLDER: &str = "DEBIAN";

/// Why a package is not looked into.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
enum ContentsError {
    #[error("its members are not those of a package: {0}")]
    Members(String),
    #[error("its data have `{CONTROL_FOLDER}`, which is where its control files are shown")]
    Control,
}

/// Reads a package to its end, and shows its control files, then those that it installs.
pub(crate) fn walk(mut bytes: &mut dyn Bytes, each: Each<'_>) -> io::Result<()> {
    let members = ar::members(&mut bytes)?.map_err(room::refused)?;
    let wrong = wrong_members(&mut bytes, &members)?;
    let ([_, control, data, ..], None) = (members.as_slice(), &wrong) else {
        let wrong = wrong.unwrap_or_default();
        return Err(room::refused(ContentsError::Members(wrong)));
    };
    let folder = Entry {
        path: CONTROL_FOLDER.to_owned(),
        kind: EntryKind::Folder,
        is_executable: None,
    };
    each(&folder, &mut io::empty())?;
    archive(bytes, control, &mut |entry, content| {
        if entry.path.is_empty() {
            return Ok(());
        }
        let below = |path: &str| format!("{CONTROL_FOLDER}/{path}");
        let kind = match &entry.kind {
            EntryKind::HardLink(target) => EntryKind::HardLink(below(target)),
            kind => kind.clone(),
        };
        let entry = Entry {
            path: below(&entry.path),
            kind,
            is_executable: entry.is_executable,
        };
        each(&entry, content)
    })?;
    archive(bytes, data, &mut |entry, content| {
        let first = entry.path.split('/').next();
        if first == Some(CONTROL_FOLDER) {
            return Err(room::refused(ContentsError::Control));
        }
        each(entry, content)
    })
}

/// The tar archive that a member is.
fn archive(bytes: &mut dyn Bytes, member: &Member, each: Each<'_>) -> io::Result<()> {
    bytes.seek(SeekFrom::Start(member.start))?;
    let mut packed = bytes.take(member.bytes());
    match Compression::of(&member.name).and_then(|it| it.packing) {
        None => tar::walk(&mut packed, each),
        Some(packing) => {
            let plain = packing.unpacked(packed);
            tar::walk(&mut room::bounded(plain, member.bytes()), each)
        }
    }
}

#[cfg(test)]
mod tests;
