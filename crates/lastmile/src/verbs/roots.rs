//! `lastmile roots`.

use clap::Args;
use serde::Serialize;
use signing::sigstore::{Authority, SIGSTORE_ROOT_SET, authorities};
use signing::{RootReport, RootSet, RootUse};

use crate::cli::Global;
use crate::failure::Failure;
use crate::output;

/// Show the roots that signatures may chain to
#[derive(Debug, Args)]
pub(crate) struct Roots {
    /// Show every root, with what it may stand above
    #[arg(long)]
    all: bool,
}

/// Every set with its roots.
#[derive(Debug, Serialize)]
struct Shown {
    sets: Vec<RootSet>,
    sigstore: Sigstore,
}

/// Who is believed about Sigstore bundles.
#[derive(Debug, Serialize)]
struct Sigstore {
    name: &'static str,
    authorities: Vec<Authority>,
}

pub(crate) fn run(global: &Global, args: &Roots) -> Result<(), Failure> {
    let shown = Shown {
        sets: signing::root_sets(),
        sigstore: Sigstore {
            name: SIGSTORE_ROOT_SET,
            authorities: authorities(),
        },
    };
    let mut text = String::new();
    for set in &shown.sets {
        text.push_str(&summary(set));
        if args.all {
            let rows: Vec<_> = set.roots.iter().flat_map(rows).collect();
            text.push_str(&output::table(&rows));
        }
    }
    text.push_str(&sigstore(&shown.sigstore, args.all));
    if !args.all {
        text.push_str("`--all` lists them. A root of your own is added by `signing: { roots: [file.pem] }` in lastmile.yml\n");
    }
    output::result(global.format, "roots", &shown, &text);
    Ok(())
}

fn summary(set: &RootSet) -> String {
    let count = |of: fn(&RootReport) -> Option<RootUse>| {
        let used = set.roots.iter().filter(|root| of(root).is_some());
        used.count().to_string()
    };
    let rows = [
        vec!["judges".to_owned(), set.judges.to_owned()],
        vec!["roots".to_owned(), set.roots.len().to_string()],
        vec![
            "for code signing".to_owned(),
            count(|root| root.code_signing),
        ],
        vec![
            "for timestamps".to_owned(),
            count(|root| root.time_stamping),
        ],
    ];
    format!("{}\n{}", set.name, output::table(&rows))
}

/// Who is believed about Sigstore bundles: a line for each, or how many there are.
fn sigstore(shown: &Sigstore, all: bool) -> String {
    let Sigstore { name, authorities } = shown;
    let mut rows = vec![
        vec![
            "judges".to_owned(),
            "Sigstore: bundles, GitHub's attestations".to_owned(),
        ],
        vec!["authorities".to_owned(), authorities.len().to_string()],
    ];
    if all {
        rows.extend(authorities.iter().map(|it| {
            let until = it.until.as_deref().unwrap_or("now");
            let from = it.from.as_deref().unwrap_or("ever");
            vec![
                it.instance.to_owned(),
                format!("{}, {}, {from} to {until}", it.kind, it.address),
            ]
        }));
    }
    format!("{name}\n{}", output::table(&rows))
}

fn rows(root: &RootReport) -> Vec<Vec<String>> {
    let RootReport {
        subject,
        sha256,
        not_after,
        code_signing,
        time_stamping,
    } = root;
    let mut rows = vec![
        vec!["root".to_owned(), subject.clone()],
        vec![String::new(), format!("sha256 {sha256}")],
        vec![String::new(), format!("valid until {}", not_after.date())],
    ];
    for (what, used) in [
        ("code signing", code_signing),
        ("timestamps", time_stamping),
    ] {
        rows.push(vec![String::new(), format!("{what}: {}", words(*used))]);
    }
    rows
}

/// What a root may stand above.
fn words(used: Option<RootUse>) -> String {
    let Some(RootUse {
        issued_before,
        signed_before,
    }) = used
    else {
        return "no".to_owned();
    };
    let issued = issued_before.map(|time| format!("certificates issued before {}", time.date()));
    let signed = signed_before.map(|time| format!("signatures made before {}", time.date()));
    match (issued, signed) {
        (None, None) => "yes".to_owned(),
        (Some(one), None) | (None, Some(one)) => one,
        (Some(issued), Some(signed)) => format!("{issued}, {signed}"),
    }
}
