//! The checksums that a client may send with a body, enforced.

use s3s::{S3Result, s3_error};

/// What a client said about a body. All values are base64, as the headers carry them.
#[derive(Debug, Default, Clone)]
pub(crate) struct Said {
    pub(crate) crc64nvme: Option<String>,
    pub(crate) crc32: Option<String>,
    pub(crate) crc32c: Option<String>,
    pub(crate) sha256: Option<String>,
}

impl Said {
    /// 400 `BadDigest` where the body is not what was said.
    pub(crate) fn check(&self, body: &[u8]) -> S3Result<()> {
        let checks = [
            (
                "CRC64NVME",
                &self.crc64nvme,
                crc64nvme as fn(&[u8]) -> String,
            ),
            ("CRC32", &self.crc32, |body| {
                base64(&crc(crc_fast::CrcAlgorithm::Crc32IsoHdlc, body)[4..])
            }),
            ("CRC32C", &self.crc32c, |body| {
                base64(&crc(crc_fast::CrcAlgorithm::Crc32Iscsi, body)[4..])
            }),
            ("SHA256", &self.sha256, |body| {
                use sha2::Digest as _;
                base64(&sha2::Sha256::digest(body))
            }),
        ];
        for (name, said, of) in checks {
            if said.as_ref().is_some_and(|said| *said != of(body)) {
                return Err(s3_error!(
                    BadDigest,
                    "The {name} you specified did not match the calculated checksum."
                ));
            }
        }
        Ok(())
    }
}

/// The CRC-64/NVME of a whole object, in base64.
pub(crate) fn crc64nvme(body: &[u8]) -> String {
    base64(&crc(crc_fast::CrcAlgorithm::Crc64Nvme, body))
}

fn crc(algorithm: crc_fast::CrcAlgorithm, body: &[u8]) -> [u8; 8] {
    crc_fast::checksum(algorithm, body).to_be_bytes()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
