//! What macOS runs and installs.

use crate::format::Format;

use super::Cell::{Because, Proved};
use super::{Cell, Row};

const NO_CLOCK: Cell = Because("its format holds no time that anybody vouches for");
const BY_POLICY: Cell = Because("the key is pinned by the policy");

pub(super) const ROWS: &[Row] = &[
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
        what: "notarization ticket, stapled or asked for online",
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
            Proved(
                &["ticket.online"],
                "apple/tests/online.rs",
                "a_ticket_that_is_not_stapled_is_found_and_one_that_was_taken_back_is_missed",
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
            Proved(
                &["contents.parse", "bundle.sealed-resources"],
                "disk/tests.rs",
                "what_is_wrong_with_a_file_or_the_volume_is_noticed",
            ),
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
            Proved(
                &["sparkle.appcast", "sparkle.coverage", "sparkle.extra"],
                "sparkle/enclosures/tests.rs",
                "what_could_be_read_in_two_ways_is_refused",
            ),
        ],
    },
];
