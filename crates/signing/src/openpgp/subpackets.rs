//! What a signature says of itself in the subpackets that it covers (RFC 9580 section 5.2.3.7).

use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{KeyFlags, Signature, SubpacketData};

/// Whether a digest can still be relied on.
pub(super) fn is_strong(hash: Option<HashAlgorithm>) -> bool {
    use HashAlgorithm as H;
    matches!(
        hash,
        Some(H::Sha256 | H::Sha384 | H::Sha512 | H::Sha3_256 | H::Sha3_512)
    )
}

/// What is critical and not understood, or said twice and so in two ways; none where all is fine.
pub(super) fn refused(signature: &Signature) -> Option<&'static str> {
    let subpackets = &signature.config()?.hashed_subpackets;
    let is_known = |data: &SubpacketData| {
        !matches!(
            data,
            // A notation is known by its name, and none is known here.
            SubpacketData::Notation(_)
                | SubpacketData::Experimental(..)
                | SubpacketData::Other(..)
                | SubpacketData::SignatureTarget(..)
                | SubpacketData::IntendedRecipientFingerprint(_)
        )
    };
    if subpackets
        .iter()
        .any(|it| it.is_critical && !is_known(&it.data))
    {
        return Some("it has a critical subpacket that is not understood");
    }
    let count =
        |of: fn(&SubpacketData) -> bool| subpackets.iter().filter(|it| of(&it.data)).count();
    let times = count(|it| matches!(it, SubpacketData::SignatureCreationTime(_)));
    let ends = count(|it| matches!(it, SubpacketData::SignatureExpirationTime(_)));
    let key_ends = count(|it| matches!(it, SubpacketData::KeyExpirationTime(_)));
    let flags = count(|it| matches!(it, SubpacketData::KeyFlags(_)));
    match times {
        0 => Some("it does not say when it was made"),
        1 if ends < 2 && key_ends < 2 && flags < 2 => None,
        _ => Some("it says the same thing twice"),
    }
}

/// When it was made, in seconds since 1970.
pub(super) fn created(signature: &Signature) -> Option<u64> {
    signature.created().map(|it| u64::from(it.as_secs()))
}

/// When it stops to hold; none where it holds for ever.
pub(super) fn expires(signature: &Signature) -> Option<u64> {
    let after = signature.signature_expiration_time()?.as_secs();
    let created = created(signature)?;
    (after != 0).then(|| created + u64::from(after))
}

/// For how long the key is good that it is about, from when the key was made; zero for ever. None where it does not say.
pub(super) fn key_lifetime(signature: &Signature) -> Option<u64> {
    let lifetime = signature.key_expiration_time()?;
    Some(u64::from(lifetime.as_secs()))
}

/// What the key may be used for that it is about; none where it does not say.
pub(super) fn key_flags(signature: &Signature) -> Option<KeyFlags> {
    let mut subpackets = signature.config()?.hashed_subpackets();
    subpackets.find_map(|it| match &it.data {
        SubpacketData::KeyFlags(flags) => Some(flags.clone()),
        _ => None,
    })
}
