//! What a repository can hold: anybody's commits, and tags that are no versions.

use serde_json::Value;

use super::{next, report, repository};

#[test]
fn commit_messages_reach_nothing() {
    let Some((world, git)) = repository() else {
        return;
    };
    git.commit("feat: a");
    world.sh("tag --local --version 1.0.0").expect(0);
    git.commit("fix: a\n::set-output name=x::y\n\nRelease-As: garbage\x1b[2J");
    git.commit("::set-output name=tag::evil");
    git.commit("feat: \x1b[31mred\x07 @everyone <script> \u{202e}gpj ##[error]x");
    git.commit("feat(::warning::): b\rc");
    git.commit_bytes(b"fix: not \xff\xfe text\n\nBREAKING CHANGE");
    git.commit(&format!(
        "fix: {}\n\n{}",
        "long ".repeat(50_000),
        "line\n".repeat(160_000)
    ));
    git.commit("");
    let planned = report(&world, "--dry-run");
    assert_eq!(
        (&planned["version"], &planned["commits"]),
        (&"1.1.0".into(), &7.into())
    );
    let warning = planned["warnings"][0].as_str().unwrap_or_default();
    assert!(
        warning.contains("`Release-As` of") && warning.contains("garbage"),
        "{warning}"
    );
    let notes = planned["notes"].as_str().unwrap_or_default();
    assert!(notes.contains("\\@&#8203;everyone \\<script\\>"), "{notes}");
    for flags in ["--dry-run", "--dry-run --format json", "--local"] {
        let ran = world.sh(&format!("tag {flags}")).expect(0);
        for line in ran.stdout.lines() {
            assert!(!line.trim_start().starts_with("::"), "{line}");
            assert!(!line.contains("##["), "{line}");
            assert!(
                !line.contains(|c: char| c.is_control() || c == '\u{202e}'),
                "{line}"
            );
        }
        assert!(ran.stdout.len() < 20_000, "{}", ran.stdout.len());
    }
    git.run(&["fsck", "--strict", "--full"]);
    // A commit that says `encoding` and one with a signature's lines in its message are commits as well.
    git.run(&["config", "i18n.commitEncoding", "ISO-8859-1"]);
    git.commit_bytes(b"feat: caf\xe9\n\n-----BEGIN PGP SIGNATURE-----\n");
    assert_eq!(next(&world, ""), "1.2.0");
}

#[test]
fn tags_that_are_no_versions_are_no_versions() {
    let Some((world, git)) = repository() else {
        return;
    };
    git.commit("feat: a");
    git.run(&["tag", "v1.0.0"]);
    git.commit("feat: b");
    git.tag("v1.1.0");
    // A tag of a tag is a tag.
    git.run(&["tag", "--annotate", "--message", "x", "v1.2.0", "v1.1.0"]);
    for name in [
        "v9",
        "v9.0",
        "v09.0.0",
        "v9.0.0+build",
        "nightly",
        "x/v9.0.0",
        "V9.0.0",
    ] {
        git.run(&["tag", name]);
    }
    let tree = git.run(&["rev-parse", "HEAD^{tree}"]);
    git.run(&["tag", "v8.0.0", &tree]);
    git.run(&["tag", "--annotate", "--message", "x", "v8.1.0", &tree]);
    let blob = git.run_with(&["hash-object", "-w", "--stdin"], b"a file");
    git.run(&["tag", "v8.2.0", &blob]);
    git.run(&["symbolic-ref", "refs/tags/v8.3.0", "refs/tags/v1.1.0"]);
    git.commit("fix: c");
    for _ in 0..2 {
        assert_eq!(report(&world, "--dry-run")["previous"], "1.2.0");
        assert_eq!(next(&world, ""), "1.2.1");
        // The same from packed references.
        git.run(&["pack-refs", "--all"]);
    }
    for taken in ["8.0.0", "8.1.0"] {
        let version = format!("tag --local --version {taken}");
        world.sh(&version).expect(3).says("the tree");
    }
    world
        .sh("tag --local --version 8.3.0")
        .expect(3)
        .says("another reference");
}

#[test]
fn what_is_damaged_is_said() {
    let Some((world, git)) = repository() else {
        return;
    };
    git.commit("feat: a");
    git.tag("v1.0.0");
    git.commit("feat: b");
    // A name that cannot be a file because it is a folder, and the other way round.
    git.tag("x/v1.0.0");
    world.write(".git/refs/tags/v1.2.0", b"not a reference\n");
    world.sh("tag --dry-run").expect(5).says("tags");
    std::fs::remove_file(world.path(".git/refs/tags/v1.2.0")).expect("the tag");
    world.write(".git/refs/tags/v1.2.0", format!("{:040}\n", 7).as_bytes());
    world.sh("tag --dry-run").expect(5).says("v1.2.0");
    std::fs::remove_file(world.path(".git/refs/tags/v1.2.0")).expect("the tag");
    std::fs::create_dir_all(world.path(".git/refs/tags/v1.1.0/x")).expect("a folder");
    let ran = world.sh("tag --local --format json");
    assert!(matches!(ran.code, Some(0 | 5)), "{ran:?}");
    let document: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert!(document.is_object());
    world.write("notes", b"");
    world
        .sh("tag --local --version 3.0.0 --notes-file notes/x.md")
        .expect(5)
        .says("nothing was tagged");
    assert!(!git.succeeds(&["rev-parse", "--verify", "--quiet", "v3.0.0"]));
}

#[test]
fn hostile_configuration_of_the_repository_runs_nothing() {
    let Some((world, git)) = repository() else {
        return;
    };
    git.commit("feat: a");
    let trap = world.path("sprung");
    let command = format!("touch {}", trap.display());
    for key in [
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "gpg.program",
        "core.sshCommand",
        "tag.gpgSign",
    ] {
        let value = if key == "tag.gpgSign" {
            "true"
        } else {
            &command
        };
        git.run(&["config", key, value]);
    }
    world.write(
        ".git/hooks/reference-transaction",
        format!("#!/bin/sh\n{command}\n").as_bytes(),
    );
    world.sh("tag --local").expect(0).says("created");
    assert!(!trap.exists());
}
