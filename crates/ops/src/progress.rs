//! What a verb tells while it works. The binary draws it; nobody else listens.

use std::fmt;
use std::sync::Arc;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A stage of the work began.
    Stage {
        /// What is being done, `verify`.
        name: &'static str,
        /// Over how many bytes.
        bytes: u64,
    },
    /// More bytes were moved or hashed.
    Advanced(u64),
    /// An item is done.
    Finished(String),
    /// Something takes longer than it should, and why.
    Waiting(String),
}

/// Where events go.
#[derive(Clone)]
pub struct Reporter(Arc<dyn Fn(Event) + Send + Sync>);

impl Reporter {
    /// A reporter that calls this.
    pub fn new(tell: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Nobody listens.
    pub fn silent() -> Self {
        Self::new(|_| {})
    }

    /// Tells.
    pub fn tell(&self, event: Event) {
        (self.0)(event);
    }

    /// What the store tells of moved bytes.
    pub fn bytes(&self) -> store::Progress {
        let this = self.clone();
        Arc::new(move |bytes| this.tell(Event::Advanced(bytes)))
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reporter")
    }
}
