//! Which version follows which commits.

use proptest::prelude::*;

use super::*;
use crate::commit::Message;

fn v(text: &str) -> Version {
    text.parse().expect(text)
}

fn id(number: usize) -> CommitId {
    format!("{number:040x}").parse().expect("forty digits")
}

/// Commits by their messages, newest first; the head is 1.
fn commits(messages: &[&str]) -> Vec<Commit> {
    let commit = |(at, text): (usize, &&str)| Commit {
        id: id(at + 1),
        message: Message::parse(text.as_bytes()),
    };
    messages.iter().enumerate().map(commit).collect()
}

/// A history after a release, or from the beginning.
fn history(stable: Option<&str>, messages: &[&str]) -> History {
    let commits = commits(messages);
    let stable = stable.map(|version| Tagged {
        version: v(version),
        commit: id(1_000),
    });
    History {
        head: id(1),
        newest: stable.clone(),
        at_head: None,
        versions: stable.iter().map(|tagged| tagged.version.clone()).collect(),
        stable,
        since_newest: commits.iter().map(|commit| commit.id.clone()).collect(),
        commits,
    }
}

/// The same with a pre-release that was tagged when this many commits were newer.
fn then_pre(mut history: History, version: &str, newer: usize) -> History {
    history.newest = Some(Tagged {
        version: v(version),
        commit: id(newer + 1),
    });
    history.versions.insert(v(version));
    history.since_newest = (1..=newer).map(id).collect();
    history
}

fn wanted(pre: Option<&str>) -> Wanted {
    Wanted {
        version: None,
        pre: pre.map(|pre| pre.parse().expect(pre)),
        first: First::default(),
    }
}

fn planned(history: &History, pre: Option<&str>) -> Plan {
    match plan(history, &wanted(pre)).expect("a plan") {
        Decision::Next(plan) => *plan,
        Decision::Nothing { .. } => panic!("nothing to tag"),
    }
}

fn next(stable: Option<&str>, messages: &[&str]) -> String {
    planned(&history(stable, messages), None)
        .version
        .to_string()
}

fn is_nothing(history: &History, pre: Option<&str>) -> bool {
    matches!(plan(history, &wanted(pre)), Ok(Decision::Nothing { .. }))
}

#[test]
fn commits_raise_versions() {
    assert_eq!(next(Some("1.3.2"), &["fix: a", "docs: b"]), "1.3.3");
    assert_eq!(next(Some("1.3.2"), &["perf: a"]), "1.3.3");
    assert_eq!(
        next(Some("1.3.2"), &["fix: a", "feat: b", "fix: c"]),
        "1.4.0"
    );
    assert_eq!(next(Some("1.3.2"), &["feat: a", "chore!: b"]), "2.0.0");
    assert_eq!(next(Some("1.3.2"), &["x\n\nBREAKING CHANGE: y"]), "2.0.0");
    assert_eq!(next(Some("0.3.2"), &["feat!: a"]), "0.4.0");
    assert_eq!(next(Some("0.3.2"), &["feat: a"]), "0.4.0");
    assert_eq!(next(Some("0.3.2"), &["fix: a"]), "0.3.3");
    assert_eq!(next(None, &["nothing by any convention"]), "0.1.0");
    for messages in [&["docs: a", "chore: b", "Merge branch 'x'"][..], &[]] {
        assert!(is_nothing(&history(Some("1.3.2"), messages), None));
    }
}

#[test]
fn the_reason_names_the_newest_of_the_strongest() {
    let plan = planned(
        &history(Some("1.0.0"), &["fix: a", "feat: b", "feat: c"]),
        None,
    );
    assert_eq!(plan.bump, Some(Bump::Minor));
    assert_eq!(plan.reason, "0000000000 `feat: b`");
    assert_eq!(plan.commits, 3);
    assert_eq!(plan.previous, Some(v("1.0.0")));
    let plan = planned(&history(Some("0.3.0"), &["feat!: a"]), None);
    assert_eq!(plan.bump, Some(Bump::Minor), "as it is, not as it would be");
}

#[test]
fn pre_releases_count_up_and_are_completed() {
    let step = |history: &History, pre| planned(history, Some(pre)).version.to_string();
    let fresh = history(Some("1.3.0"), &["feat: a", "fix: b"]);
    assert_eq!(step(&fresh, "beta"), "1.4.0-beta.1");
    let mut after = then_pre(fresh.clone(), "1.4.0-beta.2", 1);
    assert_eq!(step(&after, "beta"), "1.4.0-beta.3");
    assert_eq!(planned(&after, Some("beta")).commits, 1);
    assert_eq!(
        planned(&after, Some("beta")).previous,
        Some(v("1.4.0-beta.2"))
    );
    assert_eq!(step(&after, "rc"), "1.4.0-rc.1");
    // A name is given once, wherever its tag is.
    after
        .versions
        .extend([v("1.4.0-beta.7"), v("1.4.0-beta.x"), v("1.4.0-betamax.9")]);
    assert_eq!(step(&after, "beta"), "1.4.0-beta.8");
    // Below what is there, it is refused.
    assert!(matches!(
        plan(&after, &wanted(Some("alpha"))),
        Err(TagRefusal::PreBelow { .. })
    ));
    // Nothing since the last one, no next one; but the release that it announced.
    let idle = then_pre(fresh.clone(), "1.4.0-beta.2", 0);
    assert!(is_nothing(&idle, Some("beta")));
    let plan = planned(&idle, None);
    assert_eq!((plan.version, plan.commits), (v("1.4.0"), 2));
    // More was announced than the commits ask for.
    let more = then_pre(fresh, "2.0.0-beta.1", 1);
    assert_eq!(planned(&more, None).version, v("2.0.0"));
    assert_eq!(step(&more, "beta"), "2.0.0-beta.2");
    let first = history(None, &["feat: a"]);
    assert_eq!(step(&first, "beta"), "0.1.0-beta.1");
    assert_eq!(
        planned(&then_pre(first, "0.1.0-beta.1", 0), None).version,
        v("0.1.0")
    );
}

#[test]
fn a_revert_and_what_it_undoes_come_to_nothing() {
    let revert = |number: usize| format!("Revert \"x\"\n\nThis reverts commit {}.", id(number));
    let messages = [revert(2), "feat!: a".to_owned(), "fix: b".to_owned()];
    let texts: Vec<&str> = messages.iter().map(String::as_str).collect();
    let plan = planned(&history(Some("1.0.0"), &texts), None);
    assert_eq!((plan.version, plan.commits), (v("1.0.1"), 3));
    assert!(!plan.notes.contains("Breaking"), "{}", plan.notes);
    // A revert of the revert lets it stand.
    let messages = [revert(2), revert(3), "feat: a".to_owned()];
    let texts: Vec<&str> = messages.iter().map(String::as_str).collect();
    assert_eq!(next(Some("1.0.0"), &texts), "1.1.0");
    // Of what users have, a revert is a change.
    assert_eq!(next(Some("1.0.0"), &[&revert(77)]), "1.0.1");
    // An abbreviation that fits several undoes none.
    let many = "revert: all\n\nRefs: 0000000";
    assert_eq!(next(Some("1.0.0"), &[many, "feat: a", "fix: b"]), "1.1.0");
}

#[test]
fn release_as_decides_where_it_can() {
    let with = |value: &str| format!("chore: x\n\nRelease-As: {value}");
    assert_eq!(next(Some("1.0.0"), &[&with("3.0.0"), "feat: a"]), "3.0.0");
    assert_eq!(
        next(Some("0.9.0"), &["fix: b", &with("1.0.0"), &with("9.0.0")]),
        "1.0.0"
    );
    for bad in ["garbage", "0.9.0", "1.0.0+x", ""] {
        let plan = planned(&history(Some("1.0.0"), &["fix: a", &with(bad)]), None);
        assert_eq!(plan.version, v("1.0.1"), "{bad}");
        assert_eq!(plan.warnings.len(), 1, "{bad}: {:?}", plan.warnings);
    }
}

#[test]
fn a_version_that_is_asked_for_is_above_the_last() {
    let asked = |version: &str| Wanted {
        version: Some(v(version)),
        ..wanted(None)
    };
    let mut history = history(Some("1.3.0"), &["docs: a"]);
    assert!(plan(&history, &asked("1.3.1")).is_ok());
    let error = plan(&history, &asked("1.2.9")).expect_err("lower");
    assert_eq!(
        error.to_string(),
        "version `1.2.9` is not above `1.3.0`, the highest that this commit contains; give a higher `--version`"
    );
    history.at_head = Some(v("1.2.9"));
    assert!(
        plan(&history, &asked("1.2.9")).is_ok(),
        "it is there already"
    );
}

#[test]
fn what_was_tagged_is_planned_again() {
    let mut history = history(Some("1.3.0"), &["feat: a"]);
    let before = planned(&history, None);
    history.at_head = Some(v("1.4.0"));
    assert_eq!(planned(&history, None), before);
    history.at_head = Some(v("7.0.0"));
    let plan = planned(&history, None);
    assert_eq!((plan.version, plan.notes), (v("7.0.0"), before.notes));
}

#[test]
fn numbers_end() {
    let top = format!("1.2.{}", u64::MAX);
    assert!(matches!(
        plan(&history(Some(&top), &["fix: a"]), &wanted(None)),
        Err(TagRefusal::NoneAbove(_))
    ));
}

#[test]
fn formats_are_names_that_git_takes() {
    for (format, tag) in [
        ("v{version}", "v1.4.0"),
        ("app-v{version}", "app-v1.4.0"),
        ("app/v{version}", "app/v1.4.0"),
        ("{version}", "1.4.0"),
        ("release/{version}/final", "release/1.4.0/final"),
    ] {
        let parsed: TagFormat = format.parse().expect(format);
        assert_eq!(parsed.tag(&v("1.4.0")), tag);
        assert_eq!(parsed.version(tag), Some(v("1.4.0")));
        assert_eq!(parsed.to_string(), format);
    }
    for bad in [
        "",
        "v",
        "v{version",
        "{version}{version}",
        "-v{version}",
        "a..b{version}",
        "/v{version}",
        "a//{version}",
        ".a/{version}",
        "{version}.lock",
        "{version}.",
        "a/{version}/",
        "v {version}",
        "v~{version}",
        "v@{version}",
        "ä{version}",
        "v{version}\n",
    ] {
        assert!(bad.parse::<TagFormat>().is_err(), "{bad:?}");
    }
    let format = TagFormat::default();
    for tag in [
        "1.4.0",
        "v1.4",
        "v01.4.0",
        "v1.4.0+x",
        "vv1.4.0",
        "v",
        "app-v1.4.0",
        "v1.4.0 ",
    ] {
        assert_eq!(format.version(tag), None, "{tag}");
    }
    for bad in ["", "1", "a.b", "be_ta", "a b"] {
        assert!(bad.parse::<PreId>().is_err(), "{bad:?}");
    }
}

fn message() -> impl Strategy<Value = String> {
    let title = prop_oneof![
        "(feat|fix|docs|perf|revert|chore)(\\(a\\))?!?: [a-z]{1,8}",
        "[a-zA-Z ]{0,12}",
    ];
    let footer = prop_oneof![
        Just(String::new()),
        Just("\n\nBREAKING CHANGE: x".to_owned()),
        "\n\nRelease-As: [0-4]\\.[0-4]\\.[0-4](-beta\\.[0-4])?",
        "\n\nThis reverts commit 00000000000000000000000000000000000000[0-9]{2}",
    ];
    (title, footer).prop_map(|(title, footer)| title + &footer)
}

proptest! {
    /// Whatever the history is, the next version is above every version in it, and planning does not depend on luck.
    #[test]
    fn versions_only_rise(
        stable in proptest::option::of("[0-3]\\.[0-3]\\.[0-3]"),
        ahead in proptest::option::of(("[0-4]\\.[0-3]\\.[0-3]-(alpha|beta)\\.[0-3]", 0_usize..6)),
        messages in proptest::collection::vec(message(), 0..8),
        pre in proptest::option::of(prop_oneof![Just("beta"), Just("rc")]),
    ) {
        let texts: Vec<&str> = messages.iter().map(String::as_str).collect();
        let mut history = history(stable.as_deref(), &texts);
        if let Some((version, newer)) = ahead {
            let above = history.stable.as_ref().is_none_or(|tagged| v(&version) > tagged.version);
            if above {
                history = then_pre(history, &version, newer.min(messages.len()));
            }
        }
        let first = plan(&history, &wanted(pre));
        prop_assert_eq!(&first, &plan(&history, &wanted(pre)));
        if let Ok(Decision::Next(plan)) = first {
            if let Some(newest) = &history.newest {
                prop_assert!(plan.version > newest.version, "{} after {}", plan.version, newest.version);
            }
            prop_assert!(!history.versions.contains(&plan.version));
        }
    }
}
