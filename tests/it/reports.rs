//! What `verify` writes for others: code scanning, test reports, and a person who wants to know why.

use std::fs;
use std::process::Command;

use serde_json::Value;
use testkit::World;

use crate::world;

/// A release with a signed artifact, one whose bytes were changed, and one that is allowed to be unsigned.
fn release() -> World {
    let world = world();
    world.build("1.4.0");
    let config = world.config_text("").replacen(
        "feeds:",
        "  allow-unsigned:\n    - { path: \"dist/*.zip\", reason: \"a <vendor> & co\", until: 2099-12-31 }\nfeeds:",
        1,
    );
    world.write("lastmile.yml", config.as_bytes());
    let dmg = names(&world, ".zip");
    fs::remove_file(world.path(&format!("{dmg}.minisig"))).expect("a signature");
    let appimage = world.path(&names(&world, ".AppImage"));
    let mut bytes = fs::read(&appimage).expect("an artifact");
    bytes[0] ^= 1;
    fs::write(appimage, bytes).expect("an artifact");
    world
}

fn names(world: &World, end: &str) -> String {
    let dist = fs::read_dir(world.path("dist")).expect("dist");
    let mut names = dist.map(|entry| entry.expect("a file").file_name().into_string());
    let name = names.find_map(|name| name.ok().filter(|name| name.ends_with(end)));
    format!("dist/{}", name.expect(end))
}

#[test]
fn code_scanning_gets_what_did_not_pass() {
    let world = release();
    world.sh("verify --sarif out.sarif").expect(1);
    let text = fs::read_to_string(world.path("out.sarif")).expect("the report");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let run = &document["runs"][0];
    let results = run["results"].as_array().expect("results");
    let of = |level: &str| {
        let mut found = results.iter().filter(|result| result["level"] == level);
        found.next().expect(level)
    };
    assert_eq!(of("error")["ruleId"], "minisign.signature");
    let uri = &of("error")["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "dist/Atlas-1.4.0.AppImage");
    let allowed = results
        .iter()
        .find(|it| it["ruleId"] == "policy.allow-unsigned");
    let why = &allowed.expect("allowed")["suppressions"][0]["justification"];
    assert!(
        why.as_str()
            .is_some_and(|why| why.contains("a <vendor> & co"))
    );
    // Every result is of a rule that is described.
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    for result in results {
        assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]));
    }
    // Microsoft's own reader of such files.
    if testkit::judge::has_program("sarif") {
        let mut judge = Command::new("sarif");
        judge.arg("summary").arg(world.path("out.sarif"));
        let ran = judge.output().expect("the judge");
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(
            ran.status.success() && said.contains("minisign.signature"),
            "{ran:?}"
        );
    }
}

#[test]
fn test_reports_get_every_check() {
    let world = release();
    world.sh("verify --junit out.xml").expect(1);
    let text = fs::read_to_string(world.path("out.xml")).expect("the report");
    assert!(text.contains("<skipped message=\"`dist/*.zip` is allowed until 2099-12-31: a &lt;vendor&gt; &amp; co\"/>"), "{text}");
    let read = "import sys; from junitparser import JUnitXml, Failure, Skipped\n\
                cases = [case for suite in JUnitXml.fromfile(sys.argv[1]) for case in suite]\n\
                of = lambda kind: sorted({case.name for case in cases if any(isinstance(it, kind) for it in case.result)})\n\
                print(len(cases) > 5, of(Failure), 'policy.allow-unsigned' in of(Skipped))\n";
    let has_judge = Command::new("python3")
        .args(["-c", "import junitparser"])
        .status();
    if !has_judge.is_ok_and(|status| status.success()) {
        testkit::judge::missing("junitparser is not installed for python3");
        return;
    }
    let mut judge = Command::new("python3");
    let ran = judge.args(["-c", read]).arg(world.path("out.xml")).output();
    let ran = ran.expect("python3");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert_eq!(said.trim(), "True ['minisign.signature'] True", "{ran:?}");
}

#[test]
fn a_person_is_told_why() {
    let world = release();
    world
        .sh("verify --explain Atlas-1.4.0.AppImage")
        .expect(1)
        .says("dist/Atlas-1.4.0.AppImage")
        .says("pass  minisign.key-id")
        .says("FAIL  minisign.signature");
    world
        .sh("verify --explain nobody.exe")
        .expect(2)
        .says("`nobody.exe` is no file of this release")
        .says("dist/Atlas-1.4.0.AppImage");
    // An answer can be repeated, with what was allowed then.
    world
        .sh("verify --at 2100-01-01T00:00:00Z")
        .expect(1)
        .says("policy.allow-expired");
    world
        .sh("verify --at 2100-01-01T00:00:00Z --status")
        .expect(2)
        .says("cannot be used with");
}

#[test]
fn the_roots_are_shown() {
    let world = world();
    world
        .sh("roots")
        .expect(0)
        .says(signing::MICROSOFT_ROOT_SET)
        .says(signing::APPLE_ROOT_SET)
        .says(signing::sigstore::SIGSTORE_ROOT_SET);
    world
        .sh("roots --all")
        .expect(0)
        .says("Apple Root CA - G3")
        .says("sha256 63343abfb89a6a03ebb57e9b3f5fa7be7c4f5c756f3017b3a8c488c3653e9179")
        .says("certificates issued before 2017-04-30");
}
