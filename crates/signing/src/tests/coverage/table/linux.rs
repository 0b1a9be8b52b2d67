//! What Linux installs.

use crate::format::Format;

use super::Cell::{Because, Proved};
use super::{Cell, Row};

const JUDGED: &str = "each_mutant_fails_its_check_and_is_judged";
const EACH: &str = "each_mutant_fails_its_check";
const BY_POLICY: Cell = Because("the key is pinned by the policy");

pub(super) const ROWS: &[Row] = &[
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
            Proved(
                &["rpm.file-digests"],
                "rpm/payload/tests/mutants.rs",
                JUDGED,
            ),
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
            Proved(
                &["contents.parse"],
                "deb/contents/tests.rs",
                "each_mutant_is_refused_and_judged",
            ),
        ],
    },
    Row {
        what: "apt repository",
        formats: &[],
        cells: [
            Proved(&["apt.release"], "apt/tests/mutants.rs", JUDGED),
            Proved(&["apt.index", "apt.digest"], "apt/tests/mutants.rs", JUDGED),
            Proved(&["apt.signature"], "apt/tests/mutants.rs", JUDGED),
            Because("as OpenPGP's: one function for all of them"),
            Proved(&["apt.validity"], "apt/tests/mutants.rs", JUDGED),
            Proved(
                &["apt.coverage", "apt.extra"],
                "apt/tests/mutants.rs",
                JUDGED,
            ),
        ],
    },
    Row {
        what: "ELF, AppImage",
        formats: &[Format::Elf],
        cells: [
            Proved(
                &["appimage.parse", "appimage.signed"],
                "appimage/tests/mutants.rs",
                EACH,
            ),
            Proved(&["appimage.sections"], "appimage/tests/mutants.rs", EACH),
            Proved(
                &["openpgp.signature", "openpgp.present"],
                "appimage/tests/mutants.rs",
                EACH,
            ),
            Proved(&["openpgp.key"], "appimage/tests/mutants.rs", EACH),
            Because("as OpenPGP's: one function for all of them"),
            Proved(
                &["format.unsupported"],
                "it/inside.rs",
                "an_archive_is_as_good_as_the_programs_in_it",
            ),
        ],
    },
    Row {
        what: "snap, by the assertions of its store",
        formats: &[],
        cells: [
            Proved(&["snap.present"], "snap/tests/mutants.rs", EACH),
            Proved(
                &["snap.revision", "snap.declaration"],
                "snap/tests/mutants.rs",
                EACH,
            ),
            Proved(&["snap.signature"], "snap/tests/mutants.rs", EACH),
            Proved(&["snap.key"], "snap/tests/mutants.rs", EACH),
            Proved(&["snap.time"], "snap/tests/mutants.rs", EACH),
            Proved(&["snap.publisher"], "snap/tests/mutants.rs", EACH),
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
];
