//! How a file is opened, by its name, and whether it is judged as that.
//!
//! Signatures leave room: behind the last one of a program, in what is reserved for it, in attributes that nobody signs. A
//! program with the end of a zip archive in there is a program to whoever starts it, and an archive to whoever unpacks it. So
//! what is named as one thing is judged as that, or it was not judged.

use release::name::printable;

use crate::checks::{CONTENTS_PARSE, Check, Outcome};
use crate::format::Format;
use crate::script::Language;

/// What opens a file of such a name.
enum Opener {
    /// A reader of this format.
    Reader(Format),
    /// A reader of archives that are told by their first bytes.
    Archiver,
    /// A reader of cabinets: of Microsoft's, or of InstallShield's, which are not read here.
    Cabinet,
    /// A reader of something that is not read here.
    NotRead,
    /// An interpreter: what begins as a program is none of its texts.
    Interpreter,
    /// The system, by what it is.
    System,
}

fn opener(extension: &str) -> Opener {
    match extension {
        "zip" | "jar" | "war" | "nupkg" | "snupkg" | "whl" | "msix" | "appx" | "msixbundle"
        | "appxbundle" | "vsix" | "xpi" | "apk" | "pyz" => Opener::Reader(Format::Zip),
        "dmg" | "cdr" | "udif" | "smi" => Opener::Reader(Format::DiskImage),
        "pkg" | "mpkg" => Opener::Reader(Format::Xar),
        "msi" | "msp" | "mst" | "msm" => Opener::Reader(Format::Ole),
        "deb" => Opener::Reader(Format::Deb),
        "rpm" => Opener::Reader(Format::Rpm),
        // Not `snap`: so are the snapshots of test runners called, which are texts.
        "tar" | "tgz" | "txz" | "tbz" | "tbz2" | "gz" | "xz" | "zst" | "bz2" | "7z"
        | "squashfs" | "sfs" => Opener::Archiver,
        "cab" => Opener::Cabinet,
        "appimage" => Opener::Reader(Format::Elf),
        "rar" | "iso" | "img" | "vhd" | "vhdx" | "wim" | "esd" | "swm" | "chm" | "crx" | "xip"
        | "sparseimage" | "arj" | "lzh" | "lha" | "lz4" | "lz" | "z" | "ace" | "tlz" => {
            Opener::NotRead
        }
        "hta" | "html" | "htm" | "svg" | "js" | "mjs" | "cjs" | "jse" | "vbs" | "vbe" | "wsf"
        | "wsc" | "sct" | "ps1" | "psm1" | "psd1" | "ps1xml" | "psc1" | "cdxml" | "mof" | "bat"
        | "cmd" | "py" | "pyw" | "rb" | "pl" | "sh" | "command" | "scpt" | "jnlp" | "url" => {
            Opener::Interpreter
        }
        _ => Opener::System,
    }
}

/// Whether a file of that name is opened by its name, whatever it is.
pub(crate) fn is_opened_by_name(name: &str) -> bool {
    !matches!(opener_of(name), Opener::System)
}

/// Whether a file of that name is opened as a text or script.
pub(crate) fn is_text(name: &str) -> bool {
    matches!(opener_of(name), Opener::Interpreter)
}

fn opener_of(name: &str) -> Opener {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    extension.map_or(Opener::System, |it| opener(&it.to_ascii_lowercase()))
}

/// What is wrong with a link, or another name of a file, that is opened by its name as the file is not.
pub(crate) fn judge_link(name: &str, format: Format, is_archive: bool) -> Option<Check> {
    let is_script = Language::of_program(name).is_some();
    let unjudged = || {
        let reason = format!(
            "`{}` is run as a script, and leads to what was not judged as one ({})",
            printable(name),
            format.name()
        );
        Check::new(CONTENTS_PARSE, Outcome::Unsupported, reason)
    };
    let judged = judge(name, format, is_archive);
    judged.or_else(|| (is_script && format != Format::Script).then(unjudged))
}

/// What is wrong with a file that is opened by its name. `is_archive` says whether it begins as an archive that is read.
pub(crate) fn judge(name: &str, format: Format, is_archive: bool) -> Option<Check> {
    let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
    let begins = format.name();
    let shown = printable(name);
    let (outcome, reason) = match opener(&extension) {
        Opener::Reader(wanted) if wanted != format => (
            Outcome::Fail,
            format!(
                "`{shown}` is opened as a {}, and begins as another thing ({begins})",
                wanted.name()
            ),
        ),
        Opener::Archiver if !is_archive => (
            Outcome::Unsupported,
            format!(
                "`{shown}` is named as an archive, and does not begin as one that is read ({begins})"
            ),
        ),
        Opener::Cabinet if format != Format::Cab => (
            Outcome::Unsupported,
            format!("`{shown}` is named as a cabinet, and begins as another thing ({begins})"),
        ),
        Opener::Interpreter if !matches!(format, Format::Other | Format::Script) || is_archive => (
            Outcome::Fail,
            format!(
                "`{shown}` is opened as a text or script, and begins as another thing ({begins})"
            ),
        ),
        Opener::NotRead => (
            Outcome::Unsupported,
            format!(
                "this version cannot look into `.{}` files",
                printable(&extension)
            ),
        ),
        _ => return None,
    };
    Some(Check::new(CONTENTS_PARSE, outcome, reason))
}
