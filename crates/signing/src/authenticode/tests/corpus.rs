//! The labels of the shared corpus, and of packages from registries where somebody put them.

use super::*;
use crate::tests::skipped;

fn expected(label: &str) -> Verdict {
    match label {
        "valid" => Verdict::Valid,
        "untrusted" => Verdict::Untrusted,
        "unsigned" => Verdict::Unsigned,
        "invalid" | "parse-error-no-panic" => Verdict::Invalid,
        other => panic!("{other}"),
    }
}

/// The organization of the first signer, or the common name where there is none, as the labels have it.
fn signer(inspection: &Inspection) -> Option<String> {
    let signer = inspection.signatures.first()?.signer.as_ref()?;
    let (organization, name) = (signer.organization.clone(), signer.common_name.clone());
    organization.or_else(|| name.map(|name| format!("{name} (CN, no O)")))
}

/// Compares every file of some formats with its label, and gives how many there were. Files that a parser once crashed
/// on may be anything but signed.
fn agree(formats: &[&str], look: fn(&[u8]) -> Inspection) -> Option<usize> {
    let corpus = shared()?;
    let labels = std::fs::read_to_string(corpus.join("labels.tsv")).expect("labels.tsv");
    let mut count = 0;
    for row in labels.lines().skip(1) {
        let fields: Vec<_> = row.split('\t').collect();
        let [path, format, label, check, who, _] = fields[..] else {
            panic!("{row}");
        };
        if !formats.contains(&format) || label == "?" {
            continue;
        }
        count += 1;
        let bytes = std::fs::read(corpus.join(path)).expect("a file of the corpus");
        let inspection = look(&bytes);
        let is_crash = label == "parse-error-no-panic";
        let is_fine = match inspection.verdict {
            Verdict::Unsigned if is_crash => true,
            verdict => verdict == expected(label),
        };
        assert!(is_fine, "{path}: {inspection:#?}");
        if who != "-" {
            assert_eq!(signer(&inspection).as_deref(), Some(who), "{path}");
        }
        let failed = failed(&inspection);
        match check {
            "-" => assert!(failed.is_empty(), "{path}: {failed:?}"),
            "chain" => assert!(failed.contains(&"x509.path"), "{path}: {failed:?}"),
            "signature-missing" => assert!(failed[0].ends_with(".signed"), "{path}"),
            "parse" => {
                let [only] = failed[..] else {
                    panic!("{path}: {failed:?}")
                };
                let is_absence = is_crash && only.ends_with(".signed");
                assert!(is_absence || only.ends_with(".parse"), "{path}: {only}");
            }
            check => assert!(failed.contains(&check), "{path}: {failed:?}"),
        }
    }
    Some(count)
}

#[test]
fn every_pe_of_the_corpus_has_the_verdict_of_its_label() {
    let count = agree(&["pe", "unknown"], |bytes| look(bytes, day(), &trust()));
    assert!(count.is_none_or(|count| count == 16), "{count:?}");
}

#[test]
fn every_msi_of_the_corpus_has_the_verdict_of_its_label() {
    let count = agree(&["msi"], |bytes| {
        printable(crate::msi::inspect(
            &mut Cursor::new(bytes),
            day(),
            &trust(),
        ))
    });
    assert!(count.is_none_or(|count| count == 15), "{count:?}");
}

#[test]
fn every_cabinet_of_the_corpus_has_the_verdict_of_its_label() {
    let count = agree(&["cab"], |bytes| {
        printable(crate::cab::inspect(
            &mut Cursor::new(bytes),
            day(),
            &trust(),
        ))
    });
    assert!(count.is_none_or(|count| count == 11), "{count:?}");
}

#[test]
fn without_asking_for_it_sha1_alone_does_not_count() {
    for (name, at_all) in [
        ("signify/pciide.sys", false),
        ("signify/spotify_sample.exe", false),
        // Two signatures: the SHA-256 one nested in it holds up the SHA-1 one.
        ("signify/sigcheck.exe", true),
        ("signify/whois.exe", true),
    ] {
        let Some(bytes) = sample(name) else { return };
        let found = look(&bytes, day(), &Trust::microsoft());
        if at_all {
            assert_eq!(found.verdict, Verdict::Valid, "{name}");
        } else {
            assert_eq!(found.verdict, Verdict::Untrusted, "{name}");
            assert!(failed(&found).contains(&"cms.weak-digest"), "{name}");
        }
    }
}

#[test]
fn a_root_of_ones_own_is_trusted_and_shown_and_lifetime_signing_ends() {
    let (Some(bytes), Some(root)) = (
        sample("signify/kdbazis.dll"),
        sample("signify/kdbazis.dll.crt"),
    ) else {
        return;
    };
    let root = String::from_utf8(root).expect("PEM");
    let trust = trust().with_extra_roots(&root).expect("a root");
    let found = look(&bytes, time("2024-01-01T00:00:00Z"), &trust);
    assert_eq!(found.verdict, Verdict::Valid);
    let [extra] = found.trust.extra_roots.as_slice() else {
        panic!("{:?}", found.trust)
    };
    assert_eq!(extra.subject, "CN=VirtualKD-Redux CA");
    let signer = found.signatures[0].signer.as_ref().expect("a signer");
    assert!(signer.is_extra_root && signer.lifetime_signing);
    // The leaf has the usage for lifetime signing, so its timestamp does not carry it past its own end.
    let found = look(&bytes, time("2060-01-01T00:00:00Z"), &trust);
    assert_eq!(failed(&found), ["x509.validity"]);
    assert_eq!(found.verdict, Verdict::Untrusted);
}

#[test]
fn page_hashes_are_checked_where_they_are_signed() {
    let Some(bytes) = sample("signify/DXCore.dll") else {
        return;
    };
    let found = look(&bytes, day(), &trust());
    let ids: Vec<_> = found.all_checks().map(|check| check.id.as_str()).collect();
    assert!(ids.contains(&"pe.page-hashes"), "{ids:?}");
}

#[test]
fn pieces_of_any_size_give_the_same_answer() {
    let Some(bytes) = sample("signify/DXCore.dll") else {
        return;
    };
    for size in [1, 7, 4096, 100_003] {
        let mut opened = Opened::open(&mut Cursor::new(&bytes)).expect("bytes in memory");
        bytes.chunks(size).for_each(|chunk| opened.update(chunk));
        let found = opened.finish(day(), &trust());
        assert_eq!(found.verdict, Verdict::Valid, "{size}");
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_noticed() {
    let Some(bytes) = sample("signify/whois.exe") else {
        return;
    };
    let changes: [fn(&mut Vec<u8>); 4] = [
        |bytes| bytes[70] ^= 1,
        |bytes| *bytes.last_mut().expect("a byte") ^= 1,
        |bytes| bytes.push(0),
        |bytes| bytes.truncate(bytes.len() - 1),
    ];
    for change in changes {
        let mut opened = Opened::open(&mut Cursor::new(&bytes)).expect("bytes in memory");
        let mut changed = bytes.clone();
        change(&mut changed);
        opened.update(&changed);
        let found = opened.finish(day(), &trust());
        assert_eq!(found.verdict, Verdict::Invalid);
        assert!(failed(&found).contains(&"pe.parse"));
    }
}

/// Files of `registry.tsv`, as `tests/judges/registry.py` fetches them: `LASTMILE_CORPUS_CACHE` names a folder that has
/// each at `<package>-<version>/<path_inside>`, with `+` for `/` in the package's name.
#[test]
fn files_from_registries_have_the_verdict_of_their_label() {
    let Some(corpus) = shared() else { return };
    let Some(cache) = std::env::var_os("LASTMILE_CORPUS_CACHE").map(PathBuf::from) else {
        return skipped("LASTMILE_CORPUS_CACHE names no folder with the files of registry.tsv");
    };
    let rows = std::fs::read_to_string(corpus.join("registry.tsv")).expect("registry.tsv");
    let mut missing = Vec::new();
    for row in rows.lines().skip(1) {
        let fields: Vec<_> = row.split('\t').collect();
        let [_, package, version, _, inside, "pe", label, who, note] = fields[..] else {
            continue;
        };
        let folder = cache.join(format!("{}-{version}", package.replace('/', "+")));
        let Ok(bytes) = std::fs::read(folder.join(inside)) else {
            missing.push(inside);
            continue;
        };
        let found = look(&bytes, day(), &trust());
        assert_eq!(found.verdict, expected(label), "{inside}: {found:#?}");
        if label == "valid" {
            assert_eq!(signer(&found).as_deref(), Some(who), "{inside}");
        }
        let identity = found.signatures.first().and_then(|it| {
            let signer = it.signer.as_ref()?;
            signer.azure_identity.clone()
        });
        if let Some((_, durable)) = note.split_once("durable id ") {
            let durable = durable.split([' ', ';']).next();
            assert_eq!(identity.as_deref(), durable, "{inside}");
        }
    }
    if !missing.is_empty() {
        skipped(&format!(
            "not in LASTMILE_CORPUS_CACHE: {}",
            missing.join(", ")
        ));
    }
}
