//! `_CodeSignature/CodeResources`: what every other file of a bundle must be, and the rules by which files are listed.
//!
//! Source: Apple, TN2206 "macOS Code Signing In Depth". Version 2 (`files2`, `rules2`) is read; what has version 1 alone is
//! sealed by SHA-1 and was signed before OS X 10.9.5. The rules are regular expressions that say which files are listed. Only
//! those by which Apple's own tools leave files out are honoured, word for word, so that no rule of a build can leave out
//! more; every other file must be listed.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::apple::plist::Value;
use crate::walk::names::composed;
use crate::xml::XmlError;

/// What a rule matches.
type Matches = fn(&str) -> bool;

/// Rules by which a file need not be listed.
const OMISSIONS: [(&str, Matches); 4] = [
    (r"^(.*/)?\.DS_Store$", |path| {
        path.rsplit('/').next() == Some(".DS_Store")
    }),
    (r"^Info\.plist$", |path| path == "Info.plist"),
    (r"^PkgInfo$", |path| path == "PkgInfo"),
    (r"^Resources/.*\.lproj/locversion.plist$", |path| {
        path.starts_with("Resources/") && path.ends_with(".lproj/locversion.plist")
    }),
];

/// What every other file of a bundle must be.
#[derive(Debug)]
pub(super) struct Resources {
    pub(super) seals: BTreeMap<String, Seal>,
    /// The rules of [`OMISSIONS`] that this bundle has.
    omissions: Vec<Matches>,
}

/// What one path must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seal {
    pub(super) what: Sealed,
    pub(super) is_optional: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sealed {
    /// A file with this SHA-256.
    File([u8; 32]),
    /// A link to this.
    Link(String),
    /// Code with a signature of its own, and this code directory hash.
    Code(Vec<u8>),
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum ResourcesError {
    #[error("it is no property list: {0}")]
    PropertyList(#[from] XmlError),
    #[error("it has no `files2` and `rules2`, so files are sealed by SHA-1 alone; sign again")]
    Version,
    #[error("`{0}` has two entries, spelt in two ways")]
    Twice(String),
    #[error("the entry of `{0}` is of no kind that is known, or has no SHA-256")]
    Entry(String),
}

impl Resources {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ResourcesError> {
        let list = Value::parse(bytes)?;
        let part = |name| list.get(name).and_then(Value::dictionary);
        let (Some(files), Some(rules)) = (part("files2"), part("rules2")) else {
            return Err(ResourcesError::Version);
        };
        let mut seals = BTreeMap::new();
        for (path, value) in files {
            let seal = Seal::of(value);
            let seal = seal.ok_or_else(|| ResourcesError::Entry(shown(path)))?;
            if seals.insert(composed(path).into_owned(), seal).is_some() {
                return Err(ResourcesError::Twice(shown(path)));
            }
        }
        let is_omitted = |rule: &str| {
            let rule = rules.get(rule).and_then(|rule| rule.get("omit"));
            rule.is_some_and(Value::is_true)
        };
        let omissions = OMISSIONS.iter().filter(|(rule, _)| is_omitted(rule));
        Ok(Self {
            seals,
            omissions: omissions.map(|(_, matches)| *matches).collect(),
        })
    }

    /// Whether a path need not be listed.
    pub(super) fn omits(&self, path: &str) -> bool {
        self.omissions.iter().any(|matches| matches(path))
    }
}

fn shown(text: &str) -> String {
    release::name::printable(text)
}

impl Seal {
    fn of(value: &Value) -> Option<Self> {
        let is_optional = value.get("optional").is_some_and(Value::is_true);
        let text = |key| value.get(key).and_then(Value::text);
        let data = |key| value.get(key).and_then(Value::data);
        let what = match (text("symlink"), data("cdhash"), data("hash2")) {
            (Some(target), None, None) => Sealed::Link(target.to_owned()),
            (None, Some(hash), None) => Sealed::Code(hash.to_vec()),
            (None, None, Some(hash)) => Sealed::File(hash.try_into().ok()?),
            _ => return None,
        };
        Some(Self { what, is_optional })
    }
}
