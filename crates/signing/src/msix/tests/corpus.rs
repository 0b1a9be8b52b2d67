//! The labels of the shared corpus.

use super::*;
use crate::report::Verdict;
use crate::tests::{failed, shared, trust};

/// Our check for one that a label names.
fn check_of(label: &str) -> Option<&str> {
    match label {
        "-" => None,
        "chain" => Some("x509.path"),
        "signature-missing" => Some("msix.signed"),
        "parse" => Some("msix.parse"),
        "appx.digest(AXBM)" | "appx.digest(AXCD)" => Some("msix.digest"),
        "blockmap.block-hash" | "blockmap.size" => Some("msix.blocks"),
        label if label.starts_with("blockmap.") => Some("msix.block-map"),
        label => panic!("{label}"),
    }
}

#[test]
fn every_app_package_of_the_corpus_has_the_verdict_of_its_label() {
    let Some(corpus) = shared() else { return };
    let labels = std::fs::read_to_string(corpus.join("labels.tsv")).expect("labels.tsv");
    let mut counts = [0; 2];
    for row in labels.lines().skip(1) {
        let fields: Vec<_> = row.split('\t').collect();
        let [path, format, label, check, who, _] = fields[..] else {
            panic!("{row}");
        };
        if !matches!(format, "appx" | "msix") {
            continue;
        }
        let bytes = std::fs::read(corpus.join(path)).expect("a file of the corpus");
        if label == "parse-error-no-panic" {
            counts[1] += 1;
            let found = packages::inspect(&mut Cursor::new(&bytes[..]), day(), &trust());
            let found = found.expect("bytes in memory");
            let is_fine =
                |it: &Inspection| matches!(it.verdict, Verdict::Invalid | Verdict::Unsigned);
            assert!(found.as_ref().is_none_or(is_fine), "{path}: {found:#?}");
            continue;
        }
        counts[0] += 1;
        let found = look_with(&bytes, &trust());
        let expected = match label {
            "untrusted" => Verdict::Untrusted,
            "unsigned" => Verdict::Unsigned,
            "invalid" => Verdict::Invalid,
            other => panic!("{other}"),
        };
        assert_eq!(found.verdict, expected, "{path}: {found:#?}");
        let ids = failed(&found);
        let check = check_of(check).expect("a check");
        assert!(ids.contains(&check), "{path}: {ids:?}");
        if label == "unsigned" {
            assert_eq!(ids, ["msix.signed"], "{path}");
        }
        if who != "-" {
            let signer = found.signatures[0].signer.as_ref().expect("a signer");
            let name = signer
                .common_name
                .as_ref()
                .map(|it| format!("{it} (CN, no O)"));
            let named = signer.organization.clone().or(name);
            assert_eq!(named.as_deref(), Some(who), "{path}");
        }
    }
    assert_eq!(counts, [17, 8]);
}
