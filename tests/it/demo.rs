//! `lastmile demo` does what README says.

use std::path::Path;

use crate::world;

#[test]
fn the_demo_plays_to_its_end_and_again() {
    let world = world();
    for _ in 0..2 {
        let ran = world.sh("demo").expect(0);
        for said in [
            "$ lastmile publish",
            "v1.4.0 is created at 2597a793fc",
            "$ lastmile rollout halt",
            "exit 3",
            "exit 1",
            "pe.digest",
            "signed by organization `Atlas Snake Oil`",
            "WARNING: trusted besides",
            "nothing was written",
            "revisions, unbroken",
            "What each step did to the installs",
            "Try next",
        ] {
            assert!(
                ran.stdout.contains(said),
                "expected `{said}` in:\n{}",
                ran.stdout
            );
        }
    }
    assert!(
        world
            .path("lastmile-demo/dist-store/public/atlas/feeds/electron-updater/latest.yml")
            .exists()
    );
}

#[test]
fn the_demo_never_removes_a_folder_that_is_not_its_own() {
    let world = world();
    world.write("lastmile-demo/precious.txt", b"keep me");
    world.sh("demo").expect(2).says("is no demo's");
    assert!(world.path("lastmile-demo/precious.txt").exists());
}

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md"))
        .expect("README.md")
}

/// The first fenced block of README in this language.
fn readme_block(language: &str) -> String {
    let readme = readme();
    let (_, block) = readme
        .split_once(&format!("```{language}\n"))
        .expect("a fenced block");
    block.split_once("```").expect("its end").0.to_owned()
}

#[test]
fn readme_gives_two_commands_and_no_more() {
    assert_eq!(
        readme_block("sh"),
        "cargo run --release -- demo\ncargo test --workspace\n"
    );
}

#[test]
fn readme_shows_a_configuration_that_holds() {
    let world = world();
    world.build("1.4.0");
    world.write("lastmile.yml", readme_block("yaml").as_bytes());
    world.sh("config check").expect(0);
}

/// Whatever README names in a table of verbs has help.
#[test]
fn readme_names_verbs_that_exist() {
    let readme = readme();
    let mut named = 0;
    for row in readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `lastmile "))
    {
        let words: Vec<&str> = row
            .split('|')
            .next()
            .unwrap_or_default()
            .split('`')
            .collect();
        let first: Vec<&str> = words[0].split(' ').collect();
        // `rollout plan`, `start` is `rollout plan` and `rollout start`.
        let others = words.iter().skip(2).step_by(2).map(|word| {
            let mut verb: Vec<&str> = word.split(' ').collect();
            if verb.len() == 1 {
                verb.insert(0, first[0]);
            }
            verb
        });
        for mut verb in std::iter::once(first.clone()).chain(others) {
            verb.push("--help");
            world().run(&verb).expect(0);
            named += 1;
        }
    }
    assert!(named > 10, "{named} verbs");
}
