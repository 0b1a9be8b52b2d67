//! A folder on disk as a container: whoever can read the disk shows each thing in it.

use std::io::{self, SeekFrom};

use crate::bundle;
use crate::checks::{CONTENTS_PARSE, Check, Outcome};
use crate::tree::{Node, Tree, is_app_update, is_kept};
use crate::verify::Bytes;
use crate::walk::links::Links;
use crate::walk::names::{IsFolder, Names, composed, relative};
use crate::walk::room::{self, Budget, World};
use crate::walk::{Contents, Limits, Passed, Passing, Settings, Walker, head, is_leaf};

/// A folder that is being shown.
pub struct Folder<'a> {
    walker: Walker<'a>,
    names: Names,
    tree: Tree,
    links: Links,
}

/// Looks at everything in a folder. `show` calls the methods of [`Folder`] for each thing in it, in any order.
///
/// # Errors
/// Where `show` or a room fails. What is wrong with the folder is a failed check.
pub fn folder(
    settings: Settings<'_>,
    show: impl FnOnce(&mut Folder<'_>) -> io::Result<()>,
) -> io::Result<Contents> {
    let world = World::default();
    let budget = Budget::new(Limits::ENTRIES, u64::MAX);
    let mut folder = Folder {
        walker: Walker::new(settings, &world, &budget, "folder"),
        names: Names::default(),
        tree: Tree::new(),
        links: Links::default(),
    };
    let shown = show(&mut folder);
    let shown = shown.and_then(|()| folder.finish());
    let mut contents = folder.walker.contents;
    let check = match shown {
        Ok(()) => Check::pass(
            CONTENTS_PARSE,
            format!("a folder of {} files", contents.files),
        ),
        // An error that is not ours is the world's: a folder has no format that could be wrong.
        Err(error) if room::is_ours(&error) => world.broken(error)?.check(Outcome::Fail),
        Err(error) => return Err(error),
    };
    contents.checks.insert(0, check);
    Ok(contents)
}

impl Folder<'_> {
    /// A link, and what it says.
    ///
    /// # Errors
    /// Where there are too many things, or its name is refused.
    pub fn link(&mut self, path: &str, target: &str) -> io::Result<()> {
        let path = self.name(path)?;
        self.links.link(&path, target, self.walker.budget)?;
        if bundle::is_inside(&path) || bundle::is_named(&path) {
            let target = target.to_owned();
            self.tree
                .insert(composed(&path).into_owned(), Node::Link { target });
        }
        Ok(())
    }

    /// A file, and whether its owner may execute it, where that is known.
    ///
    /// # Errors
    /// Where it cannot be read, there are too many things, or its name is refused.
    pub fn file(
        &mut self,
        path: &str,
        is_executable: Option<bool>,
        bytes: &mut dyn Bytes,
    ) -> io::Result<()> {
        let path = self.name(path)?;
        self.walker.contents.files += 1;
        let mut head = head(bytes)?;
        let passing = Passing {
            place: "",
            path: &path,
            depth: 1,
            is_executable,
            is_payload: false,
            is_in_asar: false,
        };
        let format = passing.format(&mut head, &mut *bytes)?;
        bytes.seek(SeekFrom::Start(0))?;
        let stays = is_leaf(format) || passing.container(&head, format).is_some();
        let misnamed = passing.misnamed(&head, format);
        self.links.file(&path, passing.seen(&head, format));
        let name = path.rsplit('/').next().unwrap_or_default();
        let is_of_use = bundle::is_inside(&path) || is_app_update(name);
        if !stays && misnamed.is_none() && !is_of_use {
            return Ok(());
        }
        let mut passed = Passed::new(is_kept(name));
        passed.pass(bytes, |_| Ok(()))?;
        bytes.seek(SeekFrom::Start(0))?;
        let file = passed.finish(is_executable);
        self.walker
            .look(&passing, (format, &head), file, bytes, &mut self.tree)
    }

    /// What can be said once everything was shown.
    fn finish(&mut self) -> io::Result<()> {
        self.walker.bundles("", &self.tree)?;
        self.walker.misnamed_links("", &self.links, &self.names)
    }

    fn name(&mut self, path: &str) -> io::Result<String> {
        self.walker.budget.entry()?;
        let path = relative(path.as_bytes()).map_err(room::refused)?;
        self.names.add(&path, IsFolder::No).map_err(room::refused)?;
        Ok(path)
    }
}
