//! python-tuf as the judge of every case: its client looks for the same target in the same files.

use std::process::Command;

use super::mutants::cases;
use super::*;
use crate::tests::skipped;

#[test]
fn python_tuf_agrees() {
    let judge = Path::new(MADE).join("judge.py");
    let has_it = Command::new("python3")
        .args(["-c", "import tuf.ngclient"])
        .output();
    if !has_it.is_ok_and(|it| it.status.success()) {
        return skipped(
            "python-tuf is not installed: `pip install tuf 'securesystemslib[crypto]'`",
        );
    }
    let folder = tempfile::tempdir().expect("a folder");
    let cases = cases();
    let mut command = Command::new("python3");
    command.arg(judge);
    for (index, case) in cases.iter().enumerate() {
        let folder = folder.path().join(index.to_string());
        std::fs::create_dir_all(folder.join("metadata")).expect("a folder");
        let write =
            |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).expect("a file");
        write("root.json", &case.root);
        write("artifact", &case.artifact);
        for (name, bytes) in &case.files {
            write(&format!("metadata/{name}"), bytes);
        }
        command.arg(folder);
    }
    let ran = command.output().expect("python3");
    assert!(ran.status.success(), "{ran:?}");
    let said = String::from_utf8(ran.stdout).expect("UTF-8");
    let mut wrong = Vec::new();
    assert_eq!(said.lines().count(), cases.len());
    for (case, said) in cases.iter().zip(said.lines()) {
        let expected = case.check.is_empty() != case.differs;
        if (said == "valid") != expected {
            wrong.push(format!(
                "{}: {} here, python-tuf says {said}",
                case.what, case.check
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
