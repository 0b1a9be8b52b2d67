//! Signing as a build would: minisign with a snake-oil key that lives as long as the test.

use std::io::Cursor;

use minisign::KeyPair;

/// A snake-oil key pair.
#[derive(Clone)]
pub struct Signer {
    keys: std::sync::Arc<KeyPair>,
}

impl Signer {
    /// A new pair.
    pub fn new() -> Self {
        Self {
            keys: std::sync::Arc::new(KeyPair::generate_unencrypted_keypair().expect("a key pair")),
        }
    }

    /// The public key as configuration has it.
    pub fn public_key(&self) -> String {
        self.keys.pk.to_base64()
    }

    /// The text of a signature file over some bytes.
    pub fn sign(&self, bytes: &[u8], trusted_comment: &str) -> String {
        let signed = minisign::sign(
            Some(&self.keys.pk),
            &self.keys.sk,
            Cursor::new(bytes),
            Some(trusted_comment),
            Some("signature of a snake-oil key"),
        );
        signed.expect("a signature").into_string()
    }
}

impl Default for Signer {
    fn default() -> Self {
        Self::new()
    }
}
