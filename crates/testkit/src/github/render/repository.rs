//! The repository itself, most of which is links.

use serde_json::{Map, Value, json};

use crate::github::objects::time;
use crate::github::state::State;

impl State {
    pub(crate) fn repository_json(&self, now: u64) -> Value {
        let url = self.repository_url();
        let page = self.page_url();
        let (owner, name) = self.repository.split_once('/').unwrap_or_default();
        let mut made = Map::new();
        for (key, end) in REPOSITORY_URLS {
            made.insert(key.to_owned(), json!(format!("{url}{end}")));
        }
        let more = json!({
            "id": 1_296_269,
            "node_id": "R_1296269",
            "name": name,
            "full_name": self.repository,
            "owner": self.account(owner, 1, "Organization"),
            "private": self.quirks.private,
            "html_url": page,
            "description": null,
            "fork": false,
            "url": url,
            "clone_url": format!("{page}.git"),
            "git_url": format!("git:{}.git", page.trim_start_matches("http:")),
            "ssh_url": format!("git@127.0.0.1:{}.git", self.repository),
            "svn_url": page,
            "mirror_url": null,
            "homepage": null,
            "language": null,
            "license": null,
            "default_branch": self.default_branch,
            "has_issues": true,
            "has_projects": true,
            "has_wiki": true,
            "has_pages": false,
            "has_discussions": false,
            "archived": false,
            "disabled": false,
            "pushed_at": time(now.cast_signed()),
            "created_at": time(now.cast_signed()),
            "updated_at": time(now.cast_signed()),
        });
        if let Value::Object(more) = more {
            made.extend(more);
        }
        for count in REPOSITORY_COUNTS {
            made.insert(count.to_owned(), json!(0));
        }
        Value::Object(made)
    }
}

const REPOSITORY_COUNTS: [&str; 10] = [
    "forks",
    "forks_count",
    "network_count",
    "open_issues",
    "open_issues_count",
    "size",
    "stargazers_count",
    "subscribers_count",
    "watchers",
    "watchers_count",
];

const REPOSITORY_URLS: [(&str, &str); 37] = [
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    (
        "notifications_url",
        "/notifications{?since,all,participating}",
    ),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
    ("url", ""),
];
