//! From flags, environment, and configuration to what the verbs need.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ops::config::{AppConfig, Config};
use ops::status::Among;
use ops::{Author, Error, Place};
use release::commit::CommitId;
use release::name::App;
use release::revision::Actor;
use release::{Timestamp, Version};
use store::{Location, Store};

use crate::cli::{AuthorArgs, GitHubArgs, Global, PlaceArgs};

/// The configuration of one app, and the folder that its paths are relative to.
pub(crate) struct Loaded {
    pub(crate) app: AppConfig,
    pub(crate) among: Among,
    pub(crate) root: PathBuf,
}

impl Loaded {
    /// The configured store; a directory is relative to the configuration, as everything in it is.
    pub(crate) fn store(&self) -> Result<Location, Error> {
        Ok(match location(&self.app.store)? {
            Location::Directory(folder) if self.root != Path::new(".") => {
                Location::Directory(self.root.join(folder))
            }
            other => other,
        })
    }
}

/// The largest description of an event that is read, in bytes (docs.github.com, "Webhook events and payloads").
const EVENT_BYTES_MAX: u64 = 25 * 1024 * 1024;
/// The largest configuration that is read, in bytes.
const CONFIG_BYTES_MAX: u64 = 256 * 1024;

/// Reads the configuration of the app that is asked for, or of the only one.
pub(crate) fn load(global: &Global, app: Option<&App>) -> Result<Loaded, Error> {
    let config = parse(global)?;
    let folder = global
        .config
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let root = folder.unwrap_or(Path::new(".")).to_owned();
    Ok(Loaded {
        app: config.app(app)?.clone(),
        among: if config.apps().count() > 1 {
            Among::Others
        } else {
            Among::Itself
        },
        root,
    })
}

/// The configuration if there is one: a verb that has defaults needs none, unless it was asked for by name.
pub(crate) fn load_if_there(global: &Global, app: Option<&App>) -> Result<Option<Loaded>, Error> {
    let is_default = global.config.as_os_str() == "lastmile.yml";
    let is_there = global.config.symlink_metadata().is_ok();
    if is_default && !is_there && app.is_none() {
        return Ok(None);
    }
    load(global, app).map(Some)
}

/// Reads the whole configuration.
pub(crate) fn parse(global: &Global) -> Result<Config, Error> {
    let shown = release::name::printable(&global.config.to_string_lossy());
    let text = read_text(&global.config, CONFIG_BYTES_MAX);
    let text = text.map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => Error::Missing {
            what: "lastmile.yml",
            next: format!("`{shown}` is not there; write one, or give `--config`"),
        },
        _ => Error::Local {
            path: shown.clone(),
            source,
        },
    })?;
    Ok(Config::parse(&text, &shown)?)
}

/// A small text file.
pub(crate) fn read_text(path: &Path, bytes_max: u64) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?
        .take(bytes_max + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > bytes_max {
        return Err(std::io::Error::other(format!(
            "larger than {bytes_max} bytes"
        )));
    }
    Ok(text)
}

/// The place of a verb. Where store and app are given, the configuration is not even looked at: `halt` must work with
/// a broken one.
pub(crate) async fn place(global: &Global, args: &PlaceArgs) -> Result<Place, Error> {
    let (location, app) = match (&args.store, &args.app) {
        (Some(store), Some(app)) => (location(store)?, app.clone()),
        (store, app) => {
            let loaded = load(global, app.as_ref())?;
            let location = match store {
                Some(store) => location(store)?,
                None => loaded.store()?,
            };
            (location, loaded.app.app)
        }
    };
    Ok(Place {
        store: Store::open(location).await,
        app,
        channel: args.channel.clone(),
    })
}

/// The flags that lead another command to the same place, each after a space.
pub(crate) fn place_flags(global: &Global, args: &PlaceArgs) -> String {
    let mut flags = String::new();
    let mut add = |name: &str, value: &str| {
        // Whatever is not plain would have to be quoted for some shell; it is left to the person.
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
        let quoted = if value.chars().all(plain) {
            value.to_owned()
        } else {
            format!("'{}'", release::name::printable(value))
        };
        flags.push_str(&format!(" --{name} {quoted}"));
    };
    if let Some(store) = &args.store {
        add("store", store);
    }
    if let Some(app) = &args.app {
        add("app", app.as_str());
    }
    if global.config.as_os_str() != "lastmile.yml" {
        add("config", &global.config.to_string_lossy());
    }
    flags
}

/// The place of a store.
pub(crate) fn location(text: &str) -> Result<Location, Error> {
    Ok(text.parse::<Location>()?)
}

/// Who acts, why, and in which run.
pub(crate) fn author(args: &AuthorArgs) -> Author {
    let name = args.actor.clone().or_else(github_actor).or_else(user);
    Author {
        actor: Actor::asserted(name.unwrap_or_else(|| "unknown".to_owned())),
        reason: args.reason.clone(),
        run: run(args.run.as_deref()),
    }
}

/// The run, without its attempt.
pub(crate) fn run(given: Option<&str>) -> String {
    known_run(given).unwrap_or_else(new_run)
}

/// The run of a publication. Where no system names runs, whoever publishes from this folder is continued by the same
/// person from the same folder, so that the same command again ends what a failure cut short.
pub(crate) fn publishing_run(given: Option<&str>, loaded: &Loaded) -> String {
    known_run(given).unwrap_or_else(|| {
        let folder = std::path::absolute(&loaded.root).unwrap_or_else(|_| loaded.root.clone());
        let who = format!("{}\0{}", user().unwrap_or_default(), folder.display());
        let digest = release::Sha256::of(who.as_bytes()).to_string();
        format!("local-{}", &digest[..16])
    })
}

fn known_run(given: Option<&str>) -> Option<String> {
    let github = || variable("GITHUB_RUN_ID").map(|id| format!("github-{id}"));
    given.map(str::to_owned).or_else(github)
}

/// A run of its own: nobody else's, and not continued by anybody.
fn new_run() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    format!(
        "local-{:016x}",
        RandomState::new().hash_one(std::process::id())
    )
}

/// Who started the run.
pub(crate) fn github_actor() -> Option<String> {
    variable("GITHUB_ACTOR")
}

fn user() -> Option<String> {
    variable("USER").or_else(|| variable("USERNAME"))
}

/// The repository on GitHub, if the environment of the run names one and gives a token for it.
pub(crate) fn github(args: &GitHubArgs) -> Result<Option<github::Write>, Error> {
    let Some(token) = variable("GITHUB_TOKEN") else {
        return Ok(None);
    };
    let repository = match (&args.repository, variable("GITHUB_REPOSITORY")) {
        (Some(repository), _) => repository.clone(),
        (None, Some(text)) => text.parse()?,
        (None, None) => return Ok(None),
    };
    let api = variable("GITHUB_API_URL").map(|text| text.parse());
    let place = github::Place {
        api: api.transpose()?.unwrap_or_default(),
        repository,
        token: Some(token.parse()?),
        attempt_timeout: Duration::from_secs(args.github_timeout),
    };
    Ok(Some(github::Write::open(place)?))
}

/// The head of the pull request that this run is for. GITHUB_SHA is then a merge that nobody sees (docs.github.com, "Events
/// that trigger workflows", `pull_request`), and a status on it would be shown nowhere.
pub(crate) fn pull_request_head() -> Option<CommitId> {
    #[derive(serde::Deserialize)]
    struct Event {
        pull_request: Option<PullRequest>,
    }
    #[derive(serde::Deserialize)]
    struct PullRequest {
        head: Head,
    }
    #[derive(serde::Deserialize)]
    struct Head {
        sha: CommitId,
    }
    // `pull_request_target` has the head in its event too, and checks out the base: that head was not verified.
    variable("GITHUB_EVENT_NAME").filter(|name| name == "pull_request")?;
    let text = read_text(Path::new(&variable("GITHUB_EVENT_PATH")?), EVENT_BYTES_MAX).ok()?;
    let event: Event = serde_json::from_str(&text).ok()?;
    Some(event.pull_request?.head.sha)
}

/// The page of this run.
pub(crate) fn run_url() -> Option<String> {
    let (server, repository) = (
        variable("GITHUB_SERVER_URL")?,
        variable("GITHUB_REPOSITORY")?,
    );
    let run: u64 = variable("GITHUB_RUN_ID")?.parse().ok()?;
    Some(format!("{server}/{repository}/actions/runs/{run}"))
}

/// What is said where it is needed and not there.
pub(crate) fn no_github(what: &str) -> Error {
    Error::Missing {
        what: "GITHUB_TOKEN",
        next: format!(
            "{what} through GitHub; give its token and GITHUB_REPOSITORY (the actions do: `token: ${{{{ github.token }}}}`)"
        ),
    }
}

/// When the release was made: as given, or as reproducible builds say it (reproducible-builds.org, SOURCE_DATE_EPOCH).
pub(crate) fn date(given: Option<Timestamp>) -> Option<Timestamp> {
    given.or_else(|| Timestamp::from_unix(variable("SOURCE_DATE_EPOCH")?.parse().ok()?).ok())
}

/// The commit that was built.
pub(crate) fn commit(given: Option<&str>) -> Option<String> {
    given.map(str::to_owned).or_else(|| variable("GITHUB_SHA"))
}

/// The version: as given, or where the configuration says it stands.
pub(crate) fn version(loaded: &Loaded, given: Option<&Version>) -> Result<Version, Error> {
    match given {
        Some(version) => Ok(version.clone()),
        None => {
            let AppConfig {
                version,
                tag_format,
                ..
            } = &loaded.app;
            Ok(ops::version::read(&loaded.root, version, tag_format)?)
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
