use super::*;
use crate::checks::Outcome;

/// Made by `openssl pkeyutl -sign -rawin` with a key that was thrown away; `sign_update` runs on macOS alone.
const KEY: &str = "ORhpwz8wTOiVPn+EMhtg7EKAUbjKGKJuCxOFqtC6FUg=";
const OTHER: &str = "IlRtHkEnun8Frfv1H1Izv0UhKl86hKwqS9aCYEhta4I=";
const SIGNATURE: &str =
    "PDt3kp70nD9DO5LMn55CXl/7d1EQWT21EQgQ6C2aVDhny3dLiztWiSkPEToWux1JVyag0Pu7r1Fu9qVFaFCnDA==";
const ARCHIVE: &[u8] = b"not really an application\n";

fn failed(text: Option<&str>, archive: &[u8], key: &str) -> Vec<&'static str> {
    let key = key.parse().expect("a key");
    let opened = open(text.map(str::as_bytes), "atlas.zip");
    let mut reading = opened.reading(&key);
    if let Some(reading) = &mut reading {
        archive.chunks(5).for_each(|piece| reading.update(piece));
    }
    let checks = opened.checks(reading, &key, archive.len() as u64);
    assert!(!checks.is_empty(), "nobody looked");
    let failed = checks.iter().filter(|it| it.outcome != Outcome::Pass);
    failed.map(|it| it.id.as_str()).collect()
}

fn line(length: &str) -> String {
    format!("sparkle:edSignature=\"{SIGNATURE}\" length=\"{length}\"\n")
}

#[test]
fn a_signature_is_over_these_bytes_by_this_key() {
    assert_eq!(failed(Some(SIGNATURE), ARCHIVE, KEY), [""; 0]);
    assert_eq!(failed(Some(&line("26")), ARCHIVE, KEY), [""; 0]);
    assert_eq!(failed(Some(&line("27")), ARCHIVE, KEY), ["sparkle.length"]);
    assert_eq!(
        failed(Some(SIGNATURE), ARCHIVE, OTHER),
        ["sparkle.signature"]
    );
    assert_eq!(failed(Some(SIGNATURE), b"", KEY), ["sparkle.signature"]);
    for at in 0..ARCHIVE.len() {
        let mut archive = ARCHIVE.to_vec();
        archive[at] ^= 1;
        assert_eq!(
            failed(Some(SIGNATURE), &archive, KEY),
            ["sparkle.signature"]
        );
    }
    for bit in 0..SIGNATURE_BYTES * 8 {
        let mut signature = BASE64.decode(SIGNATURE).expect("base64");
        signature[bit / 8] ^= 1 << (bit % 8);
        let signature = BASE64.encode(signature);
        assert_eq!(
            failed(Some(&signature), ARCHIVE, KEY),
            ["sparkle.signature"],
            "{bit}"
        );
    }
}

#[test]
fn what_is_no_signature_is_not_believed() {
    let url = "https://example.org/atlas.zip.sig";
    let long = SIGNATURE.repeat(20);
    let longer = format!("{SIGNATURE}AAAA");
    let texts = [
        None,
        Some(""),
        Some("AAAA"),
        Some(url),
        Some(&*long),
        Some(&*longer),
    ];
    for text in texts
        .into_iter()
        .chain([Some(&*line("many")), Some(&*line("-26"))])
    {
        assert_eq!(failed(text, ARCHIVE, KEY), ["sparkle.present"], "{text:?}");
    }
    let of_binary = open(Some(&[0xff; 64]), "atlas.zip");
    assert!(of_binary.signature.is_err());
    for text in ["", "AAAA", "RWQ", url, &OTHER[1..], &"A".repeat(44)] {
        assert!(text.parse::<PublicKey>().is_err(), "{text}");
    }
}
