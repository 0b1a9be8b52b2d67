//! Which scripts can be signed, and how their comments look.

/// A kind of script, by how it holds a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// `.ps1`, `.psm1`, `.psd1`.
    PowerShell,
    /// `.ps1xml`, `.psc1`, `.cdxml`.
    PowerShellXml,
    /// `.mof`, which PowerShell's reader of signatures reads too.
    Mof,
    /// `.js`, and `.jse`, which is the same scrambled.
    JScript,
    /// `.vbs`, and `.vbe`.
    VbScript,
    /// `.wsf`.
    WindowsScript,
}

/// The comments of a signature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comments {
    /// What the first line consists of, and the last.
    pub(super) begin: &'static str,
    pub(super) end: &'static str,
    /// What stands before each piece of base64, and behind it.
    pub(super) open: &'static str,
    pub(super) close: &'static str,
    /// What makes a line one that begins a signature, however it is spelt.
    pub(super) mark: &'static str,
}

const HASH: Comments = Comments {
    begin: "# SIG # Begin signature block",
    end: "# SIG # End signature block",
    open: "# ",
    close: "",
    mark: "SIG # Begin signature block",
};
const XML: Comments = Comments {
    begin: "<!-- SIG # Begin signature block -->",
    end: "<!-- SIG # End signature block -->",
    open: "<!-- ",
    close: " -->",
    mark: "SIG # Begin signature block",
};
const MOF: Comments = Comments {
    begin: "/* SIG # Begin signature block */",
    end: "/* SIG # End signature block */",
    open: "/* ",
    close: " */",
    mark: "SIG # Begin signature block",
};
const JSCRIPT: Comments = Comments {
    begin: "// SIG // Begin signature block",
    end: "// SIG // End signature block",
    open: "// SIG // ",
    close: "",
    mark: "SIG // Begin signature block",
};
const VBSCRIPT: Comments = Comments {
    begin: "'' SIG '' Begin signature block",
    end: "'' SIG '' End signature block",
    open: "'' SIG '' ",
    close: "",
    mark: "SIG '' Begin signature block",
};
const WINDOWS_SCRIPT: Comments = Comments {
    begin: "<signature>",
    end: "</signature>",
    open: "** SIG ** ",
    close: "",
    mark: "<signature>",
};

/// Windows' readers of signatures in scripts, as the bytes of their GUIDs: PowerShell's is
/// {603BCC1F-4B59-4E08-B724-D2C6297EF351}.
const POWERSHELL_SUBJECT: [u8; 16] = [
    0x1f, 0xcc, 0x3b, 0x60, 0x59, 0x4b, 0x08, 0x4e, 0xb7, 0x24, 0xd2, 0xc6, 0x29, 0x7e, 0xf3, 0x51,
];
/// {06C9E010-38CE-11D4-A2A3-00104BD35090}.
const JSCRIPT_SUBJECT: [u8; 16] = [
    0x10, 0xe0, 0xc9, 0x06, 0xce, 0x38, 0xd4, 0x11, 0xa2, 0xa3, 0x00, 0x10, 0x4b, 0xd3, 0x50, 0x90,
];
/// {1629F04E-2799-4DB5-8FE5-ACE10F17EBAB}.
const VBSCRIPT_SUBJECT: [u8; 16] = [
    0x4e, 0xf0, 0x29, 0x16, 0x99, 0x27, 0xb5, 0x4d, 0x8f, 0xe5, 0xac, 0xe1, 0x0f, 0x17, 0xeb, 0xab,
];
/// {1A610570-38CE-11D4-A2A3-00104BD35090}.
const WINDOWS_SCRIPT_SUBJECT: [u8; 16] = [
    0x70, 0x05, 0x61, 0x1a, 0xce, 0x38, 0xd4, 0x11, 0xa2, 0xa3, 0x00, 0x10, 0x4b, 0xd3, 0x50, 0x90,
];

impl Language {
    /// By the name of a file; none where scripts of such a name cannot be signed.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        Some(match extension.to_ascii_lowercase().as_str() {
            "ps1" | "psm1" | "psd1" => Self::PowerShell,
            "ps1xml" | "psc1" | "cdxml" => Self::PowerShellXml,
            "mof" => Self::Mof,
            "js" | "jse" => Self::JScript,
            "vbs" | "vbe" => Self::VbScript,
            "wsf" => Self::WindowsScript,
            _ => return None,
        })
    }

    /// The same, where Windows runs such a file for whoever opens or imports it. Most files of JavaScript are for browsers,
    /// and the others are data: whether they are signed matters to nobody, but where they are, the signature must hold.
    pub(crate) fn of_program(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        let is_data = ["js", "mof", "ps1xml", "psc1", "cdxml"];
        let is_data = is_data.iter().any(|it| extension.eq_ignore_ascii_case(it));
        Self::of_name(name).filter(|_| !is_data)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PowerShell => "a PowerShell script",
            Self::PowerShellXml => "an XML file of PowerShell",
            Self::Mof => "a MOF file",
            Self::JScript => "a JScript",
            Self::VbScript => "a VBScript",
            Self::WindowsScript => "a Windows Script File",
        }
    }

    /// Which of Windows' readers its digest is for.
    pub(crate) fn subject(self) -> &'static [u8; 16] {
        match self {
            Self::PowerShell | Self::PowerShellXml | Self::Mof => &POWERSHELL_SUBJECT,
            Self::JScript => &JSCRIPT_SUBJECT,
            Self::VbScript => &VBSCRIPT_SUBJECT,
            Self::WindowsScript => &WINDOWS_SCRIPT_SUBJECT,
        }
    }

    /// Whether Windows Script Host signs it, and not PowerShell.
    pub(super) fn is_of_script_host(self) -> bool {
        match self {
            Self::JScript | Self::VbScript | Self::WindowsScript => true,
            Self::PowerShell | Self::PowerShellXml | Self::Mof => false,
        }
    }

    /// Whether bytes that are not ASCII, without a byte order mark, are taken for UTF-8 where they can be. All else is
    /// in the code page of the machine.
    pub(super) fn is_utf8_told(self) -> bool {
        match self {
            Self::PowerShell | Self::Mof | Self::WindowsScript => true,
            Self::PowerShellXml | Self::JScript | Self::VbScript => false,
        }
    }

    pub(super) fn comments(self) -> Comments {
        match self {
            Self::PowerShell => HASH,
            Self::PowerShellXml => XML,
            Self::Mof => MOF,
            Self::JScript => JSCRIPT,
            Self::VbScript => VBSCRIPT,
            Self::WindowsScript => WINDOWS_SCRIPT,
        }
    }
}
