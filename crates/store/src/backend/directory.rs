//! A directory as a store, on one host. Safe between processes and against `kill -9`; not for network file systems.
//!
//! create = temporary file, fsync, `link` (which fails if the name exists), fsync of the directory.
//! replace = compare under a lock file, then rename. Headers stand in a sidecar under `.lastmile/headers/`.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use release::name::printable;
use release::{Sha256, Timestamp, document};
use sha2::Digest as _;

use super::{Body, Info, Object, Write};
use crate::crash;
use crate::error::StoreError;
use crate::key::Headers;

/// Bytes moved at a time.
const CHUNK_BYTES: usize = 1024 * 1024;
/// How long a replacement waits for another process that is replacing the same object.
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// Temporary files of processes that died are removed after this long.
const LITTER_AGE: Duration = Duration::from_secs(3_600);

#[derive(Debug, Clone)]
pub(crate) struct Directory {
    root: Arc<PathBuf>,
}

impl Directory {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self {
            root: Arc::new(root),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn now() -> Timestamp {
        timestamp(SystemTime::now())
    }

    pub(crate) async fn get(
        &self,
        path: &str,
        bytes_max: u64,
    ) -> Result<Option<Object>, StoreError> {
        let file = self.at(path);
        self.run("read", path, move |_| get(&file, bytes_max)).await
    }

    pub(crate) async fn head(&self, path: &str) -> Result<Option<Info>, StoreError> {
        let file = self.at(path);
        self.run("look at", path, move |_| head(&file)).await
    }

    pub(crate) async fn create(
        &self,
        path: &str,
        body: Body<'_>,
        headers: &Headers,
    ) -> Result<Write, StoreError> {
        let (key, headers) = (path.to_owned(), sidecar(headers));
        match body {
            Body::Bytes(bytes) => {
                let bytes = bytes.to_vec();
                self.run("create", path, move |store| {
                    store.create_with(&key, &headers, |file| file.write_all(&bytes))
                })
                .await
            }
            Body::File {
                path: source,
                sha256,
                progress,
                ..
            } => {
                let (from, progress) = (source.to_owned(), progress.clone());
                let fill = move |file: &mut File| copy(&from, file, sha256, &progress);
                let written = self
                    .run("create", path, move |store| {
                        Ok(store.create_with(&key, &headers, fill))
                    })
                    .await?;
                written.map_err(|error| match error.downcast::<Changed>() {
                    Ok(Changed { found }) => StoreError::SourceChanged {
                        path: printable(&source.to_string_lossy()),
                        expected: format!("sha256 {sha256}"),
                        found,
                    },
                    Err(error) => self.failed("create", path, &error),
                })
            }
        }
    }

    pub(crate) async fn replace(
        &self,
        path: &str,
        bytes: &[u8],
        headers: &Headers,
        tag: &str,
    ) -> Result<Write, StoreError> {
        let (key, bytes, headers, tag) = (
            path.to_owned(),
            bytes.to_vec(),
            sidecar(headers),
            tag.to_owned(),
        );
        self.run("replace", path, move |store| {
            store.replace_with(&key, &bytes, &headers, &tag)
        })
        .await
    }

    pub(crate) async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Vec<String>, StoreError> {
        let (folder, after, prefix_owned) =
            (self.at(prefix), after.map(str::to_owned), prefix.to_owned());
        self.run("list", prefix, move |_| {
            let names = entries(&folder, false)?
                .into_iter()
                .map(|name| format!("{prefix_owned}{name}"));
            Ok(names
                .filter(|path| after.as_ref().is_none_or(|after| path > after))
                .collect())
        })
        .await
    }

    pub(crate) async fn folders(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
        let folder = self.at(prefix);
        self.run("list", prefix, move |_| entries(&folder, true))
            .await
    }

    /// Removes temporary files that died with their process.
    pub(crate) async fn sweep(&self) {
        let folder = self.root.join(".lastmile/tmp");
        let swept = tokio::task::spawn_blocking(move || {
            for name in entries(&folder, false).unwrap_or_default() {
                let path = folder.join(name);
                let age = fs::metadata(&path)
                    .and_then(|meta| meta.modified())
                    .ok()
                    .and_then(|at| at.elapsed().ok());
                if age.is_some_and(|age| age > LITTER_AGE) {
                    let _ = fs::remove_file(path);
                }
            }
        });
        // Litter that stays does no harm.
        let _ = swept.await;
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    async fn run<T: Send + 'static>(
        &self,
        action: &'static str,
        path: &str,
        work: impl FnOnce(&Self) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.unwrap_or_else(|panic| Err(io::Error::other(panic)))
            .map_err(|error| self.failed(action, path, &error))
    }

    fn failed(&self, action: &'static str, path: &str, error: &io::Error) -> StoreError {
        let store = format!("file:{}", printable(&self.root.to_string_lossy()));
        StoreError::Failed {
            action,
            key: path.to_owned(),
            store,
            reason: error.to_string(),
        }
    }

    fn create_with(
        &self,
        path: &str,
        headers: &[u8],
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<Write> {
        let target = self.at(path);
        if target.try_exists()? {
            return Ok(Write::ConditionFailed);
        }
        let temporary = self.temporary(fill)?;
        // The headers depend on the key alone, so it does not matter whose sidecar stands when two race.
        self.put_headers(path, headers)?;
        make_folder(&target)?;
        crash::point();
        let linked = fs::hard_link(&temporary, &target);
        crash::point();
        fs::remove_file(&temporary)?;
        match linked {
            Ok(()) => sync_folder(&target).map(|()| Write::Done),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Ok(Write::ConditionFailed)
            }
            Err(error) => Err(error),
        }
    }

    fn replace_with(
        &self,
        path: &str,
        bytes: &[u8],
        headers: &[u8],
        tag: &str,
    ) -> io::Result<Write> {
        let target = self.at(path);
        let lock = self
            .root
            .join(".lastmile/locks")
            .join(Sha256::of(path.as_bytes()).to_string());
        make_folder(&lock)?;
        // The lock goes with the process, so a killed writer never leaves it behind.
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(lock)?;
        wait_for(&lock)?;
        match get(&target, document::DOCUMENT_BYTES_MAX)? {
            Some(current) if current.tag == tag => {}
            _ => return Ok(Write::ConditionFailed),
        }
        let temporary = self.temporary(|file| file.write_all(bytes))?;
        self.put_headers(path, headers)?;
        crash::point();
        fs::rename(&temporary, &target)?;
        crash::point();
        sync_folder(&target)?;
        Ok(Write::Done)
    }

    /// A synced temporary file on the same file system.
    fn temporary(&self, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<PathBuf> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let nanos = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.subsec_nanos());
        let path = self.root.join(format!(
            ".lastmile/tmp/{}-{number}-{nanos}",
            std::process::id()
        ));
        make_folder(&path)?;
        crash::point();
        let mut file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .open(&path)?;
        let filled = fill(&mut file).and_then(|()| {
            crash::point();
            file.sync_all()
        });
        if filled.is_err() {
            let _ = fs::remove_file(&path);
        }
        filled.map(|()| path)
    }

    fn put_headers(&self, path: &str, headers: &[u8]) -> io::Result<()> {
        let sidecar = self
            .root
            .join(".lastmile/headers")
            .join(format!("{path}.json"));
        if fs::read(&sidecar).is_ok_and(|found| found == headers) {
            return Ok(());
        }
        let temporary = self.temporary(|file| file.write_all(headers))?;
        make_folder(&sidecar)?;
        fs::rename(temporary, sidecar)
    }
}

fn get(path: &Path, bytes_max: u64) -> io::Result<Option<Object>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let modified = timestamp(file.metadata()?.modified()?);
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(io::Error::other(format!("larger than {bytes_max} bytes")));
    }
    let tag = Sha256::of(&bytes).to_string();
    Ok(Some(Object {
        bytes,
        tag,
        modified,
    }))
}

fn head(path: &Path) -> io::Result<Option<Info>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        size += read as u64;
    }
    Ok(Some(Info {
        size,
        sha256: Some(Sha256::from_bytes(hasher.finalize().into())),
        crc64nvme: None,
    }))
}

/// The bytes of a file were not those that were verified.
#[derive(Debug, thiserror::Error)]
#[error("found {found}")]
struct Changed {
    found: String,
}

fn copy(
    from: &Path,
    to: &mut File,
    expected: Sha256,
    progress: &crate::store::Progress,
) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let read = source.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        progress(read as u64);
    }
    let found = Sha256::from_bytes(hasher.finalize().into());
    if found == expected {
        Ok(())
    } else {
        Err(io::Error::other(Changed {
            found: format!("sha256 {found}"),
        }))
    }
}

fn sidecar(headers: &Headers) -> Vec<u8> {
    let Headers {
        content_type,
        cache_control,
        content_disposition,
    } = headers;
    document::render(&serde_json::json!({
        "content-type": content_type,
        "cache-control": cache_control,
        "content-disposition": content_disposition,
    }))
}

/// The names of files or of folders in a folder, sorted; none where there is no folder.
fn entries(folder: &Path, folders: bool) -> io::Result<Vec<String>> {
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in listing {
        let entry = entry?;
        if entry.file_type()?.is_dir() == folders {
            // A name that is not text is none of ours.
            names.extend(entry.file_name().into_string().ok());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Makes the folder of a file, and each new folder's name durable: a log must not outlive the release that it names.
fn make_folder(file: &Path) -> io::Result<()> {
    let Some(folder) = file.parent().filter(|folder| !folder.exists()) else {
        return Ok(());
    };
    let new: Vec<&Path> = folder
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .collect();
    fs::create_dir_all(folder)?;
    new.into_iter().rev().try_for_each(sync_folder)
}

/// Takes a lock. One that is held for long belongs to a process that hangs, which must not hang this one too.
fn wait_for(lock: &File) -> io::Result<()> {
    let end = Instant::now() + LOCK_WAIT;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() >= end => {
                let reason = format!(
                    "another process has been writing it for {} s; end that process, then run again",
                    LOCK_WAIT.as_secs()
                );
                return Err(io::Error::new(io::ErrorKind::TimedOut, reason));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Makes a new name in a folder durable. Windows has no such call, and needs none.
fn sync_folder(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(folder) if cfg!(unix) && !folder.as_os_str().is_empty() => {
            File::open(folder)?.sync_all()
        }
        _ => Ok(()),
    }
}

fn timestamp(time: SystemTime) -> Timestamp {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_unix(seconds).ok())
        .unwrap_or(Timestamp::EPOCH)
}
