//! Paths through the snake-oil PKI of `fixtures/pki/generate.py`, each with one thing wrong.

use super::*;
use crate::checks::X509_PATH;

const CERTIFICATES: &str = include_str!("../../fixtures/pki/certificates.pem");

fn bytes(name: &str) -> Vec<u8> {
    let (_, behind) = CERTIFICATES
        .split_once(&format!("# {name}\n"))
        .unwrap_or_else(|| panic!("{name}"));
    let pem = behind.split("# ").next().expect("PEM");
    crate::roots::decode_pem(pem).expect("PEM").remove(0)
}

fn pem(name: &str) -> String {
    let (_, behind) = CERTIFICATES.split_once(&format!("# {name}\n")).expect(name);
    behind.split("# ").next().expect("PEM").to_owned()
}

/// Builds a path for a leaf, from a pool of authorities, to one root; gives its length or the check that failed.
fn path(leaf: &str, pool: &[&str], root: &str, purpose: Purpose) -> Result<usize, &'static str> {
    path_at(leaf, pool, root, purpose, "2027-01-01T00:00:00Z")
}

fn path_at(
    leaf: &str,
    pool: &[&str],
    root: &str,
    purpose: Purpose,
    at: &str,
) -> Result<usize, &'static str> {
    let trust = Trust::nothing()
        .with_extra_roots(&pem(root))
        .expect("a root");
    let (leaf, pool): (_, Vec<_>) = (bytes(leaf), pool.iter().map(|name| bytes(name)).collect());
    let leaf = Certificate::parse(&leaf).expect("a leaf");
    let read = |bytes| Certificate::parse(bytes).expect("an authority");
    let pool: Vec<_> = pool.iter().map(|bytes| read(bytes)).collect();
    let wanted = Wanted {
        trust: &trust,
        pool: &pool,
        purpose,
        at: at.parse().expect("a time"),
        weak: Weak::Refused,
    };
    match build(&leaf, wanted) {
        Ok(path) => Ok(path.certificates.len()),
        Err(error) => Err(error.check.as_str()),
    }
}

fn code(leaf: &str, pool: &[&str]) -> Result<usize, &'static str> {
    path(leaf, pool, "root", Purpose::CodeSigning)
}

#[test]
fn good_paths_are_found() {
    assert_eq!(code("leaf", &["ca"]), Ok(2));
    assert_eq!(code("leaf", &["leaf", "tsa", "root", "ca", "ca"]), Ok(2));
    assert_eq!(code("leaf-not-critical", &["ca"]), Ok(2));
    assert_eq!(code("leaf-pss", &["ca-pss"]), Ok(2), "RSASSA-PSS");
    assert_eq!(code("leaf-p521", &["ca-p521"]), Ok(2), "P-521");
    // A certificate that is trusted itself needs nothing above it.
    assert_eq!(path("leaf", &[], "leaf", Purpose::CodeSigning), Ok(1));
    assert_eq!(path("tsa", &[], "tsa-root", Purpose::TimeStamping), Ok(1));
}

#[test]
fn paths_with_one_thing_wrong_are_not() {
    for (leaf, pool, check) in [
        ("leaf", &[][..], "x509.path"),
        ("leaf", &["ca-server"], "x509.path"),
        ("leaf-forged", &["ca"], "x509.path"),
        ("tsa-root", &["ca"], "x509.path"),
        ("leaf-no-eku", &["ca"], "x509.key-usage"),
        ("leaf-server-eku", &["ca"], "x509.key-usage"),
        ("leaf-any-eku", &["ca"], "x509.key-usage"),
        ("leaf-key-encipherment", &["ca"], "x509.key-usage"),
        (
            "leaf-not-authority",
            &["ca-not-authority"],
            "x509.key-usage",
        ),
        ("leaf-no-cert-sign", &["ca-no-cert-sign"], "x509.key-usage"),
        ("leaf-server", &["ca-server"], "x509.key-usage"),
        ("leaf-deep", &["ca-deep", "ca"], "x509.key-usage"),
        ("leaf-critical", &["ca"], "x509.extensions"),
        ("leaf-expired", &["ca"], "x509.validity"),
        ("leaf-rsa1024", &["ca"], "x509.key-size"),
        ("leaf-explicit", &["ca"], "x509.ec-parameters"),
        ("leaf-curveball", &["root-explicit"], "x509.ec-parameters"),
    ] {
        assert_eq!(code(leaf, pool), Err(check), "{leaf} under {pool:?}");
    }
    let before = "2025-12-31T23:59:59Z";
    let early = path_at("leaf", &["ca"], "root", Purpose::CodeSigning, before);
    assert_eq!(early, Err("x509.validity"));
    // A root with explicit parameters is refused even where somebody trusts it.
    let curveball = path("leaf-curveball", &[], "root-explicit", Purpose::CodeSigning);
    assert_eq!(curveball, Err("x509.ec-parameters"));
}

#[test]
fn timestamps_need_their_own_usage_and_no_other() {
    let time = |leaf| path(leaf, &[], "tsa-root", Purpose::TimeStamping);
    assert_eq!(time("tsa"), Ok(1));
    assert_eq!(time("tsa-not-alone"), Err("x509.key-usage"));
    assert_eq!(time("tsa-expired"), Err("x509.validity"));
    let signer = path("leaf", &["ca"], "root", Purpose::TimeStamping);
    assert_eq!(signer, Err("x509.key-usage"));
    let authority = path("tsa", &[], "tsa-root", Purpose::CodeSigning);
    assert_eq!(authority, Err("x509.key-usage"));
}

#[test]
fn a_pool_that_goes_in_circles_ends() {
    // Sixty copies of an authority that issued itself and the leaf: the search is bounded, and ends without an anchor.
    let trust = Trust::nothing()
        .with_extra_roots(&pem("tsa-root"))
        .expect("a root");
    let (leaf, ca, root) = (bytes("leaf"), bytes("ca"), bytes("root"));
    let leaf = Certificate::parse(&leaf).expect("a leaf");
    let above = [&ca, &root].map(|bytes| Certificate::parse(bytes).expect("an authority"));
    let pool: Vec<_> = above.iter().cycle().take(60).cloned().collect();
    let wanted = Wanted {
        trust: &trust,
        pool: &pool,
        purpose: Purpose::CodeSigning,
        at: "2026-11-23T00:00:00Z".parse().expect("a time"),
        weak: Weak::Refused,
    };
    assert_eq!(
        build(&leaf, wanted).err().map(|error| error.check),
        Some(X509_PATH)
    );
}
