//! The OpenPGP signatures that packages of Linux carry inside.
//!
//! An RPM package is signed inside, or not at all. A Debian package and an AppImage rarely are: what stands beside it counts
//! then, and only where nothing does, what debsigs or appimagetool put into it.

use std::io;

use release::Kind;
use release::name::printable;

use crate::appimage;
use crate::checks::{Check, OPENPGP_KEY};
use crate::deb;
use crate::format::Format;
use crate::inspection::Inspection;
use crate::policy::OpenPgpRule;
use crate::rpm;
use crate::verify::own::is_opened_as;
use crate::verify::{Bytes, Whole};

/// What the rules about OpenPGP find inside a package. None where it is none, or where what stands beside it counts.
pub(super) struct Packaged {
    pub(super) checks: Vec<Check>,
    pub(super) signature: Option<Inspection>,
}

/// Judges a package by each key that a rule pins.
pub(super) fn judge(whole: Whole<'_>, bytes: &mut dyn Bytes) -> io::Result<Option<Packaged>> {
    let rules = whole
        .context
        .policy
        .rules_for(whole.candidate.platform.os());
    let mut pinned: Vec<_> = rules.filter_map(|rules| rules.openpgp.as_ref()).collect();
    pinned.dedup();
    let is_itself = is_opened_as(whole.measured.format, whole.candidate.kind);
    let is_inside = match whole.measured.format {
        _ if !is_itself => false,
        Format::Rpm => true,
        Format::Deb => whole.candidate.beside.openpgp.is_none(),
        // Its kind says so already. Where its mark does not, that is what is wrong with it.
        Format::Elf if whole.candidate.beside.openpgp.is_none() => {
            whole.candidate.kind == Kind::AppImage || appimage::has_mark(bytes)?
        }
        _ => false,
    };
    if pinned.is_empty() || !is_inside {
        return Ok(None);
    }
    let mut found = Packaged {
        checks: Vec::new(),
        signature: None,
    };
    for rule in pinned {
        one(whole, rule, bytes, &mut found)?;
    }
    // Two rules find the same of everything but the key.
    let mut known: Vec<Check> = Vec::new();
    for check in std::mem::take(&mut found.checks) {
        if !known.contains(&check) {
            known.push(check);
        }
    }
    found.checks = known;
    Ok(Some(found))
}

fn one(
    whole: Whole<'_>,
    rule: &OpenPgpRule,
    mut bytes: &mut dyn Bytes,
    found: &mut Packaged,
) -> io::Result<()> {
    let keys = whole.context.documents.keys_of(&rule.key);
    let Some(keys) = keys.and_then(|keys| keys.only(rule.fingerprint).ok()) else {
        let reason = format!(
            "key {} is not in `{}`; export it with `gpg --armor --export`",
            rule.fingerprint,
            printable(&rule.key)
        );
        found.checks.push(Check::fail(OPENPGP_KEY, reason));
        return Ok(());
    };
    let at = whole.context.now;
    let inspection = match whole.measured.format {
        Format::Rpm => rpm::inspect(&mut bytes, at, &keys)?,
        Format::Elf => appimage::inspect(&mut bytes, at, &keys)?,
        _ => deb::inspect(&mut bytes, at, &keys)?,
    };
    found.checks.extend(inspection.all_checks().cloned());
    found.signature = Some(inspection);
    Ok(())
}
