//! Streams of xz itself, without the container, that end where their input does.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::*;
use crate::tests::skipped;

const PLAIN: &[u8] = b"all work and no play makes a dull text, all work and no play makes one";

fn raw(filter: &str) -> Option<Vec<u8>> {
    let mut command = Command::new("xz");
    command.args(["-c", "--format=raw", filter]);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        skipped("xz is not there (package xz-utils)");
        return None;
    };
    let written = child.stdin.take().expect("a pipe").write_all(PLAIN);
    written.expect("a pipe");
    let output = child.wait_with_output().expect("xz");
    assert!(output.status.success());
    Some(output.stdout)
}

type Open = fn(&[u8], Option<u64>) -> io::Result<Box<dyn Read + '_>>;

#[test]
fn streams_end_where_their_input_does() {
    let lzma: Open = |bytes, size| Ok(Box::new(Lzma::new(bytes, 0x5d, 1 << 20, size)?));
    let lzma2: Open = |bytes, size| {
        let size = size.unwrap_or(PLAIN.len() as u64);
        Ok(Box::new(Exactly::new(Lzma2::new(bytes, 0), size)))
    };
    let size = PLAIN.len() as u64;
    let cases = [
        ("--lzma1=dict=1MiB,lc=3,lp=0,pb=2", lzma, [None, Some(size)]),
        ("--lzma2=dict=4KiB", lzma2, [None, Some(size)]),
    ];
    for (filter, open, sizes) in cases {
        let Some(packed) = raw(filter) else {
            return;
        };
        for size in sizes {
            let read = |bytes: &[u8], size| {
                let mut plain = Vec::new();
                open(bytes, size)?.read_to_end(&mut plain)?;
                io::Result::Ok(plain)
            };
            assert_eq!(
                read(&packed, size).expect(filter),
                PLAIN,
                "{filter} {size:?}"
            );
            let behind = [&packed[..], &[0]].concat();
            let error = read(&behind, size).expect_err(filter);
            assert!(
                error.to_string().contains("stands behind"),
                "{filter}: {error}"
            );
            for end in 0..packed.len() {
                read(&packed[..end], size).expect_err(filter);
            }
            for other in [size.map(|size| size - 1), size.map(|size| size + 1)] {
                if other.is_some() {
                    read(&packed, other).expect_err(filter);
                }
            }
        }
    }
}

#[test]
fn dictionaries_are_no_larger_than_what_is_unpacked() {
    assert_eq!(dictionary(u32::MAX, Some(100)), Ok(4096));
    assert_eq!(dictionary(1 << 26, None), Ok(1 << 26));
    let vast = StreamError::Dictionary(u64::from(u32::MAX));
    assert_eq!(dictionary(u32::MAX, None), Err(vast));
}
