//! What passes, and everything that must not.

mod kinds;
mod packaged;
mod updaters;

use std::io::Cursor;

use ::minisign::KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;

use super::*;
use crate::policy::{Allowance, Rules, SumsRule, SumsSigner};
use crate::report::Verdict;
use crate::sums::SumsContext;
use crate::tests::day;
use crate::{CHECKS, PublicKey, render_sums};

struct Build {
    keys: KeyPair,
    policy: Policy,
    version: Version,
    trust: Trust,
}

const BYTES: &[u8] = b"MZ the bytes of an installer";

fn sign(keys: &KeyPair, bytes: &[u8], comment: &str) -> Vec<u8> {
    let signed = ::minisign::sign(
        Some(&keys.pk),
        &keys.sk,
        Cursor::new(bytes),
        Some(comment),
        None,
    );
    signed.expect("a signature").into_string().into_bytes()
}

fn key(keys: &KeyPair) -> PublicKey {
    keys.pk.to_base64().parse().expect("a key")
}

impl Build {
    fn new() -> Self {
        let keys = KeyPair::generate_unencrypted_keypair().expect("snake-oil keys");
        let all = Rules {
            minisign: Some(key(&keys)),
            ..Rules::default()
        };
        Self {
            keys,
            policy: Policy {
                all,
                ..Policy::default()
            },
            version: "1.4.0".parse().expect("a version"),
            trust: Trust::microsoft(),
        }
    }

    fn examine(
        &self,
        name: &str,
        bytes: &[u8],
        minisig: Option<&[u8]>,
        sums: &[SumsDocument],
    ) -> ReleaseReport {
        let kind = match name.rsplit_once('.') {
            Some((_, "msi")) => Kind::Msi,
            Some((_, "cab")) => Kind::File,
            _ => Kind::Nsis,
        };
        let beside = Beside {
            minisig,
            ..Beside::default()
        };
        self.examine_as(name, kind, bytes, beside, sums)
    }

    fn examine_as(
        &self,
        name: &str,
        kind: Kind,
        bytes: &[u8],
        beside: Beside<'_>,
        sums: &[SumsDocument],
    ) -> ReleaseReport {
        let documents = Documents {
            sums: sums.to_vec(),
            ..Documents::default()
        };
        self.examine_with(name, kind, bytes, beside, &documents)
    }

    fn examine_with(
        &self,
        name: &str,
        kind: Kind,
        bytes: &[u8],
        beside: Beside<'_>,
        documents: &Documents,
    ) -> ReleaseReport {
        let name: FileName = name.parse().expect("a name");
        let path = format!("dist/{name}");
        let candidate = Candidate {
            path: &path,
            name: &name,
            platform: Platform::WindowsX64,
            kind,
            size: bytes.len() as u64,
            beside,
        };
        let now = "2026-11-24T00:00:00Z".parse().expect("a time");
        let context = Context {
            policy: &self.policy,
            version: &self.version,
            now,
            documents,
            trust: &self.trust,
            wants_sha512: true,
            room: || Ok(Box::new(Cursor::new(Vec::new()))),
        };
        let examined =
            examine(context, &candidate, &mut Cursor::new(bytes), &mut |_| {}).expect("readable");
        conclude(context, vec![examined])
    }

    fn outcome(&self, bytes: &[u8], minisig: Option<&[u8]>) -> (Verdict, Vec<&'static str>) {
        let report = self.examine("atlas-1.4.0.exe", bytes, minisig, &[]);
        failed(&report)
    }

    fn allow(&mut self, until: &str, sha256: Option<release::Sha256>) {
        let (path, until) = (
            "dist/*.exe".parse().expect("a glob"),
            until.parse().expect("a date"),
        );
        self.policy.allow_unsigned = vec![Allowance {
            path,
            reason: "made by a vendor".to_owned(),
            until,
            sha256,
        }];
    }
}

/// The verdict and the ids of what did not pass.
fn failed(report: &ReleaseReport) -> (Verdict, Vec<&'static str>) {
    let artifact = &report.artifacts[0];
    let all = artifact.checks.iter().chain(&report.checks);
    for check in all.clone() {
        assert!(
            CHECKS.iter().any(|(id, _)| *id == check.id.as_str()),
            "{} is not in the table",
            check.id.as_str()
        );
    }
    (
        artifact.verdict,
        all.filter(|check| check.outcome != Outcome::Pass)
            .map(|check| check.id.as_str())
            .collect(),
    )
}

#[test]
fn a_good_signature_is_valid() {
    let build = Build::new();
    let signature = sign(
        &build.keys,
        BYTES,
        "timestamp:1\tfile:atlas-1.4.0.exe\thashed\tversion:1.4.0",
    );
    let report = build.examine("atlas-1.4.0.exe", BYTES, Some(&signature), &[]);
    assert_eq!(failed(&report), (Verdict::Valid, vec![]));
    let verified = report.into_verified().expect("verified");
    let (_, measured) = verified.measured().next().expect("one artifact");
    assert_eq!(
        (measured.sha256, measured.size, measured.format),
        (release::Sha256::of(BYTES), BYTES.len() as u64, Format::Pe)
    );
    assert!(measured.sha512.is_some());
}

#[test]
fn what_must_fail_fails_by_its_id() {
    let build = Build::new();
    let other = KeyPair::generate_unencrypted_keypair().expect("snake-oil keys");
    let good = sign(&build.keys, BYTES, "file:atlas-1.4.0.exe");
    let mut tampered = BYTES.to_vec();
    tampered[3] ^= 1;
    assert_eq!(
        build.outcome(&tampered, Some(&good)),
        (Verdict::Invalid, vec!["minisign.signature"])
    );
    assert_eq!(
        build.outcome(BYTES, None),
        (Verdict::Unsigned, vec!["minisign.present"])
    );
    assert_eq!(
        build.outcome(BYTES, Some(&sign(&other, BYTES, "x"))),
        (Verdict::Invalid, vec!["minisign.key-id"])
    );
    assert_eq!(
        build.outcome(BYTES, Some(b"garbage")),
        (Verdict::Invalid, vec!["minisign.present"])
    );
    assert_eq!(
        build.outcome(BYTES, Some(&[b'x'; 5000])),
        (Verdict::Invalid, vec!["minisign.present"])
    );
    assert_eq!(
        build.outcome(BYTES, Some(&good[..good.len() / 2])),
        (Verdict::Invalid, vec!["minisign.present"])
    );
    // An older file, well signed, under a new name or for another version.
    let replayed = sign(&build.keys, BYTES, "file:atlas-1.3.0.exe");
    assert_eq!(
        build.outcome(BYTES, Some(&replayed)),
        (Verdict::Invalid, vec!["minisign.file-name"])
    );
    let older = sign(&build.keys, BYTES, "file:atlas-1.4.0.exe\tversion:1.3.0");
    assert_eq!(
        build.outcome(BYTES, Some(&older)),
        (Verdict::Invalid, vec!["minisign.version"])
    );
    // The trusted comment is signed too.
    let altered = String::from_utf8(replayed)
        .expect("text")
        .replace("atlas-1.3.0", "atlas-1.4.0");
    assert_eq!(
        build.outcome(BYTES, Some(altered.as_bytes())),
        (Verdict::Invalid, vec!["minisign.signature"])
    );
}

#[test]
fn an_allowance_excuses_absence_and_nothing_else() {
    let mut build = Build::new();
    build.allow("2099-01-01", None);
    assert_eq!(
        build.outcome(BYTES, None),
        (
            Verdict::Allowed,
            vec!["minisign.present", "policy.allow-unsigned"]
        )
    );
    let wrong = sign(&build.keys, b"other bytes", "x");
    assert_eq!(build.outcome(BYTES, Some(&wrong)).0, Verdict::Invalid);
    assert_eq!(build.outcome(BYTES, Some(b"garbage")).0, Verdict::Invalid);
    build.allow("2026-11-23", None);
    assert_eq!(
        build.outcome(BYTES, None),
        (
            Verdict::Unsigned,
            vec!["minisign.present", "policy.allow-expired"]
        )
    );
    build.allow("2026-11-24", Some(release::Sha256::of(b"another file")));
    assert_eq!(
        build.outcome(BYTES, None),
        (
            Verdict::Unsigned,
            vec!["minisign.present", "policy.allow-digest"]
        )
    );
    build.allow("2026-11-24", Some(release::Sha256::of(BYTES)));
    assert_eq!(build.outcome(BYTES, None).0, Verdict::Allowed);
}

#[test]
fn without_a_rule_nothing_passes() {
    let mut build = Build::new();
    build.policy = Policy::default();
    assert_eq!(
        build.outcome(BYTES, None),
        (Verdict::Unsupported, vec!["format.unsupported"])
    );
    let report = build.examine("atlas-1.4.0.exe", BYTES, None, &[]);
    assert!(
        report.artifacts[0].checks[0]
            .reason
            .contains("Authenticode")
    );
    assert!(report.into_verified().is_err());
    build.allow("2099-01-01", None);
    assert_eq!(build.outcome(BYTES, None).0, Verdict::Allowed);
    let empty = ReleaseReport {
        extra_roots: Vec::new(),
        schema: 1,
        artifacts: Vec::new(),
        feeds: Vec::new(),
        continuity: None,
        checks: Vec::new(),
    };
    assert!(empty.into_verified().is_err(), "nothing proves nothing");
}

/// Packages and cabinets are judged as programs are, and where Authenticode is demanded nothing else will do.
#[test]
fn a_policy_reaches_everything_that_authenticode_signs() {
    let mut build = Build::new();
    build.trust = crate::tests::packages_trust();
    let demand = |organization: &str| Rules {
        authenticode: Some(authenticode::Signer {
            organization: Some(organization.to_owned()),
            ..authenticode::Signer::default()
        }),
        ..Rules::default()
    };
    build.policy.all = demand("Snake Oil Ltd");
    let good: [(&str, &[u8]); 3] = [
        (
            "atlas-1.4.0.msi",
            include_bytes!("../../fixtures/packages/signed.msi"),
        ),
        (
            "metadata.msi",
            include_bytes!("../../fixtures/packages/metadata.msi"),
        ),
        (
            "atlas-1.4.0.cab",
            include_bytes!("../../fixtures/packages/signed.cab"),
        ),
    ];
    for (name, bytes) in good {
        let report = build.examine(name, bytes, None, &[]);
        assert_eq!(failed(&report), (Verdict::Valid, vec![]), "{name}");
        let signature = report.artifacts[0].signature.as_ref();
        assert_eq!(signature.expect("an inspection").signatures.len(), 1);
        let more = [bytes, b"!"].concat();
        let (verdict, ids) = failed(&build.examine(name, &more, None, &[]));
        assert_eq!(verdict, Verdict::Invalid, "{name}");
        assert!(ids[0].ends_with(".trailing-data"), "{ids:?}");
    }
    let unsigned = include_bytes!("../../fixtures/packages/plain.msi");
    let report = build.examine("plain.msi", unsigned, None, &[]);
    assert_eq!(failed(&report), (Verdict::Unsigned, vec!["msi.signed"]));
    let unsigned = include_bytes!("../../fixtures/packages/plain.cab");
    let report = build.examine("plain.cab", unsigned, None, &[]);
    assert_eq!(failed(&report), (Verdict::Unsigned, vec!["cab.signed"]));
    let late = include_bytes!("../../fixtures/packages/other.msi");
    let report = build.examine("other.msi", late, None, &[]);
    let missing = (Verdict::Invalid, vec!["timestamp.present"]);
    assert_eq!(failed(&report), missing);
    let report = build.examine("atlas-1.4.0.zip", b"PK\x03\x04", None, &[]);
    let unsupported = (Verdict::Unsupported, vec!["format.unsupported"]);
    assert_eq!(failed(&report), unsupported);
    assert!(report.artifacts[0].checks[0].reason.contains("zip archive"));
    build.policy.all = demand("Another Ltd");
    for (name, bytes) in good {
        let report = build.examine(name, bytes, None, &[]);
        let other = (Verdict::Invalid, vec!["identity.organization"]);
        assert_eq!(failed(&report), other, "{name}");
    }
}

#[test]
fn checksums_cover_both_ways() {
    let mut build = Build::new();
    let rule = SumsRule {
        path: "dist/SHA256SUMS".to_owned(),
        signer: SumsSigner::Minisign(key(&build.keys)),
    };
    build.policy.all = Rules {
        sha256sums: Some(rule.clone()),
        ..Rules::default()
    };
    let name: FileName = "atlas-1.4.0.exe".parse().expect("a name");
    let other: FileName = "other.exe".parse().expect("a name");
    let good = render_sums([(&name, release::Sha256::of(BYTES))]);
    let run = |bytes: Option<&[u8]>, signature: Option<&[u8]>| {
        let context = SumsContext {
            keys: &BTreeMap::new(),
            version: &build.version,
            at: day(),
        };
        let document = SumsDocument::read(&rule, bytes, signature, context);
        failed(&build.examine(name.as_str(), BYTES, None, &[document]))
    };
    let signed = |bytes: &[u8]| {
        run(
            Some(bytes),
            Some(&sign(&build.keys, bytes, "file:SHA256SUMS")),
        )
    };
    assert_eq!(signed(&good), (Verdict::Valid, vec![]));
    assert_eq!(run(Some(&good), None).1, ["sha256sums.signature"]);
    assert_eq!(run(None, None).1, ["sha256sums.signature"]);
    assert_eq!(
        signed(&render_sums([(&name, release::Sha256::of(b"x"))])),
        (Verdict::Invalid, vec!["sha256sums.digest"])
    );
    assert_eq!(
        signed(&render_sums([(&other, release::Sha256::of(b"x"))])).1,
        ["sha256sums.coverage", "sha256sums.extra"]
    );
    let extra = render_sums([
        (&name, release::Sha256::of(BYTES)),
        (&other, release::Sha256::of(b"x")),
    ]);
    assert_eq!(signed(&extra).1, ["sha256sums.extra"]);
    let twice = [good.clone(), good.clone()].concat();
    assert_eq!(
        signed(&twice),
        (Verdict::Invalid, vec!["sha256sums.signature"])
    );
    assert_eq!(signed(b"no such line\n").1, ["sha256sums.signature"]);
    assert_eq!(
        signed(format!("{}  ../x\n", "0".repeat(64)).as_bytes()).1,
        ["sha256sums.signature"]
    );
}

/// What an `apple` rule makes of files of every format; the good ones stand in the tests of `apple`.
#[test]
fn apples_signatures_are_demanded_of_what_can_carry_them() {
    let mut build = Build::new();
    build.policy.all = Rules {
        apple: Some(apple::Signer {
            team_id: "ABCDE12345".to_owned(),
            hardened_runtime: apple::HardenedRuntime::Required,
            notarized: apple::Notarized::Required,
        }),
        ..Rules::default()
    };
    let run = |name: &str, bytes: &[u8]| failed(&build.examine(name, bytes, None, &[]));
    let unsupported = (Verdict::Unsupported, vec!["format.unsupported"]);
    for (name, bytes) in [
        ("atlas-1.4.0.exe", BYTES),
        ("atlas-1.4.0.dmg", b"a disk image"),
        ("atlas-1.4.0.zip", b"PK\x03\x04 an app"),
        ("atlas-1.4.0.tar.gz", b"\x1f\x8b an app"),
    ] {
        assert_eq!(run(name, bytes), unsupported, "{name}");
    }
}

/// A signature that the real minisign made, over bytes that stand in this file. See `fixtures/README.md`.
#[test]
fn a_signature_of_the_real_minisign_is_valid() {
    let mut build = Build::new();
    build.policy.all.minisign = Some(
        include_str!("../../fixtures/snake-oil.pub")
            .parse()
            .expect("a key"),
    );
    let report = build.examine(
        "hello-1.4.0.txt",
        include_bytes!("../../fixtures/hello-1.4.0.txt"),
        Some(include_bytes!("../../fixtures/hello-1.4.0.txt.minisig")),
        &[],
    );
    assert_eq!(failed(&report), (Verdict::Valid, vec![]));
    let legacy = include_bytes!("../../fixtures/legacy.minisig");
    let report = build.examine(
        "hello-1.4.0.txt",
        include_bytes!("../../fixtures/hello-1.4.0.txt"),
        Some(legacy),
        &[],
    );
    assert_eq!(
        failed(&report),
        (Verdict::Invalid, vec!["minisign.signature"])
    );
}

proptest! {
    #[test]
    fn nothing_random_ever_verifies(bytes in proptest::collection::vec(any::<u8>(), 0..600), flips in proptest::collection::vec((any::<u16>(), 1_u8..), 1..4)) {
        let build = Build::new();
        prop_assert_ne!(build.outcome(BYTES, Some(&bytes)).0, Verdict::Valid);
        let rule = SumsRule { path: "S".to_owned(), signer: SumsSigner::Minisign(key(&build.keys)) };
        prop_assert!(!crate::is_minisigned(&rule, &bytes, &bytes));
        let _ = crate::sums::parse(&bytes);
        let _ = String::from_utf8_lossy(&bytes).parse::<PublicKey>();
        // A valid signature with some bytes changed: valid only if nothing that counts was changed.
        let good = sign(&build.keys, BYTES, "file:atlas-1.4.0.exe");
        let mut mutated = good.clone();
        for (at, flip) in flips {
            let at = usize::from(at) % mutated.len();
            mutated[at] ^= flip;
        }
        // What counts is what the four lines decode to: base64 has spare bits at its end, and a line may end with CR.
        let decoded = |text: &[u8]| {
            let text = String::from_utf8_lossy(text).into_owned();
            let lines: Vec<_> = text.lines().map(str::to_owned).collect();
            let bytes = |at: usize| lines.get(at).and_then(|line| BASE64.decode(line.trim()).ok());
            (bytes(1), lines.get(2).cloned(), bytes(3))
        };
        if decoded(&mutated) != decoded(&good) {
            prop_assert_ne!(build.outcome(BYTES, Some(&mutated)).0, Verdict::Valid);
        }
    }
}
