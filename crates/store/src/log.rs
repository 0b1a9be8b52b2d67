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

    /// The newest revision, which must be what clients were shown; none before the first.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it was changed after its projection was written.
    pub async fn sound_head(&self) -> Result<Option<StoredRevision>, StoreError> {
        let (head, shown) = self.find().await?;
        match (&head, shown) {
            (Some(found), Some(shown))
                if found.revision.revision == shown.0 && found.digest != shown.1 =>
            {
                Err(self.changed(shown.0, shown.1, found.digest))
            }
            _ => Ok(head),
        }
    }

    /// The newest revision as it is; none before the first. For what only reads, and for `halt`, which must get through.
    pub async fn head(&self) -> Result<Option<StoredRevision>, StoreError> {
        Ok(self.find().await?.0)
    }

    /// The newest revision, and number and digest of the one that clients are shown.
    async fn find(&self) -> Result<(Option<StoredRevision>, Option<(u64, Sha256)>), StoreError> {
        let shown = self.shown().await?;
        let hint = shown.map_or(0, |(number, _)| number);
        let head = self.newest_from(hint).await?;
        Ok((
            head,
            shown.and_then(|(number, digest)| Some((number, digest?))),
        ))
    }

    async fn newest_from(&self, hint: u64) -> Result<Option<StoredRevision>, StoreError> {
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
            None => StoredRevision {
                digest: Sha256::of(&bytes),
                written: self.store.now(),
                revision: revision.clone(),
            },
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
            return Err(self.changed(view.revision, view.digest, head.digest));
        }
        Ok(())
    }

    fn key(&self, number: u64) -> Key {
        Key::Revision(self.app.clone(), self.channel.clone(), number)
    }

    /// Number and digest of the revision that the projection was derived from. A damaged projection tells neither.
    async fn shown(&self) -> Result<Option<(u64, Option<Sha256>)>, StoreError> {
        let key = Key::Channel(self.app.clone(), self.channel.clone());
        let found = self.store.read(&key).await?;
        Ok(found.and_then(|object| shown(&object.bytes)))
    }

    fn changed(&self, number: u64, shown: Sha256, found: Sha256) -> StoreError {
        let reason = format!(
            "clients were shown it with digest {shown}, but it has {found}: it was changed"
        );
        self.store.damaged(&self.key(number), reason)
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

/// Nothing else is read, so that the projection of a newer binary tells it too.
fn shown(bytes: &[u8]) -> Option<(u64, Option<Sha256>)> {
    let value = serde_json::from_slice::<serde_json::Value>(bytes).ok()?;
    let digest = value.get("digest").and_then(serde_json::Value::as_str);
    Some((
        value.get("revision")?.as_u64()?,
        digest.and_then(|text| text.parse().ok()),
    ))
}
