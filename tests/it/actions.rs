//! The actions as a client repository meets them: run by `act` on this machine, and the script behind them alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use testkit::cdn::Cdn;
use testkit::git::Git;
use testkit::{TIERS, World, judge};

use crate::publish::objects;
use crate::world;

/// How client repositories name this one.
const REPOSITORY: &str = "your-org/lastmile@v1";

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of this repository that the actions consist of, in the folder of a world.
fn actions(world: &World) -> PathBuf {
    let folder = world.path("lastmile-tree");
    tree(&folder);
    folder
}

/// The same, in this folder.
pub(crate) fn tree(tree: &Path) {
    copy(&root().join("action.yml"), &tree.join("action.yml"));
    for name in ["run.sh", "lock.tsv"] {
        let file = Path::new("actions").join(name);
        copy(&root().join(&file), &tree.join(&file));
    }
    for verb in ["verify", "tag", "publish", "rollout"] {
        let file = Path::new("actions").join(verb).join("action.yml");
        copy(&root().join(&file), &tree.join(&file));
    }
}

/// The target whose binary the script takes on this machine.
pub(crate) fn triple() -> String {
    let machine = if cfg!(target_arch = "aarch64") {
        "aarch64"
    } else {
        "x86_64"
    };
    let system = if cfg!(target_os = "macos") {
        "apple-darwin"
    } else {
        "unknown-linux-musl"
    };
    format!("{machine}-{system}")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
    fs::copy(from, to).expect("a copy");
}

/// `act` on the workflow of the repository in this folder, without Docker and without the variables of whoever runs the tests.
pub(crate) fn act_command(folder: &Path, home: &Path, tree: &Path, event: &str) -> Command {
    fs::create_dir_all(home).expect("a home");
    let mut command = Command::new("act");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .current_dir(folder)
        .arg(event)
        .args(["-W", ".github/workflows/release.yml"])
        .args(["-P", "ubuntu-latest=-self-hosted", "--no-cache-server"])
        .arg("--local-repository")
        .arg(format!("{REPOSITORY}={}", tree.display()))
        .arg("--action-cache-path")
        .arg(home.join("actions"));
    command
}

/// Runs a workflow of the world's repository.
fn act(world: &World, event: &str, inputs: &[(&str, &str)]) -> Output {
    let tree = actions(world);
    let git = if world.path(".git").exists() {
        Git::at(world.folder()).expect("git")
    } else {
        let git = Git::init(world.folder()).expect("git");
        git.run(&[
            "remote",
            "add",
            "origin",
            "https://github.com/acme/atlas.git",
        ]);
        git
    };
    git.run(&["commit", "--quiet", "--allow-empty", "--message", "build"]);
    let mut command = act_command(world.folder(), &world.path("home"), &tree, event);
    command
        .arg("--env")
        .arg(format!("LM={}", crate::BINARY))
        .arg("--env")
        .arg(format!("OUT={}", world.path("out").display()));
    for (name, value) in inputs {
        command.arg("--input").arg(format!("{name}={value}"));
    }
    command.output().expect("act runs")
}

pub(crate) fn log(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

const RELEASE: &str = "
on:
  push:
  workflow_dispatch:
    inputs:
      operation: { required: true }
      reason: { required: false }
      expect: { required: false }
permissions: {}
jobs:
  publish:
    if: github.event_name == 'push'
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: your-org/lastmile/actions/verify@v1
        with: { bin: '${{ env.LM }}' }
      - id: publish
        uses: your-org/lastmile/actions/publish@v1
        with: { bin: '${{ env.LM }}', date: '2026-11-23T08:00:00Z' }
      - env:
          VERSION: ${{ steps.publish.outputs.version }}
          ALREADY: ${{ steps.publish.outputs.already }}
          RESULT: ${{ steps.publish.outputs.result }}
        run: printf '%s\\n' \"$VERSION\" \"$ALREADY\" \"$RESULT\" > \"$OUT\"
  rollout:
    if: github.event_name == 'workflow_dispatch'
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - id: rollout
        uses: your-org/lastmile/actions/rollout@v1
        with:
          bin: ${{ env.LM }}
          operation: ${{ inputs.operation }}
          version: ${{ inputs.operation == 'start' && '1.4.0' || '' }}
          reason: ${{ inputs.reason }}
          expect: ${{ inputs.expect }}
          actor: tester
      - if: always()
        env:
          REVISION: ${{ steps.rollout.outputs.revision }}
          EXIT: ${{ steps.rollout.outputs.exit }}
        run: printf '%s\\n' \"$REVISION\" \"$EXIT\" > \"$OUT\"
";

fn client() -> Option<World> {
    if !judge::has_program("act") || !judge::has_program("git") {
        return None;
    }
    let world = world();
    world.release_to_everyone("1.3.0");
    world.build("1.4.0");
    // A job works on a copy of the repository, so the store stands outside of it.
    let here = format!("file:{}", world.path("store").display());
    let config = world.config_text(TIERS).replacen("file:./store", &here, 1);
    world.write("lastmile.yml", config.as_bytes());
    world.write(".gitignore", b"/home\n/lastmile-tree\n/store\n/out\n");
    world.write(".github/workflows/release.yml", RELEASE.as_bytes());
    Some(world)
}

fn out(world: &World) -> Vec<String> {
    let text = fs::read_to_string(world.path("out")).expect("what the last step wrote");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_push_publishes_and_a_dispatch_steers() {
    let Some(world) = client() else { return };
    let ran = act(&world, "push", &[]);
    assert!(ran.status.success(), "{}", log(&ran));
    assert_eq!(out(&world)[..2], ["1.4.0", "false"], "{}", log(&ran));
    let result: serde_json::Value = serde_json::from_str(&out(&world)[2]).expect("JSON");
    assert_eq!(result["artifacts"].as_array().map(Vec::len), Some(4));
    let ran = act(&world, "workflow_dispatch", &[("operation", "start")]);
    assert!(ran.status.success(), "{}", log(&ran));
    assert_eq!(out(&world), ["2", "0"]);
    let ran = act(
        &world,
        "workflow_dispatch",
        &[("operation", "halt"), ("reason", "crashes")],
    );
    assert!(ran.status.success(), "{}", log(&ran));
    assert_eq!(out(&world), ["3", "0"]);
    world.sh("audit show").expect(0).says("crashes");
    // A refusal fails the job, says which kind it was, and why in an annotation.
    let ran = act(
        &world,
        "workflow_dispatch",
        &[("operation", "resume"), ("expect", "1")],
    );
    assert!(!ran.status.success());
    assert_eq!(out(&world)[1], "4");
    assert!(log(&ran).contains("planned on revision 1"), "{}", log(&ran));
}

/// What an input holds reaches its flag and nothing else: no shell, no other flag, no output, no command of the runner.
#[test]
fn hostile_inputs_reach_nothing_but_their_argument() {
    let Some(world) = client() else { return };
    world.publish("1.4.0");
    let reason = "a\n::error::pwned\n::set-output name=revision::9\nEOF\n--platform=macos $(touch pwned) `touch pwned`; touch pwned \"'";
    let ran = act(
        &world,
        "workflow_dispatch",
        &[("operation", "start"), ("reason", reason)],
    );
    assert!(ran.status.success(), "{}", log(&ran));
    assert_eq!(out(&world), ["2", "0"]);
    assert!(!world.path("pwned").exists() && !world.path("lastmile-tree/pwned").exists());
    // Whatever is printed is printed between the marks, on one stream.
    let lines = log(&ran);
    let at = |text: &str| {
        lines
            .find(text)
            .unwrap_or_else(|| panic!("`{text}` in {lines}"))
    };
    assert!(
        at("::stop-commands::") < at("atlas/stable revision 2"),
        "{lines}"
    );
    let revision: serde_json::Value =
        serde_json::from_slice(&objects(&world)["state/atlas/channels/stable/log/0000000002.json"])
            .expect("JSON");
    assert_eq!(revision["reason"], reason, "it stands as it was given");
    for operation in ["--help", "help", "start --yes", "", "$(id)"] {
        let ran = act(&world, "workflow_dispatch", &[("operation", operation)]);
        assert!(!ran.status.success(), "{operation:?}: {}", log(&ran));
        assert!(log(&ran).contains("expected a verb"), "{}", log(&ran));
    }
}

/// The script, with a lock and a mirror of its own.
struct Script {
    world: World,
    cdn: Cdn,
    program: Vec<u8>,
}

impl Script {
    fn new(runtime: &tokio::runtime::Runtime) -> Self {
        let world = world();
        actions(&world);
        let program = b"#!/bin/sh\necho \"it ran: $*\"\n".to_vec();
        world.write("store/public/lastmile-x", &program);
        let cdn = runtime.block_on(Cdn::serve(&world.path("store")));
        let lock = format!(
            "version\t9.9.9\n{}\t{}\t{}\thttps://example.invalid/lastmile-x\n",
            triple(),
            release::Sha256::of(&program),
            program.len()
        );
        world.write("lastmile-tree/actions/lock.tsv", lock.as_bytes());
        Self {
            world,
            cdn,
            program,
        }
    }

    fn run(&self, variables: &[(&str, &str)], words: &[&str]) -> (Option<i32>, String) {
        let output = Command::new("bash")
            .arg(self.world.path("lastmile-tree/actions/run.sh"))
            .args(words)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("RUNNER_TOOL_CACHE", self.world.path("cache"))
            .env("LASTMILE_MIRROR", format!("{}/dl", self.cdn.address()))
            .envs(variables.iter().copied())
            .current_dir(self.world.folder())
            .output()
            .expect("bash runs");
        (output.status.code(), log(&output))
    }

    fn cached(&self) -> PathBuf {
        let mut folder = self.world.path("cache/lastmile/9.9.9");
        folder = fs::read_dir(&folder)
            .expect("it")
            .next()
            .expect("a target")
            .expect("it")
            .path();
        folder.join("lastmile")
    }
}

#[test]
#[cfg(unix)]
fn nothing_runs_that_has_not_the_digest_of_the_lock() {
    if !judge::has_program("bash") || !judge::has_program("curl") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let script = Script::new(&runtime);
    let (code, text) = script.run(&[], &["verify"]);
    assert_eq!((code, text.as_str()), (Some(0), "it ran: verify\n"));
    // From the cache, without the mirror.
    let gone = [("LASTMILE_MIRROR", "http://127.0.0.1:9/gone")];
    assert_eq!(script.run(&gone, &["verify"]).0, Some(0));
    // A cache that somebody changed is not believed.
    fs::write(script.cached(), b"#!/bin/sh\necho pwned\n").expect("the cache");
    let (code, text) = script.run(&gone, &["verify"]);
    assert_eq!(code, Some(5), "{text}");
    assert!(
        text.contains("cannot download") && !text.contains("pwned\n"),
        "{text}"
    );
    assert_eq!(script.run(&[], &["verify"]).0, Some(0));
    // One that lost its execute bit is fetched anew.
    let mut mode = fs::metadata(script.cached()).expect("it").permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o600);
    fs::set_permissions(script.cached(), mode).expect("a mode");
    assert_eq!(script.run(&[], &["verify"]).0, Some(0));
    // A cache whose path has a backslash in it, as on Windows.
    let odd = script.world.path("odd\\cache").display().to_string();
    assert_eq!(
        script.run(&[("RUNNER_TOOL_CACHE", &odd)], &["verify"]).0,
        Some(0)
    );
    // A name alone is a file here, not a program of the PATH.
    let (code, text) = script.run(&[("LASTMILE_BIN", "ls")], &["verify"]);
    assert_eq!(code, Some(2), "{text}");
    // A flipped bit at the mirror.
    fs::remove_dir_all(script.world.path("cache")).expect("the cache");
    let mut flipped = script.program.clone();
    flipped[20] ^= 1;
    script.world.write("store/public/lastmile-x", &flipped);
    let (code, text) = script.run(&[], &["verify"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("it is not run") && !text.contains("it ran"),
        "{text}"
    );
}

#[test]
#[cfg(unix)]
fn the_set_up_puts_the_binary_on_the_path() {
    if !judge::has_program("bash") || !judge::has_program("curl") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let script = Script::new(&runtime);
    let file = |name: &str| script.world.path(name).display().to_string();
    let (path, output) = (file("github-path"), file("github-output"));
    let (code, text) = script.run(&[("GITHUB_PATH", &path), ("GITHUB_OUTPUT", &output)], &[]);
    assert_eq!(code, Some(0), "{text}");
    let written = fs::read_to_string(path).expect("the path");
    let folder = PathBuf::from(written.trim_end());
    let inside: Vec<_> = fs::read_dir(&folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(
        inside,
        ["lastmile"],
        "and nothing else that would come onto the PATH"
    );
    assert_eq!(
        fs::read(folder.join("lastmile")).expect("it"),
        script.program
    );
    assert!(
        fs::read_to_string(output)
            .expect("the outputs")
            .contains(&format!("path={}", folder.display()))
    );
}

/// Before the first release there is nothing to download, and that is said.
#[test]
#[cfg(unix)]
fn an_empty_lock_says_so() {
    if !judge::has_program("bash") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let script = Script::new(&runtime);
    copy(
        &root().join("actions/lock.tsv"),
        &script.world.path("lastmile-tree/actions/lock.tsv"),
    );
    let (code, text) = script.run(&[], &["verify"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.contains("no binary is released") && text.contains("LASTMILE_BIN"),
        "{text}"
    );
}

/// Each input of an action is a flag of its verb, and reaches it by one variable.
#[test]
fn inputs_are_flags() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    for (verb, subcommands) in [
        ("verify", &[""][..]),
        ("publish", &[""]),
        ("tag", &[""]),
        (
            "rollout",
            &[
                "plan", "start", "advance", "pause", "resume", "halt", "rollback", "status",
            ],
        ),
    ] {
        let text = fs::read_to_string(root().join(format!("actions/{verb}/action.yml")))
            .expect("the action");
        let action: serde_json::Value = serde_yaml::from_str(&text).expect("YAML");
        let help: String = subcommands
            .iter()
            .map(|subcommand| {
                world()
                    .sh(&format!("{verb} {subcommand} --help"))
                    .expect(0)
                    .stdout
            })
            .collect();
        let env = &action["runs"]["steps"][0]["env"];
        for (input, _) in action["inputs"].as_object().expect("inputs") {
            let variable = format!("LASTMILE_{}", input.to_uppercase().replace('-', "_"));
            let (given, expected) = match (verb, input.as_str()) {
                // A token is never an argument, and `verify` has it near hostile bytes only where it is used.
                ("verify", "token") => (
                    &env["GITHUB_TOKEN"],
                    "${{ inputs.status == 'true' && inputs.token || '' }}".to_owned(),
                ),
                (_, "token") => (&env["GITHUB_TOKEN"], "${{ inputs.token }}".to_owned()),
                _ => (&env[&variable], format!("${{{{ inputs.{input} }}}}")),
            };
            assert_eq!(given, &expected, "{verb}");
            let known = matches!(input.as_str(), "bin" | "mirror" | "operation" | "token")
                || help.contains(&format!("--{input} "))
                || help.contains(&format!("--{input}[="))
                || help.contains(&format!("--{input}\n"));
            assert!(known, "`{input}` is no flag of `{verb}`:\n{help}");
        }
        let row = readme
            .lines()
            .find(|line| line.starts_with(&format!("| `your-org/lastmile/actions/{verb}@v1`")))
            .expect("a row in README");
        for (input, _) in action["inputs"].as_object().expect("inputs") {
            let shown = row.contains(&format!("`{input}`"))
                || matches!(
                    input.as_str(),
                    "config" | "bin" | "mirror" | "repository" | "github-timeout" | "token"
                );
            assert!(shown, "README's row of `{verb}` does not name `{input}`");
        }
        let run = action["runs"]["steps"][0]["run"].as_str().expect("run");
        assert!(!run.contains("${{"), "{verb}: no expression in a script");
        for (flag, _) in help.match_indices("--").filter_map(|(at, _)| {
            let word = help[at + 2..]
                .split(|c: char| !c.is_ascii_lowercase() && c != '-')
                .next()?;
            (!word.is_empty()).then_some((word, ()))
        }) {
            let known = matches!(flag, "help" | "format")
                || !env[format!("LASTMILE_{}", flag.to_uppercase().replace('-', "_"))].is_null();
            assert!(known, "`{verb}` has the flag `--{flag}`, which is no input");
        }
    }
}
