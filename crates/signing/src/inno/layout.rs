//! The forms of the list of files, by version.
//!
//! Each entry of the list is so many texts, each with its length before it, and so many bytes behind them. The numbers are those
//! of the records of `Shared.Struct.pas` (`Struct.pas` before 6.0) at the tags of all releases, counted by a script; between
//! versions that are not here, nothing of them changed.

/// Entries that are passed over: texts, and bytes behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) texts: u32,
    pub(super) bytes: u32,
}

const fn record(texts: u32, bytes: u32) -> Record {
    Record { texts, bytes }
}

/// `TSetupCustomMessageEntry`, `TSetupPermissionEntry`, `TSetupTypeEntry`, `TSetupDirEntry`, and `TSetupISSigKeyEntry`.
const MESSAGE: Record = record(2, 4);
const PERMISSION: Record = record(1, 0);
const TYPE: Record = record(4, 30);
const FOLDER: Record = record(7, 27);
const KEY: Record = record(3, 0);

/// How the digest of a file is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sum {
    Sha1,
    Sha256,
}

impl Sum {
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

/// One form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// How the list begins, with zeros up to 64 bytes.
    pub(super) mark: &'static str,
    /// `TSetupHeader`; behind its texts stand the numbers of entries.
    pub(super) header: Record,
    /// Where in the bytes of the header the kind of compression stands.
    pub(super) packing_at: usize,
    /// `TSetupLanguageEntry`, `TSetupComponentEntry`, and `TSetupTaskEntry`.
    language: Record,
    component: Record,
    task: Record,
    /// Since 6.5: keys of signatures, a header about encryption, and 64-bit sizes of blocks since 6.7.
    pub(super) has_keys: bool,
    pub(super) has_long_blocks: bool,
    /// `TSetupFileEntry`, and where in its bytes the number of its content stands.
    pub(super) file: Record,
    pub(super) location_at: usize,
    /// `TSetupFileLocationEntry`: its bytes, and whether it has offsets of 64 bits.
    pub(super) place_bytes: usize,
    pub(super) is_long: bool,
    pub(super) sum: Sum,
    /// The bits of calls that were translated, of encryption, and of compression; the flags stand where this number of bytes
    /// is left.
    pub(super) flags: [u8; 3],
    pub(super) flags_before_end: usize,
}

/// Until 6.4.
const OLD: Layout = Layout {
    mark: "",
    header: record(31, 160),
    packing_at: 141,
    language: record(10, 21),
    component: record(5, 42),
    task: record(6, 26),
    has_keys: false,
    has_long_blocks: false,
    file: record(10, 43),
    location_at: 20,
    place_bytes: 74,
    is_long: false,
    sum: Sum::Sha1,
    flags: [4, 6, 7],
    flags_before_end: 2,
};

const V5_5_0: Layout = Layout {
    mark: "Inno Setup Setup Data (5.5.0) (u)",
    ..OLD
};
const V5_5_6: Layout = Layout {
    mark: "Inno Setup Setup Data (5.5.6) (u)",
    header: record(32, 160),
    ..OLD
};
const V5_5_7: Layout = Layout {
    mark: "Inno Setup Setup Data (5.5.7) (u)",
    header: record(32, 157),
    packing_at: 138,
    ..OLD
};
const V6_0_0: Layout = Layout {
    mark: "Inno Setup Setup Data (6.0.0) (u)",
    header: record(34, 167),
    packing_at: 148,
    ..OLD
};
const V6_1_0: Layout = Layout {
    mark: "Inno Setup Setup Data (6.1.0) (u)",
    ..V6_0_0
};
const V6_3_0: Layout = Layout {
    mark: "Inno Setup Setup Data (6.3.0)",
    header: record(36, 166),
    packing_at: 148,
    place_bytes: 75,
    flags_before_end: 3,
    ..OLD
};
const V6_4_0: Layout = Layout {
    mark: "Inno Setup Setup Data (6.4.0.1)",
    header: record(36, 177),
    packing_at: 160,
    place_bytes: 87,
    sum: Sum::Sha256,
    ..V6_3_0
};
const V6_4_2: Layout = Layout {
    mark: "Inno Setup Setup Data (6.4.2)",
    header: record(37, 177),
    ..V6_4_0
};
const V6_4_3: Layout = Layout {
    mark: "Inno Setup Setup Data (6.4.3)",
    place_bytes: 85,
    flags: [2, 3, 4],
    flags_before_end: 1,
    ..V6_4_2
};
const V6_5_0: Layout = Layout {
    mark: "Inno Setup Setup Data (6.5.0)",
    header: record(38, 133),
    packing_at: 116,
    has_keys: true,
    file: record(16, 77),
    location_at: 53,
    ..V6_4_3
};
const V6_5_2: Layout = Layout {
    mark: "Inno Setup Setup Data (6.5.2)",
    header: record(38, 141),
    packing_at: 124,
    place_bytes: 89,
    is_long: true,
    ..V6_5_0
};
const V6_6_0: Layout = Layout {
    mark: "Inno Setup Setup Data (6.6.0)",
    header: record(38, 149),
    packing_at: 132,
    language: record(8, 19),
    ..V6_5_2
};
const V6_6_1: Layout = Layout {
    mark: "Inno Setup Setup Data (6.6.1)",
    header: record(38, 150),
    packing_at: 133,
    ..V6_6_0
};
const V6_7_0: Layout = Layout {
    mark: "Inno Setup Setup Data (6.7.0)",
    header: record(43, 162),
    packing_at: 143,
    component: record(5, 39),
    task: record(6, 23),
    has_long_blocks: true,
    file: record(16, 80),
    ..V6_6_1
};
const V7_0_0: Layout = Layout {
    mark: "Inno Setup Setup Data (7.0.0.3)",
    header: record(43, 166),
    packing_at: 147,
    file: record(16, 81),
    ..V6_7_0
};

/// All of them.
pub(super) const LAYOUTS: [Layout; 15] = [
    V5_5_0, V5_5_6, V5_5_7, V6_0_0, V6_1_0, V6_3_0, V6_4_0, V6_4_2, V6_4_3, V6_5_0, V6_5_2, V6_6_0,
    V6_6_1, V6_7_0, V7_0_0,
];

impl Layout {
    /// By how the list begins.
    pub(super) fn of(mark: &[u8; 64]) -> Option<&'static Self> {
        let text = |layout: &Self| mark.strip_prefix(layout.mark.as_bytes());
        let is_one =
            |layout: &&Self| text(layout).is_some_and(|rest| rest.iter().all(|byte| *byte == 0));
        LAYOUTS.iter().find(is_one)
    }

    /// What stands between the header and the files.
    pub(super) fn before_files(&self) -> impl Iterator<Item = Record> {
        let keys = self.has_keys.then_some(KEY);
        let Self {
            language,
            component,
            task,
            ..
        } = *self;
        let always = [language, MESSAGE, PERMISSION, TYPE, component, task, FOLDER];
        always.into_iter().chain(keys)
    }
}
