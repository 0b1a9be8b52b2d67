//! `lastmile inspect`.

use std::path::PathBuf;

use clap::Args;
use ops::Error;
use ops::inspect::{Inspected, Report, Request};
use release::Timestamp;
use release::name::escaped;
use signing::inspection::{Inspection, SignatureReport};
use signing::walk::Contents;

use super::verify::{extra_roots, not_passed, now, revocation_rows, word};
use crate::cli::{Format, Global, OnlineArgs};
use crate::failure::Failure;
use crate::output;

/// Show what files are and who signed them, with every check but identity
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Files, and folders whose files that carry signatures are looked at
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// PEM file of roots that are trusted besides Microsoft's
    #[arg(long, value_name = "PEM")]
    trust: Vec<PathBuf>,
    /// The time to judge at; else now
    #[arg(long, value_name = "TIME", conflicts_with = "online")]
    at: Option<Timestamp>,
    #[command(flatten)]
    online: OnlineArgs,
}

pub(crate) async fn run(global: &Global, args: &Inspect) -> Result<(), Failure> {
    let request = Request {
        paths: args.paths.clone(),
        trust: args.trust.clone(),
        at: args.at.unwrap_or_else(now),
        online: args.online.online(),
    };
    let inspected = tokio::task::spawn_blocking(move || ops::inspect::run(&request)).await;
    let report = inspected.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
    let text = text(&report);
    let (failed, total) = (report.failed(), report.files.len());
    if failed == 0 {
        output::result(global.format, "inspect", &report, &text);
        return Ok(());
    }
    if global.format == Format::Text {
        output::plain(&text);
    }
    let document = serde_json::to_value(&report).unwrap_or_default();
    Err(Failure::with_report(
        Error::Inspected { failed, total },
        document,
    ))
}

fn text(report: &Report) -> String {
    let first = report.files.iter().find_map(|file| file.signature.as_ref());
    let mut text = first.map_or(String::new(), |found| extra_roots(&found.trust.extra_roots));
    for file in &report.files {
        text.push_str(&one(file));
    }
    text
}

fn one(file: &Inspected) -> String {
    let container = file.contents.as_ref().map(|it| it.container);
    let what = match file.signature {
        Some(_) => file.format,
        None => container.unwrap_or(file.format),
    };
    let mut text = format!("{} {}, {}\n", word(file.verdict), file.path, what);
    match (&file.signature, &file.contents) {
        (Some(inspection), _) => text.push_str(&signatures(inspection)),
        (None, Some(_)) => {}
        (None, None) => {
            text.push_str("  its own kind of signature is not supported by this version\n");
        }
    }
    if let Some(contents) = &file.contents {
        text.push_str(&inside(&file.path, contents));
    }
    text
}

/// What is inside: a line for each file that can carry a signature, and why it is not good.
fn inside(path: &str, contents: &Contents) -> String {
    let Contents {
        container,
        files,
        checks,
        leaves,
        ..
    } = contents;
    let mut text = not_passed(checks);
    // What is inside a folder has its path on disk, what is inside an archive has one of its own.
    let place = match *container {
        "folder" => {
            let above = path.trim_end_matches('/').rsplit_once('/');
            above.map_or(String::new(), |(above, _)| format!("{above}/"))
        }
        _ => format!("{path}!/"),
    };
    for leaf in leaves {
        let signers = leaf.signature.iter().flat_map(|it| &it.signatures);
        let signer = signers
            .filter_map(|signature| signature.signer.as_ref())
            .find_map(|signer| signer.organization.as_ref().or(signer.common_name.as_ref()));
        text.push_str(&format!(
            "{} {place}{}, {}{}\n",
            word(leaf.verdict()),
            escaped(&leaf.path),
            leaf.format.name(),
            signer.map_or(String::new(), |signer| format!(", {signer}"))
        ));
        text.push_str(&not_passed(&leaf.checks));
        if let Some(inspection) = &leaf.signature {
            let failed: Vec<_> = inspection.failed().cloned().collect();
            text.push_str(&not_passed(&failed));
        }
    }
    text.push_str(&format!(
        "{} of {files} files inside {path} are programs or packages\n",
        leaves.len()
    ));
    text
}

fn signatures(inspection: &Inspection) -> String {
    let mut text = not_passed(&inspection.checks);
    for signature in &inspection.signatures {
        text.push_str(&output::table(&signature_rows(signature)));
        text.push_str(&not_passed(&signature.checks));
    }
    let passed = inspection.all_checks().count() - inspection.failed().count();
    let rows = [
        vec!["checks passed".to_owned(), passed.to_string()],
        vec![
            "roots".to_owned(),
            inspection.trust.root_set.unwrap_or("none").to_owned(),
        ],
        vec![
            "revocation".to_owned(),
            inspection.trust.revocation.to_owned(),
        ],
    ];
    text.push_str(&output::table(&rows));
    text
}

fn signature_rows(signature: &SignatureReport) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = |name: &str, value: &str| rows.push(vec![name.to_owned(), value.to_owned()]);
    row(
        "signature",
        &format!("{}, {}", signature.place, signature.digest),
    );
    if let Some(signer) = &signature.signer {
        row("signer", &signer.certificate.subject);
        row(
            "organization",
            signer.organization.as_deref().unwrap_or("none"),
        );
        if let Some(identity) = &signer.azure_identity {
            row("azure-identity", identity);
        }
        if let Some(team_id) = &signer.team_id {
            row("team-id", team_id);
        }
        row("issuer", &signer.certificate.issuer);
        row("thumbprint", &signer.certificate.thumbprint);
        let validity = format!(
            "{} to {}",
            signer.certificate.not_before, signer.certificate.not_after
        );
        row("valid", &validity);
        if let Some(root) = signer.path.last() {
            let origin = if signer.is_extra_root {
                "trusted by `--trust` alone"
            } else {
                "in the root program"
            };
            row("root", &format!("{}, {origin}", root.subject));
        }
    }
    if let Some(apple) = &signature.apple {
        row(
            "certificate",
            apple.certificate.unwrap_or("none of Apple's"),
        );
        if apple.is_executable {
            let runtime = if apple.hardened_runtime { "yes" } else { "no" };
            row("hardened runtime", runtime);
        }
        let ticket = apple.notarized.map(|time| time.to_string());
        row(
            "notarized",
            ticket.as_deref().unwrap_or("no ticket is stapled to it"),
        );
        if let Some(said) = &apple.ticket_service {
            row("ticket service", said);
        }
    }
    for timestamp in &signature.timestamps {
        row(
            "timestamp",
            &format!(
                "{}, {}, {}",
                timestamp.time, timestamp.kind, timestamp.authority
            ),
        );
    }
    if signature.timestamps.is_empty() {
        row(
            "timestamp",
            "none that holds: the signature ends with its certificate",
        );
    }
    rows.extend(signature.revocations().flat_map(revocation_rows));
    rows
}
