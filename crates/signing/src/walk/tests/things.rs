//! What a reader shows, and what another tool unpacks, in one shape to compare.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::verify::Bytes;
use crate::walk::entry::{Each, EntryKind};

/// What there is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Thing {
    Folder,
    File {
        content: Vec<u8>,
        is_executable: bool,
    },
    Link(String),
}

pub(crate) type Things = BTreeMap<String, Thing>;

/// A reader of containers.
type Walk = fn(&mut dyn Bytes, Each<'_>) -> io::Result<()>;

/// What a reader shows, hard links as the files that they are.
pub(crate) fn shown(file: &[u8], walk: Walk) -> Result<Things, String> {
    let mut found = Things::new();
    let mut file = Cursor::new(file);
    let walked = walk(&mut file, &mut |entry, content| {
        let thing = match &entry.kind {
            EntryKind::Folder => Thing::Folder,
            EntryKind::Link(target) => Thing::Link(target.clone()),
            EntryKind::HardLink(target) => found[target].clone(),
            EntryKind::File => {
                let mut bytes = Vec::new();
                content.read_to_end(&mut bytes)?;
                Thing::File {
                    content: bytes,
                    is_executable: entry.is_executable.expect("it is known"),
                }
            }
        };
        if !entry.path.is_empty() {
            found.insert(entry.path.clone(), thing);
        }
        Ok(())
    });
    walked.map(|()| found).map_err(|error| error.to_string())
}

/// What lies in a folder.
pub(crate) fn in_folder(folder: &Path, prefix: &str, into: &mut Things) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = format!("{prefix}{}", entry.file_name().to_str().expect("text"));
        let (path, metadata) = (entry.path(), entry.metadata().expect("there"));
        let thing = if metadata.is_symlink() {
            let target = fs::read_link(path).expect("a link");
            Thing::Link(target.to_str().expect("text").to_owned())
        } else if metadata.is_dir() {
            in_folder(&path, &format!("{name}/"), into);
            Thing::Folder
        } else if !metadata.is_file() {
            continue;
        } else {
            Thing::File {
                content: fs::read(path).expect("a file"),
                is_executable: metadata.permissions().mode() & 0o100 != 0,
            }
        };
        into.insert(name, thing);
    }
}
