//! `verify-bundle` of the conformance suite: a bundle, an artifact, and one identity or one key.
//!
//! Protocol: <https://github.com/sigstore/sigstore-conformance/blob/main/docs/cli_protocol.md>. Unlike policies, it knows
//! identities of people, and roots of anybody's.

use release::name::printable;
use release::{Sha256, Timestamp};
use sigstore_verify::types::{Artifact as Material, ArtifactDigest, DerPublicKey, HashAlgorithm};
use sigstore_verify::{IdentityMatcher, PublicKeyVerificationPolicy, SubjectAltName};

use super::bundles::{Artifact, Opened};
use super::roots::{self, Instance};
use super::verification::run;
use crate::checks::{
    Check, Id, SIGSTORE_CERTIFICATE, SIGSTORE_IDENTITY, SIGSTORE_ISSUER, SIGSTORE_PARSE,
};
use crate::x509::Certificate;

/// What is verified: `FILE_OR_DIGEST`.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    /// The artifact itself.
    Bytes(&'a [u8]),
    /// What follows `sha256:`.
    Digest(Sha256),
}

/// Who must have signed.
#[derive(Debug, Clone, Copy)]
pub enum Signer<'a> {
    /// `--certificate-identity` and `--certificate-oidc-issuer`, both exactly.
    Identity {
        /// An address, or a URI such as that of a workflow.
        identity: &'a str,
        /// Who vouched for it.
        issuer: &'a str,
    },
    /// `--key`: a public key in PEM.
    Key(&'a str),
}

/// Verifies one bundle in JSON, by a trusted root in JSON or those that are compiled in.
///
/// # Errors
/// The check that failed.
pub fn conformance(
    bundle: &[u8],
    subject: Subject<'_>,
    signer: Signer<'_>,
    trusted_root: Option<&str>,
    at: Timestamp,
) -> Result<(), Check> {
    let text = std::str::from_utf8(bundle).map_err(|_| fails(SIGSTORE_PARSE, "it is not UTF-8"))?;
    let opened = Opened::read(text).map_err(|why| fails(SIGSTORE_PARSE, &why))?;
    let is_named = opened.names(&match subject {
        Subject::Bytes(bytes) => Artifact::of(bytes),
        Subject::Digest(sha256) => sha256.into(),
    });
    let material = match subject {
        Subject::Bytes(bytes) => Material::from_blob(bytes),
        Subject::Digest(sha256) => {
            let digest = ArtifactDigest::new(HashAlgorithm::Sha2256, sha256.as_bytes().to_vec());
            Material::from_digest(
                digest.map_err(|error| fails(SIGSTORE_PARSE, &error.to_string()))?,
            )
        }
    };
    match signer {
        Signer::Key(pem) => {
            let key = DerPublicKey::from_pem(pem)
                .map_err(|error| fails(SIGSTORE_PARSE, &format!("the key: {error}")))?;
            let verifier = verifier(trusted_root.unwrap_or(roots::PUBLIC_GOOD))?;
            let policy = PublicKeyVerificationPolicy::new(key);
            run(&verifier, &opened, material, &policy, is_named, at).map(|_| ())
        }
        Signer::Identity { identity, issuer } => {
            let instance = instance(&opened)?;
            let policy = match trusted_root {
                // A root of one's own is held to everything: it says itself which logs it has.
                Some(_) => Instance::PublicGood.demands(),
                None => instance.demands(),
            };
            let result = match trusted_root {
                Some(root) => run(&verifier(root)?, &opened, material, &policy, is_named, at)?,
                None => {
                    let built_in = instance.verifier();
                    let built_in = built_in.map_err(|why| fails(SIGSTORE_CERTIFICATE, why))?;
                    run(built_in, &opened, material, &policy, is_named, at)?
                }
            };
            is_by(result.identity(), identity)?;
            if result.issuer() == Some(issuer) {
                return Ok(());
            }
            let found = result.issuer().unwrap_or("nobody");
            Err(fails(
                SIGSTORE_ISSUER,
                &format!("vouched for by {found}, expected {issuer}"),
            ))
        }
    }
}

fn fails(id: Id, why: &str) -> Check {
    Check::fail(id, printable(why))
}

fn verifier(trusted_root: &str) -> Result<sigstore_verify::Verifier, Check> {
    let verifier = roots::verifier(trusted_root);
    verifier.map_err(|why| fails(SIGSTORE_CERTIFICATE, &format!("the trusted root: {why}")))
}

fn instance(opened: &Opened) -> Result<Instance, Check> {
    let leaf = opened.bundle.signing_certificate();
    let leaf = leaf.ok_or_else(|| fails(SIGSTORE_CERTIFICATE, "the bundle has no certificate"))?;
    let leaf = Certificate::parse(leaf.as_bytes())
        .map_err(|error| fails(SIGSTORE_CERTIFICATE, &error.to_string()))?;
    Ok(Instance::of(&leaf))
}

fn is_by(found: Option<&SubjectAltName>, identity: &str) -> Result<(), Check> {
    let expected = IdentityMatcher::Exact(identity.to_owned());
    if found.is_some_and(|found| expected.matches(found)) {
        return Ok(());
    }
    let found = found.map_or("nobody", SubjectAltName::as_str);
    Err(fails(
        SIGSTORE_IDENTITY,
        &format!("signed by {found}, expected {identity}"),
    ))
}
