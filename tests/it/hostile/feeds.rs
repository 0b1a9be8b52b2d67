//! Feeds that builds leave behind, as their tools write them.

/// Names, and what stands in the files.
pub(super) const FEEDS: [(&str, &str); 5] = [
    (
        "built latest-mac.yml",
        "version: 1.4.0\nfiles:\n  - url: Atlas-1.4.0-mac.zip\n    sha512: z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==\n    size: 7\npath: Atlas-1.4.0-mac.zip\nsha512: z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==\nreleaseDate: '2026-11-20T10:00:00.000Z'\npublisherName:\n  - CN=Snake Oil, O=\"Snake \\\"Oil\\\", Inc.\"\n",
    ),
    (
        "RELEASES",
        "\u{feff}DA39A3EE5E6B4B0D3255BFEF95601890AFD80709 Atlas-1.3.0-full.nupkg 5\r\nDA39A3EE5E6B4B0D3255BFEF95601890AFD80709 https://dl.example/Atlas-1.4.0-beta1-delta.nupkg?a=b 7 # 10%\r\n",
    ),
    (
        "releases.win.json",
        "{\"Assets\":[{\"PackageId\":\"Atlas\",\"Version\":\"1.4.0\",\"Type\":\"Full\",\"FileName\":\"Atlas-1.4.0-full.nupkg\",\"SHA1\":\"DA39A3EE5E6B4B0D3255BFEF95601890AFD80709\",\"SHA256\":\"E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855\",\"Size\":7,\"NotesMarkdown\":\"\\uD83D\\uDE80\"}]}",
    ),
    (
        "latest.json",
        "{\"version\":\"v1.4.0\",\"platforms\":{\"darwin-aarch64\":{\"signature\":\"ZA==\",\"url\":\"https://dl.example/Atlas%20aarch64.app.tar.gz\"}}}",
    ),
    (
        "appcast.xml",
        "<?xml version=\"1.0\"?>\n<rss version=\"2.0\"><channel><item><sparkle:version>1400</sparkle:version><description><![CDATA[<p>new & good]]></description><enclosure url=\"https://dl.example/Atlas-1.4.0.zip\" length=\"7\" sparkle:edSignature=\"c2ln\"/></item></channel></rss>",
    ),
];
