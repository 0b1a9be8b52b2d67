//! `embedded.provisionprofile`: what Apple lets an app do beyond what anyone may.
//!
//! Entitlements that Apple restricts count only where such a profile grants them; without one `codesign`, `spctl`, and
//! notarization pass, and the system kills the app when it starts. The profile is read as its developer sealed it. Apple's
//! own signature over it is not judged here.

use release::name::printable;

use crate::apple::plist::Value;
use crate::cms::SignedData;
use crate::tree::FileNode;

/// Whether an entitlement is one that Apple restricts on macOS.
///
/// Source: Apple, TN3125 "Inside Code Signing: Provisioning Profiles".
fn is_restricted(key: &str) -> bool {
    key.starts_with("com.apple.developer.")
        || matches!(
            key,
            "keychain-access-groups" | "com.apple.application-identifier"
        )
}

/// What of these entitlements no profile grants, or why the profile cannot be believed.
///
/// # Errors
/// The reason.
pub(super) fn judge(
    entitlements: &[String],
    profile: Option<&FileNode>,
    team: Option<&str>,
) -> Result<String, String> {
    let restricted: Vec<_> = entitlements
        .iter()
        .filter(|key| is_restricted(key))
        .collect();
    if restricted.is_empty() {
        return Ok("it has no entitlement that needs a provisioning profile".to_owned());
    }
    let first = restricted.first().map_or("", |key| key.as_str());
    let Some(profile) = profile else {
        return Err(format!(
            "the entitlement `{first}` needs a provisioning profile, and there is no `embedded.provisionprofile`: the system kills the app when it starts"
        ));
    };
    let granted = profile.kept.as_deref().and_then(Profile::parse);
    let Some(granted) = granted else {
        return Err("`embedded.provisionprofile` cannot be read".to_owned());
    };
    if let Some(team) = team.filter(|team| !granted.teams.iter().any(|it| it == team)) {
        let teams: Vec<_> = granted.teams.iter().map(|it| printable(it)).collect();
        return Err(format!(
            "the provisioning profile is of team `{}`, and the app is signed by `{team}`",
            teams.join(", ")
        ));
    }
    let refused = restricted.iter().find(|key| !granted.keys.contains(**key));
    match refused {
        Some(key) => Err(format!(
            "the provisioning profile does not grant `{key}`: the system kills the app when it starts"
        )),
        None => Ok(format!(
            "the provisioning profile grants `{first}` and whatever else needs it; Apple's signature over the profile was not looked at"
        )),
    }
}

/// What is read of a profile.
struct Profile {
    teams: Vec<String>,
    keys: Vec<String>,
}

impl Profile {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (signed, _) = SignedData::parse(bytes).ok()?;
        let list = Value::parse(signed.content.as_deref()?).ok()?;
        let Value::Array(teams) = list.get("TeamIdentifier")? else {
            return None;
        };
        let keys = list.get("Entitlements")?.dictionary()?;
        Some(Self {
            teams: teams
                .iter()
                .filter_map(|it| it.text().map(str::to_owned))
                .collect(),
            keys: keys.keys().map(|key| printable(key)).collect(),
        })
    }
}
