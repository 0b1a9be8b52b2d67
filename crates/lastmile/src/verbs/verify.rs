//! `lastmile verify`.

mod continuity;
mod explain;
mod junit;
mod sarif;

pub(crate) use explain::revocation_rows;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use ops::Error;
use ops::verify::Request;
use release::commit::CommitId;
use release::name::{App, printable};
use release::{Artifact, Timestamp, Version};
use signing::inspection::SignatureReport;
use signing::revocation::RevocationStatus;
use signing::{ArtifactReport, Check, ExtraRoot, Outcome, ReleaseReport, Verdict};

use crate::cli::{Format, GitHubArgs, Global, OnlineArgs};
use crate::context::{self, Loaded};
use crate::failure::Failure;
use crate::output;
use crate::progress;
use crate::runner;

/// Check that every artifact is signed, whole, and by whom it must be
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The app; else the only one of the configuration
    #[arg(long)]
    app: Option<App>,
    /// The version; else where the configuration says it stands
    #[arg(long)]
    version: Option<Version>,
    /// Set the status `lastmile / verify` of the commit on GitHub; with its name behind it where there are several apps (`permissions: { statuses: write }`)
    #[arg(long)]
    status: bool,
    /// The commit whose status is set; else the head of the pull request, else GITHUB_SHA
    #[arg(long)]
    commit: Option<CommitId>,
    /// Show of a file who signed it, by which certificates and when, and every check: its path, its name, or the end of its path inside an archive
    #[arg(long, value_name = "PATH")]
    explain: Vec<String>,
    /// Ask whether installed copies accept this release: a folder with the previous release's artifacts as users downloaded them, or its files
    #[arg(long, value_name = "PATH")]
    previous: Vec<PathBuf>,
    /// Print the rules that this release meets, to be read and put into lastmile.yml; nothing is verified
    #[arg(long, conflicts_with_all = ["status", "explain", "sarif", "junit", "previous", "online"])]
    learn: bool,
    /// The time to judge signatures and `allow-unsigned` at, to repeat an answer; else now. `publish` has no such flag
    #[arg(long, value_name = "TIME", conflicts_with_all = ["status", "online"])]
    at: Option<Timestamp>,
    /// Write the report for code scanning (SARIF 2.1.0)
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    /// Write the report as a test run (JUnit XML)
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    online: OnlineArgs,
    #[command(flatten)]
    github: GitHubArgs,
}

pub(crate) async fn run(global: &Global, args: &Verify) -> Result<(), Failure> {
    let loaded = context::load(global, args.app.as_ref())?;
    let mut request = request(&loaded, args.version.as_ref())?;
    request.now = args.at.unwrap_or(request.now);
    request.previous.clone_from(&args.previous);
    request.online = args.online.online();
    if args.learn {
        let learned = ops::learn::run(&request).await?;
        output::result(global.format, "verify --learn", &learned, &learned.policy);
        output::note(&format!(
            "learned: {} signed, {} to allow; put these keys under `signing` in lastmile.yml, where other rules stay, and run `lastmile verify`",
            learned.signed, learned.allowed
        ));
        if !learned.wrong.is_empty() {
            output::note(&format!(
                "{} files are wrong, and no policy allows them: see the end of what was learned",
                learned.wrong.len()
            ));
        }
        return Ok(());
    }
    let place = if args.status {
        Some(status_place(args)?)
    } else {
        None
    };
    let checked = ops::verify::run(&request, &progress::reporter(global.format)).await;
    if let Some((github, commit)) = place {
        let outcome = match &checked {
            Ok(checked) => Ok(checked.report.get()),
            Err(error) => Err(error),
        };
        let context = ops::status::context(&loaded.app.app, loaded.among);
        let url = context::run_url();
        let set = ops::status::set_verified(&github, &commit, context, outcome, url).await;
        // What was verified stays verified. A fork's token may not set a status, and its pull request is checked all the same.
        if let Err(error) = set {
            runner::warn(&error.to_string());
        }
    }
    let explained = match &checked {
        Ok(checked) => reported(args, checked.report.get())?,
        Err(Error::Checks(report)) => reported(args, report)?,
        Err(_) => String::new(),
    };
    let checked = checked.map_err(|error| {
        let failure = failure(global, error);
        if global.format == Format::Text {
            output::plain(&explained);
        }
        failure
    })?;
    let mut text = format!(
        "{} {}: every artifact passed\n",
        loaded.app.app, request.version
    );
    let report = checked.report.get();
    text.push_str(&report_text(report));
    text.push_str(&explained);
    output::result(global.format, "verify", report, &text);
    Ok(())
}

/// Writes the files that were asked for, whatever the verdict, and gives what explains.
fn reported(args: &Verify, report: &ReleaseReport) -> Result<String, Failure> {
    let write = |path: &Path, text: String| {
        fs::write(path, text).map_err(|source| Error::Local {
            path: printable(&path.to_string_lossy()),
            source,
        })
    };
    if let Some(path) = &args.sarif {
        write(path, sarif::render(report))?;
    }
    if let Some(path) = &args.junit {
        write(path, junit::render(report))?;
    }
    let explained = args.explain.iter().map(|wanted| {
        explain::render(report, wanted).map_err(|paths| {
            let shown: Vec<_> = paths
                .iter()
                .take(20)
                .map(|path| format!("`{path}`"))
                .collect();
            let next = format!(
                "`{}` is no file of this release; its files are {}{}",
                printable(wanted),
                shown.join(", "),
                if paths.len() > shown.len() {
                    ", …"
                } else {
                    ""
                }
            );
            Failure::from(Error::Missing {
                what: "explain",
                next,
            })
        })
    });
    explained.collect()
}

/// Where the status goes.
fn status_place(args: &Verify) -> Result<(github::Write, CommitId), Failure> {
    let github = context::github(&args.github)?;
    let github = github.ok_or_else(|| context::no_github("`--status` sets a status"))?;
    let commit = args.commit.clone().or_else(context::pull_request_head);
    let commit = match commit {
        Some(commit) => commit,
        None => context::commit(None)
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Error::Missing {
                what: "commit",
                next: "`--status` sets the status of a commit; give `--commit`, or GITHUB_SHA"
                    .to_owned(),
            })?,
    };
    Ok((github, commit))
}

/// What is to be verified, by the configuration.
pub(crate) fn request(loaded: &Loaded, version: Option<&Version>) -> Result<Request, Failure> {
    let app = &loaded.app;
    Ok(Request {
        root: loaded.root.clone(),
        version: context::version(loaded, version)?,
        rules: app.artifacts.clone(),
        policy: app.signing.clone(),
        // Some attestations name an artifact by SHA-512 alone: npm's.
        wants_sha512: app.feeds.iter().any(|feed| feed.needs_sha512())
            || app.signing.provenance_rules().next().is_some(),
        now: now(),
        previous: Vec::new(),
        online: None,
    })
}

/// The time to judge signatures and `allow-unsigned` at. A clock that stands before 1970 counts as the end of time, at
/// which nothing is valid or allowed any more.
pub(crate) fn now() -> Timestamp {
    /// The last second of the year 9999.
    const END: i64 = 253_402_300_799;
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seconds = since.map_or(END, |since| i64::try_from(since.as_secs()).unwrap_or(END));
    Timestamp::from_unix(seconds)
        .or_else(|_| Timestamp::from_unix(END))
        .unwrap_or(Timestamp::EPOCH)
}

/// An error with the report of what failed shown before it.
pub(crate) fn failure(global: &Global, error: Error) -> Failure {
    let Error::Checks(report) = &error else {
        return error.into();
    };
    if global.format == Format::Text {
        output::plain(&report_text(report));
    }
    let document = serde_json::to_value(report).unwrap_or_default();
    Failure::with_report(error, document)
}

/// One row of an artifact that is good.
pub(crate) fn artifact_row(artifact: &Artifact) -> Vec<String> {
    let Artifact {
        name,
        platform,
        size,
        sha256,
        ..
    } = artifact;
    vec![
        name.to_string(),
        platform.to_string(),
        output::size(*size),
        format!("{}…", output::short(sha256)),
    ]
}

/// Every artifact with its verdict; of one that is good who signed it, of any other every check that did not pass.
fn report_text(report: &ReleaseReport) -> String {
    let (good, bad): (Vec<_>, Vec<_>) = report
        .artifacts
        .iter()
        .partition(|artifact| artifact.verdict == Verdict::Valid);
    let rows: Vec<_> = good.iter().map(|artifact| good_row(artifact)).collect();
    let mut text = extra_roots(&report.extra_roots);
    text.push_str(&output::table(&rows));
    for artifact in bad {
        text.push_str(&format!("{} {}\n", word(artifact.verdict), artifact.name));
        text.push_str(&not_passed(&artifact.checks));
        let leaves = artifact.contents.iter().flat_map(|it| &it.leaves);
        for leaf in leaves.filter(|leaf| leaf.verdict != Verdict::Valid) {
            text.push_str(&format!("{} {}\n", word(leaf.verdict), leaf.path));
            text.push_str(&not_passed(&leaf.checks));
        }
    }
    for feed in &report.feeds {
        let wrong = not_passed(&feed.checks);
        let word = if wrong.is_empty() { "valid" } else { "INVALID" };
        let updater = feed.updater.unwrap_or("an updater");
        text.push_str(&format!("{word} {}, feed of {updater}\n{wrong}", feed.path));
    }
    text.push_str(
        &report
            .continuity
            .as_ref()
            .map(continuity::text)
            .unwrap_or_default(),
    );
    text.push_str(&not_checked(report));
    let whole = not_passed(&report.checks);
    if !whole.is_empty() {
        text.push_str("the release as a whole\n");
        text.push_str(&whole);
    }
    text
}

/// What nobody answered for, where that is no failure: each certificate once.
fn not_checked(report: &ReleaseReport) -> String {
    const SHOWN_MAX: usize = 10;
    let own = report.artifacts.iter().map(|it| &it.signature);
    let contents = report
        .artifacts
        .iter()
        .filter_map(|it| it.contents.as_ref());
    let inside = contents.flat_map(|it| &it.leaves).map(|it| &it.signature);
    let signatures = own.chain(inside).flatten().flat_map(|it| &it.signatures);
    let mut told: Vec<_> = signatures
        .flat_map(SignatureReport::revocations)
        .filter(|it| it.status == RevocationStatus::NotChecked)
        .map(|it| format!("{}: {}", it.certificate, it.told))
        .collect();
    told.sort_unstable();
    told.dedup();
    if told.is_empty() {
        return String::new();
    }
    let mut text = format!("not checked for revocation: {} certificates\n", told.len());
    let rows: Vec<_> = told
        .iter()
        .take(SHOWN_MAX)
        .map(|it| vec![it.clone()])
        .collect();
    text.push_str(&output::table(&rows));
    text
}

fn good_row(artifact: &ArtifactReport) -> Vec<String> {
    let first = artifact
        .checks
        .iter()
        .find(|check| check.outcome == Outcome::Pass)
        .map(|check| check.reason.clone())
        .unwrap_or_default();
    vec!["valid".to_owned(), artifact.name.to_string(), first]
}

/// Whoever holds one of these can sign anything, so they are shown before anything else.
pub(crate) fn extra_roots(roots: &[ExtraRoot]) -> String {
    roots
        .iter()
        .map(|root| {
            format!(
                "WARNING: trusted besides the platform's roots: {} (sha256 {}…)\n",
                root.subject,
                &root.sha256[..12.min(root.sha256.len())]
            )
        })
        .collect()
}

pub(crate) fn not_passed(checks: &[Check]) -> String {
    let shown = checks.iter().filter(|check| check.outcome != Outcome::Pass);
    output::table(&shown.map(row).collect::<Vec<_>>())
}

fn row(check: &Check) -> Vec<String> {
    vec![check.id.as_str().to_owned(), check.reason.clone()]
}

pub(crate) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Valid => "valid",
        Verdict::Invalid => "INVALID",
        Verdict::Untrusted => "UNTRUSTED",
        Verdict::Unsigned => "UNSIGNED",
        Verdict::Unsupported => "UNSUPPORTED",
        Verdict::Allowed => "allowed",
    }
}
