//! The verbs of a rollout. Each reads the head, lets `release` plan the next state, appends it, and projects it.

use std::collections::BTreeMap;

use release::Refusal;
use release::document::{SCHEMA, WRITER, writable};
use release::platform::PlatformPattern;
use release::revision::{ChannelState, Operation, Revision};
use release::rollout::{Head, Outcome};
use serde::Serialize;
use store::{Appended, StoredRevision};

use crate::error::Error;
use crate::place::{Author, Place};
use crate::project::converge_from;

mod advance;
mod explain;
mod follow;
mod plan;
mod start;
mod status;
mod stop;

pub use advance::{Advance, Resume, advance, resume};
pub use explain::{Explain, Explanation, explain};
pub use follow::catch_up;
pub use plan::{NextStep, Plan, plan};
pub use start::{Start, start};
pub use status::{PlatformStatus, Status, status};
pub use stop::{Rollback, halt, pause, rollback};

/// How often a revision is planned anew because others took its number.
const TRIES: u32 = 200;

/// What a verb did to a channel.
#[derive(Debug, Clone, Serialize)]
pub struct Changed {
    /// The verb.
    pub verb: &'static str,
    /// The newest revision, written now or before.
    pub revision: u64,
    /// Why nothing had to be written, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub already: Option<String>,
    /// What happened, by platform.
    pub changes: BTreeMap<String, String>,
    /// The channels that took over what completed, with the revision each is at.
    pub followed: BTreeMap<String, u64>,
    /// What a person should know besides.
    pub notes: Vec<String>,
    /// The projections that were written.
    pub projected: Vec<String>,
}

impl Changed {
    fn of(verb: &'static str) -> Self {
        Self {
            verb,
            revision: 0,
            already: None,
            changes: BTreeMap::new(),
            followed: BTreeMap::new(),
            notes: Vec::new(),
            projected: Vec::new(),
        }
    }
}

/// Which heads a verb may build on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heads {
    /// Those that this binary fully understands.
    Understood,
    /// Newer ones too: only `halt` may, as it makes things safer and touches nothing else.
    Any,
}

/// What a verb is called, with its arguments: together with the run, what makes two calls the same operation.
struct Call {
    verb: &'static str,
    arguments: BTreeMap<String, String>,
    heads: Heads,
    /// Whether something may have completed, for other channels to take over. What stops does not wait for that.
    raises: bool,
}

impl Call {
    fn new(
        verb: &'static str,
        arguments: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Self {
        let arguments = arguments
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        Self {
            verb,
            arguments,
            heads: Heads::Understood,
            raises: false,
        }
    }

    fn raising(self) -> Self {
        Self {
            raises: true,
            ..self
        }
    }
}

fn listed(platforms: &[PlatformPattern]) -> String {
    platforms
        .iter()
        .map(|pattern| format!("{pattern}"))
        .collect::<Vec<_>>()
        .join(",")
}

/// Plans on the head and appends; plans anew when somebody else was first; then projects.
async fn change(
    place: &Place,
    author: &Author,
    call: Call,
    transition: impl AsyncFn(Head) -> Result<Outcome, Error>,
) -> Result<Changed, Error> {
    let mut changed = Changed::of(call.verb);
    let written = append(place, author, &call, transition, &mut changed).await?;
    let Some(head) = written else {
        return Ok(changed);
    };
    // The change is committed. From here on nothing fails: what does not show it yet lags, and is named.
    let mut convergence = converge_from(place, head.clone()).await;
    if call.raises {
        let followed = catch_up(place, author, &head).await;
        changed.followed = followed.revisions;
        convergence.lagging.extend(followed.lagging);
    }
    changed.projected = convergence.written.clone();
    convergence.complete()?;
    Ok(changed)
}

/// The loop of one change. Gives the revision that is now the head as far as this verb is concerned.
async fn append(
    place: &Place,
    author: &Author,
    call: &Call,
    transition: impl AsyncFn(Head) -> Result<Outcome, Error>,
    changed: &mut Changed,
) -> Result<Option<StoredRevision>, Error> {
    let operation = Operation::new(
        &place.app,
        &place.channel,
        call.verb,
        call.arguments.clone(),
        &author.run,
    );
    for _ in 0..TRIES {
        let head = match call.heads {
            Heads::Understood => understood_head(place).await?,
            Heads::Any => place.log().head().await?,
        };
        match transition(as_head(head.as_ref())).await? {
            Outcome::Already(why) => {
                changed.revision = head.as_ref().map_or(0, |head| head.revision.revision);
                changed.already = Some(why);
                return Ok(head);
            }
            Outcome::Change { state, changes } => {
                let next = next_revision(place, author, head.as_ref(), &operation, *state);
                if let Appended::Ours(stored) = place.log().append(next).await? {
                    (changed.revision, changed.changes) = (stored.revision.revision, changes);
                    return Ok(Some(*stored));
                }
            }
        }
    }
    Err(Error::Crowded {
        channel: place.channel.to_string(),
        tries: TRIES,
    })
}

fn as_head(stored: Option<&StoredRevision>) -> Head {
    match stored {
        Some(stored) => Head {
            revision: stored.revision.revision,
            state: stored.revision.state.clone(),
        },
        None => Head {
            revision: 0,
            state: ChannelState::default(),
        },
    }
}

/// The next revision. What an older binary does not know of the head stays as it is, its schema included.
fn next_revision(
    place: &Place,
    author: &Author,
    head: Option<&StoredRevision>,
    operation: &Operation,
    state: ChannelState,
) -> Revision {
    let before = head.map(|head| &head.revision);
    Revision {
        schema: before.map_or(SCHEMA, |before| before.schema.max(SCHEMA)),
        min_writer: before.map_or(WRITER, |before| before.min_writer.max(WRITER)),
        app: place.app.clone(),
        channel: place.channel.clone(),
        revision: before.map_or(1, |before| before.revision + 1),
        previous: head.map(|head| head.digest),
        operation: operation.clone(),
        actor: author.actor.clone(),
        reason: author.reason.clone(),
        state,
        unknown: before
            .map(|before| before.unknown.clone())
            .unwrap_or_default(),
    }
}

/// The head, if this binary may build on it: written by none newer, and as clients were shown it.
pub(crate) async fn understood_head(place: &Place) -> Result<Option<StoredRevision>, Error> {
    let head = place.log().sound_head().await?;
    if let Some(head) = &head {
        let revision = head.revision.revision;
        let what = format!("{}/{} revision {revision}", place.app, place.channel);
        writable(head.revision.min_writer, &what)?;
    }
    Ok(head)
}

/// The head of a channel that must have one.
async fn existing(place: &Place) -> Result<StoredRevision, Error> {
    let head = place.log().head().await?;
    head.ok_or_else(|| Refusal::NoChannel(place.channel.clone()).into())
}
