//! `lastmile tag`.

use std::path::PathBuf;

use clap::Args;
use ops::tag::{Goal, Outcome, Report, Request, Where};
use release::Version;
use release::name::App;
use release::tag::PreId;

use crate::cli::{GitHubArgs, Global};
use crate::context;
use crate::failure::Failure;
use crate::output;

/// Decide the next version from the commits, and tag it
#[derive(Debug, Args)]
pub(crate) struct Tag {
    /// The app; else the only one of the configuration
    #[arg(long)]
    app: Option<App>,
    /// This version instead of the computed one; it must be above the last
    #[arg(long)]
    version: Option<Version>,
    /// A pre-release of this name, counted by the tags there are: `beta` gives 1.4.0-beta.3
    #[arg(long, value_name = "NAME", conflicts_with = "version")]
    pre: Option<PreId>,
    /// Look at tags, and create the tag, in the local repository alone; else through GitHub
    #[arg(long)]
    local: bool,
    /// Show the plan and stop
    #[arg(long)]
    dry_run: bool,
    /// Write the notes to this file too, in Markdown
    #[arg(long, value_name = "FILE")]
    notes_file: Option<PathBuf>,
    #[command(flatten)]
    github: GitHubArgs,
}

pub(crate) async fn run(global: &Global, args: &Tag) -> Result<(), Failure> {
    let loaded = context::load_if_there(global, args.app.as_ref())?;
    let goal = if args.dry_run {
        Goal::Plan
    } else {
        Goal::Create
    };
    let github = if args.local {
        None
    } else {
        context::github(&args.github)?
    };
    let at = match github {
        Some(github) => Where::GitHub(github),
        // What a clone knows is enough for a plan; where it is not, that is said.
        None if args.local || args.dry_run => Where::Local,
        None => return Err(context::no_github("tags are created").into()),
    };
    let request = Request {
        folder: loaded
            .as_ref()
            .map_or_else(|| PathBuf::from("."), |loaded| loaded.root.clone()),
        format: loaded
            .as_ref()
            .map(|loaded| loaded.app.tag_format.clone())
            .unwrap_or_default(),
        version: args.version.clone(),
        pre: args.pre.clone(),
        first: loaded.map(|loaded| loaded.app.version),
        notes_file: args.notes_file.clone(),
        actor: context::github_actor(),
        at,
        goal,
    };
    let report = ops::tag::run(&request).await?;
    output::result(global.format, "tag", &report, &text(&report));
    Ok(())
}

fn text(report: &Report) -> String {
    let commit = output::short(&report.commit);
    let tag = report.tag.as_deref().unwrap_or_default();
    let mut text = match report.outcome {
        Outcome::Created => format!("{tag} is created at {commit}\n"),
        Outcome::Already => format!("{tag} is already at {commit}; nothing was changed\n"),
        Outcome::Planned => format!("{tag} would be created at {commit}\n"),
        Outcome::Nothing => format!("nothing to tag at {commit}\n"),
    };
    let previous = match &report.previous {
        Some(version) => version.to_string(),
        None => "none: no tag of this format before".to_owned(),
    };
    let decided = match report.bump {
        Some(bump) => format!("{}, by {}", bump.as_str(), report.reason),
        None => report.reason.clone(),
    };
    // A title can hold what the runner of GitHub Actions takes for a command, anywhere in a line.
    let decided = decided.replace("##[", "# #[");
    let rows = [
        vec!["previous".to_owned(), previous],
        vec!["decided".to_owned(), decided],
        vec!["commits".to_owned(), report.commits.to_string()],
    ];
    text.push_str(&output::table(&rows));
    for warning in &report.warnings {
        text.push_str(&format!("  warning: {warning}\n"));
    }
    if !report.notes.is_empty() {
        text.push_str(&format!("\n{}", report.notes));
    }
    text
}
