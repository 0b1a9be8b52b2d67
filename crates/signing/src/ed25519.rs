//! Ed25519 (RFC 8032), checked while the message is read.
//!
//! To sign, the message must be there twice; to check, once is enough: what is hashed is R, the key, and the message, in this
//! order (section 5.1.7), and R stands in the signature.

use ed25519_dalek::{Signature, StreamVerifier, VerifyingKey};

/// Bytes of a signature.
pub(crate) const SIGNATURE_BYTES: usize = 64;

/// A public key. Those of small order are none: under them one signature fits many messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Reads the 32 bytes of a key.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(bytes.try_into().ok()?).ok()?;
        (!key.is_weak()).then_some(Self(key))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// What is fed with the message; none where the signature is not well formed.
    pub(crate) fn verifier(&self, signature: &[u8]) -> Option<Verifier> {
        let signature = Signature::from_slice(signature).ok()?;
        self.0.verify_stream(&signature).ok().map(Verifier)
    }

    /// Checks a message that is there as a whole.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifier(signature).is_some_and(|mut verifier| {
            verifier.update(message);
            verifier.holds()
        })
    }
}

/// A check under way.
pub(crate) struct Verifier(StreamVerifier);

impl Verifier {
    /// Takes the next bytes of the message.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Whether the signature is over the bytes that were taken.
    pub(crate) fn holds(self) -> bool {
        self.0.finalize_and_verify().is_ok()
    }
}

#[cfg(test)]
mod tests;
