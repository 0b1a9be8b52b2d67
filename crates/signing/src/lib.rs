//! Is this artifact signed, whole, and by whom we expect?
//!
//! Bytes in, a report out: this crate opens no file, reads no clock, and asks no network. A check that it cannot make is
//! `unsupported`, and that fails: nothing is ever accepted because nobody looked.

pub mod appimage;
pub mod apple;
pub mod apt;
mod asar;
pub mod authenticode;
pub mod openpgp;

mod bundle;
mod cab;
mod catalog;
mod checks;
mod cms;
pub mod continuity;
mod cpio;
pub mod deb;
mod der;
mod digest;
mod disk;
mod dmg;
mod ed25519;
mod format;
mod inno;
pub mod inspection;
mod judging;
mod key;
pub mod listing;
mod macho;
mod measure;
mod minisign;
mod msi;
mod msix;
mod nsis;
mod nuget;
mod oid;
mod packages;
mod path;
mod pbzx;
mod pe;
mod policy;
mod reading;
mod report;
mod requirement;
pub mod revocation;
mod roots;
pub mod rpm;
mod script;
mod sevenz;
pub mod sigstore;
pub mod snap;
pub mod sparkle;
mod spc;
mod squashfs;
mod sums;
mod tar;
pub mod tauri;
mod ticket;
mod timestamp;
mod tree;
pub mod tuf;
mod unpack;
mod verify;
pub mod walk;
mod x509;
mod xar;
mod xml;
mod zip;

pub use apt::AptRepository;
pub use catalog::inspect_member;
pub use checks::{CHECKS, Check, Outcome};
pub use format::Format;
pub use inspection::{Inspection, format_of, format_of_named, inspect, inspect_named};
pub use measure::{MeasureError, Measured, sha256_of};
pub use minisign::{KeyError, PublicKey};
pub use openpgp::{Fingerprint, FingerprintError, OpenPgpError, OpenPgpKeys};
pub use policy::{
    Allowance, AptRule, ContentsRule, Date, DateError, OpenPgpRule, PathPattern, PatternError,
    Policy, ProvenanceRule, Rules, SumsRule, SumsSigner,
};
pub use report::{
    ArtifactReport, ContentsReport, FeedReport, LeafReport, ReleaseReport, Verdict, Verified,
};
pub use roots::{
    APPLE_ROOT_SET, ExtraRoot, LegacyDigests, MICROSOFT_ROOT_SET, RootError, RootReport, RootSet,
    RootUse, Trust, root_sets,
};
pub use snap::{KeyId, SnapRule};
pub use sums::{
    Entry, SumsContext, SumsDocument, SumsError, is_minisigned, parse as parse_sums,
    render as render_sums,
};
pub use verify::{Beside, Bytes, Candidate, Context, Documents, Examined, conclude, examine};

#[cfg(test)]
mod tests;
