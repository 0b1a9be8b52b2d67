mod corpus;
mod mutants;
mod noise;
mod policy;
mod sample;
mod subjects;
mod suite;
mod together;

use release::Sha256;

use super::{Artifact, Bundles, Provenance, Runner, Wanted, judge};
use crate::checks::{Check, Outcome};
use crate::tests::day;

/// A policy without a ref, for any runner.
fn policy(repository: &str, workflow: &str) -> Provenance {
    Provenance {
        repository: repository.parse().expect("a repository"),
        workflow: workflow.parse().expect("a workflow"),
        reference: None,
        runner: Runner::Any,
    }
}

/// Every check of the artifact's provenance, all of which are safe to print.
fn checks(bundles: &[u8], artifact: &Artifact, policy: &Provenance) -> Vec<Check> {
    let checks = match Bundles::read(bundles) {
        Ok(bundles) => judge(&bundles, artifact, Wanted::Provenance, policy, day()),
        Err(check) => vec![check],
    };
    for check in &checks {
        let is_printable = !check.reason.chars().any(char::is_control);
        assert!(is_printable, "{}", check.reason);
    }
    checks
}

/// The ids of the checks that did not pass.
fn failed(checks: &[Check]) -> Vec<&'static str> {
    assert!(!checks.is_empty(), "nobody looked");
    let failed = checks.iter().filter(|it| it.outcome != Outcome::Pass);
    failed.map(|it| it.id.as_str()).collect()
}

#[test]
fn the_roots_are_those_that_the_map_names() {
    let map = include_str!("../../roots/sigstore/README.md");
    for (name, root) in [
        ("public-good.json", super::roots::PUBLIC_GOOD),
        ("github.json", super::roots::GITHUB),
    ] {
        let line = map.lines().find(|line| line.contains(&format!("`{name}`")));
        let fingerprint = Sha256::of(root.as_bytes()).to_string();
        assert!(
            line.is_some_and(|line| line.contains(&fingerprint)),
            "{name}"
        );
        super::roots::verifier(root).expect("a trusted root");
    }
}

#[test]
fn what_is_believed_can_be_shown() {
    let found = super::authorities();
    let count = |instance: &str| {
        found
            .iter()
            .filter(|it| it.instance.contains(instance))
            .count()
    };
    assert_eq!((count("public-good"), count("GitHub")), (7, 12));
    for kind in ["certificates", "timestamps"] {
        for instance in ["public-good", "GitHub"] {
            let in_use = found
                .iter()
                .find(|it| it.kind == kind && it.instance.contains(instance) && it.until.is_none());
            assert!(
                in_use.is_some_and(|it| it.from.is_some()),
                "{kind} of {instance}"
            );
        }
    }
}
