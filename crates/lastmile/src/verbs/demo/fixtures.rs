//! The sample app, compiled in. `fixtures/README.md` states its origin.

/// The Windows installer carries its signature; the others have theirs beside them.
macro_rules! sample {
    ($version:literal: $installer:literal, $($name:literal),*) => {
        &[
            ($installer, include_bytes!(concat!("fixtures/", $version, "/", $installer))),
            $(
                ($name, include_bytes!(concat!("fixtures/", $version, "/", $name))),
                (concat!($name, ".minisig"), include_bytes!(concat!("fixtures/", $version, "/", $name, ".minisig"))),
            )*
        ]
    };
}

type File = (&'static str, &'static [u8]);

const SAMPLE_1_3_0: &[File] = sample!("1.3.0": "Atlas-Setup-1.3.0.exe", "Atlas-1.3.0-universal.zip", "Atlas-1.3.0.AppImage", "atlas-cli-1.3.0-linux-x64.tar.gz");
const SAMPLE_1_4_0: &[File] = sample!("1.4.0": "Atlas-Setup-1.4.0.exe", "Atlas-1.4.0-universal.zip", "Atlas-1.4.0.AppImage", "atlas-cli-1.4.0-linux-x64.tar.gz");
/// What stands in `.git` of the scratch repository.
pub(super) const REPOSITORY: &[File] = &[
    ("HEAD", include_bytes!("fixtures/scratch/HEAD")),
    (
        "packed-refs",
        include_bytes!("fixtures/scratch/packed-refs"),
    ),
    (
        "config",
        b"[core]\n\trepositoryformatversion = 0\n\tbare = false\n",
    ),
    (
        "objects/pack/pack-scratch.pack",
        include_bytes!("fixtures/scratch/scratch.pack"),
    ),
    (
        "objects/pack/pack-scratch.idx",
        include_bytes!("fixtures/scratch/scratch.idx"),
    ),
];
const PUBLIC_KEY: &str = include_str!("fixtures/snake-oil.pub");
/// The root that the installer's signature chains to. Nothing in the world trusts it; the demo's configuration does.
pub(super) const ROOT: &str = include_str!("fixtures/snake-oil-ca.pem");

/// The tiers of the demo's second release.
pub(super) const TIERS: &str = "
    tiers:
      - { name: staff, cohort: internal, soak: 0 }
      - { name: canary, share: 1%, soak: 2s }
      - { name: early, share: 10%, soak: 0 }
      - { name: all, share: 100%, soak: 0 }";

/// What a build of the version leaves in `dist/`.
pub(super) fn build(version: &str) -> &'static [File] {
    if version == "1.3.0" {
        SAMPLE_1_3_0
    } else {
        SAMPLE_1_4_0
    }
}

/// The client repository's `lastmile.yml`.
pub(super) fn config(tiers: &str) -> String {
    let key = PUBLIC_KEY.lines().nth(1).unwrap_or_default();
    let tiers = if tiers.is_empty() { " {}" } else { tiers };
    format!(
        "app: atlas\nstore: file:./dist-store\npublic-url: https://dl.atlas.example\nversion: {{ from: package.json }}\n\
         artifacts:\n\
         \x20 - {{ path: \"dist/Atlas-Setup-*.exe\", platform: windows-x64, kind: nsis }}\n\
         \x20 - {{ path: \"dist/Atlas-*-universal.zip\", platform: macos-universal, kind: zip }}\n\
         \x20 - {{ path: \"dist/Atlas-*.AppImage\", platform: linux-x64, kind: appimage }}\n\
         \x20 - {{ path: \"dist/atlas-cli-*-linux-x64.tar.gz\", platform: linux-x64, kind: tar.gz }}\n\
         signing:\n\
         \x20 windows: {{ authenticode: {{ organization: Atlas Snake Oil }}, contents: optional }} # a bare program, nothing inside\n\
         \x20 roots: [snake-oil-ca.pem] # besides Microsoft's\n\
         \x20 macos: {{ minisign: {{ public-key: \"{key}\" }} }} # snake oil\n\
         \x20 linux: {{ minisign: {{ public-key: \"{key}\" }} }}\n\
         feeds: [electron-updater, manifest]\n\
         channels:\n\
         \x20 stable:{tiers}\n"
    )
}
