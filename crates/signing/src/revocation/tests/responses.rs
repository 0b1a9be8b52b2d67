//! Responses of `openssl ocsp` to requests that are made here, judged here and by `openssl ocsp`.

use super::*;
use crate::revocation::answer::{AnswerError, Found};
use crate::tests::keep;

const NEXT: [&str; 2] = ["-ndays", "1"];

/// The request about the leaf.
fn request(pki: &Pki) -> Vec<u8> {
    let (leaf, ca) = (pki.der("leaf"), pki.der("ca"));
    let (leaf, ca) = (parsed(&leaf), parsed(&ca));
    ocsp::request(&about(&leaf, &ca))
}

fn judged_at(pki: &Pki, response: &[u8], now: Timestamp) -> Result<Found, AnswerError> {
    let (leaf, ca) = (pki.der("leaf"), pki.der("ca"));
    let (leaf, ca) = (parsed(&leaf), parsed(&ca));
    let about = answer::About {
        now,
        ..about(&leaf, &ca)
    };
    ocsp::judge(response, &about)
}

/// What is said of the leaf here, and what openssl says.
fn judged(pki: &Pki, response: &[u8]) -> (String, String) {
    let said = match judged_at(pki, response, now()) {
        Ok(found) => found.to_string(),
        Err(error) => error.to_string(),
    };
    std::fs::write(pki.path("judged.der"), response).expect("a file");
    let ran = pki.openssl(&[
        "ocsp",
        "-respin",
        "judged.der",
        "-issuer",
        "ca.pem",
        "-cert",
        "leaf.pem",
        "-CAfile",
        "root.pem",
        "-verify_other",
        "ca.pem",
        "-no_nonce",
    ]);
    let text = [ran.stdout, ran.stderr].concat();
    (said, String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn openssl_answers_our_request_and_reads_the_answer_as_we_do() {
    let Some(pki) = made() else { return };
    let request = request(&pki);
    for (by, flags) in [
        ("ca", &NEXT[..]),
        ("responder", &NEXT),
        ("responder", &["-ndays", "1", "-resp_key_id"]),
        ("responder", &["-ndays", "1", "-rmd", "sha512"]),
    ] {
        let (said, openssl) = judged(&pki, &pki.respond(&request, by, flags));
        assert!(
            said.starts_with("good, as of ") && said.contains("until"),
            "{by}: {said}"
        );
        assert!(
            openssl.contains("leaf.pem: good") && openssl.contains("Response verify OK"),
            "{openssl}"
        );
    }
    pki.index("ca", &[("leaf", &revoked_in(-1, "cessationOfOperation"))]);
    let (said, openssl) = judged(&pki, &pki.respond(&request, "responder", &NEXT));
    assert!(
        said.starts_with("revoked (at ") && said.contains("cessation of operation"),
        "{said}"
    );
    assert!(openssl.contains("leaf.pem: revoked"), "{openssl}");
    pki.index(
        "ca",
        &[("leaf", &revoked_in(-1, &format!("keyTime,{}", in_days(-9))))],
    );
    let (said, _) = judged(&pki, &pki.respond(&request, "responder", &NEXT));
    assert!(said.contains("not to be trusted since"), "{said}");
    pki.index("ca", &[("leaf", "-")]);
    let (said, openssl) = judged(&pki, &pki.respond(&request, "responder", &NEXT));
    assert!(
        said.starts_with("unknown") && openssl.contains("leaf.pem: unknown"),
        "{said} {openssl}"
    );
}

#[test]
fn who_may_not_answer_is_not_believed() {
    let Some(pki) = pki() else { return };
    let request = request(pki);
    for (by, flags, why, openssl_too) in [
        ("no-usage", &NEXT[..], "does not include OCSP signing", true),
        // openssl leaves it to its caller to look the responder up.
        ("no-mark", &NEXT, "need not be looked up", false),
        (
            "stranger",
            &NEXT,
            "its certificate is not by the authority",
            true,
        ),
        ("leaf", &NEXT, "does not include OCSP signing", true),
        (
            "responder",
            &["-ndays", "1", "-resp_no_certs"],
            "the answer is by `CN=Snake Oil responder",
            true,
        ),
        (
            "responder",
            &["-ndays", "1", "-rmd", "sha1"],
            "SHA-1",
            false,
        ),
    ] {
        let (said, openssl) = judged(pki, &pki.respond(&request, by, flags));
        assert!(said.contains(why), "{by}: {said}");
        assert_eq!(
            !openssl.contains("Response verify OK"),
            openssl_too,
            "{by}: {openssl}"
        );
    }
    // The responder's certificate is over.
    let response = pki.respond(&request, "responder", &["-ndays", "9999"]);
    let late = Timestamp::from_unix(now().unix() + 4000 * 86_400).expect("a time");
    let error = judged_at(pki, &response, late).expect_err("late");
    assert!(error.to_string().contains("is not valid now"), "{error}");
}

#[test]
fn an_answer_of_another_time_or_about_others_does_not_count() {
    let Some(pki) = pki() else { return };
    let response = pki.respond(&request(pki), "responder", &NEXT);
    let at = |hours: i64| Timestamp::from_unix(now().unix() + hours * 3600).expect("a time");
    let stale = judged_at(pki, &response, at(26));
    assert!(matches!(stale, Err(AnswerError::Stale(_))), "{stale:?}");
    // The certificate of the responder is not valid then either.
    assert!(judged_at(pki, &response, at(-26)).is_err());
    let response = pki.respond(&request(pki), "ca", &NEXT);
    let early = judged_at(pki, &response, at(-26));
    assert!(matches!(early, Err(AnswerError::Early(_))), "{early:?}");
    // One that does not say until when counts for an hour.
    let response = pki.respond(&request(pki), "responder", &[]);
    assert!(judged_at(pki, &response, now()).is_ok());
    assert!(matches!(
        judged_at(pki, &response, at(2)),
        Err(AnswerError::Stale(_))
    ));

    let (other, ca) = (pki.der("responder"), pki.der("ca"));
    let (other, ca) = (parsed(&other), parsed(&ca));
    let about_other = ocsp::request(&about(&other, &ca));
    let response = pki.respond(&about_other, "responder", &NEXT);
    assert_eq!(judged_at(pki, &response, now()), Err(AnswerError::Other));
    for (status, why) in [
        (1, "understand"),
        (2, "internal"),
        (3, "later"),
        (5, "signed"),
        (6, "unauthorized"),
        (9, "why"),
    ] {
        let error = judged_at(pki, &[0x30, 3, 0x0a, 1, status], now()).expect_err("refused");
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn a_response_with_a_flipped_bit_or_a_lost_end_says_nothing() {
    let Some(pki) = pki() else { return };
    let response = pki.respond(&request(pki), "responder", &NEXT);
    keep("leaf.ocsp", &response);
    let (leaf, ca) = (pki.der("leaf"), pki.der("ca"));
    let (leaf, ca) = (parsed(&leaf), parsed(&ca));
    let about = about(&leaf, &ca);
    assert!(ocsp::judge(&response, &about).is_ok());
    for at in 0..response.len() {
        let mut changed = response.clone();
        changed[at] ^= 1 << (at % 8);
        let found = ocsp::judge(&changed, &about);
        assert!(found.is_err(), "byte {at}: {found:?}");
        assert!(ocsp::judge(&response[..at], &about).is_err(), "cut at {at}");
    }
    assert!(ocsp::judge(&[response, vec![0]].concat(), &about).is_err());
}
