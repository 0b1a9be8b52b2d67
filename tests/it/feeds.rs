//! The feeds, judged by the clients that are out there: the real electron-updater, with its own code.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::World;
use testkit::cdn::Cdn;
use testkit::judge;

use crate::world;

fn judge_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/judges/electron-updater")
}

fn has_judge() -> bool {
    judge::has_program("node")
        && judge::has_path(
            &judge_folder().join("node_modules"),
            "run `npm ci --ignore-scripts` in tests/judges/electron-updater",
        )
}

/// Lets clients check for updates against what the world's store serves.
fn check(world: &World, clients: &[Value]) -> Vec<Value> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let cdn = runtime.block_on(Cdn::serve(&world.path("store")));
    let base = format!("{}/dl/atlas/feeds/electron-updater", cdn.address());
    let mut driver = Command::new("node")
        .arg("driver.mjs")
        .current_dir(judge_folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the driver");
    let request = json!({ "base": base, "clients": clients }).to_string();
    driver
        .stdin
        .take()
        .expect("a pipe")
        .write_all(request.as_bytes())
        .expect("the request");
    let output = driver.wait_with_output().expect("the driver ends");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice::<Vec<Value>>(&output.stdout).expect("the driver's answer")
}

fn client(os: &str, current: &str, id: &str) -> Value {
    json!({ "os": os, "arch": "x64", "current": current, "id": id, "channel": null, "allowDowngrade": false, "download": false, "seed": null })
}

const ID: &str = "f81d4fae-7dec-51d0-a765-00a0c91e6bf6";
const SYSTEMS: [&str; 3] = ["win32", "darwin", "linux"];

fn events(answers: &[Value]) -> Vec<String> {
    answers
        .iter()
        .map(|answer| {
            format!(
                "{} {}",
                answer["event"].as_str().unwrap_or("none"),
                answer["version"].as_str().unwrap_or("")
            )
        })
        .collect()
}

#[test]
fn every_client_finds_downloads_and_checks_a_release() {
    if !has_judge() {
        return;
    }
    let world = world();
    world.release_to_everyone("1.4.0");
    let clients: Vec<_> = SYSTEMS
        .map(|os| {
            let mut client = client(os, "1.3.0", ID);
            client["download"] = true.into();
            client
        })
        .to_vec();
    for (os, answer) in SYSTEMS.iter().zip(check(&world, &clients)) {
        assert_eq!(answer["event"], "update-available", "{os}: {answer}");
        assert_eq!(answer["version"], "1.4.0", "{os}: {answer}");
        assert!(
            answer["downloaded"]["size"]
                .as_u64()
                .is_some_and(|size| size > 0),
            "{os}: {answer}"
        );
    }
    // The same and a newer version have nothing to do, without an error.
    let current: Vec<_> = SYSTEMS
        .iter()
        .flat_map(|os| [client(os, "1.4.0", ID), client(os, "1.5.0", ID)])
        .collect();
    for answer in check(&world, &current) {
        assert_eq!(answer["event"], "update-not-available", "{answer}");
    }
}

#[test]
fn a_file_that_was_tampered_with_is_refused_by_every_client() {
    if !has_judge() {
        return;
    }
    let world = world();
    world.release_to_everyone("1.4.0");
    for name in [
        "Atlas-Setup-1.4.0.exe",
        "Atlas-1.4.0-universal.zip",
        "Atlas-1.4.0.AppImage",
    ] {
        let path = world.path(&format!("store/public/atlas/releases/1.4.0/{name}"));
        let mut bytes = std::fs::read(&path).expect("the artifact");
        bytes[10] ^= 1;
        std::fs::write(&path, bytes).expect("the artifact");
    }
    let clients: Vec<_> = SYSTEMS
        .map(|os| {
            let mut client = client(os, "1.3.0", ID);
            client["download"] = true.into();
            client
        })
        .to_vec();
    for (os, answer) in SYSTEMS.iter().zip(check(&world, &clients)) {
        assert_eq!(answer["event"], "error", "{os}: {answer}");
        assert_eq!(
            answer["error"]["code"], "ERR_CHECKSUM_MISMATCH",
            "{os}: {answer}"
        );
    }
}

/// The whole way of a rollout as clients see it: nobody, a share, everyone; halted; back.
#[test]
fn a_rollout_as_clients_see_it() {
    if !has_judge() {
        return;
    }
    let world = world();
    world.release_to_everyone("1.3.0");
    world.configure("\n      - { name: staff, cohort: internal, soak: 0 }\n      - { name: early, share: 10%, soak: 0 }\n      - { name: all, share: 100%, soak: 0 }");
    world.publish("1.4.0");
    let ids: Vec<String> = (0..200_u32)
        .map(|n| {
            format!(
                "00000000-0000-5000-8000-{:08x}0000",
                n.wrapping_mul(21_474_836)
            )
        })
        .collect();
    let share = |world: &World| {
        let clients: Vec<_> = ids.iter().map(|id| client("win32", "1.3.0", id)).collect();
        let answers = check(world, &clients);
        let errors: Vec<_> = answers
            .iter()
            .filter(|answer| answer["event"] == "error")
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
        let offered: Vec<_> = answers
            .iter()
            .map(|answer| answer["event"] == "update-available")
            .collect();
        // Our own statement of the client's formula agrees with the client, id by id.
        (offered.iter().filter(|offered| **offered).count(), offered)
    };
    world.sh("rollout start --version 1.4.0").expect(0);
    assert_eq!(
        share(&world).0,
        0,
        "a cohort cannot be told apart by a static feed"
    );
    world.sh("rollout advance --to early --expect 2").expect(0);
    let (count, offered) = share(&world);
    for (id, offered) in ids.iter().zip(&offered) {
        assert_eq!(feed::electron_updater::is_within(id, 10), *offered, "{id}");
    }
    assert!((10..=30).contains(&count), "{count} of 200 at 10 %");
    world.sh("rollout halt").expect(0);
    assert_eq!(share(&world).0, 0, "halted");
    world.sh("rollout resume --expect 4").expect(0);
    assert_eq!(
        share(&world).1,
        offered,
        "the same installs as before the halt"
    );
    world.sh("rollout advance --to all --expect 5").expect(0);
    assert_eq!(share(&world).0, ids.len());
    world
        .sh("rollout advance --to complete --expect 6")
        .expect(0);
    world.sh("rollout rollback").expect(0);
    let answers = check(
        &world,
        &[client("win32", "1.4.0", ID), client("win32", "1.2.0", ID)],
    );
    assert_eq!(
        events(&answers),
        ["update-not-available 1.3.0", "update-available 1.3.0"],
        "{answers:?}"
    );
}

/// Nothing at all to offer: the first release was halted before anybody had another. No client may see an error.
#[test]
fn nothing_to_offer_is_no_error() {
    if !has_judge() {
        return;
    }
    let world = world();
    world.configure("\n      - { name: all, share: 100%, soak: 0 }");
    world.publish("1.4.0");
    world.sh("rollout start --version 1.4.0").expect(0);
    world.sh("rollout halt").expect(0);
    let mut clients: Vec<_> = SYSTEMS.map(|os| client(os, "1.3.0", ID)).to_vec();
    for os in SYSTEMS {
        let mut downgrading = client(os, "1.3.0", ID);
        downgrading["allowDowngrade"] = true.into();
        clients.push(downgrading);
    }
    for answer in check(&world, &clients) {
        assert_eq!(answer["event"], "update-not-available", "{answer}");
    }
}

#[test]
fn another_channel_lives_in_the_same_base() {
    if !has_judge() {
        return;
    }
    let world = world();
    world.release_to_everyone("1.4.0");
    world.build("1.5.0-beta.1");
    world.sh("publish").expect(0);
    world
        .sh("rollout start --version 1.5.0-beta.1 --channel beta")
        .expect(0);
    let mut beta = client("win32", "1.4.0", ID);
    beta["channel"] = "beta".into();
    let answers = check(&world, &[beta, client("win32", "1.3.0", ID)]);
    assert_eq!(
        events(&answers),
        ["update-available 1.5.0-beta.1", "update-available 1.4.0"],
        "{answers:?}"
    );
}
