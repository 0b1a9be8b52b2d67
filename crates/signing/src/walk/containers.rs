//! How each kind of container hands its files on.

use std::io::{self, Read, Seek as _, SeekFrom};

use release::name::printable;

use crate::asar;
use crate::bundle;
use crate::checks::{Check, Outcome};
use crate::cpio;
use crate::tar::{self, EntryKind};
use crate::tree::{Node, Tree};
use crate::unpack::Packing;
use crate::verify::Bytes;
use crate::walk::names::{self, IsFolder, NameError, Names};
use crate::walk::room::{self, Watched};
use crate::walk::{Container, Limits, Passing, Walker, head};
use crate::xar;
use crate::zip::{self, Archive};

/// How a file of extended attributes begins (RFC 1740, AppleDouble).
const APPLE_DOUBLE: &[u8] = &[0, 5, 0x16, 7];

/// What becomes of files of extended attributes, `._name` beside `name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attributes {
    /// The installer of macOS makes attributes of `name` of them, and no file: no bundle lists them.
    Apart,
    /// They are files.
    InFiles,
}

/// The file that one of extended attributes would describe, by its name.
fn described(path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let name = name.strip_prefix("._")?;
    Some(match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    })
}

impl Walker<'_> {
    /// Reads a container to its end; `place` is put before the paths in it.
    pub(super) fn container(
        &mut self,
        container: Container,
        bytes: &mut dyn Bytes,
        place: &str,
        depth: usize,
    ) -> io::Result<()> {
        if depth > Limits::DEPTH {
            return Err(room::limit(format!(
                "containers lie in containers, more than {} deep",
                Limits::DEPTH
            )));
        }
        let world = self.world;
        bytes.seek(SeekFrom::Start(0))?;
        let mut source = world.watched(bytes);
        match container {
            Container::Zip => self.zip(&mut source, place, depth),
            Container::Asar => self.asar(&mut source, place, depth),
            Container::Tar => self.tar(&mut source, place, depth),
            Container::Cpio => self.cpio(&mut source, place, depth, Attributes::InFiles),
            Container::Payload(None) => self.cpio(&mut source, place, depth, Attributes::Apart),
            Container::Payload(Some(packing)) => {
                let mut plain = self.budget.metered(packing.unpacked(source));
                self.cpio(&mut plain, place, depth, Attributes::Apart)
            }
            Container::Xar => {
                self.packages += 1;
                let walked = self.xar(&mut source, place, depth);
                self.packages -= 1;
                walked
            }
            Container::Packed(packing) => {
                let mut plain = self.budget.metered(packing.unpacked(source));
                self.unpacked(packing, &mut plain, place, depth)
            }
        }
    }

    /// What is compressed is an archive, or one file.
    fn unpacked(
        &mut self,
        packing: Packing,
        plain: &mut dyn Read,
        place: &str,
        depth: usize,
    ) -> io::Result<()> {
        let mut head = head(plain)?;
        let (is_tar, is_cpio) = (tar::is_tar(&head), cpio::is_cpio(&head));
        let mut plain = head.as_mut_slice().chain(plain);
        if is_tar {
            return self.tar(&mut plain, place, depth);
        }
        if is_cpio {
            return self.cpio(&mut plain, place, depth, Attributes::InFiles);
        }
        let path = format!("content.{}", packing.name());
        let passing = Passing {
            place,
            path: path.trim_end_matches(packing.name()).trim_end_matches('.'),
            depth,
            is_executable: None,
            is_payload: false,
        };
        let mut tree = Tree::new();
        self.budget.entry()?;
        self.file(&passing, &mut plain, &mut tree)?;
        // To the end of the stream, where its checksum stands.
        io::copy(&mut plain, &mut io::sink()).map(drop)
    }

    fn zip(&mut self, bytes: &mut Watched<'_>, place: &str, depth: usize) -> io::Result<()> {
        let archive = Archive::open(bytes)?.map_err(room::refused)?;
        let mut tree = Tree::new();
        for entry in &archive.entries {
            self.budget.entry()?;
            let node = match entry.kind {
                zip::EntryKind::Folder => Node::Folder,
                zip::EntryKind::Link => {
                    let content = Archive::content(bytes, entry)?;
                    let mut target = String::new();
                    content
                        .take(names::PATH_BYTES_MAX as u64)
                        .read_to_string(&mut target)?;
                    Node::Link { target }
                }
                zip::EntryKind::File => {
                    let content = Archive::content(bytes, entry)?;
                    let mut content = self.budget.metered(content);
                    let passing = Passing {
                        place,
                        path: &entry.path,
                        depth,
                        is_executable: entry.is_executable,
                        is_payload: false,
                    };
                    self.file(&passing, &mut content, &mut tree)?;
                    // To the end, where its checksum is compared.
                    io::copy(&mut content, &mut io::sink())?;
                    continue;
                }
            };
            if bundle::is_inside(&entry.path) || bundle::is_named(&entry.path) {
                tree.insert(entry.path.clone(), node);
            }
        }
        self.bundles(place, &tree);
        Ok(())
    }

    fn asar(&mut self, bytes: &mut Watched<'_>, place: &str, depth: usize) -> io::Result<()> {
        let mut names = Names::default();
        // What is in such an archive is sealed with it, so no bundle in it has a tree of its own.
        let mut tree = Tree::new();
        for entry in asar::open(bytes)? {
            self.budget.entry()?;
            let is_folder = match entry.kind {
                asar::EntryKind::Folder => IsFolder::Yes,
                asar::EntryKind::File { .. }
                | asar::EntryKind::Unpacked
                | asar::EntryKind::Link(_) => IsFolder::No,
            };
            names.add(&entry.path, is_folder).map_err(room::refused)?;
            let asar::EntryKind::File {
                at,
                size,
                is_executable,
            } = entry.kind
            else {
                continue;
            };
            bytes.seek(SeekFrom::Start(at))?;
            let passing = Passing {
                place,
                path: &entry.path,
                depth,
                is_executable: Some(is_executable),
                is_payload: false,
            };
            // Two names of one place are read twice, so what is read is counted.
            let mut content = self.budget.metered(bytes.take(size));
            self.file(&passing, &mut content, &mut tree)?;
        }
        Ok(())
    }

    fn xar(&mut self, bytes: &mut Watched<'_>, place: &str, depth: usize) -> io::Result<()> {
        let entries = xar::files::read(bytes)?.map_err(room::refused)?;
        let mut names = Names::default();
        let mut tree = Tree::new();
        for entry in entries {
            self.budget.entry()?;
            let path = names::relative(entry.path.as_bytes()).map_err(room::refused)?;
            let is_folder = match entry.kind {
                xar::files::EntryKind::Folder => IsFolder::Yes,
                xar::files::EntryKind::File(_) | xar::files::EntryKind::Link(_) => IsFolder::No,
            };
            names.add(&path, is_folder).map_err(room::refused)?;
            let node = match entry.kind {
                xar::files::EntryKind::Folder => Node::Folder,
                xar::files::EntryKind::Link(target) => Node::Link { target },
                xar::files::EntryKind::File(data) => {
                    let mut content = self.budget.metered(data.content(bytes)?);
                    let name = path.rsplit('/').next().unwrap_or_default();
                    let passing = Passing {
                        place,
                        path: &path,
                        depth,
                        is_executable: entry.is_executable,
                        is_payload: matches!(name, "Payload" | "Scripts"),
                    };
                    self.file(&passing, &mut content, &mut tree)?;
                    // To the end, where its size is compared.
                    io::copy(&mut content, &mut io::sink())?;
                    continue;
                }
            };
            if bundle::is_inside(&path) {
                tree.insert(path, node);
            }
        }
        self.bundles(place, &tree);
        Ok(())
    }

    fn tar(&mut self, bytes: &mut dyn Read, place: &str, depth: usize) -> io::Result<()> {
        let mut names = Names::default();
        let mut tree = Tree::new();
        tar::walk(bytes, &mut |entry, content| {
            self.budget.entry()?;
            if entry.path.is_empty() {
                return Ok(());
            }
            let is_folder = match entry.kind {
                EntryKind::Folder => IsFolder::Yes,
                EntryKind::File { .. } | EntryKind::Link(_) | EntryKind::HardLink(_) => {
                    IsFolder::No
                }
            };
            names.add(&entry.path, is_folder).map_err(room::refused)?;
            let (node, path) = match &entry.kind {
                EntryKind::Folder => (Node::Folder, &entry.path),
                EntryKind::Link(target) => {
                    let target = target.clone();
                    (Node::Link { target }, &entry.path)
                }
                EntryKind::HardLink(target) => {
                    if !names.has_file(target) {
                        let error = NameError::Below(printable(&entry.path));
                        return Err(room::refused(error));
                    }
                    match tree.get(target).cloned() {
                        Some(node) => drop(tree.insert(entry.path.clone(), node)),
                        // What comes into a bundle from elsewhere was not hashed when it passed.
                        None if bundle::is_inside(&entry.path) => {
                            let error = NameError::Below(printable(&entry.path));
                            return Err(room::refused(error));
                        }
                        None => {}
                    }
                    return Ok(());
                }
                EntryKind::File { .. } => {
                    let passing = Passing {
                        place,
                        path: &entry.path,
                        depth,
                        is_executable: Some(entry.is_executable),
                        is_payload: false,
                    };
                    return self.file(&passing, content, &mut tree);
                }
            };
            if bundle::is_inside(path) || bundle::is_named(path) {
                tree.insert(path.clone(), node);
            }
            Ok(())
        })?;
        self.bundles(place, &tree);
        Ok(())
    }

    fn cpio(
        &mut self,
        bytes: &mut dyn Read,
        place: &str,
        depth: usize,
        attributes: Attributes,
    ) -> io::Result<()> {
        let mut names = Names::default();
        let mut tree = Tree::new();
        let mut doubles = Vec::new();
        cpio::walk(bytes, &mut |entry, content| {
            self.budget.entry()?;
            if entry.path.is_empty() {
                return Ok(());
            }
            let is_folder = match entry.kind {
                cpio::EntryKind::Folder => IsFolder::Yes,
                cpio::EntryKind::File | cpio::EntryKind::Link(_) => IsFolder::No,
            };
            names.add(&entry.path, is_folder).map_err(room::refused)?;
            let node = match &entry.kind {
                cpio::EntryKind::Folder => Node::Folder,
                cpio::EntryKind::Link(target) => Node::Link {
                    target: target.clone(),
                },
                cpio::EntryKind::File => {
                    let head = head(content)?;
                    if head.starts_with(APPLE_DOUBLE) {
                        doubles.extend(described(&entry.path).map(|it| (entry.path.clone(), it)));
                    }
                    let passing = Passing {
                        place,
                        path: &entry.path,
                        depth,
                        is_executable: Some(entry.is_executable),
                        is_payload: false,
                    };
                    return self.file(&passing, &mut head.as_slice().chain(content), &mut tree);
                }
            };
            if bundle::is_inside(&entry.path) || bundle::is_named(&entry.path) {
                tree.insert(entry.path.clone(), node);
            }
            Ok(())
        })?;
        for (path, described) in doubles {
            if attributes == Attributes::Apart && names.has_file(&described) {
                tree.remove(&path);
            }
        }
        self.bundles(place, &tree);
        Ok(())
    }

    /// Looks into a container inside. One that cannot be read was not looked at, and the outer one is read on.
    pub(super) fn inner(
        &mut self,
        container: Container,
        bytes: &mut dyn Bytes,
        passing: &Passing<'_>,
    ) -> io::Result<Option<Check>> {
        let place = format!("{}{}!/", passing.place, passing.path);
        let walked = self.container(container, bytes, &place, passing.depth + 1);
        let Err(error) = walked else { return Ok(None) };
        let broken = self.world.broken(error)?;
        if broken.is_limit {
            return Err(room::limit(broken.reason));
        }
        Ok(Some(broken.check(Outcome::Unsupported)))
    }
}
