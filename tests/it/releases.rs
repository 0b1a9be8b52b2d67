//! GitHub releases of a version: never seen before they are whole, made once, finished by running again.

use std::sync::Arc;

use testkit::git::Git;
use testkit::github::{GitHub, Quirks, Release};
use testkit::{Ran, TIERS, World};
use tokio::runtime::Runtime;

use crate::publish::objects;

mod faults;

const PUBLISH: &str = "publish --run story --date 2026-11-23T08:00:00Z --github-timeout 2";
/// Four artifacts, their signatures, and SHA256SUMS.
const ASSETS: usize = 9;

/// A client repository whose version is tagged on GitHub, and built.
struct Tagged {
    runtime: Runtime,
    github: Arc<GitHub>,
    world: World,
    git: Git,
}

fn tagged() -> Option<Tagged> {
    let runtime = Runtime::new().expect("a runtime");
    let github = Arc::new(runtime.block_on(GitHub::start()));
    let world = World::on_store(crate::BINARY, "file:./store".to_owned(), github.env());
    let git = Git::init(world.folder())?;
    git.commit("feat: a");
    git.run(&[
        "tag",
        "--annotate",
        "--cleanup=verbatim",
        "--message",
        "v1.4.0\n\n## Features\n\n- a & `b`",
        "v1.4.0",
    ]);
    github.push(&git);
    world.build("1.4.0");
    let config = world.config_text(TIERS) + "github-release: { assets: all }\n";
    world.write("lastmile.yml", config.as_bytes());
    Some(Tagged {
        runtime,
        github,
        world,
        git,
    })
}

impl Tagged {
    fn publish(&self) -> Ran {
        self.publish_with(&[])
    }

    fn publish_with(&self, variables: &[(&str, &str)]) -> Ran {
        let sha = self.git.head();
        let mut all = vec![("GITHUB_SHA", sha.as_str())];
        all.extend_from_slice(variables);
        let words: Vec<_> = PUBLISH.split_whitespace().collect();
        self.world.run_with(&words, &all)
    }

    /// Nothing written, on neither side.
    #[track_caller]
    fn nothing_is_there(&self) {
        assert!(
            self.github.releases().is_empty(),
            "{:?}",
            self.github.releases()
        );
        let written: Vec<_> = objects_if_any(&self.world);
        assert!(written.is_empty(), "{written:?}");
    }

    /// One release, published, with every asset as it was built.
    #[track_caller]
    fn one_whole_release(&self, when: &str) -> Release {
        let releases = self.github.releases();
        assert_eq!(releases.len(), 1, "{when}: {releases:?}");
        assert_whole(&self.world, &releases[0], when);
        releases[0].clone()
    }
}

fn objects_if_any(world: &World) -> Vec<String> {
    if world.path("store").exists() {
        objects(world).into_keys().collect()
    } else {
        Vec::new()
    }
}

#[track_caller]
fn assert_whole(world: &World, release: &Release, when: &str) {
    assert!(!release.draft, "{when}: a draft");
    assert_eq!(release.tag_name, "v1.4.0", "{when}");
    assert_eq!(release.assets.len(), ASSETS, "{when}: {:?}", names(release));
    for asset in &release.assets {
        assert!(!asset.starter, "{when}: {}", asset.name);
        let local = world.path("dist").join(&asset.name);
        if let Ok(expected) = std::fs::read(local) {
            assert_eq!(asset.bytes, expected, "{when}: {}", asset.name);
        } else {
            assert_eq!(asset.name, "SHA256SUMS", "{when}");
        }
    }
}

fn names(release: &Release) -> Vec<&str> {
    release
        .assets
        .iter()
        .map(|asset| asset.name.as_str())
        .collect()
}

#[test]
fn a_release_is_made_once_and_last() {
    let Some(there) = tagged() else { return };
    there
        .publish()
        .expect(0)
        .says("GitHub release v1.4.0 with 9 assets: http")
        .says("nobody gets it yet");
    let release = there.one_whole_release("at first");
    let body = release.body.clone().unwrap_or_default();
    assert!(
        body.starts_with("## Features\n\n- a & `b`\n\n<!-- lastmile:op="),
        "{body}"
    );
    assert_eq!(there.github.latest().as_deref(), Some("v1.4.0"));
    let requests = there.github.requests();
    let at = |operation: &str| {
        let found = requests.iter().rposition(|one| one.operation == operation);
        found.unwrap_or_else(|| panic!("{operation} in {requests:?}"))
    };
    let is_ordered = at("repos/create-release") < at("repos/upload-release-asset")
        && at("repos/upload-release-asset") < at("repos/update-release");
    assert!(is_ordered, "{requests:?}");
    // Again: read, and nothing else, even by a token that may not write.
    there.github.clear_requests();
    let read = there.github.token(&[("contents", "read")]);
    there
        .publish_with(&[("GITHUB_TOKEN", &read)])
        .expect(0)
        .says("is already published")
        .says("nothing was written");
    let again = there.github.requests();
    assert!(
        again.len() <= 5 && again.iter().all(|one| one.body_bytes == 0),
        "{again:?}"
    );
    assert_eq!(there.one_whole_release("again"), release);
    // Another run of the same bytes compares too.
    there
        .world
        .run_with(
            &["publish", "--run", "other", "--wait", "0"],
            &[("GITHUB_SHA", &there.git.head())],
        )
        .expect(0)
        .says("already published");
}

#[test]
fn what_a_rule_forbids_is_refused_before_the_first_byte() {
    let Some(there) = tagged() else { return };
    let read = there.github.token(&[("contents", "read")]);
    there
        .publish_with(&[("GITHUB_TOKEN", &read)])
        .expect(3)
        .says("cannot create the release of `v1.4.0` in `acme/atlas`")
        .says("`permissions: { contents: write }`");
    there.nothing_is_there();
    there
        .publish_with(&[("GITHUB_TOKEN", "")])
        .expect(2)
        .says("`GITHUB_TOKEN` is missing")
        .says("`token: ${{ github.token }}`");
    let elsewhere = "0123456789012345678901234567890123456789";
    there
        .publish_with(&[("GITHUB_SHA", elsewhere)])
        .expect(3)
        .says("tag `v1.4.0` is at")
        .says(elsewhere);
    there
        .publish_with(&[("GITHUB_SHA", "")])
        .expect(2)
        .says("`commit` is missing");
    there.nothing_is_there();
    there.github.remove_ref("refs/tags/v1.4.0");
    there
        .publish()
        .expect(3)
        .says("tag `v1.4.0` is not there")
        .says("`lastmile tag`");
    there.nothing_is_there();
    there.github.push(&there.git);
    // A name that GitHub would change without a word.
    there
        .world
        .artifact("atlas-cli-1.4.0~rc-linux-x64.tar.gz", b"x");
    there.publish().expect(3).says("has a `~`");
    there.nothing_is_there();
}

#[test]
fn immutable_releases_are_whole_when_they_freeze() {
    let Some(there) = tagged() else { return };
    there.github.quirks(Quirks {
        immutable: true,
        ..Quirks::default()
    });
    there.publish().expect(0).says("(immutable)");
    let release = there.one_whole_release("immutable");
    assert!(release.immutable);
    there.publish().expect(0).says("nothing was written");
    // Somebody at GitHub took an asset away: nothing can be added, and that is said.
    there
        .github
        .change_release(release.id, |release| drop(release.assets.pop()));
    there
        .publish()
        .expect(4)
        .says("is published and immutable")
        .says("publish a new version");
}

#[test]
fn what_somebody_did_by_hand_is_not_undone() {
    let Some(there) = tagged() else { return };
    there.publish().expect(0);
    let id = there.one_whole_release("at first").id;
    // Other bytes under a name of ours: a conflict, with both digests.
    let mut before = None;
    there.github.change_release(id, |release| {
        before = Some(release.assets[0].clone());
        release.assets[0].sha256 = "0".repeat(64);
    });
    there
        .publish()
        .expect(4)
        .says("is published with other bytes")
        .says(&format!("found sha256:{}", "0".repeat(64)));
    // An asset that is none of ours stays, and is not passed over in silence.
    there.github.change_release(id, |release| {
        release.assets[0] = before.clone().expect("an asset");
        let mut other = release.assets[0].clone();
        other.id += 1_000_000;
        other.name = "extra.exe".to_owned();
        release.assets.push(other);
    });
    there
        .publish()
        .expect(0)
        .says("WARNING: the GitHub release also has `extra.exe`, which nobody verified");
    // A release that was deleted stays deleted until a person says otherwise.
    there.github.remove_release(id);
    there
        .publish()
        .expect(3)
        .says(&format!(
            "the GitHub release {id} of this version was deleted"
        ))
        .says("remove `state/atlas/github/1.4.0.json`");
    assert!(there.github.releases().is_empty());
    std::fs::remove_file(there.world.path("store/state/atlas/github/1.4.0.json"))
        .expect("the note");
    there.publish().expect(0);
    there.one_whole_release("after the note was removed");
}

#[test]
fn enterprise_servers_and_those_without_digests_are_served() {
    let Some(there) = tagged() else { return };
    there.github.quirks(Quirks {
        enterprise: true,
        no_digests: true,
        private: true,
        ..Quirks::default()
    });
    let api = there.github.api_url();
    assert!(api.ends_with("/api/v3"));
    there.publish_with(&[("GITHUB_API_URL", &api)]).expect(0);
    there.one_whole_release("enterprise");
    let downloads = |github: &GitHub| {
        let requests = github.requests();
        let reads = requests
            .iter()
            .filter(|one| one.operation == "storage/download");
        reads.count()
    };
    assert!(
        downloads(&there.github) >= ASSETS,
        "every byte is read back"
    );
    there
        .publish_with(&[("GITHUB_API_URL", &api)])
        .expect(0)
        .says("nothing was written");
}

#[test]
fn two_runs_at_once_make_one_release() {
    let Some(there) = tagged() else { return };
    let sha = there.git.head();
    let ends: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|n| {
                let (world, sha) = (&there.world, &sha);
                scope.spawn(move || {
                    let run = format!("run-{n}");
                    let words = ["publish", "--run", &run, "--date", "2026-11-23T08:00:00Z"];
                    world.run_with(&words, &[("GITHUB_SHA", sha)])
                })
            })
            .collect();
        runs.into_iter()
            .map(|run| run.join().expect("a run"))
            .collect()
    });
    for ran in &ends {
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
    there.one_whole_release("four runs");
    drop(there.runtime);
}

#[test]
fn a_lower_version_is_not_the_latest() {
    let Some(there) = tagged() else { return };
    there
        .git
        .run(&["tag", "--annotate", "--message", "v2.0.0", "v2.0.0"]);
    there.git.run(&[
        "tag",
        "--annotate",
        "--message",
        "v2.1.0-beta.1",
        "v2.1.0-beta.1",
    ]);
    there.github.push(&there.git);
    for (version, latest) in [
        ("2.0.0", "v2.0.0"),
        ("1.4.0", "v2.0.0"),
        ("2.1.0-beta.1", "v2.0.0"),
    ] {
        there.world.build(version);
        there.publish().expect(0);
        assert_eq!(there.github.latest().as_deref(), Some(latest), "{version}");
    }
    let releases = there.github.releases();
    assert_eq!(releases.len(), 3);
    assert!(releases[2].prerelease && !releases[1].prerelease);
}
