//! One file in full: who signed it and when, by which certificates, and every check with what was expected and found.

use signing::inspection::{CertificateReport, Inspection, SignatureReport};
use signing::{ArtifactReport, Check, Outcome, ReleaseReport};

use signing::revocation::RevocationReport;

use crate::output;

/// A file of a release, an artifact or one inside.
struct File<'a> {
    path: &'a str,
    checks: &'a [Check],
    signature: Option<&'a Inspection>,
}

/// Explains every file that a name fits: a path, a name of an artifact, or the end of a path inside.
///
/// # Errors
/// The paths that there are, where it fits none.
pub(super) fn render(report: &ReleaseReport, wanted: &str) -> Result<String, Vec<String>> {
    let feeds = report.feeds.iter().map(|feed| File {
        path: &feed.path,
        checks: &feed.checks,
        signature: None,
    });
    let files: Vec<_> = report
        .artifacts
        .iter()
        .flat_map(files)
        .chain(feeds)
        .collect();
    let fits = |file: &&File<'_>| {
        let rest = file.path.strip_suffix(wanted);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    };
    let text: String = files.iter().filter(fits).map(one).collect();
    if text.is_empty() {
        return Err(files.iter().map(|file| file.path.to_owned()).collect());
    }
    Ok(text)
}

fn files(artifact: &ArtifactReport) -> Vec<File<'_>> {
    let own = File {
        path: &artifact.path,
        checks: &artifact.checks,
        signature: artifact.signature.as_ref(),
    };
    let leaves = artifact.contents.iter().flat_map(|it| &it.leaves);
    let leaves = leaves.map(|leaf| File {
        path: &leaf.path,
        checks: &leaf.checks,
        signature: leaf.signature.as_ref(),
    });
    [own].into_iter().chain(leaves).collect()
}

fn one(file: &File<'_>) -> String {
    let mut text = format!("{}\n", file.path);
    if let Some(found) = file.signature {
        text.push_str(&output::table(&[
            vec!["judged at".to_owned(), found.at.to_string()],
            vec![
                "roots".to_owned(),
                found.trust.root_set.unwrap_or("none").to_owned(),
            ],
            vec!["revocation".to_owned(), found.trust.revocation.to_owned()],
        ]));
        for signature in &found.signatures {
            text.push_str(&chain(signature));
        }
    }
    let rows: Vec<_> = file.checks.iter().map(row).collect();
    text.push_str(&output::table(&rows));
    text
}

/// The certificates of a signature from the signer's to the root, and its timestamps.
fn chain(signature: &SignatureReport) -> String {
    let mut rows = vec![vec![
        "signature".to_owned(),
        format!("{}, {}", signature.place, signature.digest),
    ]];
    if let Some(signer) = &signature.signer {
        let path = std::iter::once(&signer.certificate).chain(&signer.path);
        for (depth, certificate) in path.enumerate() {
            let word = if depth == 0 { "signer" } else { "issued by" };
            rows.extend(certificate_rows(word, certificate));
        }
        if signer.path.is_empty() {
            let why = "no path to a trusted root; see `x509.path` below".to_owned();
            rows.push(vec!["issued by".to_owned(), why]);
        }
    }
    for timestamp in &signature.timestamps {
        rows.push(vec!["timestamp".to_owned(), timestamp.time.to_string()]);
        rows.push(vec![
            String::new(),
            format!("{}, {}", timestamp.kind, timestamp.authority),
        ]);
    }
    rows.extend(signature.revocations().flat_map(revocation_rows));
    if let Some(said) = signature
        .apple
        .iter()
        .find_map(|it| it.ticket_service.as_ref())
    {
        rows.push(vec!["ticket service".to_owned(), said.clone()]);
    }
    output::table(&rows)
}

/// What was asked about a certificate, and answered.
pub(crate) fn revocation_rows(report: &RevocationReport) -> Vec<Vec<String>> {
    let RevocationReport {
        certificate,
        serial: _,
        status,
        revoked: _,
        reason: _,
        asked,
        told,
    } = report;
    let mut rows = vec![vec![
        "revocation".to_owned(),
        format!("{}: {certificate}", status.word()),
    ]];
    let asked = asked.iter().map(|it| {
        let line = format!("{} at {}: {}", it.by, it.url, it.answer);
        vec![String::new(), line]
    });
    rows.extend(asked);
    // Nobody could be asked.
    if rows.len() == 1 {
        rows.push(vec![String::new(), told.clone()]);
    }
    rows
}

fn certificate_rows(word: &str, certificate: &CertificateReport) -> Vec<Vec<String>> {
    let CertificateReport {
        subject,
        issuer: _,
        serial: _,
        thumbprint: _,
        sha256,
        not_before,
        not_after,
    } = certificate;
    vec![
        vec![word.to_owned(), subject.clone()],
        vec![String::new(), format!("{not_before} to {not_after}")],
        vec![String::new(), format!("sha256 {sha256}")],
    ]
}

fn row(check: &Check) -> Vec<String> {
    let word = match check.outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "FAIL",
        Outcome::Unsupported => "NOT LOOKED AT",
        Outcome::Allowed => "allowed",
    };
    vec![
        word.to_owned(),
        check.id.as_str().to_owned(),
        check.reason.clone(),
    ]
}
