//! What stands beside an artifact: signatures over its bytes, checked while these are read once, and attestations of its
//! digest, checked after that.

use release::Kind;

use crate::checks::{Check, OPENPGP_KEY, SIGSTORE_PARSE, SPARKLE_APPCAST, TUF_METADATA};
use crate::minisign;
use crate::openpgp;
use crate::policy::{OpenPgpRule, ProvenanceRule};
use crate::sigstore::{self, Artifact, Bundles};
use crate::snap::{self, SnapRule};
use crate::sparkle;
use crate::tauri;
use crate::tuf;
use crate::verify::{Candidate, Context, Whole};

/// The signatures that the rules of an artifact ask for, opened before its first byte is read.
pub(super) struct Opened<'a> {
    context: Context<'a>,
    candidate: &'a Candidate<'a>,
    minisign: Vec<(&'a minisign::PublicKey, minisign::Opened)>,
    openpgp: Vec<Result<openpgp::Opened<'a>, Check>>,
    /// None of what is no snap.
    snap: Vec<&'a SnapRule>,
    tauri: Vec<(&'a tauri::PublicKey, tauri::Opened)>,
    sparkle: Vec<(&'a sparkle::PublicKey, Result<sparkle::Opened, Check>)>,
}

/// What is fed with the bytes of the artifact.
pub(super) struct Verifiers<'o> {
    minisign: Vec<Option<minisign::Verifier<'o>>>,
    openpgp: Vec<Option<openpgp::Verifier>>,
    snap: Option<snap::Hasher>,
    tauri: Vec<Option<tauri::Reading<'o>>>,
    sparkle: Vec<Option<sparkle::Reading>>,
}

impl<'a> Opened<'a> {
    pub(super) fn new(context: Context<'a>, candidate: &'a Candidate<'a>) -> Self {
        let rules = || context.policy.rules_for(candidate.platform.os());
        let name = candidate.name.as_str();
        let mut keys: Vec<_> = rules().filter_map(|it| it.minisign.as_ref()).collect();
        keys.dedup();
        let minisign = keys.into_iter().map(|key| {
            let opened = minisign::open(candidate.beside.minisig, key, name);
            (key, opened)
        });
        let mut signers: Vec<_> = rules().filter_map(|it| it.openpgp.as_ref()).collect();
        signers.dedup();
        let openpgp = signers.into_iter().map(|rule: &OpenPgpRule| {
            let keys = context.documents.keys_of(&rule.key).ok_or_else(|| {
                let key = release::name::printable(&rule.key);
                Check::fail(OPENPGP_KEY, format!("the keys `{key}` were not read"))
            })?;
            let signature = candidate.beside.openpgp;
            Ok(openpgp::open(signature, keys, rule.fingerprint, name))
        });
        let mut snap: Vec<_> = rules().filter_map(|it| it.snap.as_ref()).collect();
        snap.retain(|_| snap::is_snap(name));
        snap.dedup();
        Self {
            context,
            candidate,
            minisign: minisign.collect(),
            openpgp: openpgp.collect(),
            snap,
            tauri: of_tauri(context, candidate),
            sparkle: of_sparkle(context, candidate),
        }
    }

    pub(super) fn verifiers(&self) -> Verifiers<'_> {
        let minisign = self.minisign.iter();
        let openpgp = self.openpgp.iter();
        let (tauri, sparkle) = (self.tauri.iter(), self.sparkle.iter());
        Verifiers {
            minisign: minisign.map(|(key, it)| it.verifier(key)).collect(),
            openpgp: openpgp
                .map(|it| it.as_ref().ok().and_then(openpgp::Opened::verifier))
                .collect(),
            snap: (!self.snap.is_empty()).then(snap::Hasher::default),
            tauri: tauri.map(|(key, it)| it.reading(key)).collect(),
            sparkle: sparkle
                .map(|(key, it)| it.as_ref().ok().and_then(|it| it.reading(key)))
                .collect(),
        }
    }

    /// Every check, after the last byte. `packaged` are those of OpenPGP, where the signature lies in the artifact.
    pub(super) fn checks(
        &self,
        verifiers: Verifiers<'_>,
        whole: Whole<'_>,
        packaged: Option<Vec<Check>>,
    ) -> Vec<Check> {
        let (name, version) = (self.candidate.name, self.context.version);
        let mut checks = Vec::new();
        for ((key, opened), verifier) in self.minisign.iter().zip(verifiers.minisign) {
            checks.extend(opened.checks(verifier, key, name, version));
        }
        let is_packaged = packaged.is_some();
        checks.extend(packaged.into_iter().flatten());
        let detached = self.openpgp.iter().zip(verifiers.openpgp);
        for (opened, verifier) in detached.filter(|_| !is_packaged) {
            match opened {
                Ok(opened) => {
                    let at = self.context.now;
                    checks.extend(opened.checks(verifier, name.as_str(), at));
                }
                Err(check) => checks.push(check.clone()),
            }
        }
        let subject = verifiers.snap.map(snap::Hasher::finish);
        for (rule, subject) in self.snap.iter().zip(subject.iter().cycle()) {
            let (beside, at) = (self.candidate.beside.snap, self.context.now);
            checks.extend(snap::judge(beside, rule, subject, name.as_str(), at));
        }
        for ((key, opened), reading) in self.tauri.iter().zip(verifiers.tauri) {
            checks.extend(opened.checks(reading, key));
        }
        for ((key, opened), reading) in self.sparkle.iter().zip(verifiers.sparkle) {
            match opened {
                Ok(opened) => checks.extend(opened.checks(reading, key, whole.measured.size)),
                Err(check) => checks.push(check.clone()),
            }
        }
        let rules = self.context.policy.rules_for(self.candidate.platform.os());
        let mut attested: Vec<_> = rules.filter_map(|it| it.provenance.as_ref()).collect();
        attested.dedup();
        checks.extend(
            attested
                .into_iter()
                .flat_map(|rule| self.attested(rule, whole)),
        );
        checks
    }

    /// Where the artifact was built, by the document that the rule names or the one beside the artifact.
    fn attested(&self, rule: &ProvenanceRule, whole: Whole<'_>) -> Vec<Check> {
        let policy = match rule.provenance(self.context.version) {
            Ok(policy) => policy,
            Err(error) => return vec![Check::fail(SIGSTORE_PARSE, error.to_string())],
        };
        let name = self.candidate.name.as_str();
        let own;
        let bundles = match &rule.bundle {
            Some(path) => self.context.documents.bundles_of(path),
            None => {
                own = self.candidate.beside.sigstore.map(Bundles::read);
                own.as_ref().map(Result::as_ref)
            }
        };
        let artifact = Artifact {
            sha256: whole.measured.sha256,
            sha512: whole.measured.sha512,
        };
        match bundles {
            Some(Ok(bundles)) => {
                let wanted = sigstore::Wanted::Provenance;
                sigstore::judge(bundles, &artifact, wanted, &policy, self.context.now)
            }
            Some(Err(check)) => vec![check.clone()],
            None => vec![Bundles::absent(name)],
        }
    }
}

/// Whether the artifact is a target of the repositories that its rules name.
pub(super) fn of_repositories(whole: Whole<'_>) -> Vec<Check> {
    let (context, measured) = (whole.context, whole.measured);
    let rules = context.policy.rules_for(whole.candidate.platform.os());
    let mut rules: Vec<_> = rules.filter_map(|it| it.tuf.as_ref()).collect();
    rules.dedup();
    let checks = |rule: &tuf::Rule| {
        let mut read = context.documents.repositories.iter();
        let name = whole.candidate.name;
        match read.find(|it| it.rule() == rule) {
            Some(it) => it.checks(name, measured.size, measured.sha256, measured.sha512),
            None => {
                let path = release::name::printable(&rule.metadata);
                vec![Check::fail(TUF_METADATA, format!("`{path}` was not read"))]
            }
        }
    };
    rules.into_iter().flat_map(checks).collect()
}

/// Of what Tauri's updater takes: no disk image and no installer package of macOS, unless a signature stands beside one.
fn of_tauri<'a>(
    context: Context<'a>,
    candidate: &Candidate<'a>,
) -> Vec<(&'a tauri::PublicKey, tauri::Opened)> {
    let signature = candidate.beside.tauri;
    if signature.is_none() && matches!(candidate.kind, Kind::Dmg | Kind::Pkg) {
        return Vec::new();
    }
    let rules = context.policy.rules_for(candidate.platform.os());
    let mut keys: Vec<_> = rules.filter_map(|it| it.tauri.as_ref()).collect();
    keys.dedup();
    let name = candidate.name.as_str();
    let opened = keys.into_iter();
    opened
        .map(|key| (key, tauri::open(signature, key, name)))
        .collect()
}

fn of_sparkle<'a>(
    context: Context<'a>,
    candidate: &Candidate<'a>,
) -> Vec<(&'a sparkle::PublicKey, Result<sparkle::Opened, Check>)> {
    let rules = context.policy.rules_for(candidate.platform.os());
    let mut rules: Vec<_> = rules.filter_map(|it| it.sparkle.as_ref()).collect();
    rules.dedup();
    let open = |rule: &'a sparkle::Rule| {
        let opened = match context.documents.appcast_of(rule) {
            Some(appcast) => appcast.open(candidate.name),
            None => {
                let path = release::name::printable(&rule.appcast);
                Err(Check::fail(
                    SPARKLE_APPCAST,
                    format!("`{path}` was not read"),
                ))
            }
        };
        (&rule.key, opened)
    };
    rules.into_iter().map(open).collect()
}

impl Verifiers<'_> {
    pub(super) fn update(&mut self, chunk: &[u8]) {
        let minisign = self.minisign.iter_mut().flatten();
        minisign.for_each(|verifier| verifier.update(chunk));
        let openpgp = self.openpgp.iter_mut().flatten();
        openpgp.for_each(|verifier| verifier.update(chunk));
        if let Some(snap) = &mut self.snap {
            snap.update(chunk);
        }
        let tauri = self.tauri.iter_mut().flatten();
        tauri.for_each(|reading| reading.update(chunk));
        let sparkle = self.sparkle.iter_mut().flatten();
        sparkle.for_each(|reading| reading.update(chunk));
    }
}
