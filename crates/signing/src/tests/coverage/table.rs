//! The rows. A cell is the checks and the test that proves them, or the reason why there is none.

use crate::format::Format;

/// A cell.
pub(super) enum Cell {
    /// The checks, the file of the test, and the test.
    Proved(&'static [&'static str], &'static str, &'static str),
    /// Checks that no file here fails, and why.
    Unproved(&'static [&'static str], &'static str),
    /// Why there is nothing to prove, or nothing yet.
    Because(&'static str),
}

use Cell::{Because, Proved, Unproved};

pub(super) const COLUMNS: [&str; 6] = [
    "shape",
    "bytes",
    "signature",
    "chain or key",
    "time",
    "who, and what is inside",
];

/// A row.
pub(super) struct Row {
    pub(super) what: &'static str,
    pub(super) formats: &'static [Format],
    pub(super) cells: [Cell; 6],
}

const AUTHENTICODE: &str = "authenticode/tests/mutants.rs";
const ONE_THING: &str = "one_thing_wrong_fails_its_check";
const EACH_MUTANT: &str = "each_mutant_fails_its_check";
const JUDGED: &str = "each_mutant_fails_its_check_and_is_judged";
const NO_CLOCK: Cell = Because("its format holds no time that anybody vouches for");
const BY_POLICY: Cell = Because("the key is pinned by the policy");

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
    Row {
        what: "Mach-O, each slice",
        formats: &[Format::MachO],
        cells: [
            Proved(
                &[
                    "macho.parse",
                    "macho.every-slice",
                    "macho.trailing-data",
                    "macho.super-blob",
                ],
                "apple/tests/code.rs",
                "nothing_hides_beside_the_slices",
            ),
            Proved(
                &[
                    "macho.page-hashes",
                    "macho.special-slots",
                    "macho.code-directory",
                ],
                "apple/tests/code.rs",
                "changed_code_is_noticed_also_where_its_page_hash_is_changed_too",
            ),
            Proved(
                &["apple.cms-binding", "cms.parse", "cms.signature"],
                "apple/tests/code.rs",
                "a_spoiled_cms_is_noticed_wherever_it_is_spoiled",
            ),
            Proved(
                &["apple.ad-hoc", "macho.signed"],
                "apple/tests/policy.rs",
                "what_nobody_signed_passes_only_where_that_is_allowed",
            ),
            Proved(
                &[
                    "timestamp.present",
                    "x509.validity",
                    "x509.extensions",
                    "x509.key-usage",
                ],
                "apple/tests/pki.rs",
                "a_timestamp_is_required_and_prolongs_a_signature",
            ),
            Proved(
                &[
                    "identity.team-id",
                    "apple.team-id",
                    "apple.developer-id",
                    "apple.hardened-runtime",
                    "apple.debuggable",
                ],
                "apple/tests/pki.rs",
                "what_must_not_be_released_is_refused_as_the_policy_says",
            ),
        ],
    },
    Row {
        what: "entitlements and profiles",
        formats: &[],
        cells: [
            Proved(
                &["apple.entitlements"],
                "apple/tests/code.rs",
                "entitlements_are_signed_and_cannot_go_or_come",
            ),
            Because("they lie in the signature"),
            Because(
                "Apple's own signature over a profile is not looked at; it is read as its developer sealed it",
            ),
            Because("see Mach-O"),
            Because("see Mach-O"),
            Proved(
                &["apple.one-team", "apple.provisioning"],
                "bundle/tests/snake_oil.rs",
                "frameworks_libraries_links_and_profiles_are_judged",
            ),
        ],
    },
    Row {
        what: "app, framework: folder, zip, tar, pkg",
        formats: &[Format::Bundle],
        cells: [
            Proved(
                &["bundle.parse", "bundle.signed", "bundle.symlink"],
                "bundle/tests.rs",
                "whatever_is_done_to_an_app_is_noticed",
            ),
            Proved(
                &[
                    "bundle.sealed-resources",
                    "bundle.missing",
                    "bundle.unlisted",
                ],
                "bundle/tests.rs",
                "whatever_is_done_to_an_app_is_noticed",
            ),
            Proved(
                &["bundle.info-plist", "bundle.executable"],
                "bundle/tests.rs",
                "whatever_is_done_to_an_app_is_noticed",
            ),
            Because("those of its main executable: see Mach-O"),
            Proved(
                &["ticket.coverage", "apple.notarized"],
                "bundle/tests.rs",
                "what_may_differ_does_not_matter",
            ),
            Proved(
                &["bundle.nested-code"],
                "bundle/tests/snake_oil.rs",
                "what_is_nested_is_held_to_its_list_too",
            ),
        ],
    },
    Row {
        what: "stapled notarization ticket",
        formats: &[],
        cells: [
            Proved(
                &["ticket.parse"],
                "apple/tests/pki.rs",
                "a_real_ticket_in_the_signature_of_a_program_makes_it_notarized",
            ),
            Proved(
                &["ticket.coverage"],
                "apple/tests/tickets.rs",
                "an_apps_ticket_lists_every_slice_of_every_program",
            ),
            Proved(
                &["ticket.signature"],
                "apple/tests/pki.rs",
                "a_real_ticket_in_the_signature_of_a_program_makes_it_notarized",
            ),
            Proved(
                &["ticket.chain"],
                "apple/tests/pki.rs",
                "only_apples_notary_signs_tickets",
            ),
            Because(
                "it states its own time; whether Apple revoked it later cannot be seen offline",
            ),
            Because("what it covers says who signed"),
        ],
    },
    Row {
        what: "xar: pkg",
        formats: &[Format::Xar],
        cells: [
            Proved(
                &["pkg.parse", "pkg.signed", "pkg.trailing-data"],
                "apple/tests/package.rs",
                "a_table_that_can_be_read_in_two_ways_is_refused",
            ),
            Proved(
                &["pkg.toc-checksum", "pkg.files"],
                "apple/tests/package.rs",
                "every_byte_of_the_heap_is_bound",
            ),
            Proved(
                &["pkg.rsa-signature", "cms.message-digest", "cms.signature"],
                "apple/tests/package.rs",
                "a_changed_table_of_contents_is_signed_by_nobody",
            ),
            Because("as Mach-O's, for Developer ID Installer"),
            Proved(
                &["timestamp.time"],
                "apple/tests/package.rs",
                "nothing_stands_behind_the_heap_but_a_ticket",
            ),
            Proved(
                &["contents.parse"],
                "xar/tests.rs",
                "a_payload_that_cannot_be_read_was_not_looked_at",
            ),
        ],
    },
    Row {
        what: "dmg",
        formats: &[Format::DiskImage],
        cells: [
            Proved(
                &["dmg.parse", "dmg.signed", "dmg.koly", "dmg.trailing-data"],
                "dmg/tests.rs",
                "each_mutant_fails_its_checks",
            ),
            Proved(
                &["dmg.data-checksum", "macho.page-hashes"],
                "dmg/tests.rs",
                "each_mutant_fails_its_checks",
            ),
            Proved(
                &["apple.cms-binding", "cms.signature"],
                "dmg/tests.rs",
                "each_mutant_fails_its_checks",
            ),
            Proved(
                &["x509.path"],
                "dmg/tests.rs",
                "a_good_image_is_good_only_under_its_root",
            ),
            Proved(
                &["timestamp.chain", "ticket.coverage"],
                "dmg/tests.rs",
                "a_good_image_is_good_only_under_its_root",
            ),
            Because(
                "HFS+ and APFS are not read yet: what is inside is covered by the signature and known by the ticket alone. No vendor's image is in the corpus: tested with our own signers",
            ),
        ],
    },
    Row {
        what: "CMS, certificates, roots (shared)",
        formats: &[],
        cells: [
            Proved(&["cms.digest-algorithm"], AUTHENTICODE, ONE_THING),
            Because("each format has its own"),
            Proved(
                &["x509.ec-parameters", "x509.key-size"],
                "path/tests.rs",
                "paths_with_one_thing_wrong_are_not",
            ),
            Proved(
                &[
                    "x509.path",
                    "x509.key-usage",
                    "x509.extensions",
                    "x509.validity",
                ],
                "path/tests.rs",
                "paths_with_one_thing_wrong_are_not",
            ),
            Because("see each format"),
            Unproved(
                &["x509.root-program", "x509.weak-digest"],
                "the rule is tested (`roots/tests.rs`, what the program says of a root is honoured); no file of the corpus breaks it, and no tool here signs certificates with SHA-1 any more",
            ),
        ],
    },
    Row {
        what: "zip, tar (gz, xz, zst), cpio, folders",
        formats: &[Format::Zip],
        cells: [
            Proved(
                &["contents.parse", "contents.limits"],
                "walk/tests.rs",
                "bombs_end_at_the_limits",
            ),
            Because("an archive has no signature of its own: what is inside has"),
            Because("an archive has no signature of its own: what is inside has"),
            Because("an archive has no signature of its own: what is inside has"),
            Because("an archive has no signature of its own: what is inside has"),
            Proved(
                &["contents.signed"],
                "it/inside.rs",
                "an_archive_is_as_good_as_the_programs_in_it",
            ),
        ],
    },
    Row {
        what: "rpm, version 4 and 6",
        formats: &[Format::Rpm],
        cells: [
            Proved(
                &["rpm.parse", "rpm.signed", "rpm.signature-header"],
                "rpm/tests/mutants.rs",
                JUDGED,
            ),
            Proved(
                &["rpm.header-digest", "rpm.payload-digest"],
                "rpm/tests/mutants.rs",
                JUDGED,
            ),
            Proved(&["openpgp.signature"], "rpm/tests/mutants.rs", JUDGED),
            Proved(
                &["openpgp.key", "openpgp.key-validity"],
                "rpm/tests/mutants.rs",
                JUDGED,
            ),
            Proved(&["openpgp.time"], "rpm/tests/mutants.rs", JUDGED),
            Because("payloads are not unpacked yet; the signature covers them"),
        ],
    },
    Row {
        what: "deb (debsig)",
        formats: &[Format::Deb],
        cells: [
            Proved(&["deb.parse", "deb.signed"], "deb/tests.rs", JUDGED),
            Proved(&["deb.members"], "deb/tests.rs", JUDGED),
            Proved(&["openpgp.signature"], "deb/tests.rs", JUDGED),
            Proved(&["openpgp.key"], "deb/tests.rs", JUDGED),
            Because("as OpenPGP's: one function for all of them"),
            Because("payloads are not unpacked yet; the signature covers them"),
        ],
    },
    Row {
        what: "ELF, AppImage",
        formats: &[Format::Elf],
        cells: [
            Because("signatures inside AppImages are not read yet: sign beside it"),
            Because("by what stands beside it"),
            Because("by what stands beside it"),
            Because("by what stands beside it"),
            Because("by what stands beside it"),
            Proved(
                &["format.unsupported"],
                "it/inside.rs",
                "an_archive_is_as_good_as_the_programs_in_it",
            ),
        ],
    },
    Row {
        what: "OpenPGP beside a file",
        formats: &[],
        cells: [
            Proved(&["openpgp.present"], "openpgp/tests/mutants.rs", JUDGED),
            Proved(&["openpgp.signature"], "openpgp/tests/mutants.rs", JUDGED),
            Proved(&["openpgp.weak-digest"], "openpgp/tests/mutants.rs", JUDGED),
            Proved(
                &["openpgp.key", "openpgp.key-validity"],
                "openpgp/tests/mutants.rs",
                JUDGED,
            ),
            Proved(&["openpgp.time"], "openpgp/tests/mutants.rs", JUDGED),
            BY_POLICY,
        ],
    },
    Row {
        what: "minisign",
        formats: &[],
        cells: [
            Proved(
                &["minisign.present"],
                "verify/tests.rs",
                "what_must_fail_fails_by_its_id",
            ),
            Proved(
                &["minisign.signature"],
                "verify/tests.rs",
                "what_must_fail_fails_by_its_id",
            ),
            Proved(
                &["minisign.signature"],
                "verify/tests.rs",
                "a_signature_of_the_real_minisign_is_valid",
            ),
            Proved(
                &["minisign.key-id"],
                "verify/tests.rs",
                "what_must_fail_fails_by_its_id",
            ),
            NO_CLOCK,
            Proved(
                &["minisign.file-name", "minisign.version"],
                "verify/tests.rs",
                "what_must_fail_fails_by_its_id",
            ),
        ],
    },
    Row {
        what: "Tauri",
        formats: &[],
        cells: [
            Proved(
                &["tauri.present"],
                "tauri/tests.rs",
                "what_projects_put_in_its_place_is_refused",
            ),
            Proved(
                &["tauri.signature"],
                "tauri/tests.rs",
                "a_signature_of_tauris_is_over_these_bytes",
            ),
            Proved(&["tauri.signature"], "tauri/tests.rs", "minisign_agrees"),
            Proved(
                &["tauri.key-id"],
                "tauri/tests.rs",
                "a_signature_of_tauris_is_over_these_bytes",
            ),
            NO_CLOCK,
            Because("no rule of `lastmile.yml` asks for it yet"),
        ],
    },
    Row {
        what: "Sparkle",
        formats: &[],
        cells: [
            Proved(
                &["sparkle.present", "sparkle.length"],
                "sparkle/tests.rs",
                "what_is_no_signature_is_not_believed",
            ),
            Proved(
                &["sparkle.signature"],
                "sparkle/tests.rs",
                "a_signature_is_over_these_bytes_by_this_key",
            ),
            Proved(
                &["sparkle.signature"],
                "sparkle/tests.rs",
                "a_signature_is_over_these_bytes_by_this_key",
            ),
            BY_POLICY,
            NO_CLOCK,
            Because("no rule of `lastmile.yml` asks for it yet"),
        ],
    },
    Row {
        what: "Sigstore bundle, GitHub attestation, SLSA provenance",
        formats: &[],
        cells: [
            Proved(
                &["sigstore.parse"],
                "sigstore/tests/mutants.rs",
                "a_public_attestation_fails_for_each_part",
            ),
            Proved(
                &["sigstore.subject"],
                "sigstore/tests/mutants.rs",
                "a_public_attestation_fails_for_each_part",
            ),
            Proved(
                &["sigstore.signature"],
                "sigstore/tests/mutants.rs",
                "a_public_attestation_fails_for_each_part",
            ),
            Proved(
                &["sigstore.certificate"],
                "sigstore/tests/mutants.rs",
                "a_private_attestation_fails_for_each_part",
            ),
            Proved(
                &["sigstore.timestamp", "sigstore.transparency-log"],
                "sigstore/tests/mutants.rs",
                "a_private_attestation_fails_for_each_part",
            ),
            Proved(
                &[
                    "provenance.repository",
                    "provenance.workflow",
                    "provenance.ref",
                    "provenance.runner",
                    "sigstore.issuer",
                ],
                "sigstore/tests/policy.rs",
                "every_claim_of_the_certificate_counts",
            ),
        ],
    },
    Row {
        what: "what a predicate states, and bundles that are not there",
        formats: &[],
        cells: [
            Proved(
                &["sigstore.present"],
                "it/beside.rs",
                "where_an_artifact_was_built_is_verified",
            ),
            Because("see above"),
            Because("see above"),
            Because("see above"),
            Because("see above"),
            Proved(
                &["provenance.predicate"],
                "sigstore/tests/mutants.rs",
                "a_public_attestation_fails_for_each_part",
            ),
        ],
    },
    Row {
        what: "the sigstore conformance protocol",
        formats: &[],
        cells: [
            Because("see above"),
            Because("see above"),
            Because("see above"),
            Because("see above"),
            Because("see above"),
            Unproved(
                &["sigstore.identity"],
                "the suite expects no case to fail by it (70 of 70 agree: `sigstore/tests/corpus.rs`); policies compare `provenance.*` instead",
            ),
        ],
    },
    Row {
        what: "SHA256SUMS, signed with minisign",
        formats: &[],
        cells: [
            Proved(
                &["sha256sums.signature"],
                "verify/tests.rs",
                "checksums_cover_both_ways",
            ),
            Proved(
                &["sha256sums.digest"],
                "verify/tests.rs",
                "checksums_cover_both_ways",
            ),
            Proved(
                &["sha256sums.signature"],
                "verify/tests.rs",
                "checksums_cover_both_ways",
            ),
            BY_POLICY,
            NO_CLOCK,
            Proved(
                &["sha256sums.coverage", "sha256sums.extra"],
                "verify/tests.rs",
                "checksums_cover_both_ways",
            ),
        ],
    },
    Row {
        what: "`allow-unsigned`",
        formats: &[],
        cells: [
            Proved(
                &["policy.allow-unsigned"],
                "verify/tests.rs",
                "an_allowance_excuses_absence_and_nothing_else",
            ),
            Proved(
                &["policy.allow-digest"],
                "verify/tests.rs",
                "an_allowance_excuses_absence_and_nothing_else",
            ),
            Because("what is wrong is never allowed"),
            Because("what is wrong is never allowed"),
            Proved(
                &["policy.allow-expired"],
                "verify/tests.rs",
                "an_allowance_excuses_absence_and_nothing_else",
            ),
            Because("by path, with a reason"),
        ],
    },
    Row {
        what: "7z, asar, NSIS, Inno Setup, squashfs, snap, scripts, TUF",
        formats: &[],
        cells: [
            Because(
                "not read yet: a rule that covers such a file fails, as `format.unsupported` or `contents.signed`",
            ),
            Because("not read yet"),
            Because("not read yet"),
            Because("not read yet"),
            Because("not read yet"),
            Because("not read yet"),
        ],
    },
];
