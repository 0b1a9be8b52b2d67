//! What is inside: every file of a container, and of the containers inside it, and who signed those that carry signatures.
//!
//! A container is read once from its beginning to its end. A file that can be signed, or holds others, is put into a room
//! that the caller provides, and looked at there; all others only pass by. What cannot be read, or could be read in two ways,
//! is a failure of the container: what is verified must be what is unpacked.

mod container;
mod containers;
mod demands;
pub(crate) mod distinct;
pub(crate) mod entry;
mod folder;
mod links;
pub(crate) mod names;
pub(crate) mod openers;
mod passed;
pub(crate) mod room;
mod scripts;

use std::io::{self, Read, SeekFrom};

use release::Sha256;
use release::Timestamp;
use serde::Serialize;

use crate::asar;
use crate::bundle;
use crate::checks::{
    CONTENTS_LIMITS, CONTENTS_PARSE, Check, FORMAT_UNSUPPORTED, Id, Outcome, RPM_FILE_DIGESTS,
};
use crate::dmg;
use crate::format::Format;
use crate::inspection::{self, Inspection};
use crate::report::Verdict;
use crate::roots::Trust;
use crate::script::{self, Language};
use crate::tree::{FileNode, Node, Tree, is_app_update, is_kept};
use crate::unpack::Packing;
use crate::verify::Bytes;

use container::Container;
use demands::Demands;
use links::Seen;
use passed::Passed;
use room::{Budget, Stored, World};

pub(crate) use demands::App;
pub use folder::{Folder, folder};
pub use room::{MakeRoom, Room};

/// What is read of a container at most, with all that is inside.
pub(crate) struct Limits;

impl Limits {
    /// Containers inside containers.
    pub(crate) const DEPTH: usize = 8;
    /// Files, folders, and links.
    pub(crate) const ENTRIES: u64 = 500_000;
    /// Bytes that are unpacked, whatever the size of the container.
    pub(crate) const BYTES: u64 = 2 * 1024 * 1024 * 1024;
    /// Bytes that are unpacked for each byte of the container, where that is more.
    pub(crate) const RATIO: u64 = 100;
    /// Files that can carry a signature. A large app has 3,000.
    pub(crate) const LEAVES: usize = 20_000;
    /// Bytes that are kept of files that say something about others: an app has some for each bundle in it.
    pub(crate) const KEPT_BYTES: u64 = 64 * 1024 * 1024;
    /// Bytes of the beginning of a file by which its format is known: the magic of tar stands last.
    pub(crate) const HEAD_BYTES: u64 = 512;
}

/// How to look.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// The time to judge signatures at.
    pub at: Timestamp,
    /// The roots that they may chain to.
    pub trust: &'a Trust,
    /// Where a file stays while it is looked at.
    pub room: MakeRoom,
    /// What is signed as a whole: whether its inside is looked at too.
    pub signed: Signed,
}

/// Whether what is signed as a whole, an installer or a disk image, is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// As an archive is.
    Opened,
    /// Its own signature is all that is looked at.
    Closed,
}

/// Containers that are signed as a whole.
const WHOLE: [Container; 3] = [Container::Xar, Container::Deb, Container::Rpm];

/// What is inside a container.
#[derive(Debug, Clone, Serialize)]
pub struct Contents {
    /// What it is: `tar archive`.
    pub container: &'static str,
    /// How many files there are, containers inside included.
    pub files: u64,
    /// Checks of the container and of those inside.
    pub checks: Vec<Check>,
    /// Each file that can carry a signature, in the order in which they were found.
    pub leaves: Vec<Leaf>,
    /// What installed copies will ask of the next version.
    #[serde(skip)]
    pub(crate) demands: Demands,
}

impl Contents {
    /// The verdict over what is inside, where no policy says who must have signed.
    pub fn verdict(&self) -> Verdict {
        let own = match self.checks.iter().all(|it| it.outcome == Outcome::Pass) {
            // A package of scripts is signed as a whole.
            true if WHOLE.map(Container::name).contains(&self.container) => Verdict::Valid,
            true if self.leaves.is_empty() => Verdict::Unsigned,
            true => Verdict::Valid,
            false => Verdict::Invalid,
        };
        // Programs of Linux carry no signature: that of their package covers them, and is judged by itself.
        let leaves = self.leaves.iter().filter(|leaf| !leaf.is_covered());
        leaves.map(Leaf::verdict).fold(own, Verdict::worse)
    }
}

impl Leaf {
    /// Whether the package that it lies in says everything that can be said of who signed it.
    fn is_covered(&self) -> bool {
        self.is_in_linux_package && self.format == Format::Elf && self.checks.is_empty()
    }

    /// Its verdict, where no policy says who must have signed.
    pub fn verdict(&self) -> Verdict {
        let found = self.signature.as_ref().map(|found| found.verdict);
        let found = found.unwrap_or(Verdict::Unsupported);
        match self.checks.is_empty() {
            true => found,
            false => found.worse(Verdict::Unsupported),
        }
    }
}

/// A file inside a container that can carry a signature.
#[derive(Debug, Clone, Serialize)]
pub struct Leaf {
    /// Its path in the container, `app/helper.dll`, and `inner.zip!/helper.dll` where that is in another one.
    pub path: String,
    /// What it is.
    pub format: Format,
    /// The digest of its bytes; of a bundle that of the list of its files, as `sha256sum` writes it: sorted by path, a line
    /// for each. A link stands there by what it says, `-> target`.
    pub sha256: Option<Sha256>,
    /// Its own signature, where this version can look at it.
    pub signature: Option<Inspection>,
    /// Whether it lies in a bundle, whose own leaf vouches for it too.
    pub is_in_bundle: bool,
    /// Whether it lies in a package, whose own signature and ticket vouch for it too.
    pub is_in_package: bool,
    /// Whether it lies in a package of Linux, whose own signature covers it.
    pub is_in_linux_package: bool,
    /// What else is wrong: a container inside that cannot be read.
    pub checks: Vec<Check>,
}

/// Looks into a container. None where this version sees none.
///
/// # Errors
/// Where the reader or a room fails. A container that is wrong is no error but a failed check.
pub fn walk(bytes: &mut dyn Bytes, settings: Settings<'_>) -> io::Result<Option<Contents>> {
    walk_named(bytes, "", settings)
}

/// As [`walk`], of a file whose name is known: what is compressed in it is opened by what is left of that.
///
/// # Errors
/// As those of [`walk`].
pub fn walk_named(
    bytes: &mut dyn Bytes,
    name: &str,
    settings: Settings<'_>,
) -> io::Result<Option<Contents>> {
    let Some(container) = Container::detect(bytes)? else {
        return Ok(None);
    };
    let size = bytes.seek(SeekFrom::End(0))?;
    let world = World::default();
    let bytes_max = Limits::BYTES.max(size.saturating_mul(Limits::RATIO));
    let budget = Budget::new(Limits::ENTRIES, bytes_max);
    let mut walker = Walker::new(settings, &world, &budget, container.name());
    walker.name = name;
    let walked = walker.container(container, bytes, "", 1);
    let mut contents = walker.contents;
    if walked.is_ok() && container == Container::Rpm {
        let reason = "the payload has the files that the header lists";
        contents.checks.push(Check::pass(RPM_FILE_DIGESTS, reason));
    }
    let check = match walked {
        Ok(()) => Check::pass(
            CONTENTS_PARSE,
            format!(
                "a {} of {} files, read to its end",
                container.name(),
                contents.files
            ),
        ),
        Err(error) => world.broken(error)?.check(Outcome::Fail),
    };
    contents.checks.insert(0, check);
    Ok(Some(contents))
}

/// Whether a file would be read as a disk image: it begins as no archive, and ends as an image does.
pub(crate) fn is_disk_image(bytes: &mut dyn Bytes) -> io::Result<bool> {
    Ok(Container::detect(bytes)? == Some(Container::DiskImage))
}

struct Walker<'a> {
    settings: Settings<'a>,
    world: &'a World,
    budget: &'a Budget,
    /// What the outermost container is called, where that is known.
    name: &'a str,
    contents: Contents,
    /// How many packages lie around what is being read.
    packages: usize,
    /// How many packages of Linux do.
    linux_packages: usize,
}

/// A file that passes.
struct Passing<'a> {
    /// The path of the container that it is in, with `!/` at its end; empty for the outermost.
    place: &'a str,
    path: &'a str,
    depth: usize,
    is_executable: Option<bool>,
    /// Whether it is what a package installs or runs, and so must be an archive.
    is_payload: bool,
    /// Whether it lies in the archive of an Electron app, where nothing of Windows looks for scripts.
    is_in_asar: bool,
}

impl Passing<'_> {
    /// What is wrong with its name, by which it is opened.
    fn misnamed(&self, head: &[u8], format: Format) -> Option<Check> {
        if self.is_payload || head.is_empty() {
            return None;
        }
        if self.is_unknown_program(head, format) {
            let reason = "it may be executed, and is no program, script, or archive that is known";
            let outcome = Outcome::Unsupported;
            return Some(Check::new(FORMAT_UNSUPPORTED, outcome, reason));
        }
        let is_archive = self.container(head, format).is_some();
        let name = self.path.rsplit('/').next().unwrap_or_default();
        openers::judge(name, format, is_archive)
    }

    /// Whether a file is marked as a program and named as one, and is nothing that is known. What is in a bundle is sealed by it,
    /// and tools that mark every file as a program name pictures and tables as such.
    fn is_unknown_program(&self, head: &[u8], format: Format) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        self.is_executable == Some(true)
            && format == Format::Other
            && !name.contains('.')
            && head.contains(&0)
            && !bundle::is_inside(self.path)
            && self.container(head, format).is_none()
    }

    /// What it is to who opens it by the name of a link.
    fn seen(&self, head: &[u8], format: Format) -> Seen {
        Seen {
            format,
            is_archive: self.container(head, format).is_some(),
        }
    }

    /// What it holds. A disk image may begin as anything, and a payload is what it is unpacked as.
    fn container(&self, head: &[u8], format: Format) -> Option<Container> {
        match self.is_payload {
            true if head.is_empty() => None,
            true => Some(Container::Payload(Packing::of_head(head))),
            false if asar::is_asar(self.path, head) => Some(Container::Asar),
            false => Container::of_head(head).filter(|_| format != Format::DiskImage),
        }
    }
}

impl<'a> Walker<'a> {
    fn new(
        settings: Settings<'a>,
        world: &'a World,
        budget: &'a Budget,
        container: &'static str,
    ) -> Self {
        Self {
            settings,
            world,
            budget,
            name: "",
            contents: Contents {
                container,
                files: 0,
                checks: Vec::new(),
                leaves: Vec::new(),
                demands: Demands::default(),
            },
            packages: 0,
            linux_packages: 0,
        }
    }

    /// Looks at one file.
    fn file(
        &mut self,
        passing: &Passing<'_>,
        content: &mut dyn Read,
        tree: &mut Tree,
    ) -> io::Result<Seen> {
        self.contents.files += 1;
        let mut head = head(content)?;
        let format = passing.format(&mut head, content)?;
        let stays = is_leaf(format) || passing.container(&head, format).is_some();
        let misnamed = passing.misnamed(&head, format);
        let seen = passing.seen(&head, format);
        let name = passing.path.rsplit('/').next().unwrap_or_default();
        let is_of_use = bundle::is_inside(passing.path) || is_app_update(name);
        if !stays && misnamed.is_none() && !is_of_use {
            return Ok(seen);
        }
        let mut content = head.as_slice().chain(content);
        let mut passed = Passed::new(is_kept(name));
        let mut stored = Stored::new(self.settings.room, self.world);
        passed.pass(&mut content, |piece| match stays {
            true => stored.write(piece),
            false => Ok(()),
        })?;
        let file = passed.finish(passing.is_executable);
        self.look(passing, (format, &head), file, &mut stored.finish()?, tree)?;
        Ok(seen)
    }

    /// Looks at a file that can be read at any offset.
    fn look(
        &mut self,
        passing: &Passing<'_>,
        (format, head): (Format, &[u8]),
        mut file: FileNode,
        bytes: &mut dyn Bytes,
        tree: &mut Tree,
    ) -> io::Result<()> {
        let is_in_bundle = bundle::is_inside(passing.path);
        let is_in_package = self.packages > 0;
        let is_in_linux_package = self.linux_packages > 0;
        let leaf = |file: &FileNode, signature, checks| Leaf {
            path: format!("{}{}", passing.place, passing.path),
            format,
            sha256: Some(Sha256::from_bytes(file.sha256)),
            signature,
            // Set where a bundle was judged, whatever a folder is called.
            is_in_bundle: false,
            is_in_package,
            is_in_linux_package,
            checks,
        };
        self.budget.keep(file.kept.as_ref().map_or(0, Vec::len))?;
        self.app_update(passing, &file)?;
        // What is named as one thing and begins as another was judged as one of them at most.
        if let Some(check) = passing.misnamed(head, format) {
            self.push(leaf(&file, None, vec![check]))?;
        }
        let mut is_covered = false;
        if is_leaf(format) {
            let signature = self.signature(format, passing.path, bytes)?;
            self.budget.keep(demands::shown_bytes(signature.as_ref()))?;
            // To Apple's tools a script is a file like any other.
            if format != Format::Script {
                file.signature.clone_from(&signature);
            }
            self.push(leaf(&file, signature, Vec::new()))?;
        } else if format == Format::Zip {
            // An unsigned package is an archive.
            let signature = self.signature(format, passing.path, bytes)?;
            if let Some(found) = signature.filter(|it| it.verdict != Verdict::Unsigned) {
                is_covered = covers_inside(&found);
                self.push(leaf(&file, Some(found), Vec::new()))?;
            }
        }
        let container = match passing.container(head, format) {
            _ if is_covered => None,
            None if self.settings.signed == Signed::Closed => None,
            None => Container::within(format, bytes).map_err(|error| self.world.fail(error))?,
            container => container,
        };
        let unread = match container {
            Some(container) => self.inner(container, bytes, passing)?,
            None => None,
        };
        if let Some(check) = unread {
            self.push(leaf(&file, None, vec![check]))?;
        }
        if is_in_bundle {
            let path = names::composed(passing.path).into_owned();
            tree.insert(path, Node::File(file));
        }
        Ok(())
    }

    /// The signature that a file carries itself.
    fn signature(
        &self,
        format: Format,
        path: &str,
        mut bytes: &mut dyn Bytes,
    ) -> io::Result<Option<Inspection>> {
        let Settings { at, trust, .. } = self.settings;
        // What is around it has a ticket that lists it, or there is none.
        let is_covered = bundle::is_inside(path) || self.packages > 0;
        let quiet = is_covered.then(|| trust.without_tickets());
        let trust = quiet.as_ref().unwrap_or(trust);
        let found = match (format, Language::of_name(path)) {
            (Format::Script, Some(language)) => {
                script::inspect(bytes, language, at, trust).map(Some)
            }
            // Where its end is not that of one, that is what is wrong with it.
            (Format::DiskImage, _) => dmg::inspect(&mut bytes, at, trust).map(Some),
            _ => inspection::inspect(&mut bytes, at, trust),
        };
        found.map_err(|error| self.world.fail(error))
    }

    /// Reports a file.
    fn push(&mut self, leaf: Leaf) -> io::Result<()> {
        self.budget.leaf()?;
        self.contents.leaves.push(leaf);
        Ok(())
    }

    /// Judges every bundle of a container that was read.
    fn bundles(&mut self, place: &str, tree: &Tree) -> io::Result<()> {
        let Settings { at, trust, .. } = self.settings;
        let quiet = (self.packages > 0).then(|| trust.without_tickets());
        let trust = quiet.as_ref().unwrap_or(trust);
        for (root, inspection) in bundle::judge(tree, at, trust) {
            // Not those in an archive inside: the ticket of a bundle need not know them.
            let inside = format!("{place}{root}/");
            let inside = names::composed(&inside);
            for leaf in &mut self.contents.leaves {
                let path = names::composed(&leaf.path);
                let rest = path.strip_prefix(&*inside);
                leaf.is_in_bundle |= rest.is_some_and(|rest| !rest.contains("!/"));
            }
            self.app(place, &root, tree, &inspection)?;
            self.push(Leaf {
                path: format!("{place}{root}"),
                format: Format::Bundle,
                sha256: bundle::digest(tree, &root),
                signature: Some(inspection),
                is_in_bundle: false,
                is_in_package: self.packages > 0,
                is_in_linux_package: self.linux_packages > 0,
                checks: Vec::new(),
            })?;
        }
        Ok(())
    }
}

/// Whether the signature of an archive is one over each file in it: that of an app package is, and nobody but Windows
/// unpacks one.
pub fn covers_inside(archive: &Inspection) -> bool {
    archive.kind == inspection::Kind::Authenticode && archive.verdict != Verdict::Unsigned
}

/// What a file inside is: by its first bytes, and by its name where those do not tell.
fn format_of(head: &[u8], path: &str) -> Format {
    match Format::of_head(head) {
        _ if is_named_disk_image(path) => Format::DiskImage,
        // A universal file of so many slices that it could be a class of Java, and is not named as one.
        Format::Other
            if head.starts_with(&[0xca, 0xfe, 0xba, 0xbe]) && !path.ends_with(".class") =>
        {
            Format::MachO
        }
        // Libraries for linkers are such archives too.
        Format::Deb if head.get(8..21) != Some(b"debian-binary") => Format::Other,
        format => format,
    }
}

/// Whether a file can carry a signature, or is a program that cannot.
fn is_leaf(format: Format) -> bool {
    format.own_signature().is_some() || format == Format::Elf
}

/// Whether a file is opened as a disk image: its mark stands at its end, so its name tells.
fn is_named_disk_image(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    let names = ["dmg", "cdr", "udif", "smi"];
    extension.is_some_and(|it| names.iter().any(|name| it.eq_ignore_ascii_case(name)))
}

/// The first bytes, as many as there are.
fn head(bytes: &mut (impl Read + ?Sized)) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    bytes.take(Limits::HEAD_BYTES).read_to_end(&mut head)?;
    Ok(head)
}

/// What is wrong with a container.
pub(crate) struct Broken {
    pub(crate) reason: String,
    pub(crate) is_limit: bool,
    /// The check that fails, where that is not that it can be read.
    check: Option<Id>,
}

impl Broken {
    fn check(self, outcome: Outcome) -> Check {
        let id = match self.is_limit {
            true => CONTENTS_LIMITS,
            false => self.check.unwrap_or(CONTENTS_PARSE),
        };
        let reason = format!("what is inside cannot be read: {}", self.reason);
        Check::new(id, outcome, reason)
    }
}

#[cfg(test)]
pub(crate) mod tests;
