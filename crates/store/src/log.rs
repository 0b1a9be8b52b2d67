//! The log of a channel: its revisions, each written once, each naming the digest of the one before.
//!
//! The head is found at the origin, never through a CDN: the projection gives a hint, and one listing from there on
//! gives everything newer. departs: the design probed `n+1` until 404; a listing costs one request at any distance, and
//! it sees a gap before anything is written into it.

use std::collections::BTreeMap;

use release::document;
use release::name::{App, Channel};
use release::{ChannelView, Revision, Sha256, Timestamp};

use crate::backend::Object;
use crate::error::StoreError;
use crate::key::Key;
use crate::store::Store;

/// How many revisions' times [`Log::times`] gives at most.
pub const TIMES_MAX: usize = 64;

/// A revision as it stands in the log.
#[derive(Debug, Clone)]
pub struct StoredRevision {
    /// The revision.
    pub revision: Revision,
    /// The digest of its bytes, as the next one names it.
    pub digest: Sha256,
    /// When it was written, by the store's clock.
    pub written: Timestamp,
}

/// What appending came to.
#[derive(Debug)]
pub enum Appended {
    /// It is in the log, written now or by an attempt whose answer was lost.
    Ours(Box<StoredRevision>),
    /// Somebody else's revision took the number. Decide again on it.
    Theirs,
}

/// The log of one channel.
#[derive(Debug, Clone)]
pub struct Log<'a> {
    store: &'a Store,
    app: App,
    channel: Channel,
}

impl<'a> Log<'a> {
    /// The log of a channel.
    pub fn new(store: &'a Store, app: &App, channel: &Channel) -> Self {
        Self {
            store,
            app: app.clone(),
            channel: channel.clone(),
        }
    }

    /// The newest revision; none before the first.
    pub async fn head(&self) -> Result<Option<StoredRevision>, StoreError> {
        let hint = self.hint().await?;
        let prefix = Key::log_prefix(&self.app, &self.channel);
        // From just before the hint on: if the hinted revision itself is not there, the log was cut.
        let after = hint
            .checked_sub(1)
            .filter(|from| *from > 0)
            .map(|from| self.key(from).path());
        let paths = self.store.backend.list(&prefix, after.as_deref()).await?;
        let first = hint.max(1);
        let Some(newest) = self.contiguous(&paths, first)? else {
            return if hint == 0 {
                Ok(None)
            } else {
                Err(self.gap(hint))
            };
        };
        self.at(newest)
            .await?
            .ok_or_else(|| self.gap(newest))
            .map(Some)
    }

    /// A revision by its number.
    pub async fn at(&self, number: u64) -> Result<Option<StoredRevision>, StoreError> {
        let key = self.key(number);
        match self.store.read(&key).await? {
            Some(object) => self.parse(&key, number, &object).map(Some),
            None => Ok(None),
        }
    }

    /// When revisions were written.
    pub async fn times(
        &self,
        numbers: impl IntoIterator<Item = u64>,
    ) -> Result<BTreeMap<u64, Timestamp>, StoreError> {
        let mut times = BTreeMap::new();
        for number in numbers.into_iter().take(TIMES_MAX) {
            if !times.contains_key(&number)
                && let Some(found) = self.at(number).await?
            {
                times.insert(number, found.written);
            }
        }
        Ok(times)
    }

    /// The numbers of all revisions, without a look at them.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where there is a gap: that is corruption, not the end.
    pub async fn numbers(&self) -> Result<Vec<u64>, StoreError> {
        let paths = self
            .store
            .backend
            .list(&Key::log_prefix(&self.app, &self.channel), None)
            .await?;
        Ok(self
            .contiguous(&paths, 1)?
            .map_or_else(Vec::new, |newest| (1..=newest).collect()))
    }

    /// Writes the next revision. A lost answer is settled by reading back and comparing the operation.
    pub async fn append(&self, revision: Revision) -> Result<Appended, StoreError> {
        let (number, bytes) = (revision.revision, document::render(&revision));
        let key = self.key(number);
        let found = match self.store.create_or_find(&key, &bytes).await? {
            // The time is the store's, so what was written is looked at once more.
            None => self.at(number).await?.ok_or_else(|| self.gap(number))?,
            Some(object) => self.parse(&key, number, &object)?,
        };
        let ours = found.revision.operation.id == revision.operation.id;
        Ok(if ours {
            Appended::Ours(Box::new(found))
        } else {
            Appended::Theirs
        })
    }

    /// Walks the whole log from the first revision on and checks each against the one before. Gives the head.
    pub async fn verify(
        &self,
        mut each: impl FnMut(&StoredRevision),
    ) -> Result<Option<StoredRevision>, StoreError> {
        let mut previous: Option<StoredRevision> = None;
        for number in self.numbers().await? {
            let found = self.at(number).await?.ok_or_else(|| self.gap(number))?;
            let expected = previous.as_ref().map(|previous| previous.digest);
            if found.revision.previous != expected {
                let shown = |digest: Option<Sha256>| {
                    digest.map_or("none".to_owned(), |digest| digest.to_string())
                };
                let reason = format!(
                    "it names {} as the digest of the revision before, which is {}; one of the two was changed",
                    shown(found.revision.previous),
                    shown(expected)
                );
                return Err(self.store.damaged(&self.key(number), reason));
            }
            each(&found);
            previous = Some(found);
        }
        self.check_projection(previous.as_ref()).await?;
        Ok(previous)
    }

    /// A hash chain alone does not show a cut-off tail; the projection, which names revision and digest, does.
    async fn check_projection(&self, head: Option<&StoredRevision>) -> Result<(), StoreError> {
        let key = Key::Channel(self.app.clone(), self.channel.clone());
        let Some(found) = self.store.read(&key).await? else {
            return Ok(());
        };
        let Ok(view) = document::parse::<ChannelView>(&found.bytes, &key.path()) else {
            return Ok(());
        };
        let number = head.map_or(0, |head| head.revision.revision);
        if view.revision > number {
            let reason = format!(
                "clients were shown revision {}, but the log ends at {number}: its tail is missing",
                view.revision
            );
            return Err(self.store.damaged(&self.key(view.revision), reason));
        }
        if let Some(head) = head
            .filter(|head| head.revision.revision == view.revision && head.digest != view.digest)
        {
            let reason = format!(
                "clients were shown it with digest {}, but it has {}: it was changed",
                view.digest, head.digest
            );
            return Err(self.store.damaged(&self.key(view.revision), reason));
        }
        Ok(())
    }

    fn key(&self, number: u64) -> Key {
        Key::Revision(self.app.clone(), self.channel.clone(), number)
    }

    /// The revision that the projection was derived from, or 0. A damaged projection gives no hint.
    async fn hint(&self) -> Result<u64, StoreError> {
        let key = Key::Channel(self.app.clone(), self.channel.clone());
        let found = self.store.read(&key).await?;
        Ok(found.and_then(|object| hinted(&object.bytes)).unwrap_or(0))
    }

    /// The newest of consecutive numbers that begin with `first`.
    fn contiguous(&self, paths: &[String], first: u64) -> Result<Option<u64>, StoreError> {
        let mut newest = None;
        for path in paths {
            let expected = newest.map_or(first, |newest: u64| newest + 1);
            match Key::revision_number(path) {
                Some(number) if number < expected => {}
                Some(number) if number == expected => newest = Some(number),
                Some(_) => return Err(self.gap(expected)),
                // Something that is no revision stands in the log's folder; it is nobody's successor.
                None => {}
            }
        }
        Ok(newest)
    }

    fn gap(&self, number: u64) -> StoreError {
        self.store.damaged(
            &self.key(number),
            "this revision is missing, but later ones exist or were shown to clients".to_owned(),
        )
    }

    fn parse(&self, key: &Key, number: u64, object: &Object) -> Result<StoredRevision, StoreError> {
        let revision = document::parse::<Revision>(&object.bytes, &key.path());
        let revision = revision.map_err(|error| self.store.damaged(key, error.to_string()))?;
        if (&revision.app, &revision.channel, revision.revision)
            != (&self.app, &self.channel, number)
        {
            let reason = format!(
                "it says it is revision {} of `{}` of `{}`",
                revision.revision, revision.channel, revision.app
            );
            return Err(self.store.damaged(key, reason));
        }
        Ok(StoredRevision {
            revision,
            digest: Sha256::of(&object.bytes),
            written: object.modified,
        })
    }
}

/// Only the number is read, so that the projection of a newer binary is a hint too.
fn hinted(bytes: &[u8]) -> Option<u64> {
    let value = serde_json::from_slice::<serde_json::Value>(bytes).ok()?;
    value.get("revision")?.as_u64()
}
