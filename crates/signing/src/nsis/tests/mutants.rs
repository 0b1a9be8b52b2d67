//! Installers with one thing wrong.

use proptest::prelude::*;

use super::*;
use crate::checks::Outcome;

/// An installer in pieces that can be changed one by one.
#[derive(Clone)]
struct Made {
    program: Vec<u8>,
    /// The first header.
    first: Vec<u8>,
    /// The blocks as they stand there, the header first.
    blocks: Vec<Vec<u8>>,
    sum: Option<u32>,
    behind: Vec<u8>,
}

fn number(bytes: &[u8], at: usize) -> usize {
    let field = bytes[at..].first_chunk().expect("there");
    usize::try_from(u32::from_le_bytes(*field)).expect("small")
}

impl Made {
    fn of(bytes: &[u8]) -> Self {
        let first = first_header(bytes);
        let (mut at, end) = (first + 28, bytes.len() - 4);
        let mut blocks = Vec::new();
        while at < end {
            let size = number(bytes, at) & 0x7fff_ffff;
            blocks.push(bytes[at..at + 4 + size].to_vec());
            at += 4 + size;
        }
        Self {
            program: bytes[..first].to_vec(),
            first: bytes[first..first + 28].to_vec(),
            blocks,
            sum: None,
            behind: Vec::new(),
        }
    }

    /// The header, where it is not compressed.
    fn header(&mut self) -> &mut [u8] {
        &mut self.blocks[0][4..]
    }

    /// Where an instruction stands in the header.
    fn instruction(&mut self, which: i32) -> usize {
        let header = self.header();
        let (at, count) = (number(header, 4 + 8 * 2), number(header, 8 + 8 * 2));
        let mut places = (0..count).map(|place| at + 28 * place);
        let place = places.find(|at| header[*at..].starts_with(&which.to_le_bytes()));
        place.expect("an instruction")
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = [&self.program, &self.first, &self.blocks.concat()]
            .map(Vec::as_slice)
            .concat();
        let reach = u32::try_from(bytes.len() + 4 - self.program.len()).expect("small");
        // Where it says something else, it is to.
        if number(&self.first, 24) != 0 {
            put(&mut bytes, self.program.len() + 24, &reach.to_le_bytes());
        }
        bytes.extend([0; 4]);
        resum(&mut bytes);
        if let Some(sum) = self.sum {
            let at = bytes.len() - 4;
            put(&mut bytes, at, &sum.to_le_bytes());
        }
        bytes.extend(&self.behind);
        bytes
    }
}

type Mutant = (&'static str, &'static str, fn(&mut Made));

/// Of an installer that is not compressed.
const PLAIN: &[Mutant] = &[
    ("another checksum", "the checksum that is stated", |it| {
        it.sum = Some(1)
    }),
    ("a byte behind", "and the file at", |it| it.behind.push(0)),
    (
        "a signature's room, and no signature",
        "and the file at",
        |it| it.behind = vec![0; 7],
    ),
    ("a flag that is not known", "flags that no version", |it| {
        it.first[0] |= 0x10
    }),
    ("the mark twice", "only the first one counts", |it| {
        let first = it.first.clone();
        put(&mut it.program, 1024, &first);
    }),
    ("a data size of nothing", "and the file at", |it| {
        it.first[24..].fill(0)
    }),
    ("a header of another size", "a compressed stream", |it| {
        it.first[20] ^= 4
    }),
    ("a header without end", "larger than what is read", |it| {
        it.first[20..24].fill(0x7f);
        it.blocks[0][..4].fill(0x7f);
    }),
    ("a block that is longer", "than its archive states", |it| {
        let last = it.blocks.last_mut().expect("a block");
        last[0] += 1;
    }),
    (
        "a block that is shorter",
        "does not end where it should",
        |it| {
            let last = it.blocks.last_mut().expect("a block");
            last[0] -= 1;
        },
    ),
    ("instructions that are not there", "version 2 or 3", |it| {
        it.header()[8 + 8 * 2 + 2] = 0x7f;
    }),
    ("a negative place", "version 2 or 3", |it| {
        it.header()[4 + 8 * 2 + 3] = 0x80
    }),
    ("strings without their end", "strings end nowhere", |it| {
        let header = it.header();
        let end = number(header, 4 + 8 * 4);
        header[end - 1] = b'a';
    }),
    ("a name outside the strings", "strings end nowhere", |it| {
        let at = it.instruction(20);
        it.header()[at + 8 + 2] = 0x7f;
    }),
    (
        "data from the middle of a block",
        "where no block begins",
        |it| {
            let at = it.instruction(20);
            it.header()[at + 12] += 1;
        },
    ),
    ("data from nowhere", "where no block begins", |it| {
        let at = it.instruction(20);
        it.header()[at + 15] = 0x80;
    }),
    ("an uninstaller of more changes", "does not fit", |it| {
        let at = it.instruction(62);
        it.header()[at + 12] += 1;
    }),
    (
        "an uninstaller changed outside of it",
        "does not fit",
        |it| {
            let place = it.blocks.len() - 2;
            // The size stands first, then where.
            it.blocks[place][4 + 4 + 3] = 0x7f;
        },
    ),
    (
        "an uninstaller without data",
        "where no block begins",
        |it| drop(it.blocks.pop()),
    ),
];

/// Of one whose blocks are compressed each by itself with deflate.
const PACKED: &[Mutant] = &[
    ("a byte behind a stream", "stands behind", |it| {
        it.blocks[1].push(0);
        it.blocks[1][0] += 1;
    }),
    ("a stream cut short", "too early", |it| {
        it.blocks[1].pop();
        it.blocks[1][0] -= 1;
    }),
    ("a block of no type", "damaged", |it| it.blocks[1][4] |= 6),
];

fn refused(what: &str, made: &Made, expected: &str) {
    let contents = look(Cursor::new(made.bytes())).expect("a container");
    let [(id, outcome, reason)] = bad(&contents)[..] else {
        panic!("{what}: {contents:?}");
    };
    assert_eq!((id, outcome), ("contents.parse", Outcome::Fail), "{what}");
    assert!(reason.contains(expected), "{what}: {reason}");
}

#[test]
fn one_thing_wrong_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("text.txt"),
        b"all work and no play ".repeat(9),
    )
    .expect("a file");
    for (settings, mutants) in [("SetCompress off", PLAIN), ("SetCompressor zlib", PACKED)] {
        let script = format!(
            "{settings}
            Unicode false
            SetDateSave off
            OutFile setup.exe
            Section
              SetOutPath $INSTDIR
              File text.txt
              WriteUninstaller $INSTDIR\\gone.exe
            SectionEnd
            Section Uninstall
            SectionEnd"
        );
        let Some(bytes) = compiled(folder.path(), &script) else {
            return;
        };
        let good = Made::of(&bytes);
        assert_eq!(good.bytes(), bytes);
        let contents = look(Cursor::new(&bytes)).expect("a container");
        assert_eq!(bad(&contents), [], "{settings}");
        for (what, expected, spoil) in mutants {
            let mut made = good.clone();
            spoil(&mut made);
            refused(what, &made, expected);
        }
        // All but the first 512 bytes is covered by the checksum.
        for at in (512..bytes.len()).step_by(701) {
            let mut spoilt = bytes.clone();
            spoilt[at] ^= 1;
            let found = look(Cursor::new(spoilt)).map(|it| bad(&it).len());
            assert_ne!(found, Some(0), "{settings}: {at}");
        }
        for end in (good.program.len() + 28..bytes.len()).step_by(97) {
            let found = look(Cursor::new(&bytes[..end])).map(|it| bad(&it).len());
            assert_eq!(found, Some(1), "{settings}: cut at {end}");
        }
    }
}

proptest! {
    #[test]
    fn nothing_panics(data in proptest::collection::vec(any::<u8>(), 0..300), method in 0..4) {
        let head: &[u8] = match method {
            0 => &[0x31],
            1 => &[0x5d, 0, 0, 1, 0, 0],
            2 => &[1, 0x5d, 0, 0, 1, 0, 0],
            _ => &[],
        };
        let mut bytes = vec![0; 512];
        bytes[..2].copy_from_slice(b"MZ");
        bytes[60] = 64;
        bytes[64..68].copy_from_slice(b"PE\0\0");
        bytes[84] = 96;
        bytes[88..90].copy_from_slice(&[0x0b, 1]);
        let data = [head, &data].concat();
        let reach = u32::try_from(28 + data.len() + 4).expect("small");
        let first = [&[0; 4], MARK, &100_u32.to_le_bytes(), &reach.to_le_bytes(), &data, &[0; 4]];
        bytes.extend(first.concat());
        resum(&mut bytes);
        prop_assert!(is_nsis(&mut Cursor::new(&bytes)).expect("memory"));
        drop(read(&bytes));
    }
}
