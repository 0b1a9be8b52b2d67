//! Refs and annotated tags.

use jiff::fmt::temporal::Pieces;
use serde_json::{Value, json};

use super::{Done, Now};
use crate::github::answer::Answer;
use crate::github::objects::{Person, TagObject};
use crate::github::page::{linked, slice};
use crate::github::render::text;

impl Now<'_> {
    /// The full name of the ref in the path, which stands there without `refs/`.
    fn ref_name(&self) -> String {
        format!("refs/{}", self.path("ref"))
    }

    pub(super) fn get_ref(&self) -> Done {
        self.not_empty()?;
        let name = self.ref_name();
        let sha = self.state.refs.get(&name).ok_or_else(Answer::not_found)?;
        Ok(Answer::ok(self.state.ref_json(&name, sha)))
    }

    pub(super) fn list_matching_refs(&self) -> Answer {
        let prefix = self.ref_name();
        let found = self
            .state
            .refs
            .range(prefix.clone()..)
            .take_while(|(name, _)| name.starts_with(&prefix))
            .map(|(name, sha)| self.state.ref_json(name, sha));
        Answer::ok(found.collect())
    }

    /// Tags with the commits that they lead to; one that leads to none is not listed.
    pub(super) fn list_tags(&self) -> Answer {
        let url = self.state.repository_url();
        let tags: Vec<_> = self
            .state
            .refs
            .iter()
            .rev()
            .filter_map(|(name, sha)| {
                let name = name.strip_prefix("refs/tags/")?;
                let commit = self.state.peeled(sha)?;
                Some(json!({
                    "name": name,
                    "commit": { "sha": commit, "url": format!("{url}/commits/{commit}") },
                    "zipball_url": format!("{url}/zipball/refs/tags/{name}"),
                    "tarball_url": format!("{url}/tarball/refs/tags/{name}"),
                    "node_id": format!("REF_{name}"),
                }))
            })
            .collect();
        let page = slice(&tags, self.asked).iter().cloned().collect();
        linked(
            Answer::ok(page),
            &format!("{url}/tags"),
            self.asked,
            tags.len(),
        )
    }

    pub(super) fn get_tag(&self) -> Done {
        let tag = self.state.tag_json(self.path("tag_sha"));
        tag.map(Answer::ok).ok_or_else(Answer::not_found)
    }

    pub(super) fn create_tag(&mut self) -> Done {
        self.not_empty()?;
        let object = text(self.asked, "object").unwrap_or_default();
        let kind = text(self.asked, "type").unwrap_or_default();
        let is_tag = self.state.tag_objects.contains_key(&object);
        // Trees and blobs are not kept here, so they are not there either.
        let found = self.state.commits.contains_key(&object) && kind == "commit" || is_tag;
        if !found {
            let message = format!("Could not resolve to a node with the object of {object}.");
            return Err(Answer::message(422, &message));
        }
        let tag = TagObject {
            object,
            kind: if is_tag { "tag".to_owned() } else { kind },
            tag: text(self.asked, "tag").unwrap_or_default(),
            tagger: Some(self.tagger()?),
            message: text(self.asked, "message").unwrap_or_default(),
        };
        if !name_is_good(&format!("refs/tags/{}", tag.tag)) {
            return Err(Answer::invalid("Tag", "invalid", "tag"));
        }
        let sha = tag.sha();
        self.state.tag_objects.insert(sha.clone(), tag);
        Ok(Answer::created(
            self.state.tag_json(&sha).unwrap_or_default(),
        ))
    }

    /// Who is said to tag; without a word, the token's account, now.
    fn tagger(&self) -> Result<Person, Answer> {
        let said = &self.asked.body["tagger"];
        let word = |key: &str, otherwise: &str| {
            said[key]
                .as_str()
                .unwrap_or(otherwise)
                .replace(['<', '>', '\n'], "")
        };
        let (at, zone) = match &said["date"] {
            Value::String(date) => {
                parsed(date).ok_or_else(|| Answer::invalid("Tag", "invalid", "tagger.date"))?
            }
            _ => (self.unix.cast_signed(), "+0000".to_owned()),
        };
        Ok(Person {
            name: word("name", "github-actions[bot]"),
            email: word(
                "email",
                "41898282+github-actions[bot]@users.noreply.github.com",
            ),
            at,
            zone,
        })
    }

    pub(super) fn create_ref(&mut self) -> Done {
        self.not_empty()?;
        let name = text(self.asked, "ref").unwrap_or_default();
        let sha = text(self.asked, "sha").unwrap_or_default();
        if !name.starts_with("refs/") || name.matches('/').count() < 2 {
            let message = "Reference name must start with 'refs/' and have at least two slashes";
            return Err(Answer::message(422, message));
        }
        if !name_is_good(&name) {
            let message = format!("{name} is not a valid ref name.");
            return Err(Answer::message(422, &message));
        }
        self.object_is_there(&name, &sha)?;
        if self.state.refs.contains_key(&name) {
            return Err(Answer::message(422, "Reference already exists"));
        }
        // Git keeps refs as files: `a` and `a/b` cannot both be.
        let folder = format!("{name}/");
        let taken =
            |other: &String| other.starts_with(&folder) || name.starts_with(&format!("{other}/"));
        if self.state.refs.keys().any(taken) {
            return Err(Answer::message(422, "Reference update failed"));
        }
        if let Some(tag) = name.strip_prefix("refs/tags/")
            && self.state.burned_tags.contains(tag)
        {
            return Err(rule_violation(
                "Cannot create ref due to creations being restricted.",
            ));
        }
        self.state.refs.insert(name.clone(), sha.clone());
        Ok(Answer::created(self.state.ref_json(&name, &sha)))
    }

    pub(super) fn update_ref(&mut self) -> Done {
        let name = self.ref_name();
        let sha = text(self.asked, "sha").unwrap_or_default();
        let Some(old) = self.state.refs.get(&name).cloned() else {
            return Err(Answer::message(422, "Reference does not exist"));
        };
        self.object_is_there(&name, &sha)?;
        if let Some(tag) = name.strip_prefix("refs/tags/")
            && self.state.burned_tags.contains(tag)
        {
            return Err(rule_violation("Cannot update this protected ref."));
        }
        let forced = self.asked.body["force"] == true;
        let forward = match (self.state.peeled(&old), self.state.peeled(&sha)) {
            (Some(old), Some(new)) => self.state.leads_to(&old, &new),
            _ => false,
        };
        if !forced && !forward {
            return Err(Answer::message(422, "Update is not a fast forward"));
        }
        self.state.refs.insert(name.clone(), sha.clone());
        Ok(Answer::ok(self.state.ref_json(&name, &sha)))
    }

    fn object_is_there(&self, name: &str, sha: &str) -> Result<(), Answer> {
        let is_tag = self.state.tag_objects.contains_key(sha);
        if !is_tag && !self.state.commits.contains_key(sha) {
            return Err(Answer::message(422, "Object does not exist"));
        }
        if is_tag && name.starts_with("refs/heads/") {
            return Err(Answer::message(422, "Object is not a commit"));
        }
        Ok(())
    }
}

/// What GitHub says of the tag of an immutable release.
fn rule_violation(words: &str) -> Answer {
    let message = format!("Repository rule violations found\n\n{words}\n\n");
    Answer::message(422, &message)
}

/// Seconds since 1970 and the zone as git writes it.
fn parsed(date: &str) -> Option<(i64, String)> {
    let at: jiff::Timestamp = date.parse().ok()?;
    let offset = Pieces::parse(date).ok()?.to_numeric_offset();
    let minutes = offset.map_or(0, |offset| offset.seconds() / 60);
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.abs();
    let zone = format!("{sign}{:02}{:02}", minutes / 60, minutes % 60);
    Some((at.as_second(), zone))
}

/// The rules of git-check-ref-format(1).
pub(super) fn name_is_good(name: &str) -> bool {
    let bad = |character: char| character.is_control() || " ~^:?*[\\".contains(character);
    let part_is_good =
        |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    !name.contains(bad)
        && !name.contains("..")
        && !name.contains("@{")
        && !name.ends_with('.')
        && name.split('/').all(part_is_good)
}
