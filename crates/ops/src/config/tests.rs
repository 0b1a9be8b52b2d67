//! What is refused, in which words.

use proptest::prelude::*;
use signing::ContentsRule;
use signing::apple::{HardenedRuntime, Notarized};

use super::*;

const KEY: &str = "RWT+uA/ObnE+TXHw1XDCCWu/Au/1JAfesfrxIfwZQUcSXq1mmD8+c7/s";

fn good() -> String {
    format!(
        "app: atlas-desktop\nstore: s3://atlas-dist?region=us-east-1\npublic-url: https://dl.atlas.example/\nversion: {{ from: package.json }}\n\
         artifacts:\n  - {{ path: \"dist/Atlas-Setup-*.exe\", platform: windows-x64, kind: nsis }}\n  - path: dist/Atlas-*-universal.dmg\n    platform: macos-universal\n    kind: dmg\n\
         signing:\n  windows: {{ minisign: {{ public-key: \"{KEY}\" }} }}\n  all: {{ sha256sums: {{ path: dist/SHA256SUMS, minisign: {{ public-key: \"{KEY}\" }} }} }}\n  allow-unsigned:\n    - {{ path: \"dist/licenses.txt\", reason: \"text\", until: 2027-06-30 }}\n\
         feeds: [electron-updater, manifest]\nchannels:\n  beta: {{ follows: stable, tiers: [ {{ name: all, share: 100% }} ] }}\n  stable:\n    tiers:\n      - {{ name: staff, cohort: internal, soak: 4h }}\n      - {{ name: canary, share: 1%, soak: 24h }}\n      - {{ name: all, share: 100%, soak: 72h }}\n"
    )
}

fn wrong(from: &str, to: &str) -> String {
    let text = good();
    assert!(text.contains(from), "{from}");
    Config::parse(&text.replacen(from, to, 1), "lastmile.yml")
        .expect_err(to)
        .to_string()
}

#[test]
fn the_example_of_the_design_parses() {
    let config = Config::parse(&good(), "lastmile.yml").expect("good");
    let app = config.app(None).expect("one app");
    assert_eq!(
        (
            app.app.as_str(),
            app.public_url.as_str(),
            app.artifacts.len()
        ),
        ("atlas-desktop", "https://dl.atlas.example", 2)
    );
    let stable = app.channel(&Channel::stable()).expect("stable");
    assert_eq!(
        stable
            .tiers
            .iter()
            .map(|tier| tier.name.as_str())
            .collect::<Vec<_>>(),
        ["staff", "canary", "all"]
    );
    assert_eq!(app.signing.allow_unsigned.len(), 1);
}

#[test]
fn several_apps_are_told_apart() {
    let body = good()
        .replacen("app: atlas-desktop\n", "", 1)
        .replace('\n', "\n    ");
    let text = format!("apps:\n  one:\n    {body}\n  two:\n    {body}\n");
    let config = Config::parse(text.trim_end(), "lastmile.yml").expect("two apps");
    insta::assert_snapshot!(config.app(None).expect_err("which").to_string(), @"
    error: which app? there are `one`, `two`; give `--app`
      --> lastmile.yml
    ");
    assert_eq!(
        config
            .app(Some(&"two".parse().expect("a name")))
            .expect("two")
            .app
            .as_str(),
        "two"
    );
}

#[test]
fn unknown_keys_are_located_with_the_nearest_known_one() {
    insta::assert_snapshot!(wrong("artifacts:", "artefacts:"), @r"
    error: unknown key `artefacts`; did you mean `artifacts`?
      --> lastmile.yml:5:1
      |
    5 | artefacts:
      | ^^^^^^^^^
    ");
    insta::assert_snapshot!(wrong("share: 1%,", "shrae: 1%,"), @r"
    error: unknown key `shrae`; did you mean `share`?
      --> lastmile.yml:21:25
       |
    21 |       - { name: canary, shrae: 1%, soak: 24h }
       |                         ^^^^^
    ");
    assert!(
        wrong("feeds:", "zebra: 1\nfeeds:").contains("unknown key `zebra`; known here: app, store")
    );
}

#[test]
fn a_github_release_is_asked_for_in_full() {
    let with = |key: &str| good().replacen("feeds:", &format!("{key}\nfeeds:"), 1);
    let of = |text: &str| {
        let config = Config::parse(text, "lastmile.yml").expect("good");
        config.app(None).expect("one app").github_release
    };
    assert_eq!(of(&good()), None);
    assert_eq!(
        of(&with("github-release: { assets: all }")),
        Some(GitHubRelease::AllAssets)
    );
    for wrong in [
        "true",
        "{}",
        "{ assets: some }",
        "{ assets: all, draft: true }",
    ] {
        let text = with(&format!("github-release: {wrong}"));
        assert!(Config::parse(&text, "lastmile.yml").is_err(), "{wrong}");
    }
}

#[test]
fn keys_that_are_not_enforced_yet_are_refused() {
    insta::assert_snapshot!(wrong("soak: 24h }", "soak: 24h, gates: [a] }"), @r"
    error: `gates` is not yet supported by this version; take it out
      --> lastmile.yml:21:47
       |
    21 |       - { name: canary, share: 1%, soak: 24h, gates: [a] }
       |                                               ^^^^^
    ");
    for (from, to, key) in [
        ("feeds:", "gates:\n  x: { rate: 1 }\nfeeds:", "gates"),
        ("feeds:", "tag: { major: true }\nfeeds:", "major"),
        ("feeds:", "rules: true\nfeeds:", "rules"),
        (
            "    tiers:\n",
            "    signoffs: { release-manager: 1 }\n    tiers:\n",
            "signoffs",
        ),
    ] {
        let message = wrong(from, to);
        assert!(
            message.contains(&format!("`{key}` is not yet supported")),
            "{key}: {message}"
        );
    }
    assert!(
        wrong(
            "[electron-updater, manifest]",
            "[electron-updater, sparkle]"
        )
        .contains("the feed `sparkle` is not yet supported")
    );
    assert!(wrong("from: package.json", "from: tauri.conf.json").contains("not yet supported"));
}

#[test]
fn what_is_inside_is_demanded_unless_a_scope_says_otherwise() {
    let of = |keys: &str| {
        let rule = format!("windows: {{ {keys} minisign");
        let text = good().replacen("windows: { minisign", &rule, 1);
        let config = Config::parse(&text, "lastmile.yml").expect(keys);
        let app = config.app(None).expect("one app");
        app.signing.contents(release::Os::Windows)
    };
    assert_eq!(of(""), ContentsRule::Required);
    assert_eq!(of("contents: required,"), ContentsRule::Required);
    assert_eq!(of("contents: optional,"), ContentsRule::Optional);
}

#[test]
fn the_keys_of_updaters_are_named_in_full() {
    let of = |keys: &str| {
        let rule = format!("windows: {{ {keys}, minisign");
        let text = good().replacen("windows: { minisign", &rule, 1);
        let parsed = Config::parse(&text, "lastmile.yml").map_err(|errors| errors.to_string())?;
        let app = parsed.app(None).expect("one app");
        Ok::<_, String>((
            app.signing.has_tauri_rules(),
            app.signing.sparkle_rules().len(),
        ))
    };
    let tauri = include_str!("../../../signing/fixtures/tauri/snake-oil.pub");
    let tauri = format!("tauri: {{ public-key: {tauri} }}");
    assert_eq!(of(&tauri), Ok((true, 0)));
    let bare = format!("tauri: {{ public-key: \"{KEY}\" }}");
    let wrong = of(&bare).expect_err("minisign's");
    assert!(wrong.contains("is not a Tauri public key"), "{wrong}");
    let key = "ORhpwz8wTOiVPn+EMhtg7EKAUbjKGKJuCxOFqtC6FUg=";
    let sparkle = format!("sparkle: {{ public-key: {key}, appcast: dist/appcast.xml }}");
    assert_eq!(of(&sparkle), Ok((false, 1)));
    let tuf =
        "tuf: { root: keys/root.json, metadata: dist/metadata, targets: \"atlas/{version}\" }";
    assert_eq!(of(tuf), Ok((false, 0)));
    for (from, to, expected) in [
        ("keys/", "../", "`tuf.root`"),
        ("dist/metadata", "/metadata", "`tuf.metadata`"),
        ("atlas/", "../", "`tuf.targets`"),
        ("root: keys/root.json, ", "", "root"),
    ] {
        let wrong = of(&tuf.replacen(from, to, 1)).expect_err(to);
        assert!(wrong.contains(expected), "{wrong}");
    }
    for (from, to, expected) in [
        (key, "AAAA", "is not a Sparkle public key"),
        (key, "ORhpwz8wTOiVPn", "is not a Sparkle public key"),
        ("dist/", "../", "`sparkle.appcast`"),
        (", appcast: dist/appcast.xml", "", "appcast"),
    ] {
        let wrong = of(&sparkle.replacen(from, to, 1)).expect_err(to);
        assert!(wrong.contains(expected), "{wrong}");
    }
}

#[test]
fn a_team_of_apples_is_named_in_full() {
    let with = |keys: &str| {
        let rule = format!("windows: {{ apple: {{ {keys} }}, minisign");
        good().replacen("windows: { minisign", &rule, 1)
    };
    let of = |keys: &str| {
        let config = Config::parse(&with(keys), "lastmile.yml").expect(keys);
        let app = config.app(None).expect("one app");
        let mut signers = app.signing.apple_signers().cloned();
        signers.next().expect("a signer")
    };
    let whole = of("team-id: ABCDE12345");
    assert_eq!(
        (whole.hardened_runtime, whole.notarized),
        (HardenedRuntime::Required, Notarized::Required)
    );
    let less = of("team-id: ABCDE12345, hardened-runtime: optional, notarized: optional");
    assert_eq!(
        (less.hardened_runtime, less.notarized),
        (HardenedRuntime::MayBeMissing, Notarized::MayBeMissing)
    );
    let message = |keys: &str| {
        let parsed = Config::parse(&with(keys), "lastmile.yml");
        parsed.expect_err(keys).to_string()
    };
    assert!(message("team-id: abcde12345").contains("`team-id`: `abcde12345` is not a Team ID"));
    assert!(message("team-id: ABCDE12345, notarized: maybe").contains("maybe"));
    assert!(message("notarized: required").contains("team-id"));
}

#[test]
fn who_signs_and_where_is_named_in_full() {
    let message = |keys: &str| {
        let rule = format!("windows: {{ {keys}, minisign");
        let text = good().replacen("windows: { minisign", &rule, 1);
        let parsed = Config::parse(&text, "lastmile.yml");
        parsed.err().map(|errors| errors.to_string())
    };
    let fingerprint = "0123456789ABCDEF0123456789ABCDEF01234567";
    let openpgp = format!("openpgp: {{ key: keys/release.asc, fingerprint: {fingerprint} }}");
    assert_eq!(message(&openpgp), None);
    let short = openpgp.replace(fingerprint, "01234567");
    assert!(message(&short).is_some_and(|it| it.contains("a key id is not enough")));
    let outside = openpgp.replace("keys/", "../");
    assert!(message(&outside).is_some_and(|it| it.contains("`openpgp.key`")));
    let sums =
        |signers: &str| message(&format!("sha256sums: {{ path: dist/SHA256SUMS{signers} }}"));
    let minisign = format!("minisign: {{ public-key: \"{KEY}\" }}");
    assert_eq!(sums(&format!(", {openpgp}")), None);
    for wrong in [String::new(), format!(", {minisign}, {openpgp}")] {
        let wrong = sums(&wrong).expect("none or two");
        assert!(wrong.contains("expected exactly one of"), "{wrong}");
    }
    let outside = sums(&format!(", {}", openpgp.replace("keys/", "../")));
    assert!(outside.is_some_and(|it| it.contains("`sha256sums.openpgp.key`")));
    let apt = format!(
        "apt: {{ release: dist/apt/InRelease, key: keys/apt.asc, fingerprint: {fingerprint} }}"
    );
    assert_eq!(message(&apt), None);
    for (from, to, expected) in [
        ("InRelease", "Packages", "expected the path of `InRelease`"),
        ("dist/", "../", "`apt.release`"),
        ("keys/", "/", "`apt.key`"),
        ("release: dist/apt/InRelease, ", "", "release"),
    ] {
        let wrong = message(&apt.replace(from, to)).unwrap_or_else(|| panic!("{to}"));
        assert!(wrong.contains(expected), "{to}: {wrong}");
    }
    let store = "pAg2ItHmkEOrc9GLcgUpSZVhX8pvYUxOQXliS0jwY5h_SZ2I516UbMmNrvwpBUsY";
    let snap = format!("snap: {{ account: snakeoil, name: hello-2, key: {store} }}");
    assert_eq!(message(&snap), None);
    assert_eq!(
        message("snap: { account: QfOqF7d2M1Pk2O0SbEKqTdB9Ry2aI0BP, name: hello }"),
        None
    );
    for (from, to, expected) in [
        (
            "account: snakeoil",
            "account: \"\"",
            "`snap.account`: `` is not",
        ),
        (
            "name: hello-2",
            "name: Hello",
            "`snap.name`: `Hello` is not",
        ),
        (store, "pAg2", "`pAg2` is not the name of a key"),
        ("name: hello-2, ", "", "name"),
    ] {
        let wrong = message(&snap.replace(from, to)).unwrap_or_else(|| panic!("{to}"));
        assert!(wrong.contains(expected), "{to}: {wrong}");
    }
    let provenance = "provenance: { repository: your-org/atlas, workflow: .github/workflows/release.yml, ref: \"refs/tags/v{version}\", runner: any }";
    assert_eq!(message(provenance), None);
    assert_eq!(sums(&format!(", {provenance}")), None);
    for (from, to, expected) in [
        ("your-org/atlas", "atlas", "owner and name"),
        (
            ".github/workflows/release.yml",
            "release.yml",
            "its whole path",
        ),
        ("refs/tags/v{version}", "v{version}", "a whole ref"),
        ("runner: any", "runner: mine", "mine"),
    ] {
        let wrong = message(&provenance.replace(from, to)).unwrap_or_else(|| panic!("{to}"));
        assert!(wrong.contains(expected), "{to}: {wrong}");
    }
}

#[test]
fn tags_are_named_by_a_format() {
    let format = |text: &str| {
        let config = Config::parse(text, "lastmile.yml").expect("good");
        let apps: Vec<_> = config
            .apps()
            .map(|app| app.tag_format.to_string())
            .collect();
        apps.join(" ")
    };
    assert_eq!(format(&good()), "v{version}");
    let with = |keys: &str| good().replacen("feeds:", &format!("tag: {{ {keys} }}\nfeeds:"), 1);
    assert_eq!(
        format(&with("format: \"app/v{version}\", changelog: conventional")),
        "app/v{version}"
    );
    let message = |keys: &str| {
        let parsed = Config::parse(&with(keys), "lastmile.yml");
        parsed.expect_err(keys).to_string()
    };
    assert!(message("format: \"v\"").contains("tag.format: `v` is no format of tags"));
    assert!(message("changelog: fragments").contains("conventional"));
    assert!(message("formats: x").contains("did you mean `format`?"));
    // Several apps have names of their own, and never one between them.
    let several = |tag: &str| {
        let body = good().replacen("app: atlas-desktop\n", tag, 1);
        let body = body.replace('\n', "\n    ");
        let text = format!("apps:\n  one:\n    {body}\n  two:\n    {body}\n");
        text.trim_end().to_owned()
    };
    assert_eq!(format(&several("")), "one-v{version} two-v{version}");
    let same = several("tag: { format: \"v{version}\" }\n");
    let errors = Config::parse(&same, "lastmile.yml").expect_err("one name for two");
    assert!(
        errors.to_string().contains("which `two` takes for its own"),
        "{errors}"
    );
}

#[test]
fn values_are_located() {
    insta::assert_snapshot!(wrong("platform: windows-x64", "platform: win"), @r#"
    error: artifacts[0].platform: `win` is not a platform; expected one of `windows-x64`, `windows-arm64`, `windows-ia32`, `macos-x64`, `macos-arm64`, `macos-universal`, `linux-x64`, `linux-arm64`, `linux-armv7l`, `web`
      --> lastmile.yml:6:49
      |
    6 |   - { path: "dist/Atlas-Setup-*.exe", platform: win, kind: nsis }
      |                                                 ^^^
    "#);
    insta::assert_snapshot!(wrong("share: 1%", "share: 1"), @r"
    error: channels.stable.tiers[1].share: `1` is not a share; expected a percentage from `0%` to `100%` with at most two decimals, such as `0.5%`
      --> lastmile.yml:21:32
       |
    21 |       - { name: canary, share: 1, soak: 24h }
       |                                ^
    ");
    insta::assert_snapshot!(wrong("{ from: package.json }", "1.10"), @r#"
    error: version: `1.1` is a number to YAML; write the version in quotes, such as "1.4.0"
      --> lastmile.yml:4:10
      |
    4 | version: 1.10
      |          ^^^^
    "#);
}

#[test]
fn what_does_not_agree_is_said_all_at_once() {
    let text = good()
        .replacen("share: 1%", "share: 100%", 1)
        .replacen("follows: stable", "follows: nightly", 1)
        .replacen("s3://", "ftp://", 1);
    let message = Config::parse(&text, "lastmile.yml")
        .expect_err("wrong")
        .to_string();
    assert_eq!(message.matches("error: ").count(), 3, "{message}");
    assert!(
        message.contains("`store`: `ftp://")
            && message.contains("shares rise")
            && message.contains("follows `nightly`, which is not there"),
        "{message}"
    );
    assert!(wrong("share: 100%, soak: 72h", "share: 50%").contains("is not `share: 100%`"));
    assert!(wrong("name: canary", "name: staff").contains("two tiers `staff`"));
    assert!(wrong("cohort: internal,", "").contains("neither `share` nor `cohort`"));
    assert!(wrong("dist/Atlas-Setup-*.exe", "../x").contains("not a path below"));
    assert!(
        wrong(
            "reason: \\\"text\\\"".replace('\\', "").as_str(),
            "reason: \"\""
        )
        .contains("has no `reason`")
    );
    assert!(wrong("https://dl.atlas.example/", "javascript:x").contains("is not an address"));
}

#[test]
fn tricks_of_yaml_are_refused() {
    assert!(Config::parse("a: &a [*a]\n", "x").is_err());
    assert!(wrong("store:", "app: again\nstore:").contains("duplicate"));
    assert!(Config::parse(&"[".repeat(10_000), "x").is_err());
    assert!(
        Config::parse(&format!("{}{}", good(), "#".repeat(300_000)), "x")
            .expect_err("too large")
            .to_string()
            .contains("larger than")
    );
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
    assert!(Config::parse(bomb, "x").is_err());
}

/// Every key of the schema is one that the parser knows, and the parser's own list for unknown keys has no other but
/// those that are not yet supported.
#[test]
fn schema_and_parser_know_the_same_keys() {
    let schema = Config::schema();
    let keys: Vec<_> = schema["properties"]
        .as_object()
        .expect("properties")
        .keys()
        .cloned()
        .collect();
    let message = wrong("feeds:", "zebra: 1\nfeeds:");
    let known = message
        .lines()
        .next()
        .and_then(|line| line.split("known here: ").nth(1))
        .expect("a list")
        .split(", ")
        .map(str::to_owned)
        .collect::<Vec<_>>();
    for key in keys.iter().filter(|key| *key != "apps") {
        assert!(known.contains(key), "{key}");
    }
    for key in known
        .iter()
        .filter(|key| !["gates", "rules"].contains(&key.as_str()))
    {
        assert!(keys.contains(key), "{key}");
    }
}

proptest! {
    #[test]
    fn no_document_makes_it_panic(at in any::<proptest::sample::Index>(), with in ".{0,4}", cut in any::<proptest::sample::Index>()) {
        let text = good();
        let chars: Vec<char> = text.chars().collect();
        let (at, cut) = (at.index(chars.len()), cut.index(chars.len()));
        let mutated: String = chars[..at].iter().copied().chain(with.chars()).chain(chars[at.max(cut)..].iter().copied()).collect();
        if let Err(errors) = Config::parse(&mutated, "lastmile.yml") {
            prop_assert!(!errors.to_string().is_empty());
        }
    }
}
