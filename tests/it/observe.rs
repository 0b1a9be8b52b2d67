//! What a reader must find at every moment: nothing that names something missing.

use std::collections::{BTreeMap, BTreeSet};

/// Fails if some record, projection, or feed names an object that is not there.
///
/// # Panics
/// With the names of what points and of what is missing.
pub(crate) fn assert_nothing_dangles(objects: &BTreeMap<String, Vec<u8>>, when: &str) {
    for (key, bytes) in objects {
        for named in named_by(key, bytes) {
            assert!(
                objects.contains_key(&named),
                "{when}: `{key}` names `{named}`, which is not there"
            );
        }
    }
}

/// Fails unless the same objects are there, and names those that differ.
#[track_caller]
pub(crate) fn assert_same(
    found: &BTreeMap<String, Vec<u8>>,
    expected: &BTreeMap<String, Vec<u8>>,
    when: &str,
) {
    let text = |bytes: Option<&Vec<u8>>| match bytes {
        Some(bytes) => String::from_utf8_lossy(&bytes[..bytes.len().min(2_000)]).into_owned(),
        None => "nothing".to_owned(),
    };
    let keys: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
    let differences: Vec<String> = keys
        .into_iter()
        .filter(|key| found.get(*key) != expected.get(*key))
        .map(|key| {
            let (is, was) = (text(found.get(key)), text(expected.get(key)));
            format!("`{key}` is\n{is}\nand not\n{was}")
        })
        .collect();
    assert!(differences.is_empty(), "{when}: {}", differences.join("\n"));
}

fn named_by(key: &str, bytes: &[u8]) -> Vec<String> {
    let json = || {
        serde_json::from_slice::<serde_json::Value>(bytes)
            .unwrap_or_else(|error| panic!("`{key}` is not JSON: {error}"))
    };
    if let Some(folder) = key.strip_suffix("release.json") {
        let record = json();
        let artifacts = record["artifacts"].as_array().expect("artifacts").iter();
        return artifacts
            .map(|artifact| format!("{folder}{}", artifact["name"].as_str().expect("a name")))
            .chain([format!("{folder}SHA256SUMS")])
            .collect();
    }
    if key.starts_with("public/atlas/channels/") {
        let view = json();
        let releases = view["releases"].as_object().expect("releases").keys();
        let revision = view["revision"].as_u64().expect("a revision");
        let channel = view["channel"].as_str().expect("a channel");
        let log = format!("state/atlas/channels/{channel}/log/{revision:010}.json");
        return releases
            .map(|version| format!("public/atlas/releases/{version}/release.json"))
            .chain([log])
            .collect();
    }
    if key.contains("/log/") {
        let revision = json();
        let rollouts = revision["state"]["rollouts"]
            .as_object()
            .expect("rollouts")
            .values();
        return rollouts
            .map(|rollout| {
                format!(
                    "public/atlas/releases/{}/release.json",
                    rollout["version"].as_str().expect("a version")
                )
            })
            .collect();
    }
    if key.contains("/feeds/") {
        let text = String::from_utf8_lossy(bytes);
        // Whatever looks like the address of an artifact, in whichever format.
        return text
            .split(|c: char| c.is_whitespace() || c == '"' || c == '\'')
            .filter_map(|word| word.strip_prefix("/dl/"))
            .filter(|word| word.contains("/releases/"))
            .map(|word| format!("public/{word}"))
            .collect();
    }
    Vec::new()
}
