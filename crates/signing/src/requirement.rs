//! Apple's code requirements: what an installed app demands of the code that wants to take its place.
//!
//! A requirement is a small expression over the identifier, certificates, Info.plist, and entitlements of code. It stands in
//! the signature in binary form, and is read, printed as `codesign -d -r-` prints it, and asked of other code here. What
//! it cannot know, such as what a user trusts, is neither a yes nor a no. Sources: Apple, "Code Signing Requirement
//! Language", and `requirement.h`, `reqinterp.cpp`, `reqdumper.cpp`, `drmaker.cpp` of the open Security framework.

mod answer;
mod code;
mod designated;
mod matching;
mod reading;
mod text;

use thiserror::Error;

pub(crate) use answer::Answer;
pub(crate) use code::{Code, Shown};
pub(crate) use designated::designated;

/// What is read of a requirement at most.
struct Limits;

impl Limits {
    /// Bytes of all requirements of a signature. Real ones have up to 300.
    const BYTES: usize = 16 * 1024;
    /// Expressions in one another. Real ones have up to ten.
    const DEPTH: usize = 64;
    /// Requirements in a set. Apple knows five kinds.
    const KINDS: u32 = 8;
}

/// Why bytes are no requirement that is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum RequirementError {
    #[error("the requirements end early, or have other lengths than they say")]
    Length,
    #[error("the requirements have more than {} bytes", Limits::BYTES)]
    TooLarge,
    #[error("the requirements do not begin as such do")]
    Magic,
    #[error("the requirement is of the form {0}, which is not read")]
    Form(u32),
    #[error("the requirement has the operation {0:#x}, which is not known")]
    Operation(u32),
    #[error("the requirement has the comparison {0}, which is not known")]
    Comparison(u32),
    #[error("the requirement has expressions more than {} deep", Limits::DEPTH)]
    Depth,
    #[error("two requirements are of one kind")]
    Twice,
}

/// A requirement (`requirement.h`, ExprOp).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Requirement {
    Never,
    Always,
    Identifier(Vec<u8>),
    /// Apple itself signed.
    Apple,
    /// Somebody whom Apple gave a certificate signed.
    AppleGeneric,
    /// A certificate of the path has this SHA-1.
    Certificate(Place, Vec<u8>),
    /// The user trusts a certificate, or all of them.
    Trusted(Option<Place>),
    Both(Box<Self>, Box<Self>),
    Either(Box<Self>, Box<Self>),
    Not(Box<Self>),
    CodeHash(Vec<u8>),
    /// The older form, that a text in Info.plist is this one.
    InfoIs(Vec<u8>, Vec<u8>),
    Info(Vec<u8>, Comparison),
    Entitlement(Vec<u8>, Comparison),
    /// A part of a certificate's subject: `subject.OU`.
    Subject(Place, Vec<u8>, Comparison),
    /// An extension of a certificate, by its identifier.
    Extension(Place, Vec<u8>, Comparison),
    Policy(Place, Vec<u8>, Comparison),
    /// A date in an extension of a certificate.
    Date(Place, Vec<u8>, Comparison),
    /// What a file on the system has under a name.
    NamedAnchor(Vec<u8>),
    NamedCode(Vec<u8>),
    Platform(u32),
    Notarized,
    /// Signed with Developer ID before notarization was asked for.
    Legacy,
}

/// Which certificate of a path: 0 is the signer's, 1 the one above it, -1 the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) i32);

/// A comparison with what is found (`requirement.h`, MatchOperation).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Comparison {
    Exists,
    Absent,
    Equal(Vec<u8>),
    Contains(Vec<u8>),
    Begins(Vec<u8>),
    Ends(Vec<u8>),
    /// Of texts, in which numbers count as such.
    Ordered(Order, Vec<u8>),
    /// Of times, in seconds from 2001 on.
    Time(Order, i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Is,
    Below,
    Above,
    BelowOrIs,
    AboveOrIs,
}

#[cfg(test)]
mod tests;
