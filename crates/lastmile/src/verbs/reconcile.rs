//! `lastmile reconcile`.

use clap::Args;
use release::name::{App, Channel};

use crate::cli::{AuthorArgs, Global, PlaceArgs};
use crate::context;
use crate::failure::Failure;
use crate::output;

/// Derive feeds and projections again
#[derive(Debug, Args)]
pub(crate) struct Reconcile {
    /// The store; else from the configuration
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// The app; else from the configuration
    #[arg(long)]
    app: Option<App>,
    /// One channel; else all that have a log
    #[arg(long)]
    channel: Option<Channel>,
    #[command(flatten)]
    author: AuthorArgs,
}

pub(crate) async fn run(global: &Global, args: &Reconcile) -> Result<(), Failure> {
    // The place needs some channel; `reconcile` finds the others from it.
    let channel = args.channel.clone().unwrap_or_else(Channel::stable);
    let place = PlaceArgs {
        store: args.store.clone(),
        app: args.app.clone(),
        channel,
    };
    let place = context::place(global, &place).await?;
    let author = context::author(&args.author);
    let done = ops::reconcile::reconcile(&place, &author, args.channel.as_ref()).await?;
    let rows: Vec<_> = done
        .iter()
        .map(|one| {
            let written = match one.convergence.written.len() {
                0 => "all there".to_owned(),
                count => format!("{count} written anew"),
            };
            vec![
                one.channel.to_string(),
                format!("revision {}", one.convergence.revision),
                written,
            ]
        })
        .collect();
    let text = if rows.is_empty() {
        "no channel has a revision\n".to_owned()
    } else {
        output::table(&rows)
    };
    output::result(global.format, "reconcile", &done, &text);
    Ok(())
}
