//! Policies as they are written, and what certificate and predicate say against one another.

use serde_json::{Value, json};
use sigstore_verify::crypto::{CertificateInfo, SubjectAltName};
use sigstore_verify::types::{DerCertificate, Statement};

use super::failed;
use crate::checks::Outcome;
use crate::sigstore::bundles::Opened;
use crate::sigstore::{Provenance, Reference, Repository, Runner, Workflow, identity, predicate};
use crate::tests::shared;

#[test]
fn policies_are_whole_names() {
    for good in ["octo-org/atlas", "o/n.x_y", "Octo/Atlas"] {
        assert_eq!(good.parse::<Repository>().expect("good").to_string(), good);
    }
    for bad in [
        "atlas",
        "o/n/x",
        "o/*",
        "/n",
        "o/",
        "o/..",
        "https://github.com/o/n",
        "o/n@x",
        "o/n ",
    ] {
        assert!(bad.parse::<Repository>().is_err(), "{bad}");
    }
    let commit = "0".repeat(40);
    for good in [
        ".github/workflows/release.yml",
        "o/n/.github/workflows/release.yaml",
        "o/n/.github/workflows/release.yml@refs/tags/v2",
        &format!(".github/workflows/release.yml@{commit}"),
    ] {
        assert_eq!(good.parse::<Workflow>().expect("good").to_string(), good);
    }
    for bad in [
        "release.yml",
        ".github/workflows/",
        ".github/workflows/*.yml",
        ".github/workflows/x/../release.yml",
        ".github/workflows/release",
        "./.github/workflows/release.yml",
        "o/.github/workflows/release.yml",
        "o/n/.github/workflows/release.yml@v2",
        "o/n/.github/workflows/release.yml@",
        ".github/workflows/release.yml@x.yml@refs/heads/main",
    ] {
        assert!(bad.parse::<Workflow>().is_err(), "{bad}");
    }
    for good in ["refs/tags/v1.4.0", "refs/heads/main", "refs/heads/a/b"] {
        assert_eq!(good.parse::<Reference>().expect("good").to_string(), good);
    }
    for bad in [
        "v1.4.0",
        "main",
        "refs/tags/",
        "refs/",
        "refs/tags/a b",
        "refs/tags/a\n",
    ] {
        assert!(bad.parse::<Reference>().is_err(), "{bad}");
    }
}

/// A real attestation: what it states, and its certificate.
fn attestation() -> Option<(Statement, CertificateInfo)> {
    let path = "sigstore/cli/reusable-workflow-attestation.sigstore.json";
    let text = std::fs::read_to_string(shared()?.join(path)).expect("a bundle");
    let opened = Opened::read(&text).expect("a bundle");
    let leaf: &DerCertificate = opened.bundle.signing_certificate().expect("a certificate");
    let certificate = sigstore_verify::crypto::parse_certificate_info(leaf).expect("a certificate");
    Some((opened.statement.expect("a statement"), certificate))
}

fn hosted() -> Provenance {
    Provenance {
        repository: "malancas/attest-demo".parse().expect("a repository"),
        workflow: "github/artifact-attestations-workflows/.github/workflows/attest.yml@09b495c3f12c7881b3cc17209a327792065c1a1d"
            .parse()
            .expect("a workflow"),
        reference: Some("refs/heads/main".parse().expect("a ref")),
        runner: Runner::Hosted,
    }
}

/// What Fulcio would write into the certificate of somebody else's run.
#[test]
fn every_claim_of_the_certificate_counts() {
    let Some((_, whole)) = attestation() else {
        return;
    };
    assert_eq!(failed(&identity::judge(&whole, &hosted())), [""; 0]);
    type Change = fn(&mut CertificateInfo);
    let changes: &[(&str, Change)] = &[
        ("sigstore.issuer", |it| it.issuer = None),
        ("sigstore.issuer", |it| {
            it.issuer = Some("https://token.actions.githubusercontent.com/".to_owned())
        }),
        ("sigstore.issuer", |it| {
            it.issuer = Some("https://accounts.google.com".to_owned())
        }),
        ("provenance.repository", |it| {
            it.ci_claims.source_repository_uri = None
        }),
        ("provenance.repository", |it| {
            it.ci_claims.source_repository_uri =
                Some("https://github.com/malancas/attest-demo.git".to_owned());
        }),
        ("provenance.ref", |it| {
            it.ci_claims.source_repository_ref = Some("refs/tags/main".to_owned())
        }),
        ("provenance.ref", |it| {
            it.ci_claims.source_repository_ref = None
        }),
        ("provenance.runner", |it| {
            it.ci_claims.runner_environment = Some("self-hosted".to_owned())
        }),
        ("provenance.runner", |it| {
            it.ci_claims.runner_environment = None
        }),
        ("provenance.workflow", |it| it.identity = None),
        ("provenance.workflow", |it| {
            let uri = it
                .identity
                .as_ref()
                .expect("an identity")
                .as_str()
                .to_owned();
            it.identity = Some(SubjectAltName::Email(uri));
        }),
        ("provenance.workflow", |it| {
            it.ci_claims.build_signer_uri = Some("https://github.com/x/y".to_owned())
        }),
    ];
    for (check, change) in changes {
        let mut copy = whole.clone();
        change(&mut copy);
        assert_eq!(failed(&identity::judge(&copy, &hosted())), [*check]);
    }
    let mut any = hosted();
    any.runner = Runner::Any;
    let mut own = whole.clone();
    own.ci_claims.runner_environment = Some("self-hosted".to_owned());
    assert_eq!(failed(&identity::judge(&own, &any)), [""; 0]);
}

/// A file of the workflow's own folder may be named so that its URI begins as that of the one that is trusted.
#[test]
fn a_workflow_whose_name_holds_another_one_is_another_one() {
    let Some((_, mut certificate)) = attestation() else {
        return;
    };
    let mut policy = hosted();
    policy.workflow = ".github/workflows/release.yml".parse().expect("a workflow");
    let folder = "https://github.com/malancas/attest-demo/.github/workflows";
    for (name, is_good) in [
        ("release.yml@refs/heads/main", true),
        ("release.yml@refs/tags/v1@2", true),
        ("release.yml@x.yml@refs/heads/main", false),
        ("release.yml", false),
        ("release.yml@", false),
        ("release.yml.yml@refs/heads/main", false),
        ("xrelease.yml@refs/heads/main", false),
    ] {
        let uri = format!("{folder}/{name}");
        certificate.ci_claims.build_signer_uri = Some(uri.clone());
        certificate.identity = Some(SubjectAltName::Uri(uri));
        let found = failed(&identity::judge(&certificate, &policy));
        let expected = if is_good {
            vec![]
        } else {
            vec!["provenance.workflow"]
        };
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn the_predicate_says_what_the_certificate_says() {
    let Some((whole, certificate)) = attestation() else {
        return;
    };
    let parameters = "/buildDefinition/externalParameters";
    let workflow = format!("{parameters}/workflow");
    let source = "/buildDefinition/resolvedDependencies/0";
    let changes = [
        (
            format!("{workflow}/repository"),
            json!("https://github.com/malancas/another"),
        ),
        (format!("{workflow}/ref"), json!("refs/tags/v1")),
        (
            format!("{workflow}/path"),
            json!(".github/workflows/another.yml"),
        ),
        (format!("{workflow}/path"), json!(7)),
        (
            workflow.clone(),
            json!("https://github.com/malancas/attest-demo"),
        ),
        (
            format!("{source}/uri"),
            json!("git+https://github.com/malancas/another@refs/heads/main"),
        ),
        (format!("{source}/digest/gitCommit"), json!("0".repeat(40))),
        (
            "/runDetails/builder/id".to_owned(),
            json!("https://github.com/actions/runner/self-hosted"),
        ),
        (
            "/runDetails/builder/id".to_owned(),
            json!(
                "https://github.com/malancas/attest-demo/.github/workflows/shared.yml@refs/heads/main"
            ),
        ),
        ("/runDetails/builder".to_owned(), json!({})),
    ];
    let judged = |statement: &Statement| predicate::judge(statement, &certificate);
    assert_eq!(
        judged(&whole).outcome,
        Outcome::Pass,
        "{}",
        judged(&whole).reason
    );
    for (pointer, value) in changes {
        let mut copy = whole.clone();
        let place = copy.predicate.pointer_mut(&pointer).expect(&pointer);
        assert_ne!(*place, value);
        *place = value;
        assert_eq!(judged(&copy).outcome, Outcome::Fail, "{pointer}");
    }
    let mut silent = whole.clone();
    silent.predicate["buildDefinition"] = Value::Null;
    assert_eq!(
        judged(&silent).outcome,
        Outcome::Fail,
        "says nothing of the source"
    );
    let mut signer = whole.clone();
    let uri = certificate.identity.as_ref().expect("an identity").as_str();
    signer.predicate["runDetails"]["builder"]["id"] = json!(uri);
    assert_eq!(
        judged(&signer).outcome,
        Outcome::Pass,
        "the workflow that signed"
    );
    let mut other = whole.clone();
    other.predicate_type = "https://spdx.dev/Document/v2.3".to_owned();
    assert_eq!(
        judged(&other).outcome,
        Outcome::Fail,
        "a list of components"
    );
    let mut other = whole;
    other.type_ = "https://in-toto.io/Statement/v9".to_owned();
    assert_eq!(
        judged(&other).outcome,
        Outcome::Fail,
        "another version of statements"
    );
}

/// Runs by `workflow_run` and by rules of an organization take the workflow from another ref than the source.
#[test]
fn the_workflow_that_was_started_has_a_ref_of_its_own() {
    let Some((mut statement, mut certificate)) = attestation() else {
        return;
    };
    let pointer = "/buildDefinition/externalParameters/workflow/ref";
    *statement.predicate.pointer_mut(pointer).expect("a ref") = json!("refs/heads/other");
    let judged = predicate::judge(&statement, &certificate);
    assert_eq!(judged.outcome, Outcome::Fail, "{}", judged.reason);
    let started = certificate
        .ci_claims
        .build_config_uri
        .as_mut()
        .expect("a workflow");
    *started = started.replace("@refs/heads/main", "@refs/heads/other");
    let judged = predicate::judge(&statement, &certificate);
    assert_eq!(judged.outcome, Outcome::Pass, "{}", judged.reason);
    // Where the certificate does not say which was started, the ref must be that of the source.
    certificate.ci_claims.build_config_uri = None;
    let judged = predicate::judge(&statement, &certificate);
    assert_eq!(judged.outcome, Outcome::Fail, "{}", judged.reason);
}
