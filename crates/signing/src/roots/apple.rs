//! Apple's roots as `roots/apple` has them: three certificates, each with the fingerprint that Apple states for it.

use crate::roots::{Anchor, Origin};
use crate::x509::Certificate;

/// Which set of Apple's roots is compiled in, as reports name it.
pub const APPLE_ROOT_SET: &str = "Apple Root CA, G2, and G3 as of 2026-11-25";

/// The certificate in DER, and SHA-256 over it in lower-case hexadecimal.
const ROOTS: [(&[u8], &str); 3] = [
    (
        include_bytes!("../../roots/apple/AppleIncRootCertificate.cer"),
        "b0b1730ecbc7ff4505142c49f1295e6eda6bcaed7e2c68c5be91b5a11001f024",
    ),
    (
        include_bytes!("../../roots/apple/AppleRootCA-G2.cer"),
        "c2b9b042dd57830e7d117dac55ac8ae19407d38e41d88f3215bc3a890444a050",
    ),
    (
        include_bytes!("../../roots/apple/AppleRootCA-G3.cer"),
        "63343abfb89a6a03ebb57e9b3f5fa7be7c4f5c756f3017b3a8c488c3653e9179",
    ),
];

/// The roots with this subject. Each is what its fingerprint says, or it is not there.
pub(super) fn find(subject: &[u8]) -> Vec<Anchor<'static>> {
    all()
        .filter(|anchor| anchor.certificate.subject.raw() == subject)
        .collect()
}

/// Every root.
pub(super) fn all() -> impl Iterator<Item = Anchor<'static>> {
    ROOTS.into_iter().filter_map(|(bytes, sha256)| {
        let certificate = Certificate::parse(bytes).ok()?;
        let is_itself = super::sha256_hex(bytes) == sha256;
        is_itself.then_some(Anchor {
            certificate,
            origin: Origin::Apple,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_root_is_the_one_that_its_fingerprint_says() {
        let names: Vec<_> = all().map(|root| root.certificate.to_string()).collect();
        let expected = [
            "`Apple Root CA`",
            "`Apple Root CA - G2`",
            "`Apple Root CA - G3`",
        ];
        assert_eq!(names, expected);
        for root in all() {
            assert_eq!(find(root.certificate.subject.raw()).len(), 1);
        }
        assert!(find(b"nobody").is_empty());
    }
}
