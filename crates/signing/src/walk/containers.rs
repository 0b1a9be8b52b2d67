//! How each kind of container hands its files on.

use std::io::{self, Read, Seek as _, SeekFrom};

use release::name::printable;

use crate::appimage;
use crate::asar;
use crate::bundle;
use crate::cab;
use crate::checks::{Check, Outcome};
use crate::cpio;
use crate::deb;
use crate::disk;
use crate::format::Format;
use crate::inno;
use crate::msi;
use crate::nsis;
use crate::rpm;
use crate::sevenz;
use crate::squashfs;
use crate::tar;
use crate::tree::{Node, Tree};
use crate::verify::Bytes;
use crate::walk::entry::{Each, Entry, EntryKind};
use crate::walk::links::Links;
use crate::walk::names::{self, IsFolder, NameError, Names, Spelling};
use crate::walk::openers;
use crate::walk::room::{self, Watched};
use crate::walk::{Container, Leaf, Limits, Passing, Walker, head};
use crate::xar;
use crate::zip::{self, Archive};

/// Why nobody can say what a program installs.
#[derive(Debug, thiserror::Error)]
#[error("it is several installers at once, and its code decides which one runs")]
struct SeveralError;

/// How a file of extended attributes begins (RFC 1740, AppleDouble).
const APPLE_DOUBLE: &[u8] = &[0, 5, 0x16, 7];

/// The file that one of extended attributes would describe, by its name.
fn described(path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let name = name.strip_prefix("._")?;
    Some(match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    })
}

/// Where a container is read.
#[derive(Clone, Copy)]
struct Place<'a> {
    container: Container,
    /// What is put before the paths in it.
    prefix: &'a str,
    depth: usize,
}

impl Place<'_> {
    /// Whether an entry is what a package installs or runs.
    fn is_payload(self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or_default();
        self.container == Container::Xar && matches!(name, "Payload" | "Scripts")
    }

    /// Whether what is read was counted before, as it was unpacked.
    fn is_counted(self) -> bool {
        matches!(
            self.container,
            Container::Packed(_) | Container::Payload(Some(_))
        )
    }
}

/// What was seen of a container so far.
#[derive(Default)]
struct Reading {
    names: Names,
    tree: Tree,
    links: Links,
    /// Files of extended attributes, and what they would describe.
    doubles: Vec<(String, String)>,
}

impl Reading {
    fn new(spelling: Spelling) -> Self {
        Self {
            names: Names::new(spelling),
            links: Links::new(spelling),
            ..Self::default()
        }
    }
}

impl Walker<'_> {
    /// Reads a container to its end; `prefix` is put before the paths in it.
    pub(super) fn container(
        &mut self,
        container: Container,
        bytes: &mut dyn Bytes,
        prefix: &str,
        depth: usize,
    ) -> io::Result<()> {
        if depth > Limits::DEPTH {
            return Err(room::limit(format!(
                "containers lie in containers, more than {} deep",
                Limits::DEPTH
            )));
        }
        let (world, budget) = (self.world, self.budget);
        bytes.seek(SeekFrom::Start(0))?;
        let mut source = world.watched(bytes);
        let place = Place {
            container,
            prefix,
            depth,
        };
        match container {
            Container::Zip => self.entries(place, |each| zip_entries(&mut source, each)),
            Container::Asar => self.entries(place, |each| asar_entries(&mut source, each)),
            Container::Tar => self.entries(place, |each| tar::walk(&mut source, each)),
            Container::AppImage => self.entries(place, |each| appimage::walk(&mut source, each)),
            Container::Squashfs => self.entries(place, |each| squashfs::walk(&mut source, each)),
            Container::Cpio | Container::Payload(None) => {
                self.entries(place, |each| cpio::walk(&mut source, each))
            }
            Container::Payload(Some(packing)) => {
                let mut plain = budget.metered(packing.unpacked(source));
                self.entries(place, |each| cpio::walk(&mut plain, each))
            }
            Container::Cabinet => {
                self.entries(place, |each| cab::contents::walk(&mut source, each))
            }
            Container::Inno => self.entries(place, |each| inno::walk(&mut source, each)),
            Container::Msi => self.entries(place, |each| msi::contents::walk(&mut source, each)),
            Container::Xar => {
                self.packages += 1;
                let walked = self.entries(place, |each| xar_entries(&mut source, each));
                self.packages -= 1;
                walked
            }
            Container::Deb | Container::Rpm => {
                self.linux_packages += 1;
                let walked = self.entries(place, |each| match container {
                    Container::Deb => deb::walk(&mut source, each),
                    _ => rpm::walk(&mut source, each),
                });
                self.linux_packages -= 1;
                walked
            }
            Container::SevenZip => self.entries(place, |each| sevenz::walk(&mut source, each)),
            Container::SelfExtracting => self.entries(place, |each| {
                sevenz::walk_self_extracting(&mut source, each)
            }),
            Container::Several => Err(room::refused(SeveralError)),
            Container::Nsis => self.entries(place, |each| nsis::walk(&mut source, each)),
            Container::DiskImage => self.entries(place, |each| disk::walk(&mut source, each)),
            Container::Packed(packing) => {
                let mut plain = budget.metered(packing.unpacked(source));
                self.unpacked(&mut plain, place)
            }
        }
    }

    /// What is compressed is an archive, or one file.
    fn unpacked(&mut self, plain: &mut dyn Read, place: Place<'_>) -> io::Result<()> {
        let mut head = head(plain)?;
        let (is_tar, is_cpio) = (tar::is_tar(&head), cpio::is_cpio(&head));
        let mut plain = head.as_mut_slice().chain(plain);
        let outer = place.prefix.strip_suffix("!/").unwrap_or(self.name);
        let path = names::unpacked(outer.rsplit('/').next().unwrap_or_default());
        if is_tar || is_cpio {
            // It may be opened as another thing by the name that is left.
            if let Some(check) = openers::judge(&path, Format::Other, true) {
                self.linked(place.prefix, &path, Format::Other, check)?;
            }
        }
        if is_tar {
            return self.entries(place, |each| tar::walk(&mut plain, each));
        }
        if is_cpio {
            return self.entries(place, |each| cpio::walk(&mut plain, each));
        }
        let passing = Passing {
            place: place.prefix,
            path: &path,
            depth: place.depth,
            is_executable: None,
            is_payload: false,
            is_in_asar: false,
        };
        let mut tree = Tree::new();
        self.budget.entry()?;
        self.file(&passing, &mut plain, &mut tree)?;
        // To the end of the stream, where its checksum stands.
        io::copy(&mut plain, &mut io::sink()).map(drop)
    }

    /// Takes in what a reader shows, to its end.
    fn entries(
        &mut self,
        place: Place<'_>,
        read: impl FnOnce(Each<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut reading = Reading::new(place.container.spelling());
        read(&mut |entry, content| self.entry(place, &mut reading, entry, content))?;
        // The installer of macOS makes attributes of `name` of them, and no file: no bundle lists them.
        for (path, described) in &reading.doubles {
            if reading.names.has_file(described) {
                reading.tree.remove(&*names::composed(path));
            }
        }
        // What is in the archive of an Electron app is sealed with it, so no bundle in it has a tree of its own.
        if place.container != Container::Asar {
            self.bundles(place.prefix, &reading.tree)?;
        }
        self.misnamed_links(place.prefix, &reading.links, &reading.names)
    }

    fn entry(
        &mut self,
        place: Place<'_>,
        reading: &mut Reading,
        entry: &Entry,
        content: &mut dyn Read,
    ) -> io::Result<()> {
        self.budget.entry()?;
        let path = &entry.path;
        if path.is_empty() {
            return Ok(());
        }
        let is_folder = match entry.kind {
            EntryKind::Folder => IsFolder::Yes,
            EntryKind::File | EntryKind::Link(_) | EntryKind::HardLink(_) => IsFolder::No,
        };
        reading.names.add(path, is_folder).map_err(room::refused)?;
        let node = match &entry.kind {
            EntryKind::File => return self.content(place, reading, entry, content),
            EntryKind::HardLink(target) => return self.hard_link(place, reading, path, target),
            EntryKind::Folder => Node::Folder,
            EntryKind::Link(target) => {
                reading.links.link(path, target, self.budget)?;
                let target = target.clone();
                Node::Link { target }
            }
        };
        if bundle::is_inside(path) || bundle::is_named(path) {
            let path = names::composed(path).into_owned();
            reading.tree.insert(path, node);
        }
        Ok(())
    }

    fn content(
        &mut self,
        place: Place<'_>,
        reading: &mut Reading,
        entry: &Entry,
        content: &mut dyn Read,
    ) -> io::Result<()> {
        let path = &entry.path;
        let mut counted;
        let content: &mut dyn Read = match place.is_counted() {
            true => content,
            false => {
                counted = self.budget.metered(content);
                &mut counted
            }
        };
        let head = head(content)?;
        if matches!(place.container, Container::Payload(_)) && head.starts_with(APPLE_DOUBLE) {
            let described = described(path).map(|it| (path.clone(), it));
            reading.doubles.extend(described);
        }
        let passing = Passing {
            place: place.prefix,
            path,
            depth: place.depth,
            is_executable: entry.is_executable,
            is_payload: place.is_payload(path),
            is_in_asar: place.container == Container::Asar,
        };
        let mut content = head.as_slice().chain(content);
        let seen = self.file(&passing, &mut content, &mut reading.tree)?;
        reading.links.file(path, seen);
        // To the end, where a checksum may be compared.
        io::copy(&mut content, &mut io::sink()).map(drop)
    }

    /// Another name of a file is opened as that name says.
    fn hard_link(
        &mut self,
        place: Place<'_>,
        reading: &mut Reading,
        path: &str,
        target: &str,
    ) -> io::Result<()> {
        let below = || Err(room::refused(NameError::Below(printable(path))));
        if !reading.names.has_file(target) {
            return below();
        }
        match reading.tree.get(&*names::composed(target)).cloned() {
            Some(node) => {
                let path = names::composed(path).into_owned();
                reading.tree.insert(path, node);
            }
            // What comes into a bundle from elsewhere was not hashed when it passed.
            None if bundle::is_inside(path) => return below(),
            None => {}
        }
        let seen = reading.links.seen(target);
        reading.links.file(path, seen);
        let name = path.rsplit('/').next().unwrap_or_default();
        match openers::judge_link(name, seen.format, seen.is_archive) {
            Some(check) => self.linked(place.prefix, path, seen.format, check),
            None => Ok(()),
        }
    }

    /// Links whose names open what they do not lead to.
    pub(super) fn misnamed_links(
        &mut self,
        prefix: &str,
        links: &Links,
        names: &Names,
    ) -> io::Result<()> {
        for (path, format, check) in links.misnamed(names)? {
            self.linked(prefix, path, format, check)?;
        }
        Ok(())
    }

    fn linked(&mut self, prefix: &str, path: &str, format: Format, check: Check) -> io::Result<()> {
        let is_in_package = self.packages > 0;
        let is_in_linux_package = self.linux_packages > 0;
        self.push(Leaf {
            path: format!("{prefix}{path}"),
            format,
            sha256: None,
            signature: None,
            is_in_bundle: false,
            is_in_package,
            is_in_linux_package,
            checks: vec![check],
        })
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

fn zip_entries(bytes: &mut Watched<'_>, each: Each<'_>) -> io::Result<()> {
    let archive = Archive::open(bytes)?.map_err(room::refused)?;
    for entry in &archive.entries {
        let kind = match entry.kind {
            zip::EntryKind::Folder => EntryKind::Folder,
            zip::EntryKind::File => EntryKind::File,
            // Its content is what it says.
            zip::EntryKind::Link => {
                let content = Archive::content(bytes, entry)?;
                let mut target = String::new();
                content
                    .take(names::PATH_BYTES_MAX as u64)
                    .read_to_string(&mut target)?;
                EntryKind::Link(target)
            }
        };
        let shown = Entry {
            path: entry.path.clone(),
            kind,
            is_executable: entry.is_executable,
        };
        match shown.kind {
            EntryKind::File => each(&shown, &mut Archive::content(bytes, entry)?)?,
            _ => each(&shown, &mut io::empty())?,
        }
    }
    Ok(())
}

fn asar_entries(bytes: &mut Watched<'_>, each: Each<'_>) -> io::Result<()> {
    for entry in asar::open(bytes)? {
        let path = entry.path;
        let shown = |kind, is_executable| Entry {
            path,
            kind,
            is_executable,
        };
        match entry.kind {
            asar::EntryKind::Folder => each(&shown(EntryKind::Folder, None), &mut io::empty())?,
            asar::EntryKind::Link(target) => {
                each(&shown(EntryKind::Link(target), None), &mut io::empty())?;
            }
            // A file that lies beside the archive is looked at there.
            asar::EntryKind::Unpacked => each(&shown(EntryKind::File, None), &mut io::empty())?,
            asar::EntryKind::File {
                at,
                size,
                is_executable,
            } => {
                bytes.seek(SeekFrom::Start(at))?;
                let shown = shown(EntryKind::File, Some(is_executable));
                each(&shown, &mut bytes.take(size))?;
            }
        }
    }
    Ok(())
}

fn xar_entries(bytes: &mut Watched<'_>, each: Each<'_>) -> io::Result<()> {
    for entry in xar::files::read(bytes)?.map_err(room::refused)? {
        let path = names::relative(entry.path.as_bytes()).map_err(room::refused)?;
        let is_executable = entry.is_executable;
        let shown = |kind| Entry {
            path,
            kind,
            is_executable,
        };
        match entry.kind {
            xar::files::EntryKind::Folder => each(&shown(EntryKind::Folder), &mut io::empty())?,
            xar::files::EntryKind::Link(target) => {
                each(&shown(EntryKind::Link(target)), &mut io::empty())?;
            }
            xar::files::EntryKind::File(data) => {
                each(&shown(EntryKind::File), &mut data.content(bytes)?)?;
            }
        }
    }
    Ok(())
}
