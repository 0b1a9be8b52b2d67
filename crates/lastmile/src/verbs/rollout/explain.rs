//! `lastmile rollout explain`.

use clap::Args;
use ops::rollout::{Explain, Explanation};
use release::decide::Answer;
use release::name::CohortName;
use release::{Client, Platform, Version};

use crate::cli::{Global, PlaceArgs};
use crate::context;
use crate::failure::Failure;
use crate::output;

/// Flags of `explain`. What is not given is not known, and never widens what is offered.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// What the client runs on, `windows-x64`
    #[arg(long)]
    platform: Platform,
    /// Its install id
    #[arg(long)]
    id: Option<String>,
    /// What it has
    #[arg(long)]
    version: Option<Version>,
    /// A cohort it belongs to
    #[arg(long)]
    cohort: Vec<CohortName>,
    /// A version prefix it is pinned to, `1.4`
    #[arg(long)]
    pin: Option<String>,
    /// A person pressed "check for updates"
    #[arg(long)]
    manual: bool,
    /// Its updater can install a lower version
    #[arg(long)]
    can_downgrade: bool,
}

pub(crate) async fn run(global: &Global, args: &ExplainArgs) -> Result<(), Failure> {
    let place = context::place(global, &args.place).await?;
    let client = Client {
        version: args.version.clone(),
        id: args.id.clone(),
        cohorts: args.cohort.clone(),
        manual: args.manual,
        pin: args.pin.clone(),
        can_downgrade: args.can_downgrade,
        ..Client::new(args.platform)
    };
    let explanation = ops::rollout::explain(&place, &Explain { client }).await?;
    output::result(
        global.format,
        "rollout explain",
        &explanation,
        &text(&explanation),
    );
    Ok(())
}

fn text(explanation: &Explanation) -> String {
    let decision = &explanation.decision;
    let mut text = match &decision.answer {
        Answer::Offer { version, forced } => format!(
            "offered {version}{}\n",
            if *forced { ", forced" } else { "" }
        ),
        Answer::NoUpdate => "no update\n".to_owned(),
    };
    let rows: Vec<_> = decision
        .reasons
        .iter()
        .enumerate()
        .map(|(step, reason)| vec![format!("{}.", step + 1), reason.clone()])
        .collect();
    text.push_str(&output::table(&rows));
    if !explanation.feeds.is_empty() {
        text.push_str("from a static feed, which does not see the client:\n");
        let rows: Vec<_> = explanation
            .feeds
            .iter()
            .map(|(feed, shows)| vec![feed.clone(), shows.clone()])
            .collect();
        text.push_str(&output::table(&rows));
    }
    text
}
