//! Snaps, and the assertions that vouch for them: what `snap download` writes beside one (snapd, `asserts`).
//!
//! A snap carries no signature. A `snap-revision` states its SHA3-384 and size, and which snap that is; a `snap-declaration`
//! states what that snap is called and who publishes it. The store signs both, with a key of which an `account-key` says whose
//! it is, signed by the root key that is compiled in. A policy that pins the key of another store takes that one as it is.
//!
//! Not looked at: what a snap may do, revisions that others than the store vouch for, and whether a snap was withdrawn since,
//! which only the store knows.

mod assertion;

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use release::Timestamp;
use release::name::printable;
use sha3::Digest as _;
use thiserror::Error;

use crate::checks::{
    Check, Id, SNAP_DECLARATION, SNAP_KEY, SNAP_PRESENT, SNAP_PUBLISHER, SNAP_REVISION,
    SNAP_SIGNATURE, SNAP_TIME,
};
use crate::openpgp::BareKey;

use assertion::{Assertion, assertions, unwrapped};

/// Who signs what the store says.
const AUTHORITY: &str = "canonical";
/// What is installed where nothing else is said: all that there is since 2016.
const SERIES: &str = "16";
/// Who vouches for a revision where nothing else is said: the store.
const PROVENANCE: &str = "global-upload";
/// The key that vouches for those of the store: the assertion about it, as snapd has it (`asserts/sysdb/trusted.go`).
const ROOT: &[u8] = include_bytes!("snap/canonical-root.assert");
/// The name of that key.
const ROOT_KEY: &str = "-CvQKAwRQ5h3Ffn10FILJoEZUXOv6km9FwA80-Rcj-f-6jadQ89VRswHNiEB9Lxk";

/// Which snap artifacts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapRule {
    /// The account that publishes it, by its id.
    pub account: String,
    /// What it is called.
    pub name: String,
    /// The key of a store other than the public one.
    pub key: Option<KeyId>,
}

/// The name of a key: the SHA3-384 of it, in base64 for addresses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyId([u8; 48]);

/// A text that is no such name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "`{0}` is not the name of a key; expected 64 letters, digits, `-`, and `_`, as `snap keys` shows them"
)]
pub struct KeyIdError(String);

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, KeyIdError> {
        let bytes = BASE64.decode(text).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| KeyIdError(printable(text)))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether an artifact is opened as a snap.
pub(crate) fn is_snap(name: &str) -> bool {
    name.ends_with(".snap")
}

/// What is fed with the bytes of a snap.
#[derive(Debug, Default)]
pub struct Hasher {
    sha3_384: sha3::Sha3_384,
    size: u64,
}

impl Hasher {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha3_384.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// What assertions must say, after the last byte.
    pub fn finish(self) -> Subject {
        Subject {
            digest: BASE64.encode(self.sha3_384.finalize()),
            size: self.size,
        }
    }
}

/// A snap, by what assertions say of its file.
#[derive(Debug, Clone)]
pub struct Subject {
    digest: String,
    size: u64,
}

/// The checks of a snap, `name`, with the assertions that stand beside it, at a time. A key that is not good then is none.
pub fn judge(
    bytes: Option<&[u8]>,
    rule: &SnapRule,
    subject: &Subject,
    name: &str,
    at: Timestamp,
) -> Vec<Check> {
    let Some(bytes) = bytes else {
        let beside = name.strip_suffix(".snap").unwrap_or(name);
        let reason =
            format!("`{beside}.assert` is not there; `snap download` writes it beside the snap");
        return vec![Check::fail(SNAP_PRESENT, reason)];
    };
    let found = match assertions(bytes) {
        Ok(found) => found,
        Err(error) => {
            let reason = format!("the assertions beside `{name}` cannot be read: {error}");
            return vec![Check::fail(SNAP_PRESENT, reason)];
        }
    };
    let present = format!("assertions beside `{name}`: {}", found.len());
    let mut checks = vec![Check::pass(SNAP_PRESENT, present)];
    let judging = Judging {
        found: &found,
        rule,
        at,
    };
    if let Err(failed) = judging.judge(subject, &mut checks) {
        checks.push(failed);
    }
    checks
}

struct Judging<'a> {
    found: &'a [Assertion<'a>],
    rule: &'a SnapRule,
    at: Timestamp,
}

impl<'a> Judging<'a> {
    /// Every check up to the first that fails, which says enough.
    fn judge(&self, subject: &Subject, checks: &mut Vec<Check>) -> Result<(), Check> {
        let revision = self.revision(subject)?;
        let number = printable(revision.text("snap-revision"));
        let reason = format!("revision {number} has this SHA3-384 and size");
        checks.push(Check::pass(SNAP_REVISION, reason));
        let declaration = self.declaration(revision)?;
        let id = printable(declaration.text("snap-id"));
        checks.push(Check::pass(SNAP_DECLARATION, format!("it is snap {id}")));
        for signed in [revision, declaration] {
            checks.extend(self.signed(signed)?);
        }
        // Whose it is comes first, as that is what a person asks.
        checks.insert(0, self.publisher(declaration)?);
        Ok(())
    }

    /// The only assertion of a kind of which something holds.
    fn only(
        &self,
        kind: &str,
        id: Id,
        what: &str,
        holds: impl Fn(&Assertion<'a>) -> bool,
    ) -> Result<&'a Assertion<'a>, Check> {
        let mut found = self.found.iter().filter(|it| it.is_of(kind) && holds(it));
        match (found.next(), found.next()) {
            (Some(found), None) => Ok(found),
            (None, _) => Err(Check::fail(id, format!("there is no `{kind}` {what}"))),
            (Some(_), Some(_)) => Err(Check::fail(id, format!("there are two `{kind}` {what}"))),
        }
    }

    fn revision(&self, subject: &Subject) -> Result<&'a Assertion<'a>, Check> {
        let digest = &subject.digest;
        let what = format!("of SHA3-384 {digest}, which this file has");
        let is_of_it = |it: &Assertion<'_>| it.header("snap-sha3-384") == Some(digest);
        let found = self.only("snap-revision", SNAP_REVISION, &what, is_of_it)?;
        let fail = |reason| Err(Check::fail(SNAP_REVISION, reason));
        let size = found.text("snap-size");
        if size != subject.size.to_string() {
            let (expected, size) = (subject.size, printable(size));
            return fail(format!(
                "it states {size} bytes, and the file has {expected}"
            ));
        }
        if found.has("provenance") && found.header("provenance") != Some(PROVENANCE) {
            return fail(
                "others than the store vouch for this revision, which is not judged here"
                    .to_owned(),
            );
        }
        Ok(found)
    }

    fn declaration(&self, revision: &Assertion<'_>) -> Result<&'a Assertion<'a>, Check> {
        let id = revision.text("snap-id");
        let what = format!("of snap {}", printable(id));
        let is_of_it = |it: &Assertion<'_>| {
            it.header("series") == Some(SERIES) && !id.is_empty() && it.text("snap-id") == id
        };
        self.only("snap-declaration", SNAP_DECLARATION, &what, is_of_it)
    }

    /// Who publishes it, and what it is called.
    fn publisher(&self, declaration: &Assertion<'_>) -> Result<Check, Check> {
        let account = declaration.text("publisher-id");
        let name = declaration.text("snap-name");
        let found = format!(
            "snap `{}` of account `{}`",
            printable(name),
            printable(account)
        );
        if (account, name) == (&self.rule.account, &self.rule.name) {
            return Ok(Check::pass(SNAP_PUBLISHER, found));
        }
        let (name, account) = (printable(&self.rule.name), printable(&self.rule.account));
        let reason = format!("it is {found}, expected snap `{name}` of account `{account}`");
        Err(Check::fail(SNAP_PUBLISHER, reason))
    }

    /// Whether an assertion is signed by who may say it, then.
    fn signed(&self, assertion: &Assertion<'_>) -> Result<Vec<Check>, Check> {
        let kind = printable(assertion.text("type"));
        let id = assertion.text("sign-key-sha3-384");
        let shown = printable(id);
        let what = format!("of key {shown}, which signed the `{kind}`");
        let is_of_it = |it: &Assertion<'_>| it.header("public-key-sha3-384") == Some(id);
        let account_key = self.only("account-key", SNAP_KEY, &what, is_of_it)?;
        let key = key_of(account_key, id)?;
        let pinned = self.rule.key.map(|key| key.to_string());
        let is_pinned = pinned.is_some();
        match pinned {
            Some(pinned) if pinned == id => {}
            Some(pinned) => {
                let reason = format!("the `{kind}` is signed by key {shown}, expected {pinned}");
                return Err(Check::fail(SNAP_KEY, reason));
            }
            None => vouched_for(account_key)?,
        }
        // Whoever has a key of their own can sign with it, but for themselves alone.
        let authority = assertion.text("authority-id");
        if authority.is_empty() || authority != account_key.text("account-id") {
            let reason = format!(
                "the `{kind}` is said by `{}`, and the key is of `{}`",
                printable(authority),
                printable(account_key.text("account-id"))
            );
            return Err(Check::fail(SNAP_KEY, reason));
        }
        let verified = key.verify(&assertion.signature, assertion.content);
        if let Err(why) = verified {
            let reason = format!("the signature of the `{kind}` does not hold: {why}");
            return Err(Check::fail(SNAP_SIGNATURE, reason));
        }
        let said = time(assertion, "timestamp", SNAP_TIME)?;
        if said.unix() > self.at.unix() {
            let reason = format!(
                "the `{kind}` was said on {said}, which is after {}",
                self.at
            );
            return Err(Check::fail(SNAP_TIME, reason));
        }
        // Nobody vouches for what is said of a key that is pinned.
        if !is_pinned {
            good_at(account_key, [said, self.at])?;
        }
        Ok(vec![
            Check::pass(SNAP_KEY, format!("the `{kind}` is signed by key {shown}")),
            Check::pass(SNAP_SIGNATURE, format!("the signature covers the `{kind}`")),
            Check::pass(SNAP_TIME, format!("the `{kind}` was said on {said}")),
        ])
    }
}

/// The key that an assertion is about, which is called by its digest.
fn key_of(account_key: &Assertion<'_>, id: &str) -> Result<BareKey, Check> {
    let fail = |why: String| {
        let reason = format!("key {} cannot be used: {why}", printable(id));
        Check::fail(SNAP_KEY, reason)
    };
    let packet = unwrapped(account_key.body).map_err(|error| fail(error.to_string()))?;
    let digest = sha3::Sha3_384::new()
        .chain_update([1])
        .chain_update(&packet);
    let digest = BASE64.encode(digest.finalize());
    if digest != id {
        return Err(fail(format!("its SHA3-384 is {digest}")));
    }
    // Some keys may sign some things only, and which is not read here.
    if account_key.has("constraints") {
        return Err(fail("it is not for everything".to_owned()));
    }
    BareKey::parse(&packet).map_err(|error| fail(error.to_string()))
}

/// Whether the root key vouches for a key of the store.
fn vouched_for(account_key: &Assertion<'_>) -> Result<(), Check> {
    let id = printable(account_key.text("public-key-sha3-384"));
    let fail = |why: String| Check::fail(SNAP_KEY, format!("key {id} is not the store's: {why}"));
    for header in ["authority-id", "account-id"] {
        let found = account_key.text(header);
        if found != AUTHORITY {
            let found = printable(found);
            return Err(fail(format!(
                "`{header}` is `{found}`, expected `{AUTHORITY}`"
            )));
        }
    }
    if account_key.text("sign-key-sha3-384") != ROOT_KEY {
        return Err(fail("the root key did not sign it".to_owned()));
    }
    let root = assertions(ROOT).map_err(|error| fail(error.to_string()))?;
    let root = root
        .first()
        .ok_or_else(|| fail("there is no root key".to_owned()))?;
    let key = key_of(root, ROOT_KEY)?;
    let verified = key.verify(&account_key.signature, account_key.content);
    verified.map_err(|why| {
        fail(format!(
            "the signature of the root key does not hold: {why}"
        ))
    })
}

/// Whether a key was good at each of these times.
fn good_at(account_key: &Assertion<'_>, times: [Timestamp; 2]) -> Result<(), Check> {
    let since = time(account_key, "since", SNAP_TIME)?;
    let until = match account_key.has("until") {
        true => Some(time(account_key, "until", SNAP_TIME)?),
        false => None,
    };
    for at in times {
        let is_past = until.is_some_and(|until| until.unix() <= at.unix());
        if at.unix() < since.unix() || is_past {
            let until = until.map(|until| format!(" until {until}"));
            let until = until.unwrap_or_default();
            let reason = format!("the key is good since {since}{until}, and not on {at}");
            return Err(Check::fail(SNAP_TIME, reason));
        }
    }
    Ok(())
}

fn time(assertion: &Assertion<'_>, header: &str, id: Id) -> Result<Timestamp, Check> {
    let text = assertion.text(header);
    text.parse().map_err(|_| {
        let kind = printable(assertion.text("type"));
        let found = printable(text);
        Check::fail(
            id,
            format!("`{header}` of the `{kind}` is `{found}`, which is no time"),
        )
    })
}

#[cfg(test)]
mod tests;
