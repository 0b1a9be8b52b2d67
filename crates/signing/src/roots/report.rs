//! The roots that are compiled in, to be shown.

use release::Timestamp;
use serde::Serialize;

use crate::roots::{APPLE_ROOT_SET, Anchor, MICROSOFT_ROOT_SET, Origin, Rule, apple, table};

/// A set of roots that is compiled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RootSet {
    /// Its name: source, version, and date.
    pub name: &'static str,
    /// What is judged by it.
    pub judges: &'static str,
    /// Every root, by subject.
    pub roots: Vec<RootReport>,
}

/// A root. All texts are escaped for printing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RootReport {
    /// Its subject.
    pub subject: String,
    /// SHA-256 over it in lower-case hexadecimal.
    pub sha256: String,
    /// Valid until.
    pub not_after: Timestamp,
    /// What it may stand above; none where it may stand above nothing.
    pub code_signing: Option<RootUse>,
    /// The same for timestamps.
    pub time_stamping: Option<RootUse>,
}

/// What a root's program says of one purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RootUse {
    /// Certificates issued from then on do not count.
    pub issued_before: Option<Timestamp>,
    /// Signatures made from then on do not count.
    pub signed_before: Option<Timestamp>,
}

/// Every set that is compiled in.
pub fn root_sets() -> Vec<RootSet> {
    let set = |name, judges, anchors: Vec<Anchor<'_>>| {
        let mut roots: Vec<_> = anchors.iter().map(RootReport::of).collect();
        roots.sort_by(|a, b| (&a.subject, &a.sha256).cmp(&(&b.subject, &b.sha256)));
        RootSet {
            name,
            judges,
            roots,
        }
    };
    vec![
        set(
            MICROSOFT_ROOT_SET,
            "Authenticode: programs, packages, cabinets",
            table::all(),
        ),
        set(
            APPLE_ROOT_SET,
            "Apple: programs, packages, notarization tickets",
            apple::all().collect(),
        ),
    ]
}

impl RootReport {
    fn of(anchor: &Anchor<'_>) -> Self {
        let (code_signing, time_stamping) = match anchor.origin {
            Origin::Microsoft {
                code_signing,
                time_stamping,
            } => (RootUse::of(code_signing), RootUse::of(time_stamping)),
            Origin::Apple | Origin::Extra => {
                let always = RootUse {
                    issued_before: None,
                    signed_before: None,
                };
                (Some(always), Some(always))
            }
        };
        Self {
            subject: anchor.certificate.subject.to_string(),
            sha256: super::sha256_hex(anchor.certificate.raw),
            not_after: anchor.certificate.not_after,
            code_signing,
            time_stamping,
        }
    }
}

impl RootUse {
    fn of(rule: Rule) -> Option<Self> {
        // A bound without end is no time that can be written.
        rule.allowed.then(|| Self {
            issued_before: Timestamp::from_unix(rule.not_before).ok(),
            signed_before: Timestamp::from_unix(rule.disallowed).ok(),
        })
    }
}
