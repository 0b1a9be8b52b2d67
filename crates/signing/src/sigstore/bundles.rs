//! Reading bundles: one, several one behind the other as `gh attestation download` writes them, an array, or the answer of
//! an API that wraps each as `{"attestations": [{"bundle": …}]}`.
//!
//! Format: <https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto>. Nothing is judged here.

use release::name::printable;
use release::{Sha256, Sha512};
use serde::de::IgnoredAny;
use serde_json::Value;
use sigstore_verify::types::bundle::{VerificationMaterial, VerificationMaterialContent};
use sigstore_verify::types::{ArtifactDigest, Bundle, HashAlgorithm, SignatureContent, Statement};

use crate::checks::{Check, SIGSTORE_PARSE, SIGSTORE_PRESENT};

/// How much is read. Real bundles have about 10 KB, one subject, one log entry, and a proof of about 25 hashes.
struct Limits {
    /// Provenance of a thousand artifacts has 300 KB.
    file_bytes: usize,
    /// Values of JSON in it, each of which takes far more memory than bytes: a bundle has about a hundred.
    values: usize,
    /// Bundles in one file.
    bundles: usize,
    /// Artifacts that one attestation names. GitHub allows 1,024.
    subjects: usize,
    log_entries: usize,
    timestamps: usize,
    proof_hashes: usize,
    certificates: usize,
}

const LIMITS: Limits = Limits {
    file_bytes: 8 * 1024 * 1024,
    values: 256 * 1024,
    bundles: 1024,
    subjects: 4096,
    log_entries: 4,
    timestamps: 4,
    proof_hashes: 64,
    certificates: 8,
};

/// The payload type of attestations (in-toto Attestation Framework, envelope).
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// Bundles that were read, and not judged.
#[derive(Debug, Default)]
pub struct Bundles {
    pub(super) opened: Vec<Opened>,
    /// Those that cannot be read: how many, and what is wrong with the first. Nothing is believed for them, and nothing that
    /// another one proves is lost by them.
    pub(super) unread: Option<(usize, String)>,
}

/// A bundle, and what it states.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) bundle: Bundle,
    /// What it says of which artifacts, where it is an attestation. Not yet believed.
    pub(super) statement: Option<Statement>,
}

/// The artifact by its digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Artifact {
    /// SHA-256 over its bytes.
    pub sha256: Sha256,
    /// SHA-512 over its bytes, where it is known: what npm attests.
    pub sha512: Option<Sha512>,
}

impl Artifact {
    /// By both digests of its bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            sha256: Sha256::of(bytes),
            sha512: Some(Sha512::of(bytes)),
        }
    }
}

impl From<Sha256> for Artifact {
    fn from(sha256: Sha256) -> Self {
        Self {
            sha256,
            sha512: None,
        }
    }
}

impl Bundles {
    /// The check that failed where there are none.
    pub fn absent(name: &str) -> Check {
        let name = printable(name);
        let reason = format!(
            "there is no Sigstore bundle for `{name}`; attest it with `actions/attest-build-provenance`, and fetch the bundle with `gh attestation download`"
        );
        Check::fail(SIGSTORE_PRESENT, reason)
    }

    /// Reads every bundle of a file.
    ///
    /// # Errors
    /// The failed check where one of them cannot be read, or there is none.
    pub fn read(bytes: &[u8]) -> Result<Self, Check> {
        if bytes.len() > LIMITS.file_bytes {
            let most = LIMITS.file_bytes;
            return Err(unreadable(format!("larger than {most} bytes")));
        }
        few_values(bytes).map_err(unreadable)?;
        let mut found = Self::default();
        let mut documents = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
        let mut start = 0;
        while let Some(document) = documents.next() {
            document.map_err(|error| unreadable(error.to_string()))?;
            let end = documents.byte_offset();
            let document = bytes.get(start..end).unwrap_or_default();
            start = end;
            let document = std::str::from_utf8(document)
                .map_err(|_| unreadable("not text in UTF-8".to_owned()))?;
            read_document(document, &mut found)?;
        }
        match found {
            Self { opened, unread } if opened.is_empty() => Err(unreadable(match unread {
                Some((_, why)) => why,
                None => "it holds no bundle".to_owned(),
            })),
            found => Ok(found),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.opened.len()
    }

    /// Whether there are none; never so after reading.
    pub fn is_empty(&self) -> bool {
        self.opened.is_empty()
    }
}

fn unreadable(why: String) -> Check {
    let why = printable(&why);
    Check::fail(
        SIGSTORE_PARSE,
        format!("this is no file of Sigstore bundles: {why}"),
    )
}

/// Whether JSON has no more values than are read.
fn few_values(json: &[u8]) -> Result<(), String> {
    let values = json
        .iter()
        .filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{'));
    let most = LIMITS.values;
    match values.count() > most {
        true => Err(format!("it has more than {most} values")),
        false => Ok(()),
    }
}

fn read_document(document: &str, found: &mut Bundles) -> Result<(), Check> {
    let wraps = document.trim_start().starts_with('[') || document.contains("\"attestations\"");
    if !wraps {
        return push(document, found);
    }
    let mut value: Value =
        serde_json::from_str(document).map_err(|error| unreadable(error.to_string()))?;
    if let Some(attestations) = value.get_mut("attestations") {
        value = attestations.take();
    } else if value.is_object() {
        return push(document, found);
    }
    let Value::Array(values) = value else {
        return Err(unreadable("expected a list of attestations".to_owned()));
    };
    for mut value in values {
        let bundle = match value.get_mut("bundle") {
            Some(bundle) => bundle.take(),
            None => value,
        };
        push(&bundle.to_string(), found)?;
    }
    Ok(())
}

fn push(document: &str, found: &mut Bundles) -> Result<(), Check> {
    let most = LIMITS.bundles;
    let unread = found.unread.as_ref().map_or(0, |(count, _)| *count);
    let count = found.opened.len() + unread;
    if count >= most {
        return Err(unreadable(format!("it holds more than {most} bundles")));
    }
    match (Opened::read(document), &mut found.unread) {
        (Ok(opened), _) => found.opened.push(opened),
        (Err(_), Some((unread, _))) => *unread += 1,
        (Err(why), unread) => *unread = Some((1, format!("bundle {}: {why}", count + 1))),
    }
    Ok(())
}

impl Opened {
    /// Reads one bundle. The error is not escaped.
    pub(super) fn read(document: &str) -> Result<Self, String> {
        let bundle = Bundle::from_json(document).map_err(|error| error.to_string())?;
        within_limits(&bundle.verification_material)?;
        let statement = match &bundle.content {
            SignatureContent::DsseEnvelope(envelope) => {
                if envelope.payload_type != IN_TOTO {
                    let found = &envelope.payload_type;
                    return Err(format!(
                        "expected a payload of type {IN_TOTO}, found {found}"
                    ));
                }
                few_values(envelope.payload.as_bytes())?;
                let statement: Statement = serde_json::from_slice(envelope.payload.as_bytes())
                    .map_err(|error| format!("its statement cannot be read: {error}"))?;
                if statement.subject.len() > LIMITS.subjects {
                    let most = LIMITS.subjects;
                    return Err(format!("its statement names more than {most} artifacts"));
                }
                Some(statement)
            }
            _ => None,
        };
        Ok(Self { bundle, statement })
    }

    /// Whether this is about the artifact. A message signature that states no digest may be.
    pub(super) fn names(&self, artifact: &Artifact) -> bool {
        match (&self.statement, &self.bundle.content) {
            (Some(statement), _) => subject(statement, artifact).is_some(),
            (None, SignatureContent::MessageSignature(signature)) => {
                let stated = signature.message_digest.as_ref();
                stated.is_none_or(|stated| {
                    stated.algorithm != HashAlgorithm::Sha2256
                        || stated.digest.as_bytes() == artifact.sha256.as_bytes()
                })
            }
            _ => false,
        }
    }

    /// The digest by which the artifact is compared with what was signed.
    pub(super) fn digest(&self, artifact: &Artifact) -> Option<ArtifactDigest> {
        match &self.statement {
            Some(statement) => subject(statement, artifact),
            None => {
                let sha256 = artifact.sha256.as_bytes().to_vec();
                ArtifactDigest::new(HashAlgorithm::Sha2256, sha256).ok()
            }
        }
    }

    /// The first artifact that is named, escaped: for saying that it is another one.
    pub(super) fn first_subject(&self) -> Option<String> {
        let subject = self.statement.as_ref()?.subject.first()?;
        Some(printable(&subject.name))
    }
}

/// The digest by which a statement names the artifact. Digests that are known and differ make it another one.
fn subject(statement: &Statement, artifact: &Artifact) -> Option<ArtifactDigest> {
    statement.subject.iter().find_map(|subject| {
        let short = subject.digest.sha256.as_ref().map(|it| it.as_bytes());
        let long = subject.digest.sha512.as_ref().map(|it| it.as_bytes());
        let short_is_same = short.map(|it| it == artifact.sha256.as_bytes());
        let long_is_same = long
            .zip(artifact.sha512.as_ref())
            .map(|(stated, found)| Sha512::from_bytes(*stated) == *found);
        let (algorithm, digest) = match (short_is_same, long_is_same) {
            (Some(true), None | Some(true)) => (HashAlgorithm::Sha2256, short?.to_vec()),
            (None, Some(true)) => (HashAlgorithm::Sha2512, long?.to_vec()),
            _ => return None,
        };
        ArtifactDigest::new(algorithm, digest).ok()
    })
}

fn within_limits(material: &VerificationMaterial) -> Result<(), String> {
    let certificates = match &material.content {
        VerificationMaterialContent::X509CertificateChain { certificates } => certificates.len(),
        _ => 0,
    };
    let proofs = material.tlog_entries.iter();
    let hashes = proofs.filter_map(|entry| Some(entry.inclusion_proof.as_ref()?.hashes.len()));
    let timestamps = &material.timestamp_verification_data.rfc3161_timestamps;
    for (what, found, most) in [
        (
            "log entries",
            material.tlog_entries.len(),
            LIMITS.log_entries,
        ),
        ("timestamps", timestamps.len(), LIMITS.timestamps),
        (
            "hashes in a proof",
            hashes.max().unwrap_or(0),
            LIMITS.proof_hashes,
        ),
        ("certificates", certificates, LIMITS.certificates),
    ] {
        if found > most {
            return Err(format!("it has {found} {what}, expected at most {most}"));
        }
    }
    Ok(())
}
