//! What an installed app asks of its next version, as far as that stands in files of its own.

use std::io;

use crate::inspection::{Inspection, SignatureReport};
use crate::report::Verdict;
use crate::tree::{FileNode, Node, Tree, is_app_update};
use crate::walk::{Passing, Walker};

/// What was found of it in a container.
#[derive(Debug, Clone, Default)]
pub(crate) struct Demands {
    /// Every `app-update.yml`: its path, and its bytes.
    pub(crate) app_updates: Vec<(String, Vec<u8>)>,
    /// Every app of macOS that lies in no other bundle.
    pub(crate) apps: Vec<App>,
}

/// An app of macOS that was judged.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) path: String,
    /// The bytes of its `Info.plist`.
    pub(crate) info: Vec<u8>,
    /// The signatures of its main executable.
    pub(crate) signatures: Vec<SignatureReport>,
    pub(crate) verdict: Verdict,
}

impl Walker<'_> {
    /// Keeps a file that says who may have signed updates.
    pub(super) fn app_update(&mut self, passing: &Passing<'_>, file: &FileNode) -> io::Result<()> {
        let name = passing.path.rsplit('/').next().unwrap_or_default();
        if let Some(kept) = file.kept.as_ref().filter(|_| is_app_update(name)) {
            self.budget.keep(kept.len())?;
            let path = format!("{}{}", passing.place, passing.path);
            self.contents.demands.app_updates.push((path, kept.clone()));
        }
        Ok(())
    }

    /// Keeps what a bundle says of itself, where it is an app.
    pub(super) fn app(
        &mut self,
        place: &str,
        root: &str,
        tree: &Tree,
        inspection: &Inspection,
    ) -> io::Result<()> {
        let is_app = root.to_ascii_lowercase().ends_with(".app");
        let info = tree.get(&format!("{root}/Contents/Info.plist"));
        let (true, Some(Node::File(info))) = (is_app, info) else {
            return Ok(());
        };
        let info = info.kept.clone().unwrap_or_default();
        self.budget.keep(info.len())?;
        self.contents.demands.apps.push(App {
            path: format!("{place}{root}"),
            info,
            signatures: inspection.signatures.clone(),
            verdict: inspection.verdict,
        });
        Ok(())
    }
}

/// How much is kept of what code shows to requirements.
pub(super) fn shown_bytes(inspection: Option<&Inspection>) -> usize {
    let signatures = inspection.iter().flat_map(|it| &it.signatures);
    let apple = signatures.filter_map(|it| it.apple.as_ref());
    apple.map(|it| it.code.kept_bytes()).sum()
}
