//! Files that are changed after they were signed, and repositories that python-tuf judges otherwise.

use serde_json::{Value, json};

use super::build::root as root_of;
use super::*;

/// Files that are changed after they were signed.
pub(super) fn written() -> Vec<Case> {
    let case = |what, check, differs, change: &dyn Fn(&mut Vec<u8>, &mut Files)| {
        let (mut root, mut files) = Model::good().write();
        change(&mut root, &mut files);
        let artifact = ARTIFACT.to_vec();
        Case {
            what,
            root,
            files,
            artifact,
            check,
            differs,
        }
    };
    let replaced = |files: &mut Files, name: &str, from: &str, to: &str| {
        let text = String::from_utf8(files[name].clone()).expect("JSON");
        assert!(text.contains(from), "{name}: {from}");
        files.insert(name.to_owned(), text.replacen(from, to, 1).into_bytes());
    };
    let take = |files: &mut Files, name: &str| drop(files.remove(name).expect(name));
    let one =
        |files: &mut Files| files.insert("5.one.json".to_owned(), files["6.two.json"].clone());
    vec![
        case(
            "a root in between is missing",
            "tuf.metadata",
            false,
            &|_, files| {
                // The second root may sign nothing but the third, so its own keys are asked.
                let mut model = Model::good();
                model.roots[2].signed["keys"] = keys(&[1, 2, 3, 30, 11, 12, 13]);
                model.roots[2].signed["roles"]["timestamp"] = role(&[30], 1);
                model.timestamp.signers = vec![30];
                *files = model.write().1;
                take(files, "2.root.json");
            },
        ),
        case("no timestamp", "tuf.metadata", false, &|_, files| {
            take(files, "timestamp.json")
        }),
        case("no snapshot", "tuf.metadata", false, &|_, files| {
            take(files, "8.snapshot.json")
        }),
        case("no targets", "tuf.metadata", false, &|_, files| {
            take(files, "4.targets.json")
        }),
        case("no role", "tuf.metadata", false, &|_, files| {
            take(files, "5.one.json")
        }),
        case(
            "another role in its place",
            "tuf.metadata",
            false,
            &|_, files| drop(one(files)),
        ),
        case("letter", "tuf.metadata", false, &|_, files| {
            replaced(files, "timestamp.json", "2030", "2031")
        }),
        case("signature", "tuf.metadata", false, &|_, files| {
            replaced(files, "timestamp.json", "\"sig\": \"", "\"sig\": \"00")
        }),
        case(
            "signature of no digits",
            "tuf.metadata",
            false,
            &|_, files| replaced(files, "timestamp.json", "\"sig\": \"", "\"sig\": \"zz"),
        ),
        case("white space", "", false, &|_, files| {
            replaced(files, "timestamp.json", "{", "{\n\t ")
        }),
        case("comma", "tuf.metadata", false, &|_, files| {
            replaced(files, "timestamp.json", "{", "{,")
        }),
        case("bytes behind", "tuf.metadata", false, &|_, files| {
            files.get_mut("timestamp.json").expect("it").push(b'!')
        }),
        case(
            "key twice in signatures",
            "tuf.metadata",
            false,
            &|_, files| {
                let text = String::from_utf8(files["timestamp.json"].clone()).expect("JSON");
                let mut whole: Value = serde_json::from_str(&text).expect("JSON");
                let signature = whole["signatures"][0].clone();
                whole["signatures"]
                    .as_array_mut()
                    .expect("a list")
                    .push(signature);
                files.insert("timestamp.json".to_owned(), whole.to_string().into_bytes());
            },
        ),
        // Python's client reads no root with a key that it does not know; the specification ignores it.
        case("unknown key", "", true, &|root, files| {
            let mut model = Model::good();
            let odd = json!({"keytype": "rot13", "scheme": "rot13", "keyval": {"public": "uryyb"}});
            model.roots[2].signed["keys"][id(40)] = odd;
            (*root, *files) = model.write();
        }),
        // Python's reader takes the last one.
        case("name twice", "tuf.metadata", true, &|_, files| {
            replaced(
                files,
                "timestamp.json",
                "\"signed\": {",
                "\"signed\": {\"version\": 1,",
            )
        }),
        case("one key under two ids", "tuf.root", false, &|root, _| {
            let mut model = Model::good();
            let signed = &mut model.roots[0].signed;
            signed["keys"][id(1)] = key(0);
            *root = model.roots[0].bytes();
            let mut whole: Value = serde_json::from_slice(root).expect("JSON");
            whole["signatures"][1]["sig"] = whole["signatures"][0]["sig"].clone();
            *root = whole.to_string().into_bytes();
        }),
        // Python's `fnmatch` knows sets.
        case("set of letters", "tuf.metadata", true, &|root, files| {
            let mut model = Model::good();
            model.delegate(vec![delegated("one", 20, &["[a-z]*.bin"], false)]);
            (*root, *files) = model.write();
        }),
        case("too large", "tuf.metadata", false, &|_, files| {
            let spaces = vec![b' '; 16 * 1024];
            files.get_mut("timestamp.json").expect("it").extend(spaces);
        }),
        case("too many roots", "tuf.root", true, &|root, files| {
            let mut model = Model::good();
            let last = model.roots[2].clone();
            for version in 4..260_u64 {
                let mut next = last.clone();
                next.signed = root_of(version, &[1, 2, 3]);
                model.roots.push(next);
            }
            (*root, *files) = model.write();
        }),
        case("too many roles", "tuf.metadata", false, &|root, files| {
            let mut model = Model::good();
            let names: Vec<_> = (0..40).map(|it| format!("r{it}")).collect();
            for name in &names {
                model.add(name, targets(1, json!({})), 20);
            }
            let mut roles: Vec<_> = names
                .iter()
                .map(|it| delegated(it, 20, &["*"], false))
                .collect();
            roles.push(delegated("one", 20, &["*"], false));
            model.delegate(roles);
            (*root, *files) = model.write();
        }),
    ]
}
