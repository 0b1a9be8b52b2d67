//! `verify --status`: what a commit's status says of a verification.

use std::fs;

/// The status says what the exit code says, and a status that cannot be set changes neither.
#[test]
fn verify_sets_the_status_of_the_commit() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let github = runtime.block_on(testkit::github::GitHub::start());
    let world = testkit::World::on_store(crate::BINARY, "file:./store".to_owned(), github.env());
    let Some(git) = testkit::git::Git::init(world.folder()) else {
        return;
    };
    let base = git.commit("feat: a");
    let head = git.commit("feat: b");
    github.push(&git);
    world.build("1.4.0");
    let status = |sha: &str| {
        let status = github.statuses(sha).into_iter().next()?;
        assert_eq!(status.context, "lastmile / verify");
        Some((status.state, status.description.unwrap_or_default()))
    };
    let verify = |variables: &[(&str, &str)]| world.run_with(&["verify", "--status"], variables);
    verify(&[("GITHUB_SHA", &base)]).expect(0);
    let (state, text) = status(&base).expect("a status");
    assert_eq!(
        (state.as_str(), text.as_str()),
        (
            "success",
            "all 4 artifacts are signed, whole, and by whom they must be"
        )
    );
    // Of a pull request, GITHUB_SHA is a merge that nobody sees.
    world.write(
        "event.json",
        format!("{{\"pull_request\": {{\"head\": {{\"sha\": \"{head}\"}}}}}}").as_bytes(),
    );
    let event = world.path("event.json").display().to_string();
    world.write("dist/Atlas-1.4.0.AppImage", b"tampered");
    let pull_request = [
        ("GITHUB_SHA", base.as_str()),
        ("GITHUB_EVENT_PATH", &event),
        ("GITHUB_EVENT_NAME", "pull_request"),
    ];
    verify(&pull_request).expect(1);
    let (state, text) = status(&head).expect("a status");
    assert_eq!(
        (state.as_str(), text.as_str()),
        ("failure", "1 of 4 artifacts failed their checks")
    );
    fs::remove_dir_all(world.path("dist")).expect("dist");
    verify(&pull_request).expect(2);
    assert_eq!(status(&head).expect("a status").0, "error");
    // The token of a fork's pull request may only read: what was verified counts, and why nobody sees it is said.
    let read = github.token(&[("contents", "read")]);
    world.build("1.4.0");
    let step = [
        ("GITHUB_SHA", base.as_str()),
        ("GITHUB_TOKEN", &read),
        ("GITHUB_ACTIONS", "true"),
    ];
    let ran = verify(&step)
        .expect(0)
        .says(&format!("::add-mask::{read}\n::stop-commands::"))
        .says("::warning title=lastmile::cannot set the status `lastmile / verify`")
        .says("permissions: { statuses: write }");
    assert!(
        ran.stdout.contains("every artifact passed"),
        "{}",
        ran.stdout
    );
    verify(&[("GITHUB_SHA", &base), ("GITHUB_TOKEN", "")])
        .expect(2)
        .says("`--status` sets a status");
    verify(&[]).expect(2).says("`commit` is missing");
    // What the policy lets through is not counted as signed.
    fs::remove_file(world.path("dist/Atlas-1.4.0.AppImage.minisig")).expect("a signature");
    let config = world.config_text(testkit::TIERS);
    let allowed = "  allow-unsigned: [{ path: \"dist/*.AppImage\", reason: vendor, until: 2099-01-01 }]\nfeeds:";
    let config = config.replacen("feeds:", allowed, 1);
    world.write("lastmile.yml", config.as_bytes());
    verify(&[("GITHUB_SHA", &base)]).expect(0);
    let text = status(&base).expect("a status").1;
    assert!(text.starts_with("3 of 4 artifacts are signed"), "{text}");
    assert!(text.ends_with("1 allowed without"), "{text}");
    // Of several apps each has a status of its own, so that none hides another's failure.
    let body: String = config
        .lines()
        .skip(1)
        .map(|line| format!("    {line}\n"))
        .collect();
    let several = format!("apps:\n  atlas:\n{body}  other:\n{body}");
    world.write("lastmile.yml", several.as_bytes());
    world
        .run_with(
            &["verify", "--status", "--app", "atlas"],
            &[("GITHUB_SHA", &head)],
        )
        .expect(0);
    assert_eq!(
        github.statuses(&head)[0].context,
        "lastmile / verify (atlas)"
    );
}
