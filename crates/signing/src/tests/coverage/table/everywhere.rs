//! What is the same everywhere.

use crate::format::Format;

use super::Cell::{Because, Proved, Unproved};
use super::{Cell, Row};

const AUTHENTICODE: &str = "authenticode/tests/mutants.rs";
const FEEDS: &str = "listing/tests.rs";
const EACH_WRONG: &str = "each_thing_that_is_wrong_fails_its_check";
const ONE_THING: &str = "one_thing_wrong_fails_its_check";
const NO_CLOCK: Cell = Because("its format holds no time that anybody vouches for");
const BY_POLICY: Cell = Because("the key is pinned by the policy");

pub(super) const ROWS: &[Row] = &[
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
        what: "revocation, asked online: OCSP, CRL",
        formats: &[],
        cells: [
            Proved(
                &["x509.revocation"],
                "revocation/tests/online.rs",
                "what_nobody_answers_for_fails_where_an_answer_is_required",
            ),
            Because("an answer is about certificates, not files"),
            Proved(
                &["x509.revocation"],
                "revocation/tests/online.rs",
                "what_nobody_answers_for_fails_where_an_answer_is_required",
            ),
            Proved(
                &["x509.revocation"],
                "revocation/tests/online.rs",
                "what_was_revoked_before_it_signed_fails_and_after_does_not",
            ),
            Proved(
                &["x509.revocation"],
                "revocation/tests/online.rs",
                "a_timestamp_outlives_only_what_leaves_its_key_beyond_doubt",
            ),
            Because("who signed is judged by itself"),
        ],
    },
    Row {
        what: "zip, tar (gz, xz, zst, bz2, lzma), 7z, cpio, asar, squashfs (gzip, xz, zstd, lzo), folders",
        formats: &[Format::Zip],
        cells: [
            Proved(
                &["contents.parse", "contents.limits"],
                "walk/tests.rs",
                "bombs_end_at_the_limits",
            ),
            Because(
                "an archive has no signature of its own: what is inside has. Scripts and shortcuts in it can have none, and are not judged",
            ),
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
        what: "inside cab, msi, Inno Setup",
        formats: &[],
        cells: [
            Proved(
                &["contents.parse"],
                "walk/tests/installers.rs",
                "what_cannot_be_read_of_an_installer_is_said",
            ),
            Because(
                "checksums of blocks and digests of files are compared where the format has them: `contents.parse`",
            ),
            Because("what is inside is signed on its own; what is around it is the file's own row"),
            Because("what is inside is signed on its own; what is around it is the file's own row"),
            Because("what is inside is signed on its own; what is around it is the file's own row"),
            Proved(
                &["contents.parse"],
                "walk/tests/installers.rs",
                "programs_in_installers_are_found",
            ),
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
        what: "repository of The Update Framework",
        formats: &[],
        cells: [
            Proved(&["tuf.root"], "tuf/tests/mutants/written.rs", "written"),
            Proved(
                &["tuf.digest"],
                "tuf/tests.rs",
                "targets_are_found_however_they_are_delegated",
            ),
            Proved(&["tuf.metadata"], "tuf/tests/mutants/written.rs", "written"),
            Proved(
                &["tuf.root"],
                "tuf/tests.rs",
                "targets_are_found_however_they_are_delegated",
            ),
            Because(
                "an old repository that has not expired is not told from the newest: nothing is remembered",
            ),
            Proved(
                &["tuf.coverage"],
                "tuf/tests.rs",
                "targets_are_found_however_they_are_delegated",
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
            Proved(
                &["tauri.present"],
                "verify/tests/updaters.rs",
                "tauri_signs_what_its_updater_takes",
            ),
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
        what: "SHA256SUMS, signed with OpenPGP or Sigstore",
        formats: &[],
        cells: [
            Because("as with minisign: one function for all of them"),
            Because("as with minisign: one function for all of them"),
            Proved(
                &["sha256sums.signature"],
                "sums/tests.rs",
                "a_document_signed_with_openpgp_is_believed",
            ),
            Proved(
                &["sha256sums.signature"],
                "sums/tests.rs",
                "a_document_signed_by_a_workflow_is_believed",
            ),
            Because("as OpenPGP's and Sigstore's: one function for all of them"),
            Because("as with minisign: one function for all of them"),
        ],
    },
    Row {
        what: "update feeds beside artifacts: electron-updater, Squirrel, Velopack, Tauri, Sparkle",
        formats: &[],
        cells: [
            Proved(&["feed.parse"], FEEDS, EACH_WRONG),
            Proved(&["feed.size", "feed.digest"], FEEDS, EACH_WRONG),
            Proved(&["feed.signature"], FEEDS, EACH_WRONG),
            Because("what a feed says is held against the files, not believed"),
            Because("a feed has no time that is judged"),
            Proved(&["feed.version", "feed.coverage"], FEEDS, EACH_WRONG),
        ],
    },
    Row {
        what: "the step from the previous release (`--previous`): electron-updater, Sparkle, macOS, Windows",
        formats: &[],
        cells: [
            Proved(
                &["continuity.readable"],
                "continuity/tests.rs",
                "a_previous_release_that_is_spoilt_is_refused",
            ),
            Proved(
                &["continuity.key"],
                "continuity/tests.rs",
                "keys_that_users_keep_are_compared",
            ),
            Proved(
                &["continuity.sparkle-key"],
                "continuity/tests.rs",
                "keys_are_changed_one_at_a_time",
            ),
            Proved(
                &[
                    "continuity.requirement",
                    "continuity.team-id",
                    "continuity.bundle-id",
                ],
                "continuity/tests.rs",
                "each_thing_that_installed_apps_refuse_fails_its_check",
            ),
            Proved(
                &["continuity.publisher-name"],
                "continuity/tests/publisher.rs",
                "an_installer_is_signed_by_a_publisher_that_apps_accept",
            ),
            Proved(
                &["continuity.identity", "continuity.package"],
                "continuity/tests.rs",
                "windows_knows_programs_by_their_signers_and_packages_by_their_names",
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
        what: "7z archives, self-extracting too",
        formats: &[],
        cells: [
            Proved(
                &["contents.parse"],
                "sevenz/tests/mutants.rs",
                "one_thing_wrong_is_refused",
            ),
            Because(
                "an archive has no signature of its own: what is inside has. A program in front of one is judged as one",
            ),
            Because("an archive has no signature of its own: what is inside has"),
            Because("an archive has no signature of its own: what is inside has"),
            Because("an archive has no signature of its own: what is inside has"),
            Because(
                "as every archive; encrypted ones and such of PPMd, Deflate64, and zstd cannot be read, which fails",
            ),
        ],
    },
    Row {
        what: "NSIS installers (2, 3)",
        formats: &[],
        cells: [
            Proved(
                &["contents.parse"],
                "nsis/tests/mutants.rs",
                "one_thing_wrong_is_refused",
            ),
            Because("the program that an installer is has one, and is judged as each program"),
            Because("as each program"),
            Because("as each program"),
            Because("as each program"),
            Because(
                "each file that it installs, its plug-ins, and its uninstaller as it is written; what its script downloads or writes itself is not seen",
            ),
        ],
    },
];
