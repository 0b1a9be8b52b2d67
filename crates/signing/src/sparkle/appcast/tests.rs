//! Appcasts as `generate_appcast` writes them, and what is none.

use super::*;

/// Two versions, the older one in the older form, with notes that hold markup.
const APPCAST: &str = r#"<?xml version="1.0" standalone="yes"?>
<rss xmlns:sparkle="http://www.andymatuschak.org/xml-namespaces/sparkle" version="2.0">
  <channel>
    <title>Atlas</title>
    <item>
      <title>1.4.0</title>
      <sparkle:version>1400</sparkle:version>
      <sparkle:shortVersionString>1.4.0</sparkle:shortVersionString>
      <description><![CDATA[<p>What's <b>new</b> & good]]></description>
      <enclosure url="https://dl.example/Atlas-1.4.0.zip" length="7" type="application/octet-stream" sparkle:edSignature="c2ln"/>
      <sparkle:deltas>
        <enclosure url="https://dl.example/Atlas1400-1300.delta" sparkle:deltaFrom="1300" length="3" type="application/octet-stream"/>
      </sparkle:deltas>
    </item>
    <item>
      <enclosure url="https://dl.example/Atlas-1.3.0.zip" sparkle:version="1300" sparkle:shortVersionString="1.3.0" length="5"/>
    </item>
    <item><title>Read this</title><link>https://dl.example/news</link></item>
  </channel>
</rss>"#;

#[test]
fn an_appcast_lists_archives_and_their_versions() {
    let found = read(APPCAST.as_bytes()).expect("an appcast");
    let shown: Vec<_> = found
        .files
        .iter()
        .map(|it| (it.name(), it.version.clone().unwrap_or_default(), it.size))
        .collect();
    let of = |name: &str, version: &str, size| (name.to_owned(), version.to_owned(), Some(size));
    assert_eq!(
        shown,
        [
            of("Atlas-1.4.0.zip", "1.4.0", 7),
            of("Atlas-1.3.0.zip", "1.3.0", 5)
        ]
    );
    let signatures: Vec<_> = found
        .files
        .iter()
        .map(|it| it.signature.as_deref())
        .collect();
    assert_eq!(signatures, [Some("c2ln"), None]);
    assert_eq!(found.installs.len(), 3);
    let windows = APPCAST.replace("<enclosure url", "<enclosure sparkle:os=\"windows\" url");
    assert_eq!(read(windows.as_bytes()).expect("an appcast").installs, []);
}

#[test]
fn an_item_is_known_by_what_clients_compare() {
    let found = read(APPCAST.as_bytes()).expect("an appcast");
    let builds = found.files.iter().filter_map(|it| it.compared.as_ref());
    let builds: Vec<_> = builds
        .map(|it| (it.build.as_str(), it.system.as_str(), it.channel.as_deref()))
        .collect();
    assert_eq!(builds, [("1400", "macos", None), ("1300", "macos", None)]);
    let text = APPCAST.replacen(
        "<sparkle:version>",
        "<sparkle:channel>beta</sparkle:channel><sparkle:version>",
        1,
    );
    let text = text.replacen("<enclosure ", "<enclosure sparkle:os=\"windows-x64\" ", 1);
    let found = read(text.as_bytes()).expect("an appcast");
    let first = found.files[0].compared.as_ref().expect("a build");
    assert_eq!(
        (first.system.as_str(), first.channel.as_deref()),
        ("windows-x64", Some("beta"))
    );
}

#[test]
fn what_is_no_appcast_is_refused() {
    let spoilt = [
        ("<rss", "<feed"),
        ("</rss>", ""),
        ("length=\"7\"", "length=\"-7\""),
        ("url=\"https://dl.example/Atlas-1.4.0.zip\" ", ""),
        (
            "<sparkle:version>1400</sparkle:version>\n      <sparkle:shortVersionString>1.4.0</sparkle:shortVersionString>",
            "",
        ),
        (
            "<item>\n      <title>",
            "<item><enclosure url=\"a\"/>\n      <title>",
        ),
        ("]]>", ""),
        (
            "<?xml version=\"1.0\" standalone=\"yes\"?>",
            "<!DOCTYPE rss [<!ENTITY a \"b\">]>",
        ),
        ("<title>Atlas</title>", "</channel><channel>"),
    ];
    for (from, to) in spoilt {
        let text = APPCAST.replacen(from, to, 1);
        assert_ne!(text, APPCAST, "{from}");
        assert!(read(text.as_bytes()).is_err(), "{from} → {to}");
    }
}
