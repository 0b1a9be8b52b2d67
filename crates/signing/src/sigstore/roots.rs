//! Whom a bundle may be vouched for by: Sigstore's public-good instance, and GitHub's own for private repositories.
//!
//! Their trusted roots are compiled in; where they are from stands in `roots/sigstore/README.md`.

use std::sync::LazyLock;

use release::name::printable;
use serde::Serialize;
use sigstore_verify::trust_root::{TimeRange, TrustedRoot};
use sigstore_verify::{VerificationPolicy, Verifier};

use super::arithmetic;
use crate::oid;
use crate::x509::Certificate;

/// The trusted roots that are compiled in, with their date.
pub const SIGSTORE_ROOT_SET: &str =
    "Sigstore public-good and GitHub trusted roots as of 2026-10 (sigstore-trust-root 0.15.1)";

pub(super) const PUBLIC_GOOD: &str = include_str!("../../roots/sigstore/public-good.json");
pub(super) const GITHUB: &str = include_str!("../../roots/sigstore/github.json");

/// Who issued the certificate, logged it, and vouches for the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instance {
    /// fulcio.sigstore.dev, with transparency logs of certificates and of signatures.
    PublicGood,
    /// fulcio.githubapp.com: no log, as the names of private repositories would stand in it. Time is by RFC 3161 alone.
    GitHub,
}

impl Instance {
    /// By the issuer that a certificate claims. A wrong claim gains nothing: each instance is held to its own roots.
    pub(super) fn of(leaf: &Certificate<'_>) -> Self {
        match leaf.issuer.only(oid::ORGANIZATION).as_deref() {
            Some("GitHub, Inc.") => Self::GitHub,
            _ => Self::PublicGood,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PublicGood => "Sigstore's public-good instance",
            Self::GitHub => "GitHub's own Sigstore instance",
        }
    }

    /// What it must be vouched for by. Who signed is judged apart, with a reason for each part of the identity.
    pub(super) fn demands(self) -> VerificationPolicy {
        let everything = VerificationPolicy::any_identity();
        match self {
            Self::PublicGood => everything,
            Self::GitHub => everything.skip_tlog_unsafe().skip_sct(),
        }
    }

    pub(super) fn verifier(self) -> Result<&'static Verifier, &'static str> {
        static PUBLIC_GOOD_VERIFIER: LazyLock<Result<Verifier, String>> =
            LazyLock::new(|| verifier(PUBLIC_GOOD));
        static GITHUB_VERIFIER: LazyLock<Result<Verifier, String>> =
            LazyLock::new(|| verifier(GITHUB));
        let verifier = match self {
            Self::PublicGood => &PUBLIC_GOOD_VERIFIER,
            Self::GitHub => &GITHUB_VERIFIER,
        };
        verifier.as_ref().map_err(String::as_str)
    }
}

/// Something that is compiled in and believed, in the time in which it counts: for showing what a verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Authority {
    /// The instance that it is of.
    pub instance: &'static str,
    /// What it vouches for.
    pub kind: &'static str,
    /// Where it is, escaped for printing.
    pub address: String,
    /// From when on, in RFC 3339.
    pub from: Option<String>,
    /// Until when; None where it is in use.
    pub until: Option<String>,
}

/// Every authority and log that is compiled in.
pub fn authorities() -> Vec<Authority> {
    let mut found = Vec::new();
    for (instance, root) in [
        (Instance::PublicGood, PUBLIC_GOOD),
        (Instance::GitHub, GITHUB),
    ] {
        // A root that cannot be read verifies nothing, so there is nothing to show.
        let Ok(root) = TrustedRoot::from_json(root) else {
            continue;
        };
        let mut add = |kind, address: &str, time: Option<TimeRange>| {
            found.push(Authority {
                instance: instance.name(),
                kind,
                address: printable(address),
                from: time.map(|time| time.start.to_string()),
                until: time.and_then(|time| time.end).map(|end| end.to_string()),
            });
        };
        for it in &root.certificate_authorities {
            add("certificates", &it.uri, it.valid_for);
        }
        for it in &root.ctlogs {
            add("log of certificates", &it.base_url, it.public_key.valid_for);
        }
        for it in &root.tlogs {
            add("log of signatures", &it.base_url, it.public_key.valid_for);
        }
        for it in &root.timestamp_authorities {
            let address = it.uri.as_deref().unwrap_or_default();
            add("timestamps", address, it.valid_for);
        }
    }
    found
}

/// A verifier by a trusted root in JSON. The error is safe to print.
pub(super) fn verifier(trusted_root: &str) -> Result<Verifier, String> {
    arithmetic::install();
    let shown = |error: &dyn std::error::Error| printable(&error.to_string());
    let root = TrustedRoot::from_json(trusted_root).map_err(|error| shown(&error))?;
    Verifier::new(&root).map_err(|error| shown(&error))
}
