//! The labels of the shared corpus, and of packages from registries where somebody put them.

use std::path::PathBuf;

use super::*;
use crate::tests::skipped;

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
