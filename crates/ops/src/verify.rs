//! `verify`: every artifact of a release is signed, whole, and by whom the policy says; or the verb says which is not.
//!
//! Each file is read once: digests, checksums, and signatures are computed in that one pass.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use release::name::{FileName, printable};
use release::{Artifact, Timestamp, Version};
use serde_json::Map;
use signing::continuity::ContinuityReport;
use signing::sigstore::Bundles;
use signing::sparkle::Appcast;
use signing::tauri;
use signing::tuf::{self, Repository};
use signing::walk::Room;
use signing::{
    AptRepository, Beside, Candidate, Context, Documents, Examined, MeasureError, OpenPgpKeys,
    Policy, ReleaseReport, SumsContext, SumsDocument, SumsSigner, Trust, Verified,
};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::artifacts::{self, Found, Rule};
use crate::continuity;
use crate::error::Error;
use crate::feeds;
use crate::online::{self, Online};
use crate::progress::{Event, Reporter};

/// The largest signature file that is read, in bytes.
const SIGNATURE_BYTES_MAX: u64 = 16 * 1024;
/// The largest file of checksums that is read, in bytes.
const SUMS_BYTES_MAX: u64 = 1024 * 1024;
/// The largest appcast, in bytes; one more than that is refused.
const APPCAST_BYTES_MAX: u64 = 4 * 1024 * 1024 + 1;
/// The largest file of OpenPGP keys, in bytes; one more than that is refused.
const KEYS_BYTES_MAX: u64 = 4 * 1024 * 1024 + 1;
/// The largest OpenPGP signature file, in bytes; one more than that is refused.
const OPENPGP_BYTES_MAX: u64 = 64 * 1024 + 1;
/// The largest file of Sigstore bundles, in bytes; one more than that is refused.
const BUNDLES_BYTES_MAX: u64 = 8 * 1024 * 1024 + 1;
/// A file of assertions: what the parser takes, and one byte more, which it refuses.
const ASSERTIONS_BYTES_MAX: u64 = 4 * 1024 * 1024 + 1;
/// How many files are read at a time.
const AT_ONCE: usize = 4;

/// What is to be verified.
#[derive(Debug, Clone)]
pub struct Request {
    /// The folder that paths are relative to.
    pub root: PathBuf,
    /// The version being released.
    pub version: Version,
    /// Which files are artifacts.
    pub rules: Vec<Rule>,
    /// What must hold for them.
    pub policy: Policy,
    /// Whether a feed needs SHA-512.
    pub wants_sha512: bool,
    /// Now, for `allow-unsigned`.
    pub now: Timestamp,
    /// Files or folders of the previous release, whose installed copies must accept this one.
    pub previous: Vec<PathBuf>,
    /// How the world is asked what was taken back; none where it is not.
    pub online: Option<Online>,
}

/// A release whose every artifact passed.
#[derive(Debug)]
pub struct Checked {
    /// The artifacts with their files, sorted by name.
    pub artifacts: Vec<(Artifact, PathBuf)>,
    /// The signatures beside artifacts that were checked. One that no rule asked for is nobody's promise, and is not
    /// published.
    pub signatures: BTreeMap<FileName, Vec<u8>>,
    /// The digests of all artifacts: the build's own document where it signed one for all, else ours.
    pub sums: Vec<u8>,
    /// The signature over the build's own document, where it is minisign's: others are not published.
    pub sums_signature: Option<Vec<u8>>,
    /// The rule under which that document was checked.
    pub sums_rule: Option<signing::SumsRule>,
    /// The proof, with every check.
    pub report: Verified<ReleaseReport>,
}

/// Everything that examining an artifact shares with the others.
struct Shared {
    request: Request,
    documents: Documents,
    trust: Trust,
}

impl Shared {
    fn context(&self) -> Context<'_> {
        let Request {
            policy,
            version,
            wants_sha512,
            now,
            ..
        } = &self.request;
        Context {
            policy,
            version,
            now: *now,
            documents: &self.documents,
            trust: &self.trust,
            wants_sha512: *wants_sha512,
            room,
        }
    }
}

/// Verifies a release on disk. Reads, and writes nothing.
pub async fn run(request: &Request, reporter: &Reporter) -> Result<Checked, Error> {
    let found = artifacts::find(&request.root, &request.rules, &request.version)?;
    let shared = Arc::new(Shared {
        request: request.clone(),
        documents: documents(request, &found)?,
        trust: trust(request)?,
    });
    let policy = &request.policy;
    let beside = found.iter().map(|it| BesideFiles::read(policy, it));
    let beside: Vec<_> = beside.collect::<Result<_, _>>()?;
    let bytes = found.iter().map(|found| found.size).sum();
    reporter.tell(Event::Stage {
        name: "verify",
        bytes,
    });
    let beside = Arc::new(beside);
    let examined = examine_all(&shared, &found, &beside, reporter).await?;
    let mut report = signing::conclude(shared.context(), examined);
    report.feeds = feeds::judge(request, &found, &report)?;
    report.continuity = compared(&shared, &found).await?;
    let report = report.into_verified().map_err(Error::Checks)?;
    let signatures = found.iter().zip(beside.iter());
    let signatures =
        signatures.filter_map(|(it, files)| Some((it.name.clone(), files.minisig.clone()?)));
    let signatures = signatures.collect();
    Ok(checked(&shared, found, signatures, report))
}

/// Whether installed copies of the previous release accept this one. None where no previous one was given.
async fn compared(
    shared: &Arc<Shared>,
    found: &[Found],
) -> Result<Option<ContinuityReport>, Error> {
    if shared.request.previous.is_empty() {
        return Ok(None);
    }
    let (shared, found) = (shared.clone(), found.to_vec());
    let compared = tokio::task::spawn_blocking(move || {
        continuity::judge(&shared.request, shared.context(), &found)
    });
    let compared = compared.await;
    compared
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
        .map(Some)
}

/// Where a file of a container stays while it is looked at: a temporary file that has no name, so that nothing is left behind.
pub(crate) fn room() -> io::Result<Box<dyn Room>> {
    tempfile::tempfile().map(|file| Box::new(file) as Box<dyn Room>)
}

/// What signatures may chain to: Microsoft's roots, and those that the policy adds.
pub(crate) fn trust(request: &Request) -> Result<Trust, Error> {
    let mut trust = Trust::microsoft();
    for path in &request.policy.roots {
        trust = crate::inspect::with_roots(trust, &request.root.join(path))?;
    }
    if let Some(online) = &request.online {
        trust = trust.with_online(online::open(online)?);
    }
    Ok(trust)
}

/// The documents that the policy names.
fn documents(request: &Request, found: &[Found]) -> Result<Documents, Error> {
    let file = |path: &str, bytes_max| read_small(&request.root.join(path), bytes_max);
    let mut documents = Documents::default();
    for rule in request.policy.sparkle_rules() {
        let bytes = file(&rule.appcast, APPCAST_BYTES_MAX)?;
        let read = Appcast::read(rule, bytes.as_deref(), &request.version);
        documents.appcasts.push(read);
    }
    let names: Vec<_> = found.iter().map(|artifact| &artifact.name).collect();
    for rule in request.policy.tuf_rules() {
        let root = file(&rule.root, tuf::Limits::ROOT_BYTES + 1)?;
        let when = (&request.version, request.now);
        let read = |name: &str, bytes_max| file(&format!("{}/{name}", rule.metadata), bytes_max);
        let repository = Repository::read(rule, root.as_deref(), &names, when, read)?;
        documents.repositories.push(repository);
    }
    for rule in request.policy.openpgp_keys() {
        let bytes = file(&rule.key, KEYS_BYTES_MAX)?;
        let bytes = bytes.ok_or_else(|| Error::Missing {
            what: "openpgp.key",
            next: format!("`{}` is not there", printable(&rule.key)),
        })?;
        let keys = OpenPgpKeys::parse(&bytes).map_err(|source| Error::Keys {
            path: printable(&rule.key),
            source,
        })?;
        documents.keys.insert(rule.key.clone(), keys);
    }
    let context = SumsContext {
        keys: &documents.keys,
        version: &request.version,
        at: request.now,
    };
    // Each with the signature that stands beside it.
    for rule in request.policy.sums_rules() {
        let bytes = file(&rule.path, SUMS_BYTES_MAX)?;
        let beside = |ending: &str, bytes_max| file(&format!("{}.{ending}", rule.path), bytes_max);
        let signature = match &rule.signer {
            SumsSigner::Minisign(_) => beside("minisig", SIGNATURE_BYTES_MAX)?,
            SumsSigner::OpenPgp(_) => match beside("asc", OPENPGP_BYTES_MAX)? {
                Some(signature) => Some(signature),
                None => beside("sig", OPENPGP_BYTES_MAX)?,
            },
            SumsSigner::Provenance(signer) => match &signer.bundle {
                Some(bundle) => file(bundle, BUNDLES_BYTES_MAX)?,
                None => beside("sigstore.json", BUNDLES_BYTES_MAX)?,
            },
        };
        let read = SumsDocument::read(rule, bytes.as_deref(), signature.as_deref(), context);
        documents.sums.push(read);
    }
    for rule in request.policy.apt_rules() {
        let keys = documents.keys.get(&rule.signer.key);
        let mut file = |path: &str, bytes_max| read_small(&request.root.join(path), bytes_max);
        let read = AptRepository::read(rule, keys, request.now, &mut file)?;
        documents.apt.push(read);
    }
    for path in request
        .policy
        .provenance_rules()
        .filter_map(|it| it.bundle.as_ref())
    {
        let bundles = match file(path, BUNDLES_BYTES_MAX)? {
            Some(bytes) => Bundles::read(&bytes),
            None => Err(Bundles::absent(path)),
        };
        documents.bundles.insert(path.clone(), bundles);
    }
    Ok(documents)
}

/// What stands beside an artifact.
#[derive(Debug, Default)]
struct BesideFiles {
    minisig: Option<Vec<u8>>,
    openpgp: Option<Vec<u8>>,
    sigstore: Option<Vec<u8>>,
    snap: Option<Vec<u8>>,
    tauri: Option<Vec<u8>>,
}

impl BesideFiles {
    /// Reads what rules could ask for; nothing else is opened.
    fn read(policy: &Policy, artifact: &Found) -> Result<Self, Error> {
        let file = |ending: &str, bytes_max| {
            let name = format!("{}.{ending}", artifact.name);
            read_small(&artifact.file.with_file_name(name), bytes_max)
        };
        let mut files = Self {
            minisig: file("minisig", SIGNATURE_BYTES_MAX)?,
            ..Self::default()
        };
        if policy.openpgp_rules().next().is_some() {
            files.openpgp = match file("asc", OPENPGP_BYTES_MAX)? {
                Some(bytes) => Some(bytes),
                None => file("sig", OPENPGP_BYTES_MAX)?.filter(|it| !tauri::is_signature(it)),
            };
        }
        if policy.has_tauri_rules() {
            files.tauri = file("sig", SIGNATURE_BYTES_MAX)?;
        }
        if policy.provenance_rules().any(|rule| rule.bundle.is_none()) {
            files.sigstore = file("sigstore.json", BUNDLES_BYTES_MAX)?;
        }
        let snap = artifact.name.as_str().strip_suffix(".snap");
        if let Some(stem) = snap.filter(|_| policy.snap_rules().next().is_some()) {
            let path = artifact.file.with_file_name(format!("{stem}.assert"));
            files.snap = read_small(&path, ASSERTIONS_BYTES_MAX)?;
        }
        Ok(files)
    }

    fn borrowed(&self) -> Beside<'_> {
        Beside {
            minisig: self.minisig.as_deref(),
            openpgp: self.openpgp.as_deref(),
            sigstore: self.sigstore.as_deref(),
            snap: self.snap.as_deref(),
            tauri: self.tauri.as_deref(),
        }
    }
}

/// A small file; none where there is none. One that is too large is cut, and then fails its own check. What is no file
/// is refused: a link would publish what it points to, and a pipe would never end.
pub(crate) fn read_small(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, Error> {
    let read = || {
        if !path.symlink_metadata()?.is_file() {
            return Err(io::Error::other(
                "expected a file, found a link or something else",
            ));
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(bytes_max).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Local {
            path: printable(&path.to_string_lossy()),
            source,
        }),
    }
}

/// Whether a signature that stands in the store is good for an artifact: the same run signed the same bytes twice.
pub(crate) fn is_signed_by(
    request: &Request,
    artifact: &Artifact,
    file: &Path,
    signature: &[u8],
) -> Result<bool, Error> {
    let context = Context {
        policy: &request.policy,
        version: &request.version,
        now: request.now,
        documents: &Documents::default(),
        trust: &Trust::nothing(),
        wants_sha512: false,
        room,
    };
    let candidate = Candidate {
        path: artifact.name.as_str(),
        name: &artifact.name,
        platform: artifact.platform,
        kind: artifact.kind,
        size: artifact.size,
        beside: Beside {
            minisig: Some(signature),
            ..Beside::default()
        },
    };
    let mut bytes = File::open(file).map_err(|source| MeasureError::Unreadable {
        path: printable(&file.to_string_lossy()),
        source,
    })?;
    let examined = signing::examine(context, &candidate, &mut bytes, &mut |_| {})?;
    Ok(examined.has_good_signature())
}

/// Examines one artifact by what stands beside it, without anybody who watches.
pub(crate) fn examine_alone(context: Context<'_>, artifact: &Found) -> Result<Examined, Error> {
    let beside = BesideFiles::read(context.policy, artifact)?;
    examine_in(context, artifact, beside.borrowed(), &mut |_| {})
}

/// Examines every artifact, some at a time, in the order in which they were found.
async fn examine_all(
    shared: &Arc<Shared>,
    found: &[Found],
    beside: &Arc<Vec<BesideFiles>>,
    reporter: &Reporter,
) -> Result<Vec<Examined>, Error> {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut work = JoinSet::new();
    for (index, artifact) in found.iter().enumerate() {
        let (shared, artifact, turns, reporter) = (
            shared.clone(),
            artifact.clone(),
            turns.clone(),
            reporter.clone(),
        );
        let beside = beside.clone();
        work.spawn(async move {
            // The semaphore is never closed, so a turn always comes.
            let _turn = turns.acquire().await;
            let examined = tokio::task::spawn_blocking(move || {
                let beside = beside.get(index).map(BesideFiles::borrowed);
                examine(&shared, &artifact, beside.unwrap_or_default(), &reporter)
            })
            .await;
            examined
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
                .map(|examined| (index, examined))
        });
    }
    let mut examined = Vec::new();
    while let Some(done) = work.join_next().await {
        examined.push(done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?);
    }
    examined.sort_by_key(|(index, _)| *index);
    Ok(examined.into_iter().map(|(_, examined)| examined).collect())
}

fn examine(
    shared: &Shared,
    artifact: &Found,
    beside: Beside<'_>,
    reporter: &Reporter,
) -> Result<Examined, Error> {
    let mut progress = |bytes| reporter.tell(Event::Advanced(bytes));
    let examined = examine_in(shared.context(), artifact, beside, &mut progress)?;
    reporter.tell(Event::Finished(artifact.name.to_string()));
    Ok(examined)
}

fn examine_in(
    context: Context<'_>,
    artifact: &Found,
    beside: Beside<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<Examined, Error> {
    let Found {
        path,
        file,
        name,
        platform,
        kind,
        size,
    } = artifact;
    let candidate = Candidate {
        path,
        name,
        platform: *platform,
        kind: *kind,
        size: *size,
        beside,
    };
    let mut bytes = File::open(file).map_err(|source| MeasureError::Unreadable {
        path: printable(path),
        source,
    })?;
    Ok(signing::examine(context, &candidate, &mut bytes, progress)?)
}

fn checked(
    shared: &Shared,
    found: Vec<Found>,
    signatures: BTreeMap<FileName, Vec<u8>>,
    report: Verified<ReleaseReport>,
) -> Checked {
    let artifacts: Vec<_> = found
        .into_iter()
        .zip(report.measured())
        .map(|(found, (name, measured))| {
            let artifact = Artifact {
                name: name.clone(),
                platform: found.platform,
                kind: found.kind,
                size: measured.size,
                sha256: measured.sha256,
                sha512: measured.sha512.filter(|_| shared.request.wants_sha512),
                crc64nvme: measured.crc64nvme,
                unknown: Map::new(),
            };
            (artifact, found.file)
        })
        .collect();
    let names: Vec<_> = artifacts
        .iter()
        .map(|(artifact, _)| &artifact.name)
        .collect();
    let sums = &shared.documents.sums;
    let own = sums
        .iter()
        .find(|document| document.covering(&names).is_some());
    let sums_rule = own.map(|document| document.rule().clone());
    let own = own.and_then(|document| document.covering(&names));
    let (sums, sums_signature) = match own {
        Some((sums, signature)) => (sums.to_vec(), signature.map(<[u8]>::to_vec)),
        None => (
            signing::render_sums(
                artifacts
                    .iter()
                    .map(|(artifact, _)| (&artifact.name, artifact.sha256)),
            ),
            None,
        ),
    };
    let mut signatures = signatures;
    let checked = |name: &FileName| report.get().has_good_signature(name);
    signatures.retain(|name, _| checked(name));
    Checked {
        artifacts,
        signatures,
        sums,
        sums_signature,
        sums_rule,
        report,
    }
}
