//! The capability probe: does this store keep the one promise that everything rests on?
//!
//! Some stores accept `If-None-Match` and `If-Match` and do nothing with them; nothing in the answer tells. Four
//! requests on `state/store.json` itself find out, before the first byte of anything else. The note they leave names
//! the store, so that a copy of it in another store is not believed.

use release::Refusal;
use release::document::{self, SCHEMA, WRITER};
use serde::{Deserialize, Serialize};

use crate::backend::{Backend, Write};
use crate::error::StoreError;
use crate::key::Key;
use crate::location::Location;
use crate::store::Store;

/// The document at `state/store.json`.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct StoreInfo {
    schema: u32,
    min_writer: u32,
    /// The version of the layout of keys.
    layout: u32,
    /// Which store this note is about.
    store: String,
    /// What is known of conditional writes.
    conditions: Conditions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Conditions {
    /// Not found out yet: the probe is on its way, or died on it.
    Probing,
    /// The store overwrote what it was told to keep.
    Ignored,
    /// They hold.
    Hold,
    /// They hold where the ETag comes without its quotes.
    HoldUnquoted,
}

impl Store {
    /// Makes sure that conditional writes hold here, by asking once per store.
    ///
    /// # Errors
    /// [`Refusal::StoreIgnoresConditions`] and [`Refusal::NetworkFileSystem`] where they do not.
    pub async fn prove(&self) -> Result<(), StoreError> {
        if let Backend::Directory(directory) = &self.backend {
            refuse_network(directory.root())?;
        }
        if let Some(found) = self.read_info().await? {
            match found.conditions {
                Conditions::Hold => return Ok(()),
                Conditions::HoldUnquoted => {
                    self.send_unquoted_tags();
                    return Ok(());
                }
                Conditions::Probing | Conditions::Ignored => {}
            }
        }
        self.probe().await
    }

    /// Reads what is known, for verbs that only look or stop. Whatever is wrong with the note is no reason for them to
    /// fail: a note that cannot be read tells nothing.
    pub async fn recall(&self) {
        #[derive(Deserialize)]
        struct Known {
            store: String,
            conditions: String,
        }
        let found = self.read(&Key::StoreInfo).await.ok().flatten();
        let known = found.and_then(|found| serde_json::from_slice::<Known>(&found.bytes).ok());
        if known.is_some_and(|known| {
            known.store == self.identity() && known.conditions == "hold-unquoted"
        }) {
            self.send_unquoted_tags();
        }
    }

    async fn read_info(&self) -> Result<Option<StoreInfo>, StoreError> {
        let Some(found) = self.read(&Key::StoreInfo).await? else {
            return Ok(None);
        };
        let info = document::parse::<StoreInfo>(&found.bytes, "state/store.json");
        let info = info.map_err(|error| self.damaged(&Key::StoreInfo, error.to_string()))?;
        document::writable(info.min_writer, "state/store.json")?;
        Ok(Some(info).filter(|info| info.store == self.identity()))
    }

    async fn probe(&self) -> Result<(), StoreError> {
        let (key, headers) = (Key::StoreInfo, Key::StoreInfo.headers());
        let path = key.path();
        let note = |conditions| document::render(&self.info(conditions));
        let ignored = |condition, request| {
            StoreError::Refused(Refusal::StoreIgnoresConditions {
                store: self.location.to_string(),
                condition,
                request,
                answer: "200".to_owned(),
            })
        };
        // 1. Something must stand there. Whoever put it, the next request must fail.
        self.create_or_find(&key, &note(Conditions::Probing))
            .await?;
        // 2. What is there must not be created again.
        let again = self
            .backend
            .create(
                &path,
                crate::backend::Body::Bytes(&note(Conditions::Ignored)),
                &headers,
            )
            .await?;
        if again == Write::Done {
            return Err(ignored("If-None-Match: *", "a second PUT of the same key"));
        }
        // 3. What is there must be replaceable by its tag, quoted or, on some stores, unquoted.
        let mut unquoted = false;
        let current = loop {
            let Some(current) = self.read(&key).await? else {
                return Err(self.damaged(&key, "it vanished while it was probed".to_owned()));
            };
            let conditions = if unquoted {
                Conditions::HoldUnquoted
            } else {
                Conditions::Hold
            };
            if current.bytes == note(Conditions::Hold)
                || current.bytes == note(Conditions::HoldUnquoted)
            {
                break current;
            }
            let replaced = self
                .backend
                .replace(&path, &note(conditions), &headers, &current.tag)
                .await?;
            if replaced == Write::ConditionFailed && !unquoted {
                unquoted = true;
                self.send_unquoted_tags();
            } else if replaced == Write::ConditionFailed {
                let moved = self
                    .read(&key)
                    .await?
                    .is_some_and(|now| now.tag != current.tag);
                if !moved {
                    return Err(self.damaged(
                        &key,
                        "neither its quoted nor its unquoted ETag satisfies `If-Match`".to_owned(),
                    ));
                }
            }
        };
        if current.bytes == note(Conditions::HoldUnquoted) {
            self.send_unquoted_tags();
        }
        // 4. A wrong tag must not do.
        let wrong = self
            .backend
            .replace(
                &path,
                &note(Conditions::Ignored),
                &headers,
                "\"00000000000000000000000000000000\"",
            )
            .await?;
        if wrong == Write::Done {
            return Err(ignored("If-Match", "a PUT with a wrong ETag"));
        }
        Ok(())
    }

    fn info(&self, conditions: Conditions) -> StoreInfo {
        StoreInfo {
            schema: SCHEMA,
            min_writer: WRITER,
            layout: 1,
            store: self.identity(),
            conditions,
        }
    }

    /// What tells this store from a copy of it elsewhere. A directory may move on its host, so it is just that.
    fn identity(&self) -> String {
        match &self.location {
            Location::S3(s3) => {
                let endpoint = s3.endpoint.as_deref().unwrap_or("aws");
                format!("s3://{}/{} at {endpoint}", s3.bucket, s3.prefix)
            }
            Location::Directory(_) => "directory".to_owned(),
        }
    }

    fn send_unquoted_tags(&self) {
        if let Backend::S3(s3) = &self.backend {
            s3.send_unquoted_tags();
        }
    }
}

/// Refuses a directory where `link` and locks cannot be trusted.
#[cfg(target_os = "linux")]
fn refuse_network(root: &std::path::Path) -> Result<(), StoreError> {
    // The directory may not be there yet: what counts is where it will be.
    let existing = root.ancestors().find(|folder| folder.exists());
    let place = existing
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(std::path::Path::new("."));
    let Ok(found) = rustix::fs::statfs(place) else {
        return Ok(());
    };
    match network_file_system(i128::from(found.f_type)) {
        Some(file_system) => Err(Refusal::NetworkFileSystem {
            path: release::name::printable(&root.to_string_lossy()),
            file_system: file_system.to_owned(),
        }
        .into()),
        None => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
fn refuse_network(_: &std::path::Path) -> Result<(), StoreError> {
    Ok(())
}

/// The network file systems by the numbers of `statfs` (linux/magic.h). FUSE is among them: sshfs, s3fs, and gcsfuse
/// look like it, and what looks local behind it cannot be told apart.
#[cfg(target_os = "linux")]
fn network_file_system(kind: i128) -> Option<&'static str> {
    match kind & 0xffff_ffff {
        0x6969 => Some("NFS"),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => Some("SMB"),
        0x6573_5546 => Some("FUSE"),
        0x00c3_6400 => Some("Ceph"),
        0x0102_1997 => Some("9P"),
        0x5346_414f | 0x6b41_4653 => Some("AFS"),
        0x0bd0_0bd0 => Some("Lustre"),
        0x4750_4653 => Some("GPFS"),
        _ => None,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_their_numbers() {
        assert_eq!(
            [0x6969, 0xff53_4d42, 0x6573_5546].map(network_file_system),
            [Some("NFS"), Some("SMB"), Some("FUSE")]
        );
        // ext4, tmpfs, overlayfs, btrfs, xfs
        assert_eq!(
            [0xef53, 0x0102_1994, 0x794c_7630, 0x9123_683e, 0x5846_5342].map(network_file_system),
            [None; 5]
        );
    }
}
