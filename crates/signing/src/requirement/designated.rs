//! What code is known by: the designated requirement in its signature, or the one that macOS derives where there is none.

use crate::digest::DigestAlgorithm;
use crate::oid::{self, Oid};
use crate::requirement::{Code, Comparison, Place, Requirement};
use crate::x509::{self, Certificate};

/// In authorities under which Apple gives certificates for development, and for App Stores.
const APPLE_DEVELOPER_RELATIONS: Oid<'static> =
    Oid(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x63, 0x64, 0x06, 0x02, 0x01]);

/// The designated requirement of code.
///
/// # Errors
/// Where there is none, and none can be derived: the reason.
pub(crate) fn designated(code: &Code) -> Result<Requirement, String> {
    let explicit = code.requirements.as_deref().map(Requirement::in_set);
    match explicit.transpose().map_err(|error| error.to_string())? {
        Some(Some(explicit)) => Ok(explicit),
        Some(None) | None => implicit(code),
    }
}

/// `drmaker.cpp`: by its hashes where nobody signed, else by its identifier and who signed.
fn implicit(code: &Code) -> Result<Requirement, String> {
    if code.is_ad_hoc {
        let hashes = code.code_hashes.iter().cloned();
        let hashes = hashes.map(Requirement::CodeHash);
        let any = hashes.reduce(|one, other| Requirement::Either(Box::new(one), Box::new(other)));
        return any.ok_or_else(|| "it has no code directory".to_owned());
    }
    let path = code.path.iter().map(|it| Certificate::parse(it));
    let path: Vec<_> = path.collect::<Result<_, _>>().unwrap_or_default();
    let Some(leaf) = path.first() else {
        return Err("it states none, and no trusted path leads to whoever signed it".to_owned());
    };
    let signer = match code.is_apple {
        true => by_apple(leaf, &path)?,
        false => vec![topmost_of_organization(&path)],
    };
    let identifier = Requirement::Identifier(code.identifier.clone());
    Ok(signer.into_iter().fold(identifier, both))
}

fn both(one: Requirement, other: Requirement) -> Requirement {
    Requirement::Both(Box::new(one), Box::new(other))
}

fn by_apple(leaf: &Certificate<'_>, path: &[Certificate<'_>]) -> Result<Vec<Requirement>, String> {
    let has = |certificate: Option<&Certificate<'_>>, marker: Oid<'_>| {
        certificate.is_some_and(|it| x509::extension(it.raw, marker).is_some())
    };
    let exists = |place, marker: Oid<'_>| {
        Requirement::Extension(Place(place), marker.0.to_vec(), Comparison::Exists)
    };
    let is = |place, field: &str, kind| {
        let value = leaf.subject.only(kind);
        let value = value.ok_or_else(|| format!("the signer's certificate has no `{field}`"))?;
        let wanted = Comparison::Equal(value.into_bytes());
        Ok::<_, String>(Requirement::Subject(
            Place(place),
            field.as_bytes().to_vec(),
            wanted,
        ))
    };
    let above = path.get(1);
    if has(above, APPLE_DEVELOPER_RELATIONS) {
        return Ok(vec![
            Requirement::AppleGeneric,
            is(0, "subject.CN", oid::COMMON_NAME)?,
            exists(1, APPLE_DEVELOPER_RELATIONS),
        ]);
    }
    if has(above, oid::APPLE_DEVELOPER_ID_AUTHORITY)
        && has(Some(leaf), oid::APPLE_DEVELOPER_ID_APPLICATION)
    {
        return Ok(vec![
            Requirement::AppleGeneric,
            exists(1, oid::APPLE_DEVELOPER_ID_AUTHORITY),
            exists(0, oid::APPLE_DEVELOPER_ID_APPLICATION),
            is(0, "subject.OU", oid::ORGANIZATIONAL_UNIT)?,
        ]);
    }
    Err("it states none, and its certificate is of no kind for which one is derived".to_owned())
}

/// The highest certificate of the path that names the organization of the signer, by its SHA-1.
fn topmost_of_organization(path: &[Certificate<'_>]) -> Requirement {
    let organization = |it: &Certificate<'_>| it.subject.first(oid::ORGANIZATION);
    let own = path.first().and_then(organization);
    let same = path
        .iter()
        .take_while(|it| own.is_some() && organization(it) == own);
    let height = same.count().max(1);
    let hash = path
        .get(height - 1)
        .map(|it| DigestAlgorithm::Sha1.hash(&[it.raw]));
    let place = match height == path.len() {
        true => Place(-1),
        false => Place(i32::try_from(height - 1).unwrap_or_default()),
    };
    Requirement::Certificate(place, hash.unwrap_or_default())
}
