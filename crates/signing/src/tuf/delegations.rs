//! Whom a role leaves targets to: by patterns of paths, by the beginning of the hash of the path, or by numbered bins.

use std::collections::BTreeSet;

use release::name::printable;

use super::TufError;
use super::json::{Json, Object, field};
use super::keys::{self, Keys, Role};
use super::metadata::TOP_LEVEL;
use crate::digest::{DigestAlgorithm, hex};

/// Roles that one role delegates to at most, and patterns of each.
const ROLES_MAX: usize = 16 * 1024;
const PATTERNS_MAX: usize = 4 * 1024;
/// Bits of the number of a bin at most (TAP 15).
const BITS_MAX: u64 = 32;

/// What a role delegates.
#[derive(Debug, Clone)]
pub(super) struct Delegations {
    pub(super) keys: Keys,
    to: To,
}

#[derive(Debug, Clone)]
enum To {
    Roles(Vec<Delegated>),
    /// Bins, each of which is its own role, and signed by the same keys (TAP 15).
    Bins {
        role: Role,
        bits: u32,
        prefix: String,
    },
}

/// A role that others were delegated to.
#[derive(Debug, Clone)]
struct Delegated {
    name: String,
    role: Role,
    /// Whether nobody else is asked.
    is_terminating: bool,
    covers: Covers,
}

#[derive(Debug, Clone)]
enum Covers {
    Patterns(Vec<String>),
    HashPrefixes(Vec<String>),
}

/// A role that is to be asked for a path.
pub(super) struct Next {
    pub(super) name: String,
    pub(super) role: Role,
}

impl Delegations {
    pub(super) fn read(json: &Json) -> Result<Self, TufError> {
        let object = json.object("delegations")?;
        let keys = keys::keys(field(object, "keys")?)?;
        let to = match (object.get("roles"), object.get("succinct_roles")) {
            (Some(roles), None) => To::Roles(roles_of(roles.list("roles")?)?),
            (None, Some(bins)) => bins_of(bins.object("succinct_roles")?)?,
            _ => return Err(TufError::Shape("delegations")),
        };
        Ok(Self { keys, to })
    }

    /// The roles to ask for a path, the first one first, and whether nobody else is to be asked after them.
    pub(super) fn for_path(&self, path: &str) -> (Vec<Next>, bool) {
        let hash = hex(&DigestAlgorithm::Sha256.hash(&[path.as_bytes()]));
        match &self.to {
            To::Bins { role, bits, prefix } => {
                let first = hash.get(..8).unwrap_or_default();
                let first = u32::from_str_radix(first, 16).unwrap_or_default();
                let bin = u64::from(first) >> (32 - bits);
                // As many digits as the number of the last bin has.
                let digits = usize::try_from(bits.div_ceil(4)).unwrap_or(8);
                let name = format!("{prefix}-{bin:0digits$x}");
                let role = role.clone();
                (vec![Next { name, role }], true)
            }
            To::Roles(roles) => {
                let mut found = Vec::new();
                for delegated in roles.iter().filter(|it| it.covers.covers(path, &hash)) {
                    found.push(Next {
                        name: delegated.name.clone(),
                        role: delegated.role.clone(),
                    });
                    if delegated.is_terminating {
                        return (found, true);
                    }
                }
                (found, false)
            }
        }
    }
}

fn bins_of(object: &Object) -> Result<To, TufError> {
    let bits = field(object, "bit_length")?.number("bit_length")?;
    if !(1..=BITS_MAX).contains(&bits) {
        return Err(TufError::Shape("bit_length"));
    }
    Ok(To::Bins {
        role: Role::read(object)?,
        bits: u32::try_from(bits).map_err(|_| TufError::Shape("bit_length"))?,
        prefix: field(object, "name_prefix")?
            .text("name_prefix")?
            .to_owned(),
    })
}

fn roles_of(list: &[Json]) -> Result<Vec<Delegated>, TufError> {
    if list.len() > ROLES_MAX {
        return Err(TufError::TooMany("roles"));
    }
    let roles: Vec<Delegated> = list.iter().map(delegated).collect::<Result<_, _>>()?;
    let names: BTreeSet<_> = roles.iter().map(|role| &role.name).collect();
    match names.len() == roles.len() {
        true => Ok(roles),
        false => Err(TufError::Twice("a role in `delegations`")),
    }
}

fn delegated(json: &Json) -> Result<Delegated, TufError> {
    let object = json.object("roles")?;
    let name = field(object, "name")?.text("name")?;
    if name.is_empty() || TOP_LEVEL.contains(&name) {
        return Err(TufError::Shape("name"));
    }
    let texts = |json: &Json, what| {
        let list = json.list(what)?;
        if list.len() > PATTERNS_MAX {
            return Err(TufError::TooMany(what));
        }
        let texts = list.iter().map(|it| it.text(what).map(str::to_owned));
        texts.collect::<Result<Vec<_>, _>>()
    };
    let covers = match (object.get("paths"), object.get("path_hash_prefixes")) {
        (Some(paths), None) => {
            let patterns = texts(paths, "paths")?;
            // Sets of characters are read in several ways, and nobody needs them.
            if let Some(odd) = patterns.iter().find(|it| it.contains('[')) {
                return Err(TufError::Pattern(printable(odd)));
            }
            Covers::Patterns(patterns)
        }
        (None, Some(prefixes)) => Covers::HashPrefixes(texts(prefixes, "path_hash_prefixes")?),
        _ => return Err(TufError::Shape("paths")),
    };
    Ok(Delegated {
        name: name.to_owned(),
        role: Role::read(object)?,
        is_terminating: field(object, "terminating")?.bool("terminating")?,
        covers,
    })
}

impl Covers {
    fn covers(&self, path: &str, hash: &str) -> bool {
        match self {
            Self::Patterns(patterns) => patterns.iter().any(|it| is_match(it, path)),
            Self::HashPrefixes(prefixes) => prefixes.iter().any(|it| hash.starts_with(it.as_str())),
        }
    }
}

/// Whether a path is of a pattern: `*` and `?` do not cross folders (specification 4.5).
fn is_match(pattern: &str, path: &str) -> bool {
    let (patterns, paths) = (pattern.split('/'), path.split('/'));
    patterns.clone().count() == paths.clone().count()
        && patterns
            .zip(paths)
            .all(|(pattern, part)| is_part(pattern, part))
}

/// Tries a `*` for as few characters as will do, and only the last one again: what one before it could have matched, the last
/// one can too.
fn is_part(pattern: &str, part: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let part: Vec<char> = part.chars().collect();
    let (mut at, mut from) = (0, 0);
    let mut again = None;
    while let Some(found) = part.get(from) {
        match pattern.get(at) {
            Some('*') => {
                at += 1;
                again = Some((at, from));
            }
            Some(wanted) if *wanted == '?' || wanted == found => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((star, tried)) = again else {
                    return false;
                };
                again = Some((star, tried + 1));
                (at, from) = (star, tried + 1);
            }
        }
    }
    let rest = pattern.get(at..).unwrap_or_default();
    rest.iter().all(|it| *it == '*')
}
