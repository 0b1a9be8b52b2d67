//! What Windows runs and installs.

use crate::format::Format;

use super::Cell::{Because, Proved};
use super::Row;

const AUTHENTICODE: &str = "authenticode/tests/mutants.rs";
const ONE_THING: &str = "one_thing_wrong_fails_its_check";
const EACH_MUTANT: &str = "each_mutant_fails_its_check";

pub(super) const ROWS: &[Row] = &[
    Row {
        what: "PE: exe, dll, sys, node, efi",
        formats: &[Format::Pe],
        cells: [
            Proved(
                &[
                    "pe.parse",
                    "pe.signed",
                    "pe.certificate-table",
                    "pe.padding",
                    "pe.trailing-data",
                ],
                AUTHENTICODE,
                ONE_THING,
            ),
            Proved(&["pe.digest", "pe.page-hashes"], AUTHENTICODE, ONE_THING),
            Proved(
                &["cms.parse", "cms.message-digest", "cms.signature"],
                AUTHENTICODE,
                ONE_THING,
            ),
            Proved(&["x509.path", "x509.validity"], AUTHENTICODE, ONE_THING),
            Proved(
                &["timestamp.token", "timestamp.chain", "timestamp.time"],
                AUTHENTICODE,
                "a_timestamp_of_the_future_does_not_count",
            ),
            Proved(
                &["identity.organization", "identity.azure"],
                "authenticode/tests/pki.rs",
                "a_leaf_that_stands_there_twice_is_one_and_its_identity_lasts",
            ),
        ],
    },
    Row {
        what: "OLE: msi, msp",
        formats: &[Format::Ole],
        cells: [
            Proved(
                &["msi.parse", "msi.signed", "msi.trailing-data"],
                "msi/tests/mutants.rs",
                ONE_THING,
            ),
            Proved(
                &["msi.digest", "msi.metadata"],
                "msi/tests/mutants.rs",
                ONE_THING,
            ),
            Proved(&["cms.parse"], "msi/tests/mutants.rs", ONE_THING),
            Proved(
                &["x509.path", "x509.validity", "cms.weak-digest"],
                "msi/tests.rs",
                "nested_signatures_and_expiry_are_judged_as_in_programs",
            ),
            Proved(
                &["timestamp.chain"],
                "msi/tests.rs",
                "nested_signatures_and_expiry_are_judged_as_in_programs",
            ),
            Because("cabinets in an MSI are not looked into yet; its signature covers them"),
        ],
    },
    Row {
        what: "cabinet",
        formats: &[Format::Cab],
        cells: [
            Proved(
                &["cab.parse", "cab.signed", "cab.trailing-data"],
                "cab/tests.rs",
                ONE_THING,
            ),
            Proved(&["cab.digest"], "cab/tests.rs", ONE_THING),
            Proved(&["cms.parse"], "cab/tests.rs", ONE_THING),
            Proved(
                &["x509.path"],
                "cab/tests.rs",
                "cabinets_that_are_signed_are_valid_and_named",
            ),
            Proved(
                &["timestamp.chain"],
                "cab/tests.rs",
                "cabinets_that_are_signed_are_valid_and_named",
            ),
            Because("what is in a cabinet is not looked into yet; its signature covers it"),
        ],
    },
    Row {
        what: "msix, appx, and bundles of them",
        formats: &[],
        cells: [
            Proved(
                &["msix.parse", "msix.signed", "msix.signature-last"],
                "msix/tests/mutants.rs",
                EACH_MUTANT,
            ),
            Proved(
                &["msix.digest", "msix.block-map", "msix.blocks"],
                "msix/tests/mutants.rs",
                EACH_MUTANT,
            ),
            Proved(
                &["cms.parse", "cms.message-digest", "cms.signature"],
                "msix/tests/mutants.rs",
                EACH_MUTANT,
            ),
            Proved(
                &["x509.path"],
                "msix/tests.rs",
                "packages_and_bundles_that_are_signed_are_valid_and_named",
            ),
            Proved(&["timestamp.token"], "msix/tests/mutants.rs", EACH_MUTANT),
            Proved(
                &["msix.publisher", "msix.bundle"],
                "msix/tests.rs",
                "the_publisher_is_who_signed",
            ),
        ],
    },
    Row {
        what: "manifests of msix",
        formats: &[],
        cells: [
            Proved(
                &["msix.manifest"],
                "msix/tests/block_map.rs",
                "edits_of_manifests_are_found",
            ),
            Because("see above"),
            Because("see above"),
            Because("see above"),
            Because("see above"),
            Because("see above"),
        ],
    },
    Row {
        what: "nupkg",
        formats: &[],
        cells: [
            Proved(
                &["nuget.parse", "nuget.signature-entry", "nuget.content"],
                "nuget/tests/mutants.rs",
                EACH_MUTANT,
            ),
            Proved(&["nuget.digest"], "nuget/tests/mutants.rs", EACH_MUTANT),
            Proved(
                &["cms.parse", "cms.message-digest", "cms.signature"],
                "nuget/tests/mutants.rs",
                EACH_MUTANT,
            ),
            Proved(
                &["x509.path", "nuget.certificate", "nuget.type"],
                "nuget/tests.rs",
                "what_the_specification_refuses_fails",
            ),
            Proved(&["timestamp.token"], "nuget/tests/mutants.rs", EACH_MUTANT),
            Proved(
                &["nuget.signed", "nuget.countersignature"],
                "nuget/tests.rs",
                "authors_and_repositories_sign_and_repositories_countersign",
            ),
        ],
    },
    Row {
        what: "scripts: ps1, psm1, psd1, ps1xml, psc1, cdxml, mof, js, vbs, wsf",
        formats: &[Format::Script],
        cells: [
            Proved(
                &["script.parse", "script.signed", "script.trailing-data"],
                "script/tests/mutants.rs",
                ONE_THING,
            ),
            Proved(&["script.digest"], "script/tests/mutants.rs", ONE_THING),
            Proved(
                &["cms.parse", "cms.message-digest", "cms.signature"],
                "script/tests/mutants.rs",
                ONE_THING,
            ),
            Proved(
                &["x509.path"],
                "script/tests.rs",
                "scripts_that_are_signed_are_valid_and_named",
            ),
            Proved(
                &["timestamp.chain"],
                "script/tests.rs",
                "scripts_that_are_signed_are_valid_and_named",
            ),
            Because(
                "shortcuts, HTML applications, and batch files cannot be signed, and are judged by no rule",
            ),
        ],
    },
    Row {
        what: "security catalog, and files by it",
        formats: &[Format::Other],
        cells: [
            Proved(
                &["cat.parse", "cat.signed"],
                "catalog/tests.rs",
                EACH_MUTANT,
            ),
            Proved(
                &["cat.member"],
                "catalog/tests.rs",
                "files_are_valid_by_the_catalog_that_lists_them",
            ),
            Proved(
                &["cms.message-digest", "cms.signature"],
                "catalog/tests.rs",
                EACH_MUTANT,
            ),
            Because("as Authenticode's: one function for all of them"),
            Proved(&["timestamp.token"], "catalog/tests.rs", EACH_MUTANT),
            Because("as Authenticode's: one function for all of them"),
        ],
    },
];
