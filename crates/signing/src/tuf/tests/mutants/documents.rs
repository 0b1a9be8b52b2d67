//! What roots, timestamps, snapshots, and roles state.

use serde_json::json;

use super::{Change, id, role, set};

/// What is changed before it is signed, and the check that must fail.
pub(super) const DOCUMENTS: &[(&str, Change, &str)] = &[
    ("good", |_| (), ""),
    ("no hashes", |it| it.has_hashes = false, ""),
    (
        "not consistent",
        |it| {
            for root in &mut it.roots {
                root.signed["consistent_snapshot"] = json!(false);
            }
        },
        "",
    ),
    ("no root after the first", |it| it.roots.truncate(1), ""),
    (
        "a root in between expired",
        |it| set(&mut it.roots[1].signed, "expires", "2020-01-01T00:00:00Z"),
        "",
    ),
    (
        "last root expired",
        |it| set(&mut it.roots[2].signed, "expires", "2026-11-23T00:00:00Z"),
        "tuf.root",
    ),
    (
        "root of a lower version",
        |it| it.roots[1].signed["version"] = json!(1),
        "tuf.root",
    ),
    (
        "root of a higher version",
        |it| it.roots[1].signed["version"] = json!(3),
        "tuf.root",
    ),
    (
        "root not by the old keys",
        |it| it.roots[1].signers = vec![2, 3],
        "tuf.root",
    ),
    (
        "root not by the new keys",
        |it| it.roots[1].signers = vec![0, 1],
        "tuf.root",
    ),
    (
        "root by one key",
        |it| it.roots[2].signers = vec![3],
        "tuf.root",
    ),
    (
        "root by others",
        |it| it.roots[2].signers = vec![10, 11, 12],
        "tuf.root",
    ),
    (
        "pinned root not by its own keys",
        |it| it.roots[0].signers = vec![0, 10],
        "tuf.root",
    ),
    (
        "root of another kind",
        |it| set(&mut it.roots[1].signed, "_type", "targets"),
        "tuf.root",
    ),
    (
        "threshold of none",
        |it| it.roots[2].signed["roles"]["timestamp"]["threshold"] = json!(0),
        "tuf.root",
    ),
    (
        "threshold below none",
        |it| it.roots[2].signed["roles"]["timestamp"]["threshold"] = json!(-1),
        "tuf.root",
    ),
    (
        "one key twice in a role",
        |it| {
            let role = &mut it.roots[2].signed["roles"]["targets"];
            *role = json!({"keyids": [id(12), id(12)], "threshold": 2});
        },
        "tuf.root",
    ),
    (
        "one role less",
        |it| {
            drop(
                it.roots[2].signed["roles"]
                    .as_object_mut()
                    .expect("roles")
                    .remove("targets"),
            )
        },
        "tuf.root",
    ),
    (
        "one role more",
        |it| it.roots[2].signed["roles"]["mirrors"] = role(&[10], 1),
        "tuf.root",
    ),
    (
        "specification of another version",
        |it| set(&mut it.roots[1].signed, "spec_version", "2.0.0"),
        "tuf.root",
    ),
    (
        "no specification",
        |it| set(&mut it.roots[1].signed, "spec_version", "1"),
        "tuf.root",
    ),
    (
        "fraction",
        |it| it.roots[1].signed["version"] = json!(2.5),
        "tuf.root",
    ),
    (
        "unknown fields",
        |it| {
            it.roots[2].signed["x"] = json!({"y": [null, true, "z\n\u{e9}"]});
        },
        "",
    ),
    (
        "key that does not count",
        |it| {
            let timestamp = json!({"keyids": [id(40), id(10)], "threshold": 2});
            it.roots[2].signed["roles"]["timestamp"] = timestamp;
        },
        "tuf.metadata",
    ),
    (
        "timestamp by another",
        |it| it.timestamp.signers = vec![11],
        "tuf.metadata",
    ),
    (
        "timestamp by nobody",
        |it| it.timestamp.signers.clear(),
        "tuf.metadata",
    ),
    (
        "timestamp expired",
        |it| set(&mut it.timestamp.signed, "expires", "2026-11-22T23:59:59Z"),
        "tuf.metadata",
    ),
    (
        "timestamp not to the second",
        |it| {
            set(
                &mut it.timestamp.signed,
                "expires",
                "2030-01-01T00:00:00.5Z",
            )
        },
        "tuf.metadata",
    ),
    (
        "timestamp in another zone",
        |it| {
            set(
                &mut it.timestamp.signed,
                "expires",
                "2030-01-01T00:00:00+00:00",
            )
        },
        "tuf.metadata",
    ),
    (
        "timestamp on no day",
        |it| set(&mut it.timestamp.signed, "expires", "2030-02-30T00:00:00Z"),
        "tuf.metadata",
    ),
    (
        "timestamp of version 0",
        |it| it.timestamp.signed["version"] = json!(0),
        "tuf.metadata",
    ),
    (
        "timestamp without a snapshot",
        |it| it.timestamp.signed["meta"] = json!({}),
        "tuf.metadata",
    ),
    (
        "wrong length of the snapshot",
        |it| it.timestamp.signed["meta"]["snapshot.json"]["length"] = json!(7),
        "tuf.metadata",
    ),
    (
        "wrong hash of the snapshot",
        |it| {
            it.timestamp.signed["meta"]["snapshot.json"]["hashes"] =
                json!({"sha256": "00".repeat(32)})
        },
        "tuf.metadata",
    ),
    (
        "unknown hash of the snapshot",
        |it| it.timestamp.signed["meta"]["snapshot.json"]["hashes"] = json!({"crc32": "00"}),
        "tuf.metadata",
    ),
    (
        "no hash of the snapshot",
        |it| it.timestamp.signed["meta"]["snapshot.json"]["hashes"] = json!({}),
        "tuf.metadata",
    ),
    (
        "older snapshot",
        |it| it.snapshot.signed["version"] = json!(7),
        "tuf.metadata",
    ),
    (
        "newer snapshot",
        |it| it.snapshot.signed["version"] = json!(9),
        "tuf.metadata",
    ),
    (
        "snapshot expired",
        |it| set(&mut it.snapshot.signed, "expires", "2020-01-01T00:00:00Z"),
        "tuf.metadata",
    ),
    (
        "snapshot by another",
        |it| it.snapshot.signers = vec![10],
        "tuf.metadata",
    ),
    (
        "targets by one",
        |it| it.role("targets").signers = vec![12],
        "tuf.metadata",
    ),
    (
        "targets by delegates",
        |it| it.role("targets").signers = vec![20, 21],
        "tuf.metadata",
    ),
    (
        "targets expired",
        |it| {
            set(
                &mut it.role("targets").signed,
                "expires",
                "2020-01-01T00:00:00Z",
            )
        },
        "tuf.metadata",
    ),
    (
        "other version of targets",
        |it| it.snapshot.signed["meta"]["targets.json"] = json!({"version": 3}),
        "tuf.metadata",
    ),
    (
        "other version of a role",
        |it| it.snapshot.signed["meta"]["one.json"] = json!({"version": 6}),
        "tuf.metadata",
    ),
    (
        "wrong length of a role",
        |it| it.snapshot.signed["meta"]["one.json"] = json!({"version": 5, "length": 9}),
        "tuf.metadata",
    ),
    (
        "wrong hash of a role",
        |it| {
            it.snapshot.signed["meta"]["one.json"] =
                json!({"version": 5, "hashes": {"sha512": "00".repeat(64)}})
        },
        "tuf.metadata",
    ),
    (
        "role by the keys of another",
        |it| it.role("one").signers = vec![21],
        "tuf.metadata",
    ),
    (
        "role by the keys above",
        |it| it.role("one").signers = vec![12, 13],
        "tuf.metadata",
    ),
    (
        "role expired",
        |it| {
            set(
                &mut it.role("one").signed,
                "expires",
                "2020-01-01T00:00:00Z",
            )
        },
        "tuf.metadata",
    ),
    (
        "role of another kind",
        |it| set(&mut it.role("one").signed, "_type", "snapshot"),
        "tuf.metadata",
    ),
];
