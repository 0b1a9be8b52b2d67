//! The walk against the plain definition, on any graph and with times that lie.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn id(number: usize) -> ObjectId {
    ObjectId::from_hex(format!("{number:040x}").as_bytes()).expect("forty digits")
}

/// Commits by number; parents have smaller numbers.
type Commits = Vec<(i64, Vec<usize>)>;

fn graph(
    commits: &Commits,
    slop: usize,
) -> Graph<impl FnMut(ObjectId) -> Result<Node, TagError> + '_> {
    Graph::new(slop, |name| {
        let at = (0..commits.len())
            .find(|at| id(*at) == name)
            .expect("a commit");
        let (time, parents) = &commits[at];
        Ok(Node {
            time: *time,
            parents: parents.iter().map(|parent| id(*parent)).collect(),
            is_cut: false,
        })
    })
}

fn ancestors(commits: &Commits, of: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut left = vec![of];
    while let Some(at) = left.pop() {
        if found.insert(at) {
            left.extend(&commits[at].1);
        }
    }
    found
}

fn any_commits() -> impl Strategy<Value = Commits> {
    let commit = (
        -3_i64..12,
        proptest::collection::vec(any::<proptest::sample::Index>(), 0..3),
    );
    proptest::collection::vec(commit, 1..24).prop_map(|commits| {
        let parents = |at: usize, picks: &[proptest::sample::Index]| {
            let picks = picks.iter().filter(|_| at > 0);
            picks.map(|pick| pick.index(at)).collect()
        };
        let numbered = commits.iter().enumerate();
        numbered
            .map(|(at, (time, picks))| (*time, parents(at, picks)))
            .collect()
    })
}

proptest! {
    #[test]
    fn it_finds_what_the_definition_says(commits in any_commits(), one in any::<proptest::sample::Index>(), other in any::<proptest::sample::Index>(), is_honest: bool) {
        // Where times only rise, not one commit more is needed.
        let (mut commits, slop) = (commits, if is_honest { 0 } else { SLOP });
        if is_honest {
            for (at, commit) in commits.iter_mut().enumerate() {
                commit.0 = i64::try_from(at / 3).expect("small");
            }
        }
        let (head, other) = (one.index(commits.len()), other.index(commits.len()));
        let compared = graph(&commits, slop).compare(id(head), Some(id(other))).expect("a walk");
        let (of_head, of_other) = (ancestors(&commits, head), ancestors(&commits, other));
        prop_assert_eq!(compared.contains, of_head.contains(&other));
        let expected: BTreeSet<_> = of_head.difference(&of_other).map(|at| id(*at)).collect();
        let found: BTreeSet<_> = compared.only.iter().copied().collect();
        prop_assert_eq!(&found, &expected);
        prop_assert_eq!(found.len(), compared.only.len());
        // Children come before parents.
        for (at, name) in compared.only.iter().enumerate() {
            let number = (0..commits.len()).find(|number| id(*number) == *name).expect("a commit");
            for parent in &commits[number].1 {
                prop_assert!(!compared.only[..at].contains(&id(*parent)));
            }
        }
        let all = graph(&commits, 0).compare(id(head), None).expect("a walk");
        prop_assert_eq!(all.only.len(), of_head.len());
    }
}

#[test]
fn a_tag_near_the_head_is_found_without_walking_everything() {
    let commits: Commits = (0..50_000_usize)
        .map(|at| {
            (
                i64::try_from(at).expect("small"),
                at.checked_sub(1).into_iter().collect(),
            )
        })
        .collect();
    let mut loaded = 0;
    let mut graph = Graph::new(SLOP, |name: ObjectId| {
        loaded += 1;
        let text = name.to_string();
        let at = usize::from_str_radix(&text[24..], 16).expect("hexadecimal");
        let (time, parents) = &commits[at];
        Ok(Node {
            time: *time,
            parents: parents.iter().map(|parent| id(*parent)).collect(),
            is_cut: false,
        })
    });
    let compared = graph.compare(id(49_999), Some(id(49_900))).expect("a walk");
    assert!(compared.contains && compared.only.len() == 99);
    drop(graph);
    assert!(loaded < 99 + SLOP + 10, "{loaded}");
}
