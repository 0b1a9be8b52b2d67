//! An annotated tag in the local repository. Creating the reference is the lock: it must not exist.

use std::time::Duration;

use gix::ObjectId;
use gix::actor::Signature;
use gix::objs::{Kind, Tag};
use gix::refs::FullName;
use gix::refs::transaction::{Change, PreviousValue, RefEdit};
use release::name::printable;

use super::Outcome;
use super::error::TagError;
use super::repository::Repository;

/// How often the reference is tried while others hold its lock, and the pause between.
const TRIES: usize = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// Whether the tag is there.
///
/// # Errors
/// Where it is at another commit.
pub(super) fn is_there(repository: &Repository, tag: &str) -> Result<bool, TagError> {
    let failed = |error: gix::Error| TagError::git(format!("read tag `{tag}`"), &error);
    let name = full_name(tag)?;
    let found = repository.git.try_find_reference(&name).map_err(failed)?;
    let Some(reference) = found else {
        return Ok(false);
    };
    let Some(target) = reference.try_id() else {
        return Err(elsewhere(repository, tag, "another reference".to_owned()));
    };
    let (id, kind) = repository.peel(target.detach()).map_err(failed)?;
    match kind {
        Kind::Commit if id == repository.head => Ok(true),
        Kind::Commit => Err(elsewhere(repository, tag, id.to_string())),
        _ => Err(elsewhere(repository, tag, format!("the {kind} {id}"))),
    }
}

fn elsewhere(repository: &Repository, tag: &str, found: String) -> TagError {
    TagError::elsewhere(tag, found, &repository.head.to_string())
}

/// Creates the tag with its notes as its message, unless it is there.
pub(super) fn create(
    repository: &Repository,
    tag: &str,
    notes: &str,
    actor: Option<&str>,
) -> Result<Outcome, TagError> {
    if is_there(repository, tag)? {
        return Ok(Outcome::Already);
    }
    let failed = |error: gix::Error| TagError::git(format!("create tag `{tag}`"), &error);
    let tagger = tagger(repository, actor)?;
    let object = Tag {
        target: repository.head,
        target_kind: Kind::Commit,
        name: tag.into(),
        tagger: Some(tagger.clone()),
        message: message(tag, notes).into(),
        signature: None,
    };
    let id = repository
        .git
        .write_object(&object)
        .map_err(failed)?
        .detach();
    let mut tries = 0;
    loop {
        tries += 1;
        let error = match reference(repository, tag, id, &tagger) {
            Ok(created) => return Ok(created),
            Err(error) => error,
        };
        // Whoever was faster decides: the same commit is as good as ours.
        if is_there(repository, tag)? {
            return Ok(Outcome::Already);
        }
        if tries >= TRIES {
            return Err(error);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Creates the reference under its lock file.
///
/// `MustNotExist` of `gix-ref` is content with a reference that has this very target, and runs of the same second make the
/// same object. What was found under the lock stands in the edit that comes back: nothing, if this run created it.
fn reference(
    repository: &Repository,
    tag: &str,
    id: ObjectId,
    tagger: &Signature,
) -> Result<Outcome, TagError> {
    let failed = |error: gix::Error| TagError::git(format!("create tag `{tag}`"), &error);
    let edit = RefEdit::update(full_name(tag)?, id, PreviousValue::MustNotExist, "tag");
    let mut time = gix::date::parse::TimeBuf::default();
    let tagger = tagger.to_ref(&mut time);
    let edits = repository.git.edit_references_as([edit], Some(tagger));
    let is_new = edits.map_err(failed)?.iter().any(|edit| {
        let Change::Update { expected, .. } = &edit.change else {
            return false;
        };
        matches!(expected, PreviousValue::MustNotExist)
    });
    Ok(if is_new {
        Outcome::Created
    } else {
        Outcome::Already
    })
}

fn full_name(tag: &str) -> Result<FullName, TagError> {
    let name = FullName::try_from(format!("refs/tags/{tag}"));
    name.map_err(|error| TagError::git(format!("name a tag `{}`", printable(tag)), &error))
}

/// The name of the tag, a blank line, and the notes: git shows the first line in lists (git-tag(1), `--list -n`).
pub(super) fn message(tag: &str, notes: &str) -> String {
    if notes.is_empty() {
        format!("{tag}\n")
    } else {
        format!("{tag}\n\n{notes}")
    }
}

/// Who tags: git's user, else the actor of the run, else this program.
pub(super) fn tagger(repository: &Repository, actor: Option<&str>) -> Result<Signature, TagError> {
    let failed =
        |error: gix::Error| TagError::git("use git's `user.name` and `user.email`", &error);
    if let Some(known) = repository.git.committer() {
        return known.and_then(|known| known.to_owned()).map_err(failed);
    }
    // What stands between `<` and `>`, and what ends a line, is the format's own.
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_[]".contains(*c);
    let actor: String = actor
        .unwrap_or_default()
        .chars()
        .filter(plain)
        .take(64)
        .collect();
    let (name, email) = if actor.is_empty() {
        // RFC 2606, section 2: nobody has an address there.
        (
            "lastmile".to_owned(),
            "lastmile@lastmile.invalid".to_owned(),
        )
    } else {
        let email = format!("{actor}@users.noreply.github.com");
        (actor, email)
    };
    Ok(Signature {
        name: name.into(),
        email: email.into(),
        time: gix::date::Time::now_utc(),
    })
}
