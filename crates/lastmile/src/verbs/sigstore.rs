//! `lastmile sigstore verify-bundle`: hidden, as it is for the public conformance suite, and knows no policy.
//!
//! Protocol: <https://github.com/sigstore/sigstore-conformance/blob/main/docs/cli_protocol.md>.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use ops::Error;
use release::Sha256;
use release::name::printable;
use signing::sigstore::{Signer, Subject, conformance};

use super::verify::now;
use crate::failure::Failure;
use crate::output;

/// Verify as the Sigstore conformance suite asks
#[derive(Debug, Subcommand)]
pub(crate) enum Sigstore {
    /// Verify one bundle by one identity or one key
    VerifyBundle(VerifyBundle),
}

/// Verify one bundle by one identity or one key
#[derive(Debug, Args)]
pub(crate) struct VerifyBundle {
    /// The bundle
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
    /// Whose certificate must have signed, exactly
    #[arg(long, value_name = "IDENTITY", requires = "certificate_oidc_issuer")]
    certificate_identity: Option<String>,
    /// Who must have vouched for that identity, exactly
    #[arg(long, value_name = "URL", requires = "certificate_identity")]
    certificate_oidc_issuer: Option<String>,
    /// Whose key must have signed instead: a public key in PEM
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "certificate_identity",
        required_unless_present = "certificate_identity"
    )]
    key: Option<PathBuf>,
    /// Authorities to believe instead of those that are compiled in
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// Another instance, whose authorities are not compiled in
    #[arg(long, requires = "trusted_root")]
    staging: bool,
    /// The artifact, or `sha256:` and its digest
    #[arg(value_name = "FILE_OR_DIGEST")]
    subject: String,
}

pub(crate) fn run(args: &Sigstore) -> Result<(), Failure> {
    let Sigstore::VerifyBundle(args) = args;
    let bundle = read(&args.bundle)?;
    let text = |path: &PathBuf| {
        let bytes = read(path)?;
        Ok::<_, Failure>(String::from_utf8_lossy(&bytes).into_owned())
    };
    let key = args.key.as_ref().map(text).transpose()?;
    let root = args.trusted_root.as_ref().map(text).transpose()?;
    let identity = args.certificate_identity.as_deref();
    let issuer = args.certificate_oidc_issuer.as_deref();
    let signer = match (key.as_deref(), identity, issuer) {
        (Some(key), _, _) => Signer::Key(key),
        (None, Some(identity), Some(issuer)) => Signer::Identity { identity, issuer },
        (None, _, _) => {
            return Err(missing(
                "give `--key`, or both `--certificate-identity` and `--certificate-oidc-issuer`",
            ));
        }
    };
    let digest: Option<Result<Sha256, _>> = args.subject.strip_prefix("sha256:").map(str::parse);
    let bytes;
    let subject = match digest {
        Some(Ok(digest)) => Subject::Digest(digest),
        Some(Err(_)) => {
            return Err(missing(
                "behind `sha256:` 64 hexadecimal digits are expected",
            ));
        }
        None => {
            bytes = read(Path::new(&args.subject))?;
            Subject::Bytes(&bytes)
        }
    };
    conformance(&bundle, subject, signer, root.as_deref(), now())
        .map_err(|check| Failure::from(Error::Bundle(check)))?;
    output::plain("verified\n");
    Ok(())
}

fn missing(next: &str) -> Failure {
    Failure::from(Error::Missing {
        what: "sigstore",
        next: next.to_owned(),
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|source| {
        Failure::from(Error::Local {
            path: printable(&path.to_string_lossy()),
            source,
        })
    })
}
