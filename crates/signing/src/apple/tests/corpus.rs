//! The labels of the shared corpus, and of packages from registries where somebody put them.

use std::path::PathBuf;

use super::*;
use crate::cpio;
use crate::format::Format;
use crate::tar;
use crate::tests::skipped;
use crate::walk;
use crate::walk::entry::EntryKind;
use crate::xar;

pub(super) fn signer(team: &str) -> Signer {
    Signer {
        team_id: team.to_owned(),
        hardened_runtime: HardenedRuntime::Required,
        notarized: Notarized::Required,
    }
}

fn expected(label: &str) -> Verdict {
    match label {
        "valid" => Verdict::Valid,
        "untrusted" => Verdict::Untrusted,
        "unsigned" => Verdict::Unsigned,
        other => panic!("{other}"),
    }
}

pub(super) fn not_passed(checks: &[Check]) -> Vec<&'static str> {
    let bad = checks.iter().filter(|it| it.outcome != Outcome::Pass);
    bad.map(|it| it.id.as_str()).collect()
}

#[test]
fn every_package_of_the_corpus_is_valid_and_meets_the_strictest_policy() {
    let Some(corpus) = shared() else { return };
    let labels = std::fs::read_to_string(corpus.join("labels.tsv")).expect("labels.tsv");
    let mut count = 0;
    for row in labels.lines().skip(1) {
        let fields: Vec<_> = row.split('\t').collect();
        let [path, "pkg", label, "-", who, _] = fields[..] else {
            continue;
        };
        let bytes = std::fs::read(corpus.join(path)).expect("a file of the corpus");
        let found = look(&bytes);
        assert_eq!(found.verdict, expected(label), "{path}: {found:#?}");
        let team = who.strip_prefix("Team ").expect("a team");
        let judged = found.judge_apple(&signer(team));
        assert_eq!(not_passed(&judged), [""; 0], "{path}");
        count += 1;
    }
    assert_eq!(count, 12, "packages");
}

/// Every program and bundle in the packages is of the team, and vouched for by the ticket of its package.
#[test]
fn every_program_in_the_packages_of_the_corpus_is_valid_and_of_the_same_team() {
    let Some(corpus) = shared() else { return };
    let mut count = 0;
    for entry in std::fs::read_dir(corpus.join("pkg")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a file of the corpus");
        let trust = Trust::microsoft();
        let settings = walk::Settings {
            at: day(),
            trust: &trust,
            room: walk::tests::room,
            signed: walk::Signed::Opened,
        };
        let found = walk::walk(&mut Strict(Cursor::new(&bytes)), settings).expect("bytes");
        let found = found.expect("a container");
        assert_eq!(found.verdict(), Verdict::Valid, "{path:?}: {found:#?}");
        let mut wanted = signer("G43BCU2T37");
        wanted.notarized = Notarized::MayBeMissing;
        for leaf in &found.leaves {
            let name = &leaf.path;
            assert!(name.starts_with("Payload!/"), "{name}");
            assert!(leaf.is_in_package && leaf.checks.is_empty(), "{leaf:#?}");
            let signature = leaf.signature.as_ref().expect("a signature");
            assert_eq!(
                not_passed(&signature.judge_apple(&wanted)),
                [""; 0],
                "{name}"
            );
        }
        let bundles = found.leaves.iter().filter(|it| it.format == Format::Bundle);
        assert!(bundles.count() > 0, "{path:?}: {:#?}", found.leaves);
        count += 1;
    }
    assert_eq!(count, 12, "packages");
}

#[test]
fn every_program_of_the_app_is_valid_and_not_stapled_itself() {
    let Some(files) = app() else { return };
    let programs = files.iter().filter(|(path, _)| path.contains("/MacOS/"));
    let mut count = 0;
    for (path, bytes) in programs {
        let found = look(bytes);
        assert_eq!(found.verdict, Verdict::Valid, "{path}: {found:#?}");
        let judged = found.judge_apple(&signer("S8XHQB96PW"));
        // The app has the ticket, not the program.
        assert_eq!(not_passed(&judged), ["apple.notarized"; 2], "{path}");
        for signature in &found.signatures {
            let apple = signature.apple.as_ref().expect("a report");
            let team = signature
                .signer
                .as_ref()
                .and_then(|it| it.team_id.as_deref());
            assert_eq!(team, Some("S8XHQB96PW"));
            assert!(apple.hardened_runtime && apple.is_executable && !apple.debuggable);
            let network = "com.apple.developer.networking.networkextension";
            assert!(apple.entitlements.iter().any(|key| key == network));
        }
        count += found.signatures.len();
    }
    assert_eq!(count, 4, "two slices of two programs");
}

/// Files of `registry.tsv`, as `tests/judges/registry.py` fetches them: `LASTMILE_CORPUS_CACHE` names a folder that has
/// each at `<package>-<version>/<path_inside>`, with `+` for `/` in the package's name.
#[test]
fn files_from_registries_have_the_verdict_of_their_label() {
    let Some(corpus) = shared() else { return };
    let Some(cache) = std::env::var_os("LASTMILE_CORPUS_CACHE").map(PathBuf::from) else {
        return skipped("LASTMILE_CORPUS_CACHE names no folder with the files of registry.tsv");
    };
    let rows = std::fs::read_to_string(corpus.join("registry.tsv")).expect("registry.tsv");
    let mut missing = Vec::new();
    for row in rows.lines().skip(1) {
        let fields: Vec<_> = row.split('\t').collect();
        let [
            _,
            package,
            version,
            _,
            inside,
            "macho" | "macho-fat",
            label,
            who,
            note,
        ] = fields[..]
        else {
            continue;
        };
        let folder = cache.join(format!("{}-{version}", package.replace('/', "+")));
        let Ok(bytes) = std::fs::read(folder.join(inside)) else {
            missing.push(inside);
            continue;
        };
        let found = look(&bytes);
        assert_eq!(found.verdict, expected(label), "{inside}: {found:#?}");
        let Some(team) = who.strip_prefix("Team ") else {
            continue;
        };
        let mut wanted = signer(team);
        wanted.notarized = Notarized::MayBeMissing;
        let judged = found.judge_apple(&wanted);
        let is_developer_id = !note.contains("ot Developer ID") && !note.contains("NOT Developer");
        let expected: &[&str] = if is_developer_id {
            &[]
        } else {
            &["apple.developer-id"]
        };
        assert_eq!(not_passed(&judged), expected, "{inside}");
    }
    if !missing.is_empty() {
        skipped(&format!(
            "not in LASTMILE_CORPUS_CACHE: {}",
            missing.join(", ")
        ));
    }
}

#[test]
fn without_apples_roots_nothing_is_trusted() {
    let (Some(program), Some(package)) = (program(), package("3.2.0")) else {
        return;
    };
    for (bytes, also) in [(program, None), (package, Some("ticket.chain"))] {
        let found = look_with(&bytes, day(), &Trust::nothing());
        assert_eq!(found.verdict, Verdict::Untrusted);
        assert_eq!(found.trust.root_set, None);
        let failed = failed(&found);
        assert!(failed.contains(&"timestamp.chain"), "{failed:?}");
        assert!(also.is_none_or(|id| failed.contains(&id)), "{failed:?}");
        let judged = found.judge_apple(&signer("S8XHQB96PW"));
        assert!(not_passed(&judged).contains(&"identity.team-id"));
    }
}

/// A real app in a payload, with files of extended attributes beside its own: they are attributes where a file of that name
/// is there, and only in what is installed.
#[test]
fn extended_attributes_in_a_payload_are_not_files_of_an_app() {
    let Some(corpus) = shared() else { return };
    let tar = std::fs::read(corpus.join("app/mitmproxy/Mitmproxy Redirector.app.tar"));
    let tar = tar.expect("a file of the corpus");
    let mut members = Vec::new();
    let read = tar::walk(&mut tar.as_slice(), &mut |entry, content| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        let mode = match &entry.kind {
            EntryKind::Folder => 0o040_755,
            EntryKind::File => 0o100_755,
            EntryKind::Link(target) => {
                bytes = target.clone().into_bytes();
                0o120_755
            }
            EntryKind::HardLink(_) => panic!("{entry:?}"),
        };
        members.push(cpio::tests::odc(&entry.path, mode, &bytes));
        Ok(())
    });
    read.expect("an archive");
    let double = b"\0\x05\x16\x07\0\x02\0\0Mac OS X        ".to_vec();
    let cpio = |name: &str, bytes: &[u8]| {
        let name = format!("Mitmproxy Redirector.app/Contents/{name}");
        let mut members = members.clone();
        members.push(cpio::tests::odc(&name, 0o100_755, bytes));
        cpio::tests::archive(&members)
    };
    let verdict = |bytes: Vec<u8>| {
        let trust = Trust::microsoft();
        let settings = walk::Settings {
            at: day(),
            trust: &trust,
            room: walk::tests::room,
            signed: walk::Signed::Opened,
        };
        let found = walk::walk(&mut Strict(Cursor::new(&bytes)), settings).expect("bytes");
        let mut leaves = found.expect("a container").leaves.into_iter();
        let app = leaves.find(|it| it.path.ends_with("Mitmproxy Redirector.app"));
        failed(&app.expect("an app").signature.expect("a signature"))
    };
    let installed = |name, bytes| verdict(xar::tests::with_payload(&cpio(name, bytes)));
    assert_eq!(installed("._Info.plist", &double), [""; 0]);
    let unlisted = ["bundle.unlisted"];
    assert_eq!(installed("._Info.plist", b"text"), unlisted);
    assert_eq!(installed("._nothing", &double), unlisted);
    assert_eq!(verdict(cpio("._Info.plist", &double)), unlisted);
}
