//! A client repository, from a push to a rollback: `tests/clients/electron` and its workflow as they stand, run by `act`
//! against an S3 service and a GitHub, with the binary that the lock pins, fetched from a mirror.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use testkit::cdn::Cdn;
use testkit::git::Git;
use testkit::github::GitHub;
use testkit::judge;
use testkit::s3::S3;
use tokio::runtime::Runtime;

use crate::actions;

const FIXTURES: &str = "crates/lastmile/src/verbs/demo/fixtures";

/// The repository, what it talks to, and the copy of the actions that it uses.
struct Client {
    _runtime: Runtime,
    s3: S3,
    github: GitHub,
    _mirror: Cdn,
    folder: tempfile::TempDir,
    git: Git,
}

impl Client {
    /// A fresh copy of the repository, with signed builds in place of a build.
    fn new() -> Option<Self> {
        if !judge::has_program("act") || !judge::has_program("git") || !judge::has_program("curl") {
            return None;
        }
        let runtime = Runtime::new().expect("a runtime");
        let s3 = runtime.block_on(S3::start());
        let github = runtime.block_on(GitHub::start());
        let folder = tempfile::tempdir().expect("a folder");
        let client = folder.path().join("client");
        copy_all(&actions::root().join("tests/clients/electron"), &client);
        for version in ["1.3.0", "1.4.0"] {
            let from = actions::root().join(FIXTURES).join(version);
            copy_all(&from, &client.join("prebuilt").join(version));
        }
        let fixture = |name: &str| {
            let path = actions::root().join(FIXTURES).join(name);
            fs::read_to_string(path).expect("a fixture")
        };
        let root = client.join("prebuilt/snake-oil-ca.pem");
        fs::write(root, fixture("snake-oil-ca.pem")).expect("the root");
        let key = fixture("snake-oil.pub");
        let key = key.lines().nth(1).expect("a key");
        let config = fs::read_to_string(client.join("lastmile.yml")).expect("a configuration");
        let config = config
            .replace("s3://atlas-dist?region=us-east-1", &s3.store_url(""))
            .replace("SNAKE-OIL", key);
        fs::write(client.join("lastmile.yml"), config).expect("a configuration");
        let mirror = pin(&runtime, folder.path());
        let git = Git::init(&client)?;
        git.run(&[
            "remote",
            "add",
            "origin",
            "https://github.com/acme/atlas.git",
        ]);
        git.run(&["add", "--all"]);
        git.run(&["commit", "--quiet", "--message", "feat: begin"]);
        github.push(&git);
        Some(Self {
            _runtime: runtime,
            s3,
            github,
            _mirror: mirror,
            folder,
            git,
        })
    }

    /// Runs the workflow, and gives whether it succeeded with all that it said.
    fn act(&self, event: &str, run: u32, inputs: &[(&str, &str)]) -> (bool, String) {
        let folder = self.folder.path();
        let (home, tree) = (folder.join("home"), folder.join("lastmile-tree"));
        let mut command = actions::act_command(&folder.join("client"), &home, &tree, event);
        command.args(["--actor", "maria"]);
        let mut variables = self.s3.env();
        for (name, value) in self.github.env() {
            match name.as_str() {
                "GITHUB_TOKEN" => drop(command.args(["-s", &format!("{name}={value}")])),
                _ => variables.push((name, value)),
            }
        }
        let cache = home.join("tools").display().to_string();
        variables.push(("RUNNER_TOOL_CACHE".to_owned(), cache));
        variables.push(("GITHUB_RUN_ID".to_owned(), run.to_string()));
        for (name, value) in variables {
            command.arg("--env").arg(format!("{name}={value}"));
        }
        for (name, value) in inputs {
            command.arg("--input").arg(format!("{name}={value}"));
        }
        let output = command.output().expect("act runs");
        (output.status.success(), actions::log(&output))
    }

    #[track_caller]
    fn push(&self, run: u32) -> String {
        let (success, log) = self.act("push", run, &[]);
        assert!(success, "{log}");
        log
    }

    #[track_caller]
    fn steer(&self, run: u32, inputs: &[(&str, &str)]) -> String {
        let (success, log) = self.act("workflow_dispatch", run, inputs);
        assert!(success, "{log}");
        log
    }

    fn served(&self, path: &str) -> String {
        let objects = self.s3.objects();
        let object = objects
            .get(&format!("public/atlas/{path}"))
            .unwrap_or_else(|| panic!("{path} in {:?}", objects.keys()));
        String::from_utf8_lossy(&object.bytes).into_owned()
    }

    /// What the desktop apps that follow `stable` are offered on Windows.
    fn offered(&self) -> String {
        let feed = self.served("feeds/electron-updater/latest.yml");
        let line = feed.lines().find_map(|line| line.strip_prefix("version: "));
        line.expect("a version").trim_matches('\'').to_owned()
    }

    fn revision(&self) -> String {
        let channel: Value =
            serde_json::from_str(&self.served("channels/stable.json")).expect("JSON");
        channel["revision"].to_string()
    }
}

/// A copy of the actions whose lock names the binary under test, and the server that has it.
fn pin(runtime: &Runtime, folder: &Path) -> Cdn {
    let tree = folder.join("lastmile-tree");
    actions::tree(&tree);
    let program = std::env::var_os("LASTMILE_BENCH_BINARY").unwrap_or(crate::BINARY.into());
    let program = fs::read(program).expect("the binary");
    let store = folder.join("mirror");
    fs::create_dir_all(store.join("public")).expect("a folder");
    fs::write(store.join("public/lastmile"), &program).expect("the binary");
    let mirror = runtime.block_on(Cdn::serve(&store));
    let lock = format!(
        "version\t9.9.9\n{}\t{}\t{}\t{}/dl/lastmile\n",
        actions::triple(),
        release::Sha256::of(&program),
        program.len(),
        mirror.address()
    );
    fs::write(tree.join("actions/lock.tsv"), lock).expect("the lock");
    mirror
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to: PathBuf = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a copy");
        }
    }
}

/// What a job of `act` is called in its log.
fn ran(log: &str, job: &str) -> bool {
    log.contains(&format!("[release/{job}"))
}

#[test]
fn from_a_push_to_a_rollback() {
    let Some(client) = Client::new() else { return };
    // The first push is the first release: 1.3.0, as `package.json` says where there is no tag.
    let log = client.push(1);
    assert!(ran(&log, "publish") && ran(&log, "start"), "{log}");
    assert!(!ran(&log, "steer"), "{log}");
    let first = client.git.head();
    let tag = &client.github.refs()["refs/tags/v1.3.0"];
    assert_eq!(client.github.tag_objects()[tag].object, first);
    let statuses = client.github.statuses(&first);
    assert_eq!(statuses[0].context, "lastmile / verify");
    assert_eq!(statuses[0].state, "success");
    let target = statuses[0].target_url.clone().unwrap_or_default();
    assert!(target.ends_with("/acme/atlas/actions/runs/1"), "{target}");
    let release = client.github.releases().remove(0);
    assert!(
        !release.draft && release.tag_name == "v1.3.0",
        "{release:?}"
    );
    assert_eq!(release.assets.len(), 4 + 3 + 1);
    let steps = [("advance", "all"), ("advance", "complete")];
    for (run, (operation, to)) in (2..).zip(steps) {
        let expect = client.revision();
        client.steer(
            run,
            &[("operation", operation), ("to", to), ("expect", &expect)],
        );
    }
    assert_eq!(client.offered(), "1.3.0");
    // A push of what calls for no release ends with its version job.
    client.git.commit("docs: say so");
    client.github.push(&client.git);
    let log = client.push(4);
    assert!(ran(&log, "version") && !ran(&log, "publish"), "{log}");
    assert_eq!(client.github.releases().len(), 1);
    // A feature: 1.4.0, to the first tier. Running the whole workflow again changes nothing.
    client
        .git
        .commit("feat(tabs): open the last closed tab again");
    client.github.push(&client.git);
    client.push(5);
    let (before, releases) = (client.s3.objects(), client.github.releases());
    assert_eq!(releases.len(), 2);
    assert!(
        releases[1]
            .body
            .as_deref()
            .unwrap_or_default()
            .contains("last closed tab")
    );
    client.push(5);
    assert_eq!(client.github.releases(), releases);
    assert_eq!(
        client.s3.objects().keys().collect::<Vec<_>>(),
        before.keys().collect::<Vec<_>>()
    );
    assert_eq!(client.offered(), "1.3.0", "the first tier is staff");
    // Steered by hand: to everyone, halted, and back.
    let expect = client.revision();
    client.steer(
        6,
        &[("operation", "advance"), ("to", "all"), ("expect", &expect)],
    );
    assert_eq!(client.offered(), "1.4.0");
    client.steer(7, &[("operation", "halt"), ("reason", "it crashes")]);
    assert_eq!(client.offered(), "1.3.0");
    let expect = client.revision();
    client.steer(
        8,
        &[
            ("operation", "resume"),
            ("expect", &expect),
            ("reason", "it did not"),
        ],
    );
    let expect = client.revision();
    client.steer(
        9,
        &[
            ("operation", "advance"),
            ("to", "complete"),
            ("expect", &expect),
        ],
    );
    assert_eq!(client.offered(), "1.4.0");
    client.steer(
        10,
        &[
            ("operation", "rollback"),
            ("to", "1.3.0"),
            ("reason", "it did"),
        ],
    );
    assert_eq!(client.offered(), "1.3.0");
    // The log of the channel says who did what.
    let log = client.s3.objects();
    let last = log
        .iter()
        .rfind(|(key, _)| key.contains("/channels/stable/log/"))
        .expect("a revision");
    let last: Value = serde_json::from_slice(&last.1.bytes).expect("JSON");
    assert_eq!(
        (&last["reason"], &last["actor"]["name"]),
        (&"it did".into(), &"maria".into())
    );
}

#[test]
fn a_build_that_is_not_signed_stops_before_its_tag() {
    let Some(client) = Client::new() else { return };
    let installer = client
        .folder
        .path()
        .join("client/prebuilt/1.3.0/Atlas-Setup-1.3.0.exe");
    let mut bytes = fs::read(&installer).expect("the installer");
    bytes[600] ^= 1;
    fs::write(&installer, bytes).expect("the installer");
    client
        .git
        .run(&["commit", "--quiet", "--all", "--message", "fix: build"]);
    client.github.push(&client.git);
    let (success, log) = client.act("push", 1, &[]);
    assert!(!success, "{log}");
    assert!(log.contains("pe.digest"), "{log}");
    let statuses = client.github.statuses(&client.git.head());
    assert_eq!(statuses[0].state, "failure");
    assert_eq!(
        statuses[0].description.as_deref(),
        Some("1 of 4 artifacts failed their checks")
    );
    let refs = client.github.refs();
    assert!(!refs.keys().any(|name| name.contains("tags")), "{refs:?}");
    assert!(client.github.releases().is_empty());
    assert!(client.s3.objects().is_empty());
    assert!(!ran(&log, "start"), "{log}");
}

/// What a step of each action takes, download and verification of the binary apart. `tests/bench/actions.sh` runs this.
#[test]
#[ignore = "a benchmark: tests/bench/actions.sh"]
#[expect(
    clippy::print_stdout,
    reason = "what it measured is what it is run for"
)]
fn each_action_is_timed() {
    let Some(client) = Client::new() else { return };
    let mut logs = vec![client.push(1)];
    let (s3, releases) = (client.s3.objects(), client.github.releases());
    for run in 2..7 {
        // The same push again and again, each time as if for the first time.
        client.s3.restore(&Default::default());
        client.github.remove_ref("refs/tags/v1.3.0");
        for release in client.github.releases() {
            client.github.remove_release(release.id);
        }
        logs.push(client.push(run));
        assert_eq!(client.s3.objects().len(), s3.len());
        assert_eq!(client.github.releases().len(), releases.len());
        logs.push(client.steer(run, &[("operation", "status")]));
    }
    let cold = times(&logs[0]);
    let mut warm: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (action, time) in logs[1..].iter().flat_map(|log| times(log)) {
        warm.entry(action).or_default().push(time);
    }
    for (action, mut times) in warm {
        times.sort_by(f64::total_cmp);
        let first = cold.iter().find(|(name, _)| *name == action);
        let first = first.map_or(f64::NAN, |(_, time)| *time * 1e3);
        println!(
            "{action:<40} median {:6.0} ms of {}, first {first:6.0} ms",
            times[times.len() / 2] * 1e3,
            times.len()
        );
    }
}

/// `✅  Success - Main your-org/lastmile/actions/tag@v1 [468.02ms]`, in seconds.
fn times(log: &str) -> Vec<(String, f64)> {
    let time = |line: &str| {
        let (_, rest) = line.split_once("Success - Main your-org/")?;
        let (action, time) = rest.split_once(" [")?;
        let time = time.trim_end_matches(']');
        let seconds = match time.strip_suffix("ms") {
            Some(number) => number.parse::<f64>().ok()? / 1e3,
            None => time.strip_suffix('s')?.parse().ok()?,
        };
        Some((action.to_owned(), seconds))
    };
    log.lines().filter_map(time).collect()
}

/// A halt must not queue behind a build, nor be cancelled by what comes after it (docs.github.com, "Control the concurrency
/// of workflows and jobs": one waits, and a newer one takes its place).
#[test]
fn what_a_person_does_waits_for_nobody() {
    let path = "tests/clients/electron/.github/workflows/release.yml";
    let text = fs::read_to_string(actions::root().join(path)).expect("the workflow");
    let workflow: Value = serde_yaml::from_str(&text).expect("YAML");
    assert_eq!(
        workflow["concurrency"]["group"],
        "${{ github.event_name == 'push' && 'release' || github.run_id }}"
    );
    let jobs = workflow["jobs"].as_object().expect("jobs");
    assert!(jobs.values().all(|job| job["concurrency"].is_null()));
}

/// Whoever copies README's workflow has the one that is tested.
#[test]
fn readme_shows_this_workflow() {
    let root = actions::root();
    let readme = fs::read_to_string(root.join("README.md")).expect("README.md");
    let workflow = root.join("tests/clients/electron/.github/workflows/release.yml");
    let workflow = fs::read_to_string(workflow).expect("the workflow");
    assert!(
        readme.contains(&format!("```yml\n{workflow}```\n")),
        "README.md and tests/clients/electron/.github/workflows/release.yml differ"
    );
}
