//! Special slots: digests in a code directory of what belongs to the code and is not code.

use crate::macho::code_directory::CodeDirectory;
use crate::macho::super_blob::{Slot, SuperBlob};

/// What a slot is for (`cs_blobs.h`, CSSLOT_…; Apple's Security framework, `codedirectory.h`).
fn name(slot: u32) -> &'static str {
    match slot {
        1 => "Info.plist",
        2 => "requirements",
        3 => "resources",
        4 => "application",
        5 => "entitlements",
        6 => "representation",
        7 => "entitlements in DER",
        8 => "launch constraints of the program itself",
        9 => "launch constraints of its parent",
        10 => "launch constraints of the responsible process",
        11 => "library constraints",
        _ => "unknown slot",
    }
}

/// Slots of a program whose content lies in the bundle around it.
pub(crate) const IN_BUNDLE: &[u32] = &[1, 3, 4, 6];

/// Compares every part in the signature with every code directory. `beyond` names the slots whose content may lie elsewhere.
/// Gives what was found, or why it does not hold.
pub(crate) fn judge(
    signature: &SuperBlob<'_>,
    directories: &[CodeDirectory<'_>],
    beyond: &[u32],
) -> Result<String, String> {
    let blob = |slot: u32| signature.all(Slot::Special(slot)).next();
    let (mut bound, mut outside) = (Vec::new(), Vec::new());
    for directory in directories {
        for (slot, expected) in directory.special() {
            let what = name(slot);
            let is_used = expected.iter().any(|byte| *byte != 0);
            match (blob(slot), is_used) {
                (None, false) => {}
                (Some(blob), true) if directory.hash.hash(&[blob.raw]) == expected => {
                    bound.push(what);
                }
                (Some(_), true) => return Err(format!("{what}: changed after signing")),
                (Some(_), false) => return Err(format!("{what}: there, but not signed")),
                (None, true) if beyond.contains(&slot) => outside.push(what),
                (None, true) => return Err(format!("{what}: signed, but not there")),
            }
        }
        // What a code directory has no slot for at all, it does not bind.
        let count = directory.special().count();
        let unbound = signature.blobs.iter().find_map(|blob| match blob.slot {
            Slot::Special(slot) if usize::try_from(slot).is_ok_and(|it| it > count) => Some(slot),
            _ => None,
        });
        if let Some(slot) = unbound {
            return Err(format!("{}: there, but not signed", name(slot)));
        }
    }
    let mut reason = shown(bound, "nothing", "as signed");
    if !outside.is_empty() {
        reason.push_str("; ");
        reason.push_str(&shown(
            outside,
            "",
            "bound, and not in the signature itself",
        ));
    }
    Ok(reason)
}

fn shown(mut names: Vec<&str>, none: &str, how: &str) -> String {
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return format!("{none} {how}");
    }
    format!("{}: {how}", names.join(", "))
}
