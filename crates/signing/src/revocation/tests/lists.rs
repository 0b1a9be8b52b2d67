//! Lists of `openssl ca`, judged here and by `openssl verify -crl_check`.

use super::*;
use crate::tests::keep;

/// What is said of the leaf, here and by openssl.
fn judged(pki: &Pki, list: &[u8]) -> (String, bool) {
    let (leaf, ca) = (pki.der("leaf"), pki.der("ca"));
    let (leaf, ca) = (parsed(&leaf), parsed(&ca));
    let places = Places::of(&leaf).expect("places");
    let found = crl::judge(list, &about(&leaf, &ca), &places);
    let said = match found {
        Ok(found) => found.to_string(),
        Err(error) => error.to_string(),
    };
    (said, openssl_accepts(pki, list))
}

fn openssl_accepts(pki: &Pki, list: &[u8]) -> bool {
    std::fs::write(pki.path("judged.crl"), list).expect("a file");
    let converted = pki.openssl(&[
        "crl",
        "-inform",
        "DER",
        "-in",
        "judged.crl",
        "-out",
        "judged.pem",
    ]);
    let verify = [
        "verify",
        "-crl_check",
        "-CAfile",
        "root.pem",
        "-untrusted",
        "ca.pem",
        "-CRLfile",
        "judged.pem",
        "leaf.pem",
    ];
    converted.status.success() && pki.openssl(&verify).status.success()
}

#[test]
fn a_list_says_of_a_certificate_what_openssl_reads_in_it() {
    let Some(pki) = made() else { return };
    let (said, openssl) = judged(&pki, &pki.list("ca", "", &[]));
    assert!(said.starts_with("good, as of ") && openssl, "{said}");
    for (reason, shown) in [
        ("superseded", "superseded"),
        ("keyCompromise", "key compromise"),
        ("CACompromise", "compromise of the authority"),
        ("affiliationChanged", "affiliation changed"),
        ("cessationOfOperation", "cessation of operation"),
        ("certificateHold", "on hold"),
        ("unspecified", "unspecified"),
    ] {
        pki.index("ca", &[("leaf", &revoked_in(-1, reason))]);
        let (said, openssl) = judged(&pki, &pki.list("ca", "", &[]));
        assert!(
            said.starts_with("revoked (at ") && said.contains(shown) && !openssl,
            "{said}"
        );
    }
    pki.index(
        "ca",
        &[("leaf", &revoked_in(-1, &format!("keyTime,{}", in_days(-9))))],
    );
    let (said, openssl) = judged(&pki, &pki.list("ca", "", &[]));
    assert!(
        said.contains("not to be trusted since ") && !openssl,
        "{said}"
    );
    // Others were revoked.
    pki.index("ca", &[("responder", &revoked_in(-1, "superseded"))]);
    let (said, openssl) = judged(&pki, &pki.list("ca", "", &[]));
    assert!(said.starts_with("good") && openssl, "{said}");
}

#[test]
fn a_list_of_another_time_or_authority_says_nothing() {
    let Some(pki) = made() else { return };
    let dated = |from, until| {
        let (from, until) = (in_days(from), in_days(until));
        pki.list(
            "ca",
            "",
            &["-crl_lastupdate", &from, "-crl_nextupdate", &until],
        )
    };
    // Somebody who has the name of the authority and another key.
    let twin = pki::Issued {
        name: "twin",
        subject: "ca",
        issuer: "twin",
        serial: 9,
        extensions: "basicConstraints = critical,CA:TRUE\n",
    };
    pki.issue(twin);
    pki.index("twin", &[]);
    for (list, why) in [
        (dated(-9, -2), "was good until"),
        (dated(2, 9), "is later than now"),
        (
            pki.list("other", "", &[]),
            "the answer is by `CN=Snake Oil other, O=Snake Oil Ltd`, expected `Snake Oil ca`",
        ),
        (pki.list("root", "", &[]), "the answer is by"),
        (pki.list("twin", "", &[]), "the signature does not hold"),
        (Vec::new(), "cannot be read"),
        (b"-----BEGIN X509 CRL-----".to_vec(), "cannot be read"),
    ] {
        let (said, openssl) = judged(&pki, &list);
        assert!(said.contains(why) && !openssl, "{why}: {said}");
    }
    // Clocks differ by minutes.
    let list = pki.list("ca", "", &["-crlsec", "1"]);
    let (said, _) = judged(&pki, &list);
    assert!(said.starts_with("good"), "{said}");
}

#[test]
fn a_list_counts_within_its_scope_only() {
    let Some(pki) = made() else { return };
    let idp = |what: &str| format!("issuingDistributionPoint = critical,@point\n[point]\n{what}");
    for (extensions, why) in [
        (idp("onlyuser = TRUE"), "good"),
        (idp(&format!("fullname = URI:{BASE}/ca.crl")), "good"),
        (
            idp(&format!("fullname = URI:{BASE}/ca2.crl")),
            "another place",
        ),
        (idp("onlyCA = TRUE"), "authorities only"),
        (idp("onlyAA = TRUE"), "attribute certificates only"),
        (idp("indirectCRL = TRUE"), "several authorities"),
        (
            idp("onlysomereasons = keyCompromise, CACompromise"),
            "some reasons only",
        ),
        (
            "2.5.29.27 = critical,ASN1:INTEGER:1".to_owned(),
            "changes to another list",
        ),
        (
            "1.2.3.4 = critical,ASN1:NULL".to_owned(),
            "the extension 1.2.3.4",
        ),
        ("1.2.3.4 = ASN1:NULL".to_owned(), "good"),
    ] {
        let (said, openssl) = judged(&pki, &pki.list("ca", &extensions, &[]));
        assert!(said.contains(why), "{extensions}: {said}");
        // openssl takes a list of changes for a whole one, where nobody asks for lists of changes.
        let is_taken = why == "good" || why.starts_with("changes");
        assert_eq!(openssl, is_taken, "{extensions}: {said}");
    }
    // About end entities only, it says nothing of an authority.
    let (ca, root) = (pki.der("ca"), pki.der("root"));
    let (ca, root) = (parsed(&ca), parsed(&root));
    let list = pki.list("root", &idp("onlyuser = TRUE"), &[]);
    let places = Places::of(&ca).expect("places");
    let found = crl::judge(&list, &about(&ca, &root), &places);
    let why = answer::AnswerError::Scope("it is not about authorities");
    assert_eq!(found, Err(why));
}

#[test]
fn a_list_with_a_flipped_bit_or_a_lost_end_says_nothing() {
    let Some(pki) = pki() else { return };
    let list = pki.list("ca", "", &[]);
    keep("ca.crl", &list);
    let (leaf, ca) = (pki.der("leaf"), pki.der("ca"));
    let (leaf, ca) = (parsed(&leaf), parsed(&ca));
    let (about, places) = (about(&leaf, &ca), Places::of(&leaf).expect("places"));
    assert!(crl::judge(&list, &about, &places).is_ok());
    for at in 0..list.len() {
        let mut changed = list.clone();
        changed[at] ^= 1 << (at % 8);
        let found = crl::judge(&changed, &about, &places);
        assert!(found.is_err(), "byte {at}: {found:?}");
        assert!(
            crl::judge(&list[..at], &about, &places).is_err(),
            "cut at {at}"
        );
    }
    let longer = [list, vec![0]].concat();
    assert!(crl::judge(&longer, &about, &places).is_err());
}
