//! Finding the artifacts of a release on disk, and refusing what cannot be published, before a byte of them is read.
//!
//! Every artifact matches exactly one rule, every rule at least one artifact.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use release::name::{FileName, NameError, printable};
use release::version::versions_in;
use release::{Kind, Platform, Version};
use store::Key;
use thiserror::Error;

/// How many files and folders are looked at.
const ENTRIES_MAX: usize = 100_000;
/// How deep folders are followed.
const DEPTH_MAX: usize = 16;
/// How many artifacts a release may have.
const ARTIFACTS_MAX: usize = 1_000;

/// A rule of the configuration: which files are artifacts of which platform and kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// A glob, relative to the folder of the configuration.
    pub path: String,
    /// What it runs on.
    pub platform: Platform,
    /// What it is.
    pub kind: Kind,
}

/// A file that matched a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its path relative to the folder of the configuration, with `/` between.
    pub path: String,
    /// Where it is.
    pub file: PathBuf,
    /// Its name.
    pub name: FileName,
    /// What it runs on.
    pub platform: Platform,
    /// What it is.
    pub kind: Kind,
    /// Its length in bytes.
    pub size: u64,
}

/// Why the files on disk cannot be a release.
#[derive(Debug, Error)]
pub enum ArtifactsError {
    /// A rule that is no glob.
    #[error("artifact rule `{rule}` is not a glob: {why}")]
    Glob {
        /// The rule.
        rule: String,
        /// What the parser missed.
        why: String,
    },
    /// A rule without a file.
    #[error("artifact rule `{rule}` matches no file under `{root}`; build first, or mend the rule")]
    NoMatch {
        /// The rule.
        rule: String,
        /// Where it was looked for.
        root: String,
    },
    /// A file of two rules.
    #[error(
        "`{path}` matches two artifact rules, `{first}` and `{second}`; each artifact matches exactly one"
    )]
    TwoRules {
        /// The file.
        path: String,
        /// One rule.
        first: String,
        /// The other.
        second: String,
    },
    /// Two files of one name.
    #[error("`{first}` and `{second}` would both be published as `{name}`{case}; rename one")]
    SameName {
        /// One file.
        first: String,
        /// The other.
        second: String,
        /// The name.
        name: String,
        /// Whether they differ in case only.
        case: &'static str,
    },
    /// A name that cannot be published.
    #[error("`{path}` cannot be published: {source}")]
    Name {
        /// The file.
        path: String,
        /// Why.
        source: NameError,
    },
    /// A name that the release's folder needs for itself.
    #[error(
        "`{path}` cannot be published: lastmile itself writes `release.json`, `SHA256SUMS`, and `*.minisig` beside the artifacts; rename it"
    )]
    Reserved {
        /// The file.
        path: String,
    },
    /// What another build left behind.
    #[error(
        "`{path}` looks like a leftover of version `{found}`, but `{version}` is being released; clean the folder, or make the rule narrower"
    )]
    Leftover {
        /// The file.
        path: String,
        /// The version in its name.
        found: String,
        /// The version being released.
        version: Version,
    },
    /// A link, a socket, a device.
    #[error("`{path}` is not a regular file; links could publish something else than they seem to")]
    NotAFile {
        /// The path.
        path: String,
    },
    /// An empty file.
    #[error("`{path}` is empty; an artifact has at least one byte")]
    Empty {
        /// The path.
        path: String,
    },
    /// Too much to look at.
    #[error("{what} under `{root}`: more than {max}; make the rules narrower")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// Where.
        root: String,
        /// How much is allowed.
        max: usize,
    },
    /// The disk.
    #[error("cannot read `{path}`: {source}")]
    Disk {
        /// The path.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// Whether a file is a signature or an attestation of another one that is there.
fn is_beside_another(path: &str, names: &BTreeSet<String>) -> bool {
    let endings = [".asc", ".sig", ".sigstore.json"];
    let mut signed = endings
        .iter()
        .filter_map(|ending| path.strip_suffix(ending));
    // Those of a snap have their ending in place of its own.
    let snap = path.strip_suffix(".assert").map(|it| format!("{it}.snap"));
    signed.any(|signed| names.contains(signed)) || snap.is_some_and(|snap| names.contains(&snap))
}

/// Finds the artifacts of a release, sorted by name.
pub fn find(root: &Path, rules: &[Rule], version: &Version) -> Result<Vec<Found>, ArtifactsError> {
    let matchers = rules.iter().map(matcher).collect::<Result<Vec<_>, _>>()?;
    let mut matched = vec![false; rules.len()];
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    let mut walk = Walk {
        root,
        matchers: &matchers,
        seen: 0,
        files: Vec::new(),
    };
    walk.folder(root, String::new(), 0)?;
    let names: BTreeSet<_> = walk.files.iter().map(|(path, _)| path.clone()).collect();
    for (path, file) in walk.files {
        // Signatures stand beside what they sign and travel with it; they are no artifacts.
        if path.ends_with(".minisig") || is_beside_another(&path, &names) {
            continue;
        }
        let mut hits = (0..rules.len()).filter(|index| matchers[*index].is_match(&path));
        let Some(first) = hits.next() else { continue };
        matched[first] = true;
        if let Some(second) = hits.next() {
            let (first, second) = (
                printable(&rules[first].path),
                printable(&rules[second].path),
            );
            return Err(ArtifactsError::TwoRules {
                path: printable(&path),
                first,
                second,
            });
        }
        let artifact = checked(path, file, &rules[first], version)?;
        if let Some(other) = found.insert(
            artifact.name.as_str().to_ascii_lowercase(),
            artifact.clone(),
        ) {
            let case = if other.name == artifact.name {
                ""
            } else {
                " where case does not count (Windows, macOS)"
            };
            return Err(ArtifactsError::SameName {
                first: printable(&other.path),
                second: printable(&artifact.path),
                name: artifact.name.to_string(),
                case,
            });
        }
    }
    if let Some(index) = matched.iter().position(|matched| !matched) {
        return Err(ArtifactsError::NoMatch {
            rule: printable(&rules[index].path),
            root: shown(root),
        });
    }
    if found.len() > ARTIFACTS_MAX {
        return Err(ArtifactsError::TooMany {
            what: "artifacts",
            root: shown(root),
            max: ARTIFACTS_MAX,
        });
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

fn matcher(rule: &Rule) -> Result<GlobMatcher, ArtifactsError> {
    let glob = GlobBuilder::new(&rule.path).literal_separator(true).build();
    glob.map(|glob| glob.compile_matcher())
        .map_err(|error| ArtifactsError::Glob {
            rule: printable(&rule.path),
            why: printable(&error.to_string()),
        })
}

fn checked(
    path: String,
    file: PathBuf,
    rule: &Rule,
    version: &Version,
) -> Result<Found, ArtifactsError> {
    let meta = fs::symlink_metadata(&file).map_err(|source| ArtifactsError::Disk {
        path: printable(&path),
        source,
    })?;
    if !meta.is_file() {
        return Err(ArtifactsError::NotAFile {
            path: printable(&path),
        });
    }
    if meta.len() == 0 {
        return Err(ArtifactsError::Empty {
            path: printable(&path),
        });
    }
    let base = path.rsplit('/').next().unwrap_or(&path);
    let name = base
        .parse::<FileName>()
        .map_err(|source| ArtifactsError::Name {
            path: printable(&path),
            source,
        })?;
    if Key::is_reserved(&name) {
        return Err(ArtifactsError::Reserved {
            path: printable(&path),
        });
    }
    let released = version.to_string();
    let core = versions_in(&released).into_iter().next();
    // Two versions in one name are a delta from one to the other: one of them must be the one being released.
    let named = versions_in(name.as_str());
    if let Some(stale) = named
        .first()
        .filter(|_| !named.iter().any(|found| Some(found) == core.as_ref()))
    {
        return Err(ArtifactsError::Leftover {
            path: printable(&path),
            found: stale.clone(),
            version: version.clone(),
        });
    }
    if let Some(other) = other_prerelease(name.as_str(), &released, core.as_deref()) {
        return Err(ArtifactsError::Leftover {
            path: printable(&path),
            found: other,
            version: version.clone(),
        });
    }
    Ok(Found {
        path,
        file,
        name,
        platform: rule.platform,
        kind: rule.kind,
        size: meta.len(),
    })
}

/// `1.4.0-beta.1` in a name while `1.4.0` or `1.4.0-beta.2` is being released. Only tails that are pre-releases by
/// common names count: `1.4.0-x64` is an architecture.
fn other_prerelease(name: &str, released: &str, core: Option<&str>) -> Option<String> {
    let core = core?;
    let at = name.find(core)? + core.len();
    let tail = name[at..].strip_prefix('-')?;
    if !["alpha", "beta", "rc", "nightly", "canary", "dev", "pre"]
        .iter()
        .any(|word| tail.starts_with(word))
    {
        return None;
    }
    let ours = released
        .strip_prefix(core)
        .and_then(|rest| rest.strip_prefix('-'));
    let same = ours.is_some_and(|ours| {
        tail.strip_prefix(ours)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    // A word and its number; what follows is the file's type.
    let word = tail.len()
        - tail
            .trim_start_matches(|c: char| c.is_ascii_alphabetic())
            .len();
    let number = tail[word..].trim_start_matches('.');
    let digits = number.len()
        - number
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .len();
    let end = if digits > 0 {
        tail.len() - number.len() + digits
    } else {
        word
    };
    (!same).then(|| format!("{core}-{}", &tail[..end]))
}

fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy())
}

/// A walk over the folders that some rule can match in.
struct Walk<'a> {
    root: &'a Path,
    matchers: &'a [GlobMatcher],
    seen: usize,
    files: Vec<(String, PathBuf)>,
}

impl Walk<'_> {
    fn folder(
        &mut self,
        folder: &Path,
        prefix: String,
        depth: usize,
    ) -> Result<(), ArtifactsError> {
        let disk = |source| ArtifactsError::Disk {
            path: shown(folder),
            source,
        };
        for entry in fs::read_dir(folder).map_err(disk)? {
            let entry = entry.map_err(disk)?;
            self.seen += 1;
            if self.seen > ENTRIES_MAX {
                return Err(ArtifactsError::TooMany {
                    what: "files and folders",
                    root: shown(self.root),
                    max: ENTRIES_MAX,
                });
            }
            // A name that is not text matches no rule.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = if prefix.is_empty() {
                name
            } else {
                format!("{prefix}/{name}")
            };
            if entry.file_type().map_err(disk)?.is_dir() {
                if depth < DEPTH_MAX && self.may_match_under(&path) {
                    self.folder(&entry.path(), path, depth + 1)?;
                }
            } else {
                self.files.push((path, entry.path()));
            }
        }
        Ok(())
    }

    /// Whether some rule's folders agree with this folder, so that `node_modules` is not walked for `dist/*`.
    fn may_match_under(&self, folder: &str) -> bool {
        self.matchers.iter().any(|matcher| {
            let mut parts = matcher.glob().glob().split('/');
            for part in folder.split('/') {
                match parts.next() {
                    None => return false,
                    Some(literal)
                        if literal
                            .bytes()
                            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) =>
                    {
                        if literal != part {
                            return false;
                        }
                    }
                    // From the first wildcard on anything may match.
                    Some(_) => return true,
                }
            }
            parts.next().is_some()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(path: &str) -> Rule {
        Rule {
            path: path.to_owned(),
            platform: Platform::LinuxX64,
            kind: Kind::TarGz,
        }
    }

    fn found(files: &[&str], rules: &[&str]) -> Result<Vec<String>, String> {
        let root = tempfile::tempdir().expect("temporary folder");
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().expect("parent")).expect("folder");
            fs::write(path, b"x").expect("file");
        }
        let rules: Vec<_> = rules.iter().map(|path| rule(path)).collect();
        let found = find(root.path(), &rules, &"1.4.0".parse().expect("version"));
        found
            .map(|found| found.into_iter().map(|found| found.path).collect())
            .map_err(|error| error.to_string().replace(&shown(root.path()), "ROOT"))
    }

    #[test]
    fn rules_find_their_files() {
        let files = [
            "dist/a-1.4.0.tar.gz",
            "dist/a-1.4.0.tar.gz.minisig",
            "dist/deep/b.zip",
            "node_modules/x.zip",
            "dist/notes.txt",
        ];
        assert_eq!(
            found(&files, &["dist/*.tar.gz", "dist/**/*.zip"]),
            Ok(vec![
                "dist/a-1.4.0.tar.gz".to_owned(),
                "dist/deep/b.zip".to_owned()
            ])
        );
    }

    #[test]
    fn what_cannot_be_published_is_named() {
        insta::assert_snapshot!(found(&["a.zip"], &["*.dmg"]).expect_err("no match"), @"artifact rule `*.dmg` matches no file under `ROOT`; build first, or mend the rule");
        insta::assert_snapshot!(found(&["a.zip"], &["a.*", "*.zip"]).expect_err("two rules"), @"`a.zip` matches two artifact rules, `a.*` and `*.zip`; each artifact matches exactly one");
        insta::assert_snapshot!(found(&["x/a.zip", "y/a.zip"], &["*/a.zip"]).map_err(|text| text.contains("published as `a.zip`")).expect_err("same name"), @"true");
        insta::assert_snapshot!(found(&["x/a.zip", "y/A.zip"], &["*/*.zip"]).map_err(|text| text.contains("where case does not count")).expect_err("case"), @"true");
        insta::assert_snapshot!(found(&["a b.zip"], &["*.zip"]).map_err(|text| text.contains("file name that can be published")).expect_err("name"), @"true");
        insta::assert_snapshot!(found(&["SHA256SUMS"], &["*"]).map_err(|text| text.contains("lastmile itself writes")).expect_err("reserved"), @"true");
        insta::assert_snapshot!(found(&["a-1.3.0.zip"], &["*.zip"]).expect_err("leftover"), @"`a-1.3.0.zip` looks like a leftover of version `1.3.0`, but `1.4.0` is being released; clean the folder, or make the rule narrower");
        insta::assert_snapshot!(found(&["a-1.4.0-beta.1.zip"], &["*.zip"]).map_err(|text| text.contains("`1.4.0-beta.1`")).expect_err("pre-release"), @"true");
        assert!(found(&["a-1.4.0-x64.zip"], &["*.zip"]).is_ok());
        assert!(
            found(&["a.zip"], &["[.zip"])
                .expect_err("glob")
                .contains("not a glob")
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let root = tempfile::tempdir().expect("temporary folder");
        std::os::unix::fs::symlink("/etc/hostname", root.path().join("a.zip")).expect("link");
        let error = find(
            root.path(),
            &[rule("*.zip")],
            &"1.4.0".parse().expect("version"),
        )
        .expect_err("a link");
        assert!(error.to_string().contains("not a regular file"), "{error}");
    }
}
