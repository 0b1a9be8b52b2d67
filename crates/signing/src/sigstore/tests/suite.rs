//! The policy cases of slsa-verifier's suite, as far as they are about bundles: right and wrong source, branch, tag, builder.

use super::corpus::{Input, Row, inputs, table};
use super::failed;
use crate::sigstore::{Provenance, Reference, Runner, Workflow};
use crate::tests::shared;

/// The tables of the suite, and the builders in them whose attestations are bundles with a builder that the certificate names.
const BUILDERS: [(&str, &str); 3] = [
    ("GHAContainerBased", "gha_container-based/"),
    ("GHAArtifactPath", "gha_gradle/"),
    ("GHAArtifactPath", "gha_maven/"),
];

/// The name of the artifact that a bundle of a builder stands beside.
fn artifact<'a>(input: &'a Input, folder: &str) -> Option<&'a str> {
    let path = input.path().strip_prefix("sigstore/slsa-verifier/")?;
    let (_, name) = path.strip_prefix(folder)?.split_once('/')?;
    [".intoto.build.slsa", ".intoto.sigstore", ".build.slsa"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
}

/// Which check the suite's error is.
fn expected(case: &Row) -> Vec<&'static str> {
    match &*case["expected"] {
        "ok" => vec![],
        "ErrorMismatchSource" => vec!["provenance.repository"],
        "ErrorUntrustedReusableWorkflow" => vec!["provenance.workflow"],
        "ErrorMismatchBranch"
        | "ErrorMismatchTag"
        | "ErrorInvalidRef"
        | "ErrorMismatchVersionedTag" => {
            vec!["provenance.ref"]
        }
        other => panic!("{other} of `{}`", case["case"]),
    }
}

/// The policy of a case; none where its source is no name of a repository, which configuration refuses.
fn policy(case: &Row, input: &Input) -> Option<Provenance> {
    let workflow = match &*case["builder"] {
        "-" => &input.row["identity"],
        builder => builder,
    };
    let workflow = workflow
        .strip_prefix("https://github.com/")
        .expect("a workflow");
    let named = |key: &str| Some(&*case[key]).filter(|it| *it != "-");
    let branch = named("branch").map(|it| format!("refs/heads/{it}"));
    let tag = named("tag").or_else(|| named("versioned_tag"));
    let tag = tag.map(|it| format!("refs/tags/{it}"));
    Some(Provenance {
        repository: case["source"].strip_prefix("github.com/")?.parse().ok()?,
        workflow: workflow.parse::<Workflow>().expect("a workflow"),
        reference: branch
            .or(tag)
            .map(|it| it.parse::<Reference>().expect("a ref")),
        runner: Runner::Hosted,
    })
}

/// `v14` is satisfied by the tag `v14.2` there, as by a pattern; here a ref is compared as a whole.
fn is_by_pattern(case: &Row) -> bool {
    let tag = &case["versioned_tag"];
    case["expected"] == "ok" && tag != "-" && !case["artifacts"].ends_with(&format!("push-{tag}"))
}

#[test]
fn the_cases_of_the_suite_are_judged_as_it_says() {
    let (Some(shared), Some(inputs)) = (shared(), inputs(&["sigstore-bundle"])) else {
        return;
    };
    let cases = table(&shared.join("sigstore/slsa-verifier/cases.tsv"));
    let (mut wrong, mut judged, mut by_pattern) = (Vec::new(), 0, 0);
    for case in cases.iter().filter(|case| case["all_versions"] == "yes") {
        for (_, folder) in BUILDERS.iter().filter(|(table, _)| case["table"] == *table) {
            let of_case = inputs
                .iter()
                .filter(|input| artifact(input, folder) == Some(&case["artifacts"]));
            for input in of_case {
                let Some(policy) = policy(case, input) else {
                    assert_eq!(
                        expected(case),
                        ["provenance.repository"],
                        "{}",
                        case["case"]
                    );
                    continue;
                };
                let found = failed(&super::checks(&input.bundle, &input.artifact, &policy));
                let expected = match is_by_pattern(case) {
                    true => vec!["provenance.ref"],
                    false => expected(case),
                };
                by_pattern += u32::from(is_by_pattern(case));
                judged += 1;
                if found != expected {
                    let path = input.path();
                    wrong.push(format!(
                        "{path}: {}: {found:?}, expected {expected:?}",
                        case["case"]
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!((judged, by_pattern), (184, 16));
}
