//! Who asks, and what they may do: tokens with permissions, as workflows and Apps have them.

use std::collections::BTreeMap;

use hyper::HeaderMap;

use super::answer::Answer;
use super::contract::header;

/// Read, or write, which includes read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Access {
    Read,
    Write,
}

impl Access {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "read" => Self::Read,
            "write" => Self::Write,
            other => panic!("`{other}` is no access; `read` and `write` are"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// The permissions of one token, by their names in a workflow.
pub(crate) type Permissions = BTreeMap<String, Access>;

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// None without a token.
    pub(crate) permissions: Option<Permissions>,
}

impl Caller {
    /// Reads `Authorization`. GitHub takes `Bearer` and `token`.
    pub(crate) fn of(
        headers: &HeaderMap,
        tokens: &BTreeMap<String, Permissions>,
    ) -> Result<Self, Answer> {
        let Some(authorization) = header(headers, "authorization") else {
            return Ok(Self { permissions: None });
        };
        let (scheme, token) = authorization.split_once(' ').unwrap_or_default();
        let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token");
        match tokens.get(token) {
            Some(permissions) if known => Ok(Self {
                permissions: Some(permissions.clone()),
            }),
            _ => Err(Answer::message(401, "Bad credentials")),
        }
    }

    fn has(&self, permission: &str, access: Access) -> bool {
        self.permissions
            .as_ref()
            .is_some_and(|held| held.get(permission) >= Some(&access))
    }

    /// Drafts are for those who may change them.
    pub(crate) fn sees_drafts(&self) -> bool {
        self.has("contents", Access::Write)
    }

    /// Whether this operation is theirs to ask for, in a repository that is private or not.
    pub(crate) fn allow(&self, operation: &str, private: bool) -> Result<(), Answer> {
        let Some((permission, access)) = needs(operation) else {
            return Ok(());
        };
        // What is public needs no permission, with the exception of settings.
        let open = access == Access::Read && !private && permission != "administration";
        if open || self.has(permission, access) {
            return Ok(());
        }
        match &self.permissions {
            None if private => Err(Answer::not_found()),
            None => Err(Answer::message(401, "Requires authentication")),
            Some(_) if permission == "metadata" => Ok(()),
            Some(_) => {
                let wanted = format!("{permission}={}", access.name());
                let refusal = Answer::message(403, "Resource not accessible by integration");
                Err(refusal.with("x-accepted-github-permissions", wanted))
            }
        }
    }
}

/// The permission that an operation needs, as "Permissions required for fine-grained personal access tokens" has it.
fn needs(operation: &str) -> Option<(&'static str, Access)> {
    Some(match operation {
        "rate-limit/get" => return None,
        "repos/get" => ("metadata", Access::Read),
        "repos/check-immutable-releases" => ("administration", Access::Read),
        "repos/list-commit-statuses-for-ref" => ("statuses", Access::Read),
        "repos/create-commit-status" => ("statuses", Access::Write),
        "actions/create-workflow-dispatch" => ("actions", Access::Write),
        "git/create-tag"
        | "git/create-ref"
        | "git/update-ref"
        | "repos/create-release"
        | "repos/update-release"
        | "repos/delete-release"
        | "repos/generate-release-notes"
        | "repos/upload-release-asset"
        | "repos/delete-release-asset" => ("contents", Access::Write),
        _ => ("contents", Access::Read),
    })
}
