//! The command line. Every flag can be given as a variable `LASTMILE_<NAME>`; see `environment`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use ops::online::{Networks, Online};
use release::name::{App, Channel};
use signing::revocation::Demand;

use crate::verbs;

/// Takes a verified release to every user, tier by tier, and back.
#[derive(Debug, Parser)]
#[command(name = "lastmile", version, max_term_width = 80)]
#[command(
    after_help = "Exit codes: 0 done or already done · 1 a check failed · 2 usage or configuration · \
    3 refused by a rule · 4 conflict · 5 the world failed · 6 committed, not yet visible everywhere"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What every verb takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The configuration
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "lastmile.yml"
    )]
    pub(crate) config: PathBuf,
    /// How results are written
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned text, for people
    Text,
    /// One JSON document, for machines
    Json,
}

/// Where a verb acts.
#[derive(Debug, Clone, Args)]
pub(crate) struct PlaceArgs {
    /// The store, `s3://bucket/prefix?region=…` or `file:./dir`; else from the configuration
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// The app; else from the configuration
    #[arg(long)]
    pub(crate) app: Option<App>,
    /// The channel
    #[arg(long, default_value = "stable")]
    pub(crate) channel: Channel,
}

/// Which GitHub. Its token is GITHUB_TOKEN, and never an argument: whoever lists the processes of a machine reads those.
#[derive(Debug, Clone, Args)]
pub(crate) struct GitHubArgs {
    /// The repository on GitHub; else GITHUB_REPOSITORY
    #[arg(long, value_name = "OWNER/NAME")]
    pub(crate) repository: Option<github::Repository>,
    /// How long one request to GitHub may take
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) github_timeout: u64,
}

/// Whether the network is asked what was taken back. Else nobody is asked, and reports say so.
#[derive(Debug, Clone, Args)]
pub(crate) struct OnlineArgs {
    /// Ask whether certificates were revoked (OCSP, CRL), and Apple for notarization tickets; no answer fails, unless it is `best-effort`
    #[arg(long, value_name = "DEMAND", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "required")]
    pub(crate) online: Option<OnlineDemand>,
    /// Ask at private addresses and at any port too, for authorities of one's own
    #[arg(long, requires = "online")]
    pub(crate) online_private: bool,
    /// How long one request of `--online` may take
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub(crate) online_timeout: u64,
    /// Where Apple's tickets are asked for
    #[arg(long, value_name = "URL", hide = true, default_value = ops::online::TICKET_SERVICE)]
    pub(crate) ticket_service: String,
}

/// How much an answer matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnlineDemand {
    /// What nobody answers for is reported as not checked
    BestEffort,
    /// What nobody answers for fails
    #[value(alias = "true")]
    Required,
}

impl OnlineArgs {
    /// How the world is asked; none where it is not.
    pub(crate) fn online(&self) -> Option<Online> {
        let Self {
            online,
            online_private,
            online_timeout,
            ticket_service,
        } = self;
        Some(Online {
            demand: match online.as_ref()? {
                OnlineDemand::BestEffort => Demand::BestEffort,
                OnlineDemand::Required => Demand::Required,
            },
            networks: match online_private {
                true => Networks::Any,
                false => Networks::Public,
            },
            timeout: Duration::from_secs(*online_timeout),
            ticket_service: ticket_service.clone(),
        })
    }
}

/// In whose name a verb acts.
#[derive(Debug, Clone, Args)]
pub(crate) struct AuthorArgs {
    /// Who; else GITHUB_ACTOR, else the user's name
    #[arg(long)]
    pub(crate) actor: Option<String>,
    /// Why; stands in the audit trail
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// The run, the same for a re-run; else GITHUB_RUN_ID, else a new one
    #[arg(long)]
    pub(crate) run: Option<String>,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check or describe the configuration
    #[command(subcommand)]
    Config(verbs::config::Config),
    /// Check that every artifact is signed, whole, and by whom it must be
    Verify(verbs::verify::Verify),
    /// Show what files are and who signed them, with every check but identity
    Inspect(verbs::inspect::Inspect),
    /// Show the roots that signatures may chain to, which are compiled in, with their source and date
    Roots(verbs::roots::Roots),
    /// Verify as the Sigstore conformance suite asks
    #[command(subcommand, hide = true)]
    Sigstore(verbs::sigstore::Sigstore),
    /// Decide the next version from the commits, and tag it
    ///
    /// Commits follow conventionalcommits.org: a breaking change raises MAJOR (MINOR while it is 0.x), `feat` MINOR, `fix`,
    /// `perf`, and `revert` PATCH. A footer `Release-As: 2.0.0` decides instead. Where no tag has a version it begins with
    /// 0.1.0, or as the configuration says. Neither git nor a configuration is needed; a shallow clone is refused.
    Tag(verbs::tag::Tag),
    /// Verify, then make the version exist: artifacts, checksums, record
    Publish(verbs::publish::Publish),
    /// Let a published release out, tier by tier; stop; go back
    #[command(subcommand)]
    Rollout(verbs::rollout::Rollout),
    /// Derive feeds and projections again, wherever a crash left them behind
    Reconcile(verbs::reconcile::Reconcile),
    /// Show or verify who did what to a channel
    #[command(subcommand)]
    Audit(verbs::audit::Audit),
    /// Show the whole way of a release, on this machine, in seconds
    Demo(verbs::demo::Demo),
}

/// Parses, or shows help or what is wrong (exit 2, the code of usage).
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Cli, ExitCode> {
    Cli::try_parse_from(&arguments).map_err(|error| {
        let code = u8::try_from(error.exit_code()).unwrap_or(2);
        let error = quoted_safely(error, &arguments);
        // Where not even the message can be printed, the code still tells.
        let _ = error.print();
        if error.use_stderr() {
            let text = error.render().to_string();
            let message = text.trim_start_matches("error: ").trim_end();
            crate::runner::failure(code, "error", message, None);
        }
        ExitCode::from(code)
    })
}

/// The message quotes arguments as they are, and variables of an action become arguments. So that none writes lines of
/// its own, the message is made anew from arguments without control characters.
fn quoted_safely(error: clap::Error, arguments: &[OsString]) -> clap::Error {
    let is_plain = |argument: &OsString| !argument.to_string_lossy().contains(char::is_control);
    if arguments.iter().all(is_plain) {
        return error;
    }
    let plain = arguments
        .iter()
        .map(|argument| release::name::printable(&argument.to_string_lossy()));
    match Cli::try_parse_from(plain) {
        Err(error) => error,
        Ok(_) => clap::Error::raw(
            clap::error::ErrorKind::InvalidValue,
            "an argument holds control characters\n",
        ),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn a_wrong_value_writes_no_line_of_its_own() {
        let arguments = [
            "lastmile",
            "audit",
            "show",
            "--channel=a\n::warning::b\u{1b}[0m",
        ];
        let arguments: Vec<_> = arguments.into_iter().map(Into::into).collect();
        let error = super::Cli::try_parse_from(&arguments).expect_err("a wrong channel");
        let shown = super::quoted_safely(error, &arguments).render().to_string();
        assert!(shown.contains("a\\u{a}::warning::b\\u{1b}"), "{shown}");
        assert!(!shown.contains("\n::"), "{shown}");
    }

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
