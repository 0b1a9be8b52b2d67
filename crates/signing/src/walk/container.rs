//! Which containers are looked into, and how one is told.

use std::io::{self, Read, Seek, SeekFrom};

use release::Kind;

use crate::appimage;
use crate::cpio;
use crate::dmg;
use crate::format::Format;
use crate::inno;
use crate::inspection;
use crate::msi;
use crate::nsis;
use crate::sevenz;
use crate::squashfs;
use crate::tar;
use crate::unpack::Packing;
use crate::walk::names::Spelling;
use crate::walk::{Contents, head};

/// A container whose files are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Zip,
    Asar,
    Tar,
    Cpio,
    Xar,
    Cabinet,
    Msi,
    Inno,
    Deb,
    Rpm,
    SevenZip,
    /// A program with a 7z archive behind it.
    SelfExtracting,
    Nsis,
    /// A program that is several installers.
    Several,
    Squashfs,
    AppImage,
    DiskImage,
    Packed(Packing),
    /// What a package installs or runs: cpio, packed or not, and nothing else is taken for it.
    Payload(Option<Packing>),
}

impl Container {
    pub(super) fn of_head(head: &[u8]) -> Option<Self> {
        // What is run or installed is that, whatever else its first bytes could be taken for.
        match Format::of_head(head) {
            Format::Zip => return Some(Self::Zip),
            Format::Xar => return Some(Self::Xar),
            Format::Other => {}
            _ => return None,
        }
        // One that begins as a tar archive too is refused as it is read.
        if squashfs::is_squashfs(head) {
            return Some(Self::Squashfs);
        }
        if tar::is_tar(head) {
            return Some(Self::Tar);
        }
        if cpio::is_cpio(head) {
            return Some(Self::Cpio);
        }
        if sevenz::is_sevenz(head) {
            return Some(Self::SevenZip);
        }
        Packing::of_head(head).map(Self::Packed)
    }

    /// What a file is, all of which can be read.
    pub(super) fn detect(bytes: &mut (impl Read + Seek + ?Sized)) -> io::Result<Option<Self>> {
        bytes.seek(SeekFrom::Start(0))?;
        let head = head(bytes)?;
        let mut container = Self::of_head(&head);
        // A disk image may begin as anything.
        if !matches!(container, Some(Self::Zip | Self::Xar)) && dmg::is_at_end(bytes)? {
            container = None;
        }
        if container.is_none() {
            let format = inspection::format_of(bytes)?;
            container = Self::within(format, bytes)?;
        }
        bytes.seek(SeekFrom::Start(0))?;
        Ok(container)
    }

    /// What a file of a format holds besides what it is: an installer, a disk image. Leaves the reader anywhere.
    pub(super) fn within(
        format: Format,
        mut bytes: &mut (impl Read + Seek + ?Sized),
    ) -> io::Result<Option<Self>> {
        match format {
            Format::Deb => Ok(Some(Self::Deb)),
            Format::Rpm => Ok(Some(Self::Rpm)),
            Format::Ole => Ok(msi::contents::is_package(bytes)?.then_some(Self::Msi)),
            Format::Pe => Self::of_program(&mut bytes),
            Format::Cab => Ok(Some(Self::Cabinet)),
            Format::Elf => Ok(appimage::has_mark(bytes)?.then_some(Self::AppImage)),
            // Where its end is not that of one, its own checks say so.
            Format::DiskImage => Ok(dmg::is_at_end(bytes)?.then_some(Self::DiskImage)),
            Format::Zip
            | Format::MachO
            | Format::Bundle
            | Format::Xar
            | Format::Script
            | Format::Other => Ok(None),
        }
    }

    /// Which installer a program is. One that could be several does what its code says, which nobody reads here.
    fn of_program(mut bytes: &mut (impl Read + Seek + ?Sized)) -> io::Result<Option<Self>> {
        let found = [
            nsis::is_nsis(&mut bytes)?.then_some(Self::Nsis),
            sevenz::is_self_extracting(&mut bytes)?.then_some(Self::SelfExtracting),
            inno::is_installer(bytes)?.then_some(Self::Inno),
        ];
        let mut found = found.into_iter().flatten();
        Ok(match (found.next(), found.next()) {
            (Some(_), Some(_)) => Some(Self::Several),
            (first, _) => first,
        })
    }

    /// Which names in it are one.
    pub(super) fn spelling(self) -> Spelling {
        match self {
            Self::Deb | Self::Rpm | Self::Squashfs | Self::AppImage => Spelling::Exact,
            _ => Spelling::Folded,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Zip => "zip archive",
            Self::Asar => "asar archive",
            Self::Tar => "tar archive",
            Self::Packed(Packing::Gzip) => "gzip archive",
            Self::Packed(Packing::Xz) => "xz archive",
            Self::Packed(Packing::Zstd) => "zstd archive",
            Self::Packed(Packing::Bzip2) => "bzip2 archive",
            Self::Packed(Packing::Lzma) => "lzma archive",
            Self::Packed(Packing::Pbzx) => "pbzx archive",
            Self::Cpio => "cpio archive",
            Self::Xar => "xar package",
            Self::Cabinet => "cabinet",
            Self::Msi => "Windows Installer package",
            Self::Inno => "Inno Setup installer",
            Self::Deb => "deb package",
            Self::Rpm => "rpm package",
            Self::SevenZip => "7z archive",
            Self::SelfExtracting => "self-extracting 7z archive",
            Self::Nsis => "NSIS installer",
            Self::Several => "program of several installers",
            Self::Squashfs => "squashfs image",
            Self::AppImage => "AppImage",
            Self::DiskImage => "disk image",
            Self::Payload(_) => "payload",
        }
    }
}

impl Contents {
    /// Whether what was looked into is what opens an artifact of a kind. One of no kind is opened by its name.
    pub(crate) fn is_opened_by(&self, kind: Kind) -> bool {
        let is = |one: Container| self.container == one.name();
        let is_packed = || self.container.ends_with(" archive") && !is(Container::Zip);
        match kind {
            Kind::Zip | Kind::SquirrelFull | Kind::VelopackFull | Kind::Msix => is(Container::Zip),
            Kind::TarGz => is_packed() && !is(Container::SevenZip) && !is(Container::Cpio),
            Kind::Nsis => is(Container::Nsis),
            Kind::Msi => is(Container::Msi),
            Kind::Dmg => is(Container::DiskImage),
            Kind::Pkg => is(Container::Xar),
            Kind::AppImage => is(Container::AppImage),
            Kind::Deb => is(Container::Deb),
            Kind::Rpm => is(Container::Rpm),
            Kind::Exe | Kind::Binary => [
                Container::Nsis,
                Container::Inno,
                Container::SelfExtracting,
                Container::Several,
                Container::AppImage,
            ]
            .into_iter()
            .any(is),
            Kind::File => true,
        }
    }

    /// Whether it is unpacked by whoever gets it, and needs no signature of its own.
    pub(crate) fn is_archive(&self) -> bool {
        let is = |one: Container| self.container == one.name();
        is(Container::Squashfs)
            || self.container.ends_with(" archive") && !is(Container::SelfExtracting)
    }
}
