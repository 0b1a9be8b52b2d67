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
use crate::project::{Convergence, converge};

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
    let mut changed = Changed {
        verb: call.verb,
        revision: 0,
        already: None,
        changes: BTreeMap::new(),
        followed: BTreeMap::new(),
        notes: Vec::new(),
        projected: Vec::new(),
    };
    let written = append(place, author, &call, transition, &mut changed).await?;
    if let Some(head) = written.filter(|head| !head.revision.state.followers.is_empty()) {
        changed.followed = catch_up(place, author, &head).await?;
    }
    if let Some(Convergence {
        revision,
        written,
        lagging,
    }) = converge(place).await?
    {
        changed.projected = written.clone();
        Convergence {
            revision,
            written,
            lagging,
        }
        .complete()?;
    }
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
        let head = place.log().head().await?;
        if let Some(head) = head.as_ref().filter(|_| call.heads == Heads::Understood) {
            writable(
                head.revision.min_writer,
                &format!(
                    "{}/{} revision {}",
                    place.app, place.channel, head.revision.revision
                ),
            )?;
        }
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

/// The head of a channel that must have one.
async fn existing(place: &Place) -> Result<StoredRevision, Error> {
    let head = place.log().head().await?;
    head.ok_or_else(|| Refusal::NoChannel(place.channel.clone()).into())
}
