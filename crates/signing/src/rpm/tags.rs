//! The signature header: which tags may stand in it, and what they say.
//!
//! RPM copied what it found there into its database as if it were signed (CVE-2021-3421, CVE-2021-20271), so anything that
//! does not belong there is refused, and so is a tag of the right number with the wrong shape.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::rpm::Limits;
use crate::rpm::digests::{Algorithm, Stated};
use crate::rpm::header::{Header, Value};

/// `PAYLOADDIGEST`, which version 6 names `PAYLOADSHA256`.
pub(super) const PAYLOAD_SHA256: u32 = 5092;
pub(super) const PAYLOAD_SHA256_ALGORITHM: u32 = 5093;
pub(super) const PAYLOAD_SHA512: u32 = 5121;
pub(super) const PAYLOAD_SHA3_256: u32 = 5123;

pub(super) const OLD_FILE_NAMES: u32 = 1027;
pub(super) const FILE_SIZES: u32 = 1028;
pub(super) const FILE_MODES: u32 = 1030;
pub(super) const FILE_DIGESTS: u32 = 1035;
pub(super) const FILE_LINK_TARGETS: u32 = 1036;
pub(super) const FILE_FLAGS: u32 = 1037;
pub(super) const FILE_DEVICES: u32 = 1095;
pub(super) const FILE_INODES: u32 = 1096;
pub(super) const DIRECTORY_INDEXES: u32 = 1116;
pub(super) const BASE_NAMES: u32 = 1117;
pub(super) const DIRECTORY_NAMES: u32 = 1118;
pub(super) const PAYLOAD_FORMAT: u32 = 1124;
pub(super) const PAYLOAD_COMPRESSOR: u32 = 1125;
pub(super) const LONG_FILE_SIZES: u32 = 5008;
pub(super) const FILE_DIGEST_ALGORITHM: u32 = 5011;

const DSA: u32 = 267;
const RSA: u32 = 268;
const SHA1: u32 = 269;
const LONG_SIZE: u32 = 270;
const LONG_ARCHIVE_SIZE: u32 = 271;
const SHA256: u32 = 273;
const FILE_SIGNATURES: u32 = 274;
const FILE_SIGNATURE_LENGTH: u32 = 275;
const VERITY_SIGNATURES: u32 = 276;
const VERITY_SIGNATURE_ALGORITHM: u32 = 277;
const OPENPGP: u32 = 278;
const SHA3_256: u32 = 279;
const RESERVED: u32 = 999;
const SIZE: u32 = 1000;
const PGP: u32 = 1002;
const MD5: u32 = 1004;
const GPG: u32 = 1005;
const PAYLOAD_SIZE: u32 = 1007;
const RESERVED_SPACE: u32 = 1008;
/// `format_v6.md`: tags above are illegal in packages of version 6.
const V6_LAST: u32 = RESERVED;

/// What a signature header says.
#[derive(Debug, Default)]
pub(super) struct SignatureTags {
    pub(super) is_v6: bool,
    /// Signatures over the header.
    pub(super) over_header: Vec<Vec<u8>>,
    /// Signatures over header and payload, as of version 3.
    pub(super) over_all: Vec<Vec<u8>>,
    pub(super) digests: StatedDigests,
    /// Bytes of header and payload.
    pub(super) size: Option<u64>,
    /// What does not belong there.
    pub(super) wrong: Option<String>,
}

/// Digests in the signature header.
#[derive(Debug, Default)]
pub(super) struct StatedDigests {
    pub(super) header: Vec<Stated>,
    /// Of the header with the payload.
    pub(super) all: Vec<Stated>,
}

impl SignatureTags {
    pub(super) fn of(header: &Header) -> Self {
        let has = |tag| header.tags().any(|it| it == tag);
        let mut found = Self {
            // As RPM tells them apart.
            is_v6: has(RESERVED) && has(SHA3_256),
            ..Self::default()
        };
        for tag in header.tags() {
            let is_legal = !found.is_v6 || tag <= V6_LAST;
            let taken = header.value(tag).filter(|_| is_legal);
            if taken.and_then(|value| found.take(tag, value)).is_none() {
                found.wrong = Some(format!(
                    "tag {tag} does not belong into a signature header, or is not of its type; nothing there is signed"
                ));
            }
        }
        if found.over_header.len() + found.over_all.len() > Limits::SIGNATURES {
            found.wrong = Some(format!(
                "it has more than {} signatures",
                Limits::SIGNATURES
            ));
            found.over_header.truncate(Limits::SIGNATURES);
            found.over_all.clear();
        }
        found
    }

    /// Takes a tag; none where it does not belong there.
    fn take(&mut self, tag: u32, value: Value) -> Option<()> {
        match (tag, value) {
            (DSA | RSA, Value::Bytes(bytes)) => self.over_header.push(bytes),
            (OPENPGP, Value::Texts(texts)) => {
                let decoded = texts.iter().map(|text| BASE64.decode(text));
                let decoded: Vec<_> = decoded.collect::<Result<_, _>>().ok()?;
                self.over_header.extend(decoded);
            }
            (PGP | GPG, Value::Bytes(bytes)) => self.over_all.push(bytes),
            (SHA1, Value::Text(text)) => self.digest(Algorithm::Sha1, &text)?,
            (SHA256, Value::Text(text)) => self.digest(Algorithm::Sha256, &text)?,
            (SHA3_256, Value::Text(text)) => self.digest(Algorithm::Sha3_256, &text)?,
            (MD5, Value::Bytes(bytes)) => {
                self.digests.all.push(Stated::of(Algorithm::Md5, bytes)?);
            }
            (SIZE | LONG_SIZE, Value::Number(size)) => {
                // Both at once could say two things.
                let is_first = self.size.replace(size).is_none();
                is_first.then_some(())?;
            }
            // Unpacked, which is not done here; and what the kernel verifies where it is asked to.
            (PAYLOAD_SIZE | LONG_ARCHIVE_SIZE, Value::Number(_))
            | (FILE_SIGNATURES | VERITY_SIGNATURES, Value::Texts(_) | Value::ManyTexts)
            | (FILE_SIGNATURE_LENGTH | VERITY_SIGNATURE_ALGORITHM, Value::Number(_)) => {}
            (RESERVED | RESERVED_SPACE, Value::Bytes(bytes)) => {
                bytes.iter().all(|byte| *byte == 0).then_some(())?;
            }
            _ => return None,
        }
        Some(())
    }

    fn digest(&mut self, algorithm: Algorithm, text: &[u8]) -> Option<()> {
        self.digests.header.push(Stated::parse(algorithm, text)?);
        Some(())
    }
}
