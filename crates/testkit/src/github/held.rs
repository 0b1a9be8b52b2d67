//! What a GitHub holds, as plain values for assertions, and changes behind its API.

use std::collections::BTreeMap;

use super::{Dispatch, GitHub, Release, Status, TagObject};

impl GitHub {
    /// Objects by the full names of their refs, `refs/heads/main`.
    pub fn refs(&self) -> BTreeMap<String, String> {
        self.shared.state().refs.clone()
    }

    /// Annotated tags by their names as objects.
    pub fn tag_objects(&self) -> BTreeMap<String, TagObject> {
        self.shared.state().tag_objects.clone()
    }

    /// All releases, drafts too, in the order of their making.
    pub fn releases(&self) -> Vec<Release> {
        self.shared.state().releases.values().cloned().collect()
    }

    /// The tag of the release that is the latest.
    pub fn latest(&self) -> Option<String> {
        let state = self.shared.state();
        Some(state.latest()?.tag_name.clone())
    }

    /// The statuses of a commit, the newest first.
    pub fn statuses(&self, sha: &str) -> Vec<Status> {
        let state = self.shared.state();
        let mut found: Vec<_> = state
            .statuses
            .iter()
            .filter(|found| found.sha == sha)
            .cloned()
            .collect();
        found.reverse();
        found
    }

    /// The workflows that were started, in their order.
    pub fn dispatches(&self) -> Vec<Dispatch> {
        self.shared.state().dispatches.clone()
    }

    /// Points a ref at an object behind the API, which need not be there.
    pub fn set_ref(&self, name: &str, sha: &str) {
        let mut state = self.shared.state();
        state.refs.insert(name.to_owned(), sha.to_owned());
    }

    /// Removes a ref behind the API.
    pub fn remove_ref(&self, name: &str) {
        self.shared.state().refs.remove(name);
    }

    /// Removes a release behind the API, as somebody in a browser does.
    pub fn remove_release(&self, id: u64) {
        self.shared.state().releases.remove(&id);
    }

    /// Changes a release behind the API, as somebody in a browser does.
    pub fn change_release(&self, id: u64, change: impl FnOnce(&mut Release)) {
        let mut state = self.shared.state();
        change(state.releases.get_mut(&id).expect("a release"));
    }
}
