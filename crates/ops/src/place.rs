//! Where a verb acts, and in whose name.

use release::name::{App, Channel};
use release::revision::Actor;
use store::{Log, Store};

/// A channel of an app in a store: all that `halt` needs.
#[derive(Debug, Clone)]
pub struct Place {
    /// The store.
    pub store: Store,
    /// The app.
    pub app: App,
    /// The channel.
    pub channel: Channel,
}

impl Place {
    /// The channel's log.
    pub fn log(&self) -> Log<'_> {
        Log::new(&self.store, &self.app, &self.channel)
    }

    /// Another channel of the same app.
    pub fn sibling(&self, channel: &Channel) -> Self {
        Self {
            channel: channel.clone(),
            ..self.clone()
        }
    }
}

/// Who does something, why, and in which run.
#[derive(Debug, Clone)]
pub struct Author {
    /// Who.
    pub actor: Actor,
    /// Why, in their words.
    pub reason: Option<String>,
    /// The run, without its attempt: a re-run is the same operation.
    pub run: String,
}
