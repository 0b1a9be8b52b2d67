//! `lastmile.yml`, and what every verb has in common: variables, JSON, help.

use crate::world;

#[test]
fn a_good_configuration_is_said_to_be_good() {
    let world = world();
    world
        .sh("config check")
        .expect(0)
        .says("lastmile.yml: good; apps: atlas");
    let ran = world.sh("config schema").expect(0);
    let schema: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert!(schema["properties"]["artifacts"].is_object(), "{schema}");
}

#[test]
fn errors_say_where_and_what_instead() {
    let world = world();
    let text = world
        .config_text("")
        .replacen("artifacts:", "artefacts:", 1);
    world.write("lastmile.yml", text.as_bytes());
    world
        .sh("config check")
        .expect(2)
        .says("--> lastmile.yml:5:1")
        .says("did you mean `artifacts`");
}

#[test]
fn variables_stand_for_flags_and_empty_ones_for_nothing() {
    let world = world();
    world.release_to_everyone("1.4.0");
    let variables = [
        ("LASTMILE_STORE", "file:./store"),
        ("LASTMILE_APP", "atlas"),
        ("LASTMILE_CHANNEL", ""),
        ("LASTMILE_FORMAT", "json"),
    ];
    let ran = world.run_with(&["rollout", "status"], &variables).expect(0);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(
        (&document["schema"], &document["verb"]),
        (&1.into(), &"rollout status".into())
    );
}

/// A reason is anybody's text: it reaches the log whole and the terminal harmless.
#[test]
fn untrusted_text_reaches_nothing_but_its_place() {
    let world = world();
    world.release_to_everyone("1.3.0");
    world.publish("1.4.0");
    world.sh("rollout start --version 1.4.0").expect(0);
    let reason = "a\n::error::b\u{1b}[2J $(id) `id` \u{202e}";
    world
        .run_with(&["rollout", "halt"], &[("LASTMILE_REASON", reason)])
        .expect(0);
    let ran = world.sh("audit show").expect(0);
    assert!(
        !ran.stdout.contains('\u{1b}') && !ran.stdout.contains("\n::error"),
        "{}",
        ran.stdout
    );
    let ran = world.sh("rollout status").expect(0);
    assert!(
        !ran.stdout.contains('\u{1b}') && !ran.stdout.contains('\u{202e}'),
        "{}",
        ran.stdout
    );
    let ran = world.sh("audit show --format json").expect(0);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(document["result"]["entries"][2]["reason"], reason);
}

#[test]
fn the_audit_trail_shows_any_change() {
    let world = world();
    world.release_to_everyone("1.3.0");
    world.publish("1.4.0");
    world
        .sh("rollout start --version 1.4.0 --reason planned")
        .expect(0);
    world.sh("rollout halt --reason crashes").expect(0);
    world
        .sh("audit show")
        .expect(0)
        .says("start")
        .says("planned")
        .says("halt")
        .says("crashes")
        .says("tester");
    world
        .sh("audit verify")
        .expect(0)
        .says("3 revisions, unbroken");
    let log = world.path("store/state/atlas/channels/stable/log");
    let (first, second, third) = (
        log.join("0000000001.json"),
        log.join("0000000002.json"),
        log.join("0000000003.json"),
    );
    let kept = [&first, &second, &third].map(|path| std::fs::read(path).expect("a revision"));
    // A changed byte.
    std::fs::write(
        &second,
        String::from_utf8_lossy(&kept[1]).replace("planned", "plannes"),
    )
    .expect("a revision");
    world
        .sh("audit verify")
        .expect(5)
        .says("damaged")
        .says("was changed");
    std::fs::write(&second, &kept[1]).expect("a revision");
    // A missing one.
    std::fs::remove_file(&second).expect("a revision");
    world
        .sh("audit verify")
        .expect(5)
        .says("0000000002.json")
        .says("missing");
    world.sh("rollout status").expect(0);
    std::fs::write(&second, &kept[1]).expect("a revision");
    // A tail that was cut off.
    std::fs::remove_file(&third).expect("a revision");
    world
        .sh("audit verify")
        .expect(5)
        .says("its tail is missing");
    world.sh("rollout pause").expect(5).says("missing");
    std::fs::write(&third, &kept[2]).expect("a revision");
    world.sh("audit verify").expect(0);
}

#[test]
fn reconcile_writes_what_was_lost() {
    let world = world();
    world.release_to_everyone("1.4.0");
    let latest = world.path("store/public/atlas/feeds/electron-updater/latest.yml");
    let kept = std::fs::read(&latest).expect("a feed");
    std::fs::remove_file(&latest).expect("a feed");
    world.sh("reconcile").expect(0).says("1 written anew");
    assert_eq!(std::fs::read(&latest).expect("a feed"), kept);
    std::fs::write(&latest, b"not a feed").expect("a feed");
    world.sh("reconcile --channel stable").expect(0);
    assert_eq!(std::fs::read(&latest).expect("a feed"), kept);
    world.sh("reconcile").expect(0).says("all there");
}
