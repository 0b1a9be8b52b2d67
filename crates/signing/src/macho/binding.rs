//! What a CMS signature is about: these code directories, all of them, and a team that the code may claim.

use release::name::printable;

use crate::apple::plist;
use crate::checks::{APPLE_CMS_BINDING, APPLE_TEAM_ID, CMS_DIGEST_ALGORITHM, Check};
use crate::cms::{SignedData, SignerInfo};
use crate::der::{OCTET_STRING, SEQUENCE};
use crate::digest::DigestAlgorithm;
use crate::judging::outcome;
use crate::macho::code_directory::CodeDirectory;
use crate::oid::{self, Oid};

/// The CMS is about these code directories, all of them (Apple, Security framework, `StaticCode.cpp`).
pub(super) fn judge(
    signed: &SignedData<'_>,
    signer: &SignerInfo<'_>,
    directories: &[CodeDirectory<'_>],
    checks: &mut Vec<Check>,
) {
    let Some(primary) = directories.first() else {
        return;
    };
    let algorithm = match signer.digest {
        Ok(algorithm) if signed.announces(algorithm) => algorithm,
        Ok(_) => {
            let reason = "the signer and the signature as a whole name different digest algorithms";
            checks.push(Check::fail(CMS_DIGEST_ALGORITHM, reason));
            return;
        }
        Err(oid) => {
            let reason = format!("the digest algorithm {oid} is not supported");
            checks.push(Check::fail(CMS_DIGEST_ALGORITHM, reason));
            return;
        }
    };
    let throughout = format!("{algorithm} throughout");
    checks.push(Check::pass(CMS_DIGEST_ALGORITHM, throughout));
    let digest = algorithm.hash(&[primary.raw]);
    let bound = match signer.binds(signed.content_type, &digest) {
        Err(error) => Err(format!("not about the code directory: {error}")),
        Ok(()) if signed.content_type != oid::DATA => {
            Err(format!("the content is of type {}", signed.content_type))
        }
        Ok(()) => binds_all(signer, directories),
    };
    let passes = "the signed attributes are about each code directory";
    checks.push(outcome(APPLE_CMS_BINDING, bound.err(), passes));
}

/// The attributes that name every code directory, not only the first (hash agility).
fn binds_all(signer: &SignerInfo<'_>, directories: &[CodeDirectory<'_>]) -> Result<(), String> {
    let attributes = signer.signed.as_ref();
    let attribute = |oid: Oid<'static>| {
        let found = attributes.into_iter().flat_map(move |it| it.all(oid));
        found.collect::<Vec<_>>()
    };
    let list = attribute(oid::APPLE_HASH_AGILITY);
    let mut hashes: Vec<_> = directories.iter().map(CodeDirectory::code_hash).collect();
    hashes.sort_unstable();
    match list.as_slice() {
        [] => {}
        [list] if list.tag == OCTET_STRING => {
            let stated = plist::code_hashes(list.value);
            let mut stated = stated.map_err(|error| format!("the list of code hashes: {error}"))?;
            // Their order is that of the kinds of digests, not that of the directories.
            stated.sort_unstable();
            if stated != hashes {
                return Err("the list of code hashes is of other code directories".to_owned());
            }
        }
        _ => return Err("the list of code hashes cannot be read".to_owned()),
    }
    let full = attribute(oid::APPLE_HASH_AGILITY_V2);
    for value in &full {
        let read = || {
            let mut pair = value.inside().ok().filter(|_| value.tag == SEQUENCE)?;
            let algorithm = DigestAlgorithm::from_oid(Oid::read(&mut pair).ok()?)?;
            let hash = pair.expect(OCTET_STRING).ok()?.value;
            pair.end().ok()?;
            Some((algorithm, hash))
        };
        let (algorithm, hash) = read().ok_or("a code hash in full cannot be read")?;
        let same = directories
            .iter()
            .filter(|it| it.hash.algorithm == algorithm);
        if !same.into_iter().any(|it| algorithm.hash(&[it.raw]) == hash) {
            return Err(format!(
                "the {algorithm} code hash is of another code directory"
            ));
        }
    }
    if directories.len() > 1 && list.is_empty() {
        return Err("there are several code directories, and only the first is signed".to_owned());
    }
    Ok(())
}

/// The Team ID that the code claims is the one in the certificate: library validation looks at the claim.
pub(super) fn judge_team(claimed: Option<&[u8]>, certified: Option<&str>) -> Check {
    let claimed = claimed.map(String::from_utf8_lossy);
    let failure = match (claimed.as_deref(), certified) {
        (Some(claimed), Some(certified)) if claimed == certified => None,
        (Some(claimed), Some(certified)) => Some(format!(
            "the code claims `{}`, the certificate is of `{}`",
            printable(claimed),
            printable(certified)
        )),
        (None, _) => Some("the code claims no Team ID".to_owned()),
        (Some(_), None) => Some("the certificate has no Team ID".to_owned()),
    };
    outcome(
        APPLE_TEAM_ID,
        failure,
        "the Team ID of the code is that of the certificate",
    )
}
