//! The verbs, one file each: flags in, a request for `ops`, its result shown.

use std::process::ExitCode;

use crate::cli::{Cli, Verb};
use crate::failure::Failure;

pub(crate) mod audit;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod inspect;
pub(crate) mod publish;
pub(crate) mod reconcile;
pub(crate) mod rollout;
pub(crate) mod roots;
pub(crate) mod sigstore;
pub(crate) mod tag;
pub(crate) mod verify;

/// Runs the verb.
pub(crate) async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let Cli { global, verb } = cli;
    match verb {
        Verb::Config(args) => config::run(&global, &args),
        Verb::Verify(args) => verify::run(&global, &args).await,
        Verb::Inspect(args) => inspect::run(&global, &args).await,
        Verb::Roots(args) => roots::run(&global, &args),
        Verb::Sigstore(args) => sigstore::run(&args),
        Verb::Tag(args) => tag::run(&global, &args).await,
        Verb::Publish(args) => publish::run(&global, &args).await,
        Verb::Rollout(args) => rollout::run(&global, &args).await,
        Verb::Reconcile(args) => reconcile::run(&global, &args).await,
        Verb::Audit(args) => audit::run(&global, &args).await,
        Verb::Demo(args) => demo::run(&args).await,
    }?;
    Ok(ExitCode::SUCCESS)
}
