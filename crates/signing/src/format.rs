//! What an artifact is, and which signature such a thing would carry.
//!
//! Those that this version cannot look at it names, so that a report says what was not looked at. A format that is supported
//! gets a file of its own.

use release::Kind;
use serde::Serialize;

/// The formats that carry signatures of their own, and those that cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// A Windows program.
    Pe,
    /// A Windows Installer package or another OLE compound file.
    Ole,
    /// A cabinet.
    Cab,
    /// A zip archive, and what is one inside: msix, nupkg, a zipped app.
    Zip,
    /// A macOS program, of one architecture or several.
    MachO,
    /// A bundle of macOS: a folder with an app or a framework. Its files tell.
    Bundle,
    /// A macOS installer package.
    Xar,
    /// A macOS disk image. Its mark stands at the end.
    DiskImage,
    /// A Linux program, an AppImage among them.
    Elf,
    /// A Debian package.
    Deb,
    /// An RPM package.
    Rpm,
    /// A script of Windows that can be signed. Its name tells.
    Script,
    /// Anything else: archives and plain files.
    Other,
}

impl Format {
    /// Every format.
    pub const ALL: &[Self] = &[
        Self::Pe,
        Self::Ole,
        Self::Cab,
        Self::Zip,
        Self::MachO,
        Self::Bundle,
        Self::Xar,
        Self::DiskImage,
        Self::Elf,
        Self::Deb,
        Self::Rpm,
        Self::Script,
        Self::Other,
    ];

    /// How many bytes of the beginning [`Format::detect`] wants.
    pub const HEAD_BYTES: usize = 8;

    /// How many bytes of the end [`Format::detect`] wants: what makes a file a disk image.
    pub const TAIL_BYTES: usize = 512;

    /// The format by the first bytes, and by the kind and the last bytes where those do not tell.
    pub fn detect(head: &[u8], tail: &[u8], kind: Kind) -> Self {
        let is_image = match kind {
            Kind::Dmg => true,
            Kind::File => tail.len() == Self::TAIL_BYTES && tail.starts_with(b"koly"),
            // What is opened as an archive is judged as one.
            _ => false,
        };
        match Self::of_head(head) {
            Self::Other if is_image => Self::DiskImage,
            format => format,
        }
    }

    /// The format by the first bytes alone.
    pub fn of_head(head: &[u8]) -> Self {
        match head {
            [b'M', b'Z', ..] => Self::Pe,
            [0xd0, 0xcf, 0x11, 0xe0, ..] => Self::Ole,
            [b'M', b'S', b'C', b'F', ..] => Self::Cab,
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Self::Zip,
            // Classes of Java begin as universal files do, with a version of 45 or more where those have a count. The versions
            // that there are end at 80; no universal file has as many slices.
            [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 45..=80, ..]
            | [0xca, 0xfe, 0xba, 0xbe, 0, 1..=3, 0, 45..=80, ..] => Self::Other,
            [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe | 0xbf, ..] => {
                Self::MachO
            }
            [b'x', b'a', b'r', b'!', ..] => Self::Xar,
            [0x7f, b'E', b'L', b'F', ..] => Self::Elf,
            [b'!', b'<', b'a', b'r', b'c', b'h', b'>', ..] => Self::Deb,
            [0xed, 0xab, 0xee, 0xdb, ..] => Self::Rpm,
            _ => Self::Other,
        }
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pe => "PE image",
            Self::Ole => "OLE compound file",
            Self::Cab => "cabinet",
            Self::Zip => "zip archive",
            Self::MachO => "Mach-O image",
            Self::Bundle => "bundle",
            Self::Xar => "xar package",
            Self::DiskImage => "disk image",
            Self::Elf => "ELF image",
            Self::Deb => "deb package",
            Self::Rpm => "rpm package",
            Self::Script => "script",
            Self::Other => "other file",
        }
    }

    /// The signature that such a thing would carry inside.
    pub fn own_signature(self) -> Option<&'static str> {
        match self {
            Self::Pe | Self::Ole | Self::Cab | Self::Script => Some("Authenticode"),
            Self::MachO | Self::Bundle | Self::DiskImage => Some("an Apple code signature"),
            Self::Xar => Some("an Apple installer signature"),
            Self::Rpm | Self::Deb => Some("OpenPGP"),
            Self::Zip | Self::Elf | Self::Other => None,
        }
    }
}
