//! A writer of small images: nothing in them is packed, and each table has one block.

use crate::tests::put;

/// Bytes of a block.
pub(crate) const BLOCK: usize = 4096;
const NONE: u64 = u64::MAX;

/// A thing to be written.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Folder(Vec<(&'static str, Node)>),
    /// Mode and bytes.
    File(u16, Vec<u8>),
    /// The number of its inode, of a file that stands before it.
    Twin(u32),
    Link(&'static str),
    Device,
}

/// The parts of an image, each of which can be spoilt before they are put together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parts {
    pub(crate) head: Vec<u8>,
    pub(crate) data: Vec<u8>,
    pub(crate) inodes: Vec<u8>,
    pub(crate) folders: Vec<u8>,
    /// Where each block of ends is, and its length.
    pub(crate) fragments: Vec<u8>,
    pub(crate) behind: Vec<u8>,
    /// Where the inode of each number is, from 1 on, and its kind.
    pub(crate) places: Vec<(u16, u16)>,
    /// Ends of files, in the one block that has them.
    ends: Vec<u8>,
}

/// A tree with one of everything that is read.
pub(crate) fn sample() -> Node {
    Node::Folder(vec![
        (
            "app",
            Node::File(0o755, [&[7; BLOCK][..], b"its end"].concat()),
        ),
        (
            "docs",
            Node::Folder(vec![("readme", Node::File(0o644, b"text".to_vec()))]),
        ),
        ("empty", Node::File(0o600, Vec::new())),
        (
            "hole",
            Node::File(0o644, [&[0; BLOCK][..], b"more"].concat()),
        ),
        ("link", Node::Link("docs/readme")),
        ("twin", Node::Twin(1)),
    ])
}

pub(crate) fn image(root: &Node) -> Vec<u8> {
    Parts::of(root).file()
}

impl Parts {
    pub(crate) fn of(root: &Node) -> Self {
        let mut parts = Self::default();
        let root = parts.write(root);
        if !parts.ends.is_empty() {
            let at = 96 + parts.data.len() as u64;
            let length = parts.ends.len() as u32 | 1 << 24;
            parts.fragments = [&at.to_le_bytes()[..], &length.to_le_bytes(), &[0; 4]].concat();
            let ends = std::mem::take(&mut parts.ends);
            parts.data.extend(ends);
        }
        parts.head = vec![0; 96];
        let (offset, _) = parts.places[root as usize - 1];
        put(&mut parts.head, 0, b"hsqs");
        put(
            &mut parts.head,
            4,
            &(parts.places.len() as u32).to_le_bytes(),
        );
        put(&mut parts.head, 12, &(BLOCK as u32).to_le_bytes());
        put(
            &mut parts.head,
            16,
            &(parts.fragments.len() as u32 / 16).to_le_bytes(),
        );
        // zlib; 12 bits of blocks; nothing is packed, and there are no attributes; one user
        for (at, value) in [
            (20, 1),
            (22, 12),
            (24, 0x0a0b),
            (26, 1),
            (28, 4),
            (30, 0_u16),
        ] {
            put(&mut parts.head, at, &value.to_le_bytes());
        }
        put(&mut parts.head, 32, &u64::from(offset).to_le_bytes());
        parts
    }

    /// Puts all of it together.
    pub(crate) fn file(&self) -> Vec<u8> {
        let mut file = [&self.head[..], &self.data].concat();
        let block = |plain: &[u8]| {
            let length = plain.len() as u16 | 1 << 15;
            [&length.to_le_bytes()[..], plain].concat()
        };
        let set = |file: &mut Vec<u8>, at: usize, value: u64| {
            // What was spoilt stays so.
            if file[at..at + 8] == [0; 8] {
                put(file, at, &value.to_le_bytes());
            }
        };
        let at = file.len() as u64;
        set(&mut file, 64, at);
        file.extend(block(&self.inodes));
        let at = file.len() as u64;
        set(&mut file, 72, at);
        file.extend(block(&self.folders));
        let mut fragments = NONE;
        if !self.fragments.is_empty() {
            let at = file.len() as u64;
            file.extend(block(&self.fragments));
            fragments = file.len() as u64;
            file.extend(at.to_le_bytes());
        }
        set(&mut file, 80, fragments);
        let at = file.len() as u64;
        file.extend(block(&[0; 4]));
        let ids = file.len() as u64;
        set(&mut file, 48, ids);
        file.extend(at.to_le_bytes());
        set(&mut file, 56, NONE);
        set(&mut file, 88, NONE);
        let bytes = file.len() as u64;
        set(&mut file, 40, bytes);
        file.extend(&self.behind);
        file
    }

    /// Where the inode of a number begins in `inodes`.
    pub(crate) fn inode(&self, number: u32) -> usize {
        self.places[number as usize - 1].0.into()
    }

    /// Writes a thing behind what is in it. Gives the number of its inode.
    fn write(&mut self, node: &Node) -> u32 {
        match node {
            Node::Twin(number) => *number,
            Node::File(mode, bytes) => self.file_of(*mode, bytes),
            Node::Link(target) => {
                let number = self.begin(3, 0o777);
                self.push(&[1, target.len() as u32]);
                self.inodes.extend(target.bytes());
                number
            }
            Node::Device => {
                let number = self.begin(5, 0o600);
                self.push(&[1, 0x0103]);
                number
            }
            Node::Folder(nodes) => {
                let listed = nodes.iter().map(|(name, node)| (*name, self.write(node)));
                let listed: Vec<_> = listed.collect();
                let offset = self.folders.len() as u16;
                self.list(&listed);
                let bytes = self.folders.len() as u16 - offset + 3;
                let number = self.begin(1, 0o755);
                self.push(&[0, 2]);
                self.inodes.extend(bytes.to_le_bytes());
                self.inodes.extend(offset.to_le_bytes());
                // Its parent, which only those need who export it over a network.
                self.push(&[number + 1]);
                number
            }
        }
    }

    fn push(&mut self, numbers: &[u32]) {
        let numbers = numbers.iter().flat_map(|it| it.to_le_bytes());
        self.inodes.extend(numbers);
    }

    /// Begins an inode. Gives its number.
    fn begin(&mut self, kind: u16, mode: u16) -> u32 {
        let listed = if kind > 7 { kind - 7 } else { kind };
        self.places.push((self.inodes.len() as u16, listed));
        let number = self.places.len() as u32;
        for small in [kind, mode, 0, 0] {
            self.inodes.extend(small.to_le_bytes());
        }
        self.push(&[1_767_225_600, number]);
        number
    }

    /// The first file is one of two names, and so says more of itself.
    fn file_of(&mut self, mode: u16, bytes: &[u8]) -> u32 {
        let (blocks, end) = bytes.split_at(bytes.len() / BLOCK * BLOCK);
        let start = 96 + self.data.len() as u32;
        let (fragment, offset) = match end {
            [] => (u32::MAX, 0),
            _ => (0, self.ends.len() as u32),
        };
        self.ends.extend(end);
        let has_two_names = self.places.is_empty();
        let number = match has_two_names {
            true => {
                let number = self.begin(9, mode);
                self.push(&[start, 0, bytes.len() as u32, 0, 0, 0, 2]);
                self.push(&[fragment, offset, u32::MAX]);
                number
            }
            false => {
                let number = self.begin(2, mode);
                self.push(&[start, fragment, offset, bytes.len() as u32]);
                number
            }
        };
        for block in blocks.chunks(BLOCK) {
            let is_hole = block.iter().all(|byte| *byte == 0);
            match is_hole {
                true => self.push(&[0]),
                false => {
                    self.push(&[BLOCK as u32 | 1 << 24]);
                    self.data.extend(block);
                }
            }
        }
        number
    }

    fn list(&mut self, listed: &[(&str, u32)]) {
        if listed.is_empty() {
            return;
        }
        for number in [listed.len() as u32 - 1, 0, 1] {
            self.folders.extend(number.to_le_bytes());
        }
        for (name, number) in listed {
            let (offset, kind) = self.places[*number as usize - 1];
            let fields = [offset, *number as u16 - 1, kind, name.len() as u16 - 1];
            self.folders
                .extend(fields.iter().flat_map(|it| it.to_le_bytes()));
            self.folders.extend(name.bytes());
        }
    }
}
