//! `lastmile publish`.

use std::time::Duration;

use clap::Args;
use ops::config::GitHubRelease;
use ops::publish::{Published, Request, Target};
use release::name::App;
use release::{Timestamp, Version};
use store::Store;

use super::verify;
use crate::cli::{GitHubArgs, Global, OnlineArgs};
use crate::context::{self, Loaded};
use crate::failure::Failure;
use crate::output;
use crate::progress;

/// Verify, then make the version exist
#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// The store; else from the configuration
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// The app; else the only one of the configuration
    #[arg(long)]
    app: Option<App>,
    /// The version; else where the configuration says it stands
    #[arg(long)]
    version: Option<Version>,
    /// The commit that was built; else GITHUB_SHA
    #[arg(long)]
    commit: Option<String>,
    /// When the release was made, for feeds; else SOURCE_DATE_EPOCH
    #[arg(long, value_name = "TIME")]
    date: Option<Timestamp>,
    /// The run, the same for a re-run; else GITHUB_RUN_ID, else this user in this folder
    #[arg(long)]
    run: Option<String>,
    /// Seconds to wait for another run that publishes the same bytes
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    wait: u64,
    #[command(flatten)]
    online: OnlineArgs,
    #[command(flatten)]
    github: GitHubArgs,
}

pub(crate) async fn run(global: &Global, args: &Publish) -> Result<(), Failure> {
    let loaded = context::load(global, args.app.as_ref())?;
    let request = Request {
        verify: ops::verify::Request {
            online: args.online.online(),
            ..verify::request(&loaded, args.version.as_ref())?
        },
        app: loaded.app.app.clone(),
        commit: context::commit(args.commit.as_deref()),
        date: context::date(args.date),
        run: context::publishing_run(args.run.as_deref(), &loaded),
        wait: Duration::from_secs(args.wait),
        github: target(&loaded, &args.github)?,
    };
    let location = match &args.store {
        Some(store) => context::location(store)?,
        None => loaded.store()?,
    };
    let store = Store::open(location).await;
    let published = ops::publish::run(&store, &request, &progress::reporter(global.format)).await;
    let published = published.map_err(|error| verify::failure(global, error))?;
    let text = text(&request, &store, &published);
    output::result(global.format, "publish", &published, &text);
    Ok(())
}

/// Where the configuration wants a GitHub release made.
fn target(loaded: &Loaded, args: &GitHubArgs) -> Result<Option<Target>, Failure> {
    match loaded.app.github_release {
        None => Ok(None),
        Some(GitHubRelease::AllAssets) => {
            let github = context::github(args)?;
            Ok(Some(Target {
                github: github
                    .ok_or_else(|| context::no_github("`github-release` makes a release"))?,
                tag_format: loaded.app.tag_format.clone(),
            }))
        }
    }
}

fn text(request: &Request, store: &Store, published: &Published) -> String {
    let what = if published.already {
        "is already published in"
    } else {
        "is published in"
    };
    let mut text = verify::extra_roots(&published.extra_roots);
    for name in &published.allowed {
        text.push_str(&format!(
            "WARNING: not signed, and allowed by the policy: {name}\n"
        ));
    }
    text.push_str(&format!(
        "{} {} {what} {}\n",
        request.app,
        published.version,
        store.location()
    ));
    let rows: Vec<_> = published
        .artifacts
        .iter()
        .map(verify::artifact_row)
        .collect();
    text.push_str(&output::table(&rows));
    text.push_str(&format!("record sha256 {}\n", published.record));
    if let Some(on_github) = &published.github {
        for other in &on_github.others {
            text.push_str(&format!(
                "WARNING: the GitHub release also has `{other}`, which nobody verified\n"
            ));
        }
        text.push_str(&format!(
            "GitHub release {} with {} assets: {}{}\n",
            release::name::printable(&on_github.tag),
            on_github.assets,
            release::name::printable(&on_github.url),
            if on_github.immutable {
                " (immutable)"
            } else {
                ""
            },
        ));
    }
    if published.already {
        text.push_str("nothing was written\n");
    } else {
        text.push_str(&format!(
            "nobody gets it yet; next: lastmile rollout start --version {}\n",
            published.version
        ));
    }
    text
}
