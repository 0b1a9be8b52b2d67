//! Requirements of real code, which each must meet itself, and expressions of every kind.

use std::io::Cursor;

use super::*;
use crate::apple::plist::Value;
use crate::inspection::Inspection;
use crate::macho;
use crate::report::Verdict;
use crate::requirement::code::Shown;
use crate::tar;
use crate::tests::{day, shared, skipped, trust};
use crate::walk::entry::EntryKind;

const TEAM: &str = "S8XHQB96PW";

fn inspected(bytes: &[u8]) -> Inspection {
    let found = macho::inspect(&mut Cursor::new(bytes), day(), &trust());
    found.expect("bytes in memory")
}

/// The codes of a file whose signature holds.
fn codes(found: &Inspection) -> impl Iterator<Item = &Code> {
    let apple = found.signatures.iter().filter_map(|it| it.apple.as_ref());
    apple.map(|it| it.code.as_ref())
}

/// The files of the app in the corpus.
fn app() -> Option<Vec<(String, Vec<u8>)>> {
    let path = shared()?.join("app/mitmproxy/Mitmproxy Redirector.app.tar");
    let bytes = std::fs::read(path).expect("a file of the corpus");
    let mut files = Vec::new();
    let walked = tar::walk(&mut bytes.as_slice(), &mut |entry, content| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        if let EntryKind::File = entry.kind {
            files.push((entry.path.clone(), bytes));
        }
        Ok(())
    });
    walked.expect("an archive");
    Some(files)
}

fn answer(requirement: &Requirement, code: &Code) -> Answer {
    requirement.judge(Shown { code, info: None })
}

/// As `requirement.h` lays it out.
fn encoded(expression: &[u8]) -> Vec<u8> {
    let length = u32::try_from(12 + expression.len()).expect("small");
    let mut bytes = 0xfade_0c00_u32.to_be_bytes().to_vec();
    bytes.extend(length.to_be_bytes());
    bytes.extend(1_u32.to_be_bytes());
    bytes.extend(expression);
    bytes
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|it| it.to_be_bytes()).collect()
}

fn data(text: &[u8]) -> Vec<u8> {
    let mut bytes = numbers(&[u32::try_from(text.len()).expect("small")]);
    bytes.extend(text);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn parsed(expression: &[u8]) -> Result<Requirement, RequirementError> {
    Requirement::parse(&encoded(expression))
}

/// What Xcode states, as `codesign -d -r -` printed it of another app of that form (developer.apple.com/forums/thread/694904).
#[test]
fn requirements_are_printed_as_codesign_does() {
    let Some(files) = app() else { return };
    let programs = files.iter().filter(|(path, _)| path.contains("/MacOS/"));
    let mut count = 0;
    for (_, bytes) in programs {
        for code in codes(&inspected(bytes)) {
            let identifier = String::from_utf8_lossy(&code.identifier);
            let expected = format!(
                "anchor apple generic and identifier \"{identifier}\" and (certificate leaf[field.1.2.840.113635.100.6.1.9] /* exists */ \
                 or certificate 1[field.1.2.840.113635.100.6.2.6] /* exists */ and certificate leaf[field.1.2.840.113635.100.6.1.13] /* exists */ \
                 and certificate leaf[subject.OU] = {TEAM})"
            );
            assert_eq!(
                designated(code).expect("a requirement").to_string(),
                expected
            );
            count += 1;
        }
    }
    assert_eq!(count, 4, "slices of two programs");
}

/// `codesign --verify` says that code satisfies its designated requirement: so does all of the corpus here, with what macOS
/// derives from who signed, and no other code does.
#[test]
fn real_code_meets_its_own_requirement_and_no_other() {
    let Some(files) = app() else { return };
    let mut programs: Vec<_> = files
        .into_iter()
        .filter(|(_, bytes)| {
            matches!(
                bytes.first_chunk(),
                Some([0xca, 0xfe, 0xba, 0xbe] | [0xcf, 0xfa, 0xed, 0xfe])
            )
        })
        .collect();
    match std::env::var_os("LASTMILE_CORPUS_CACHE") {
        Some(cache) => {
            let rows = shared().expect("the corpus").join("registry.tsv");
            let rows = std::fs::read_to_string(rows).expect("registry.tsv");
            for row in rows.lines().skip(1) {
                let fields: Vec<_> = row.split('\t').collect();
                let [_, package, version, _, inside, "macho" | "macho-fat", ..] = fields[..] else {
                    continue;
                };
                let folder = format!("{}-{version}", package.replace('/', "+"));
                let path = std::path::Path::new(&cache).join(folder).join(inside);
                if let Ok(bytes) = std::fs::read(path) {
                    programs.push((inside.to_owned(), bytes));
                }
            }
        }
        None => skipped("LASTMILE_CORPUS_CACHE names no folder with the files of registry.tsv"),
    }
    let mut all = Vec::new();
    for (path, bytes) in &programs {
        let found = inspected(bytes);
        if found.verdict == Verdict::Valid {
            all.extend(codes(&found).map(|code| (path.clone(), code.clone())));
        }
    }
    assert!(all.len() >= 4, "{}", all.len());
    for (path, code) in &all {
        let own = designated(code).unwrap_or_else(|why| panic!("{path}: {why}"));
        assert_eq!(answer(&own, code), Answer::Holds, "{path}: {own}");
        for (other_path, other) in &all {
            if other.identifier != code.identifier {
                let found = answer(&own, other);
                assert!(
                    matches!(found, Answer::Fails(_)),
                    "{other_path} as {path}: {found:?}"
                );
            }
        }
        // Without an explicit one, macOS derives one of Developer ID that the same code meets.
        let bare = Code {
            requirements: None,
            ..code.clone()
        };
        if let Ok(implicit) = designated(&bare) {
            assert_eq!(answer(&implicit, code), Answer::Holds, "{path}: {implicit}");
        }
        let unsigned = Code {
            path: Vec::new(),
            ..code.clone()
        };
        let found = answer(&own, &unsigned);
        assert!(matches!(found, Answer::Fails(_)), "{path}: {found:?}");
    }
}

#[test]
fn what_is_not_stated_is_derived_as_macos_does() {
    let Some(files) = app() else { return };
    let (_, program) = files
        .iter()
        .find(|(path, _)| path.ends_with("MacOS/Mitmproxy Redirector"))
        .expect("the program");
    let found = inspected(program);
    let code = codes(&found).next().expect("code");
    let bare = Code {
        requirements: None,
        ..code.clone()
    };
    let text = designated(&bare).expect("derived").to_string();
    assert_eq!(
        text,
        format!(
            "identifier \"{}\" and anchor apple generic and certificate 1[field.1.2.840.113635.100.6.2.6] /* exists */ \
             and certificate leaf[field.1.2.840.113635.100.6.1.13] /* exists */ and certificate leaf[subject.OU] = {TEAM}",
            String::from_utf8_lossy(&code.identifier)
        )
    );
    let ad_hoc = Code {
        code_hashes: vec![vec![0xab; 20], vec![0xcd; 20]],
        is_ad_hoc: true,
        ..Code::default()
    };
    let hashes = designated(&ad_hoc).expect("derived");
    assert_eq!(
        hashes.to_string(),
        format!(
            "cdhash H\"{}\" or cdhash H\"{}\"",
            "ab".repeat(20),
            "cd".repeat(20)
        )
    );
    assert_eq!(answer(&hashes, &ad_hoc), Answer::Holds);
    // A root of one's own: the topmost certificate of the same organization, which is the signer's here.
    let own = Code {
        is_apple: false,
        ..bare.clone()
    };
    let own = designated(&own).expect("derived").to_string();
    assert!(own.contains(" and certificate leaf = H\""), "{own}");
    let nobody = Code::default();
    assert!(designated(&nobody).is_err());
}

#[test]
fn every_operation_is_read_and_printed() {
    let oid = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x63, 0x64, 0x06, 0x02, 0x06];
    let leaf = |op: u32| numbers(&[op, 0]);
    let join = |parts: &[Vec<u8>]| parts.concat();
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (numbers(&[0]), "never"),
        (numbers(&[1]), "always"),
        (
            join(&[numbers(&[2]), data(b"org.example.app")]),
            "identifier \"org.example.app\"",
        ),
        (join(&[numbers(&[2]), data(b"atlas")]), "identifier atlas"),
        (
            join(&[numbers(&[2]), data(b"a\x1b[2J")]),
            "identifier 0x611b5b324a",
        ),
        (
            join(&[numbers(&[2]), data(b"a\"\\")]),
            "identifier \"a\\\"\\\\\"",
        ),
        (numbers(&[3]), "anchor apple"),
        (
            join(&[numbers(&[4, u32::MAX]), data(&[1, 2])]),
            "certificate root = H\"0102\"",
        ),
        (
            join(&[numbers(&[5]), data(b"CFBundleName"), data(b"7a")]),
            "info[CFBundleName] = \"7a\"",
        ),
        (numbers(&[6, 1, 7, 0, 1]), "always and (never or always)"),
        (numbers(&[7, 6, 1, 0, 1]), "always and never or always"),
        (numbers(&[9, 6, 1, 0]), "! (always and never)"),
        (join(&[numbers(&[8]), data(&[0xab])]), "cdhash H\"ab\""),
        (
            join(&[
                numbers(&[10]),
                data(b"CFBundleVersion"),
                numbers(&[8]),
                data(b"7"),
            ]),
            "info[CFBundleVersion] >= \"7\"",
        ),
        (
            join(&[
                leaf(11),
                data(b"subject.OU"),
                numbers(&[1]),
                data(b"43AQ936H96"),
            ]),
            "certificate leaf[subject.OU] = \"43AQ936H96\"",
        ),
        (numbers(&[12, 1]), "certificate 1 trusted"),
        (numbers(&[13]), "anchor trusted"),
        (
            join(&[numbers(&[14, 1]), data(&oid), numbers(&[0])]),
            "certificate 1[field.1.2.840.113635.100.6.2.6] /* exists */",
        ),
        (numbers(&[15]), "anchor apple generic"),
        (
            join(&[numbers(&[16]), data(b"com.apple.x"), numbers(&[14])]),
            "entitlement[com.apple.x] absent",
        ),
        (
            join(&[leaf(17), data(&oid), numbers(&[0])]),
            "certificate leaf[policy.1.2.840.113635.100.6.2.6] /* exists */",
        ),
        (
            join(&[numbers(&[18]), data(b"thing")]),
            "anchor apple thing",
        ),
        (join(&[numbers(&[19]), data(b"thing")]), "(thing)"),
        (numbers(&[20, 14]), "platform = 14"),
        (numbers(&[21]), "notarized"),
        (
            join(&[leaf(22), data(&oid), numbers(&[10, 0, 0])]),
            "certificate leaf[timestamp.1.2.840.113635.100.6.2.6] < timestamp \"2001-01-01T00:00:00Z\"",
        ),
        (numbers(&[23]), "legacy"),
    ];
    for (bytes, text) in cases {
        let found = parsed(&bytes).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(found.to_string(), text);
        // Nothing may be missing or left.
        assert!(parsed(&bytes[..bytes.len() - 4]).is_err(), "{text}");
        assert!(parsed(&[&bytes[..], &[0; 4]].concat()).is_err(), "{text}");
    }
}

#[test]
fn what_could_mean_something_else_is_refused() {
    use RequirementError as It;
    let refused = |expression: &[u8], why| assert_eq!(parsed(expression), Err(why));
    refused(&numbers(&[24]), It::Operation(24));
    refused(&numbers(&[0x8000_0002, 0]), It::Operation(0x8000_0002));
    refused(
        &[numbers(&[10]), data(b"a"), numbers(&[15])].concat(),
        It::Comparison(15),
    );
    refused(&numbers(&[2, u32::MAX]), It::Length);
    // What is padding is zero.
    refused(&[0, 0, 0, 2, 0, 0, 0, 1, b'a', 0, 0, 1], It::Length);
    refused(&numbers(&[9].repeat(1000)), It::Depth);
    let deep = [numbers(&[9].repeat(64)), numbers(&[1])].concat();
    assert!(parsed(&deep).is_ok());
    let mut bytes = encoded(&numbers(&[1]));
    bytes[11] = 2;
    assert_eq!(Requirement::parse(&bytes), Err(It::Form(2)));
    bytes[0] = 0;
    assert_eq!(Requirement::parse(&bytes), Err(It::Magic));
    let set = |kinds: &[u32]| {
        let one = encoded(&numbers(&[1]));
        let at = 12 + 8 * kinds.len();
        let mut bytes = numbers(&[0xfade_0c01, u32::try_from(at + one.len()).expect("small")]);
        bytes.extend(numbers(&[u32::try_from(kinds.len()).expect("small")]));
        let at = u32::try_from(at).expect("small");
        bytes.extend(kinds.iter().flat_map(|kind| numbers(&[*kind, at])));
        bytes.extend(one);
        bytes
    };
    assert_eq!(
        Requirement::in_set(&set(&[3])),
        Ok(Some(Requirement::Always))
    );
    assert_eq!(Requirement::in_set(&set(&[1, 5])), Ok(None));
    assert_eq!(Requirement::in_set(&set(&[3, 3])), Err(It::Twice));
    assert_eq!(
        Requirement::in_set(&[set(&[3]), vec![0]].concat()),
        Err(It::Length)
    );
    assert_eq!(
        Requirement::in_set(&vec![0; Limits::BYTES + 1]),
        Err(It::TooLarge)
    );
}

#[test]
fn what_nobody_can_know_is_neither_yes_nor_no() {
    let code = Code {
        identifier: b"a".to_vec(),
        entitlements: Some(b"<plist><dict><key>k</key><true/></dict></plist>".to_vec()),
        ..Code::default()
    };
    let info = b"<plist><dict><key>v</key><string>1.10</string><key>n</key><false/><key>a</key><array><string>x</string><string>y</string></array></dict></plist>";
    let info = Value::parse(info).expect("a property list");
    let ask = |expression: &[u8]| {
        let requirement = parsed(expression).expect("a requirement");
        match requirement.judge(Shown {
            code: &code,
            info: Some(&info),
        }) {
            Answer::Holds => 'y',
            Answer::Fails(_) => 'n',
            Answer::Unknown(_) => '?',
        }
    };
    const UNKNOWN: u32 = 21;
    for (expression, expected) in [
        (&[UNKNOWN][..], '?'),
        (&[9, UNKNOWN], '?'),
        (&[6, UNKNOWN, 1], '?'),
        (&[6, UNKNOWN, 0], 'n'),
        (&[6, 1, UNKNOWN], '?'),
        (&[6, 0, UNKNOWN], 'n'),
        (&[7, UNKNOWN, 1], 'y'),
        (&[7, UNKNOWN, 0], '?'),
        (&[7, 0, UNKNOWN], '?'),
        (&[7, 0, 0], 'n'),
        (&[9, 0], 'y'),
        (&[9, 1], 'n'),
        (&[3], 'n'),
        (&[15], 'n'),
        (&[20, 0], 'y'),
        (&[20, 1], 'n'),
    ] {
        assert_eq!(ask(&numbers(expression)), expected, "{expression:?}");
    }
    let of = |op: u32, key: &[u8], comparison: u32, value: Option<&[u8]>| {
        let value = value.map(data).unwrap_or_default();
        ask(&[numbers(&[op]), data(key), numbers(&[comparison]), value].concat())
    };
    let info = |key: &[u8], comparison, value| of(10, key, comparison, value);
    assert_eq!(info(b"v", 0, None), 'y');
    assert_eq!(
        info(b"n", 0, None),
        'n',
        "`false` does not count as existing"
    );
    assert_eq!(info(b"n", 14, None), 'n');
    assert_eq!(info(b"v", 1, Some(b"1.10")), 'y');
    assert_eq!(info(b"v", 2, Some(b".1")), 'y');
    assert_eq!(info(b"v", 3, Some(b"1.")), 'y');
    assert_eq!(info(b"v", 4, Some(b"9")), 'n');
    // Numbers in texts count as such.
    assert_eq!(info(b"v", 6, Some(b"1.9")), 'y');
    assert_eq!(info(b"v", 5, Some(b"1.9")), 'n');
    assert_eq!(info(b"v", 7, Some(b"1.010")), 'y');
    assert_eq!(info(b"v", 8, Some(b"1.10.1")), 'n');
    assert_eq!(info(b"a", 1, Some(b"y")), 'y', "any of several");
    assert_eq!(info(b"a", 1, Some(b"z")), 'n');

    assert_eq!(of(16, b"k", 0, None), 'y');
    assert_eq!(of(16, b"l", 0, None), 'n');
}

/// What is thrown at the reader: real requirements with some bytes changed.
#[test]
fn nothing_panics() {
    use rand::{Rng as _, SeedableRng as _};
    let expression = [
        numbers(&[6, 7, 9, 15, 2]),
        data(b"org.example.app"),
        numbers(&[14, 1]),
        data(&[0x2a, 0x86]),
        numbers(&[0]),
    ]
    .concat();
    let whole = encoded(&expression);
    let mut random = rand::rngs::StdRng::seed_from_u64(20_261_125);
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        for _ in 0..random.gen_range(1..4) {
            let at = random.gen_range(0..bytes.len());
            bytes[at] = random.r#gen();
        }
        if let Ok(found) = Requirement::parse(&bytes) {
            drop((found.to_string(), answer(&found, &Code::default())));
        }
    }
}
