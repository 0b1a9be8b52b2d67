//! Appcasts as `generate_appcast` writes them, and what is refused in them.

use proptest::prelude::*;

use super::*;
use crate::checks::Outcome;

const KEY: &str = "ORhpwz8wTOiVPn+EMhtg7EKAUbjKGKJuCxOFqtC6FUg=";
const SIGNATURE: &str =
    "PDt3kp70nD9DO5LMn55CXl/7d1EQWT21EQgQ6C2aVDhny3dLiztWiSkPEToWux1JVyag0Pu7r1Fu9qVFaFCnDA==";

/// Two versions, of which the newer has a delta.
fn good() -> String {
    format!(
        r#"<?xml version="1.0" standalone="yes"?>
<rss xmlns:sparkle="http://www.andymatuschak.org/xml-namespaces/sparkle" version="2.0">
    <channel>
        <title>Atlas</title>
        <item>
            <title>1.4.0</title>
            <sparkle:version>1400</sparkle:version>
            <sparkle:shortVersionString>1.4.0</sparkle:shortVersionString>
            <description><![CDATA[<b>new</b> & <sparkle:deltas>]]></description>
            <enclosure url="https://dl.example.com/a%74las.zip?x=/y.zip" length="26" type="application/octet-stream" sparkle:edSignature="{SIGNATURE}"/>
            <sparkle:deltas>
                <enclosure url="atlas-1300.delta" sparkle:deltaFrom="1300" length="9" sparkle:edSignature="AAAA"/>
            </sparkle:deltas>
        </item>
        <item>
            <title>1.3.0</title>
            <enclosure url="https://dl.example.com/old.zip" sparkle:version="1300" sparkle:shortVersionString="1.3.0" length="25"/>
        </item>
    </channel>
</rss>
<!-- sparkle-signatures: none -->
"#
    )
}

fn rule() -> Rule {
    Rule {
        key: KEY.parse().expect("a key"),
        appcast: "dist/appcast.xml".to_owned(),
    }
}

fn read(text: &str, version: &str) -> Appcast {
    let version = version.parse().expect("a version");
    Appcast::read(&rule(), Some(text.as_bytes()), &version)
}

fn name(text: &str) -> FileName {
    text.parse().expect("a name")
}

/// What fails for an archive of this name, whose bytes are those that were signed.
fn failed(appcast: &Appcast, file: &str) -> Vec<&'static str> {
    const ARCHIVE: &[u8] = b"not really an application\n";
    let checks = match appcast.open(&name(file)) {
        Ok(opened) => {
            let mut reading = opened.reading(&appcast.rule().key);
            if let Some(reading) = &mut reading {
                reading.update(ARCHIVE);
            }
            opened.checks(reading, &appcast.rule().key, ARCHIVE.len() as u64)
        }
        Err(check) => vec![check],
    };
    assert!(!checks.is_empty(), "nobody looked");
    let failed = checks.iter().filter(|it| it.outcome != Outcome::Pass);
    failed.map(|it| it.id.as_str()).collect()
}

#[test]
fn an_archive_has_the_signature_of_its_enclosure() {
    let appcast = read(&good(), "1.4.0");
    assert_eq!(failed(&appcast, "atlas.zip"), [""; 0]);
    assert_eq!(failed(&appcast, "atlas-1300.delta"), ["sparkle.present"]);
    // Of another version, or of none.
    for file in ["old.zip", "atlas.dmg", "y.zip"] {
        assert_eq!(failed(&appcast, file), ["sparkle.coverage"], "{file}");
    }
    let older = read(&good(), "1.3.0");
    assert_eq!(failed(&older, "old.zip"), ["sparkle.present"]);
    let unknown = read(&good(), "1.5.0");
    assert_eq!(failed(&unknown, "atlas.zip"), ["sparkle.coverage"]);
    for (from, to, expected) in [
        ("length=\"26\"", "length=\"27\"", "sparkle.length"),
        ("length=\"26\"", "", "sparkle.present"),
        ("length=\"26\"", "length=\"+26\"", "sparkle.present"),
        ("edSignature=\"P", "edSignature=\"Q", "sparkle.signature"),
        ("edSignature=\"P", "dsaSignature=\"P", "sparkle.present"),
    ] {
        let appcast = read(&good().replacen(from, to, 1), "1.4.0");
        assert_eq!(failed(&appcast, "atlas.zip"), [expected], "{to}");
    }
    let absent = Appcast::read(&rule(), None, &"1.4.0".parse().expect("a version"));
    assert_eq!(failed(&absent, "atlas.zip"), ["sparkle.appcast"]);
}

#[test]
fn what_the_appcast_has_more_than_the_release_is_said() {
    let extras = |version: &str, names: &[&str]| {
        let names: Vec<_> = names.iter().map(|it| name(it)).collect();
        let extras = read(&good(), version).extras(&names.iter().collect::<Vec<_>>());
        let ids: Vec<_> = extras.iter().map(|check| check.id.as_str()).collect();
        assert!(ids.iter().all(|id| *id == "sparkle.extra"));
        ids.len()
    };
    assert_eq!(extras("1.4.0", &["atlas.zip", "atlas-1300.delta"]), 0);
    assert_eq!(extras("1.4.0", &["atlas.zip", "atlas.dmg"]), 1);
    assert_eq!(extras("1.3.0", &[]), 1);
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let item = "<item><sparkle:version>1.4.0</sparkle:version><enclosure url=\"atlas.zip\" length=\"26\"/></item>";
    let namespace = "xmlns:sparkle=\"http://www.andymatuschak.org/xml-namespaces/sparkle\"";
    for (what, from, to) in [
        ("no XML", "</rss>", ""),
        ("another root", "rss", "feed"),
        ("no channel", "channel>", "tunnel>"),
        ("two channels", "<channel>", "<channel/><channel>"),
        ("no namespace", namespace, ""),
        (
            "another namespace",
            "xml-namespaces/sparkle",
            "xml-namespaces/spark",
        ),
        (
            "another prefix",
            namespace,
            &namespace.replace(":sparkle", ":s"),
        ),
        (
            "two prefixes",
            namespace,
            &format!("{namespace} {}", namespace.replace(":sparkle", ":s")),
        ),
        (
            "prefix bound again",
            "<item>",
            "<item xmlns:sparkle=\"urn:x\">",
        ),
        (
            "prefix bound below",
            "<item>",
            &format!("<item {}>", namespace.replace(":sparkle", "")),
        ),
        (
            "the same file in two items",
            "</channel>",
            &format!("{item}</channel>"),
        ),
        (
            "two enclosures",
            "            <sparkle:deltas>",
            "<enclosure url=\"b.zip\"/>            <sparkle:deltas>",
        ),
        (
            "two versions",
            "<sparkle:shortVersionString>",
            "<sparkle:shortVersionString>1.3.0</sparkle:shortVersionString><sparkle:shortVersionString>",
        ),
        (
            "no version",
            "</channel>",
            "<item><enclosure url=\"b.zip\"/></item></channel>",
        ),
        ("no address", "url=\"atlas-1300.delta\"", ""),
        ("a folder", "atlas-1300.delta", "deltas/"),
        ("half a number", "atlas-1300.delta", "atlas%2"),
        ("a slash in a name", "atlas-1300.delta", "a%2fb.delta"),
        (
            "an entity",
            "<title>Atlas",
            "<!DOCTYPE rss [<!ENTITY a 'b'>]><title>&a;",
        ),
    ] {
        let text = match what {
            "another root" | "no channel" => good().replace(from, to),
            _ => good().replacen(from, to, 1),
        };
        assert_ne!(text, good(), "{what}");
        let appcast = read(&text, "1.4.0");
        assert_eq!(failed(&appcast, "atlas.zip"), ["sparkle.appcast"], "{what}");
        assert!(appcast.extras(&[]).is_empty());
    }
    let large = good() + &" ".repeat(4 * 1024 * 1024);
    assert_eq!(
        failed(&read(&large, "1.4.0"), "atlas.zip"),
        ["sparkle.appcast"]
    );
}

proptest! {
    #[test]
    fn nothing_panics(at in any::<prop::sample::Index>(), noise in "[<>/!?a&;#x='\" \\[%-]{0,16}") {
        let mut text = good();
        text.insert_str(at.index(text.len()), &noise);
        let appcast = read(&text, "1.4.0");
        let _ = appcast.open(&name("atlas.zip"));
    }
}
