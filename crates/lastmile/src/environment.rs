//! `LASTMILE_*` variables as flags: `LASTMILE_STORE` is `--store`. A flag wins; an empty variable counts as unset, as
//! an action passes every input that its user left out.
//!
//! A variable becomes one argument `--name=value`, so that whatever it holds reaches nothing but its own flag.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command, CommandFactory as _};

use crate::cli::Cli;

/// The arguments with those that come from the environment.
pub(crate) fn completed(
    arguments: Vec<OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Vec<OsString> {
    let mut root = Cli::command();
    root.build();
    let (command, depth) = chosen(&root, &arguments);
    let mut completed: Vec<OsString> = arguments[..depth].to_vec();
    let rest = &arguments[depth..];
    for argument in command
        .get_arguments()
        .filter(|argument| !is_given(argument, &arguments))
    {
        let Some(long) = argument.get_long() else {
            continue;
        };
        let name = variable_name(long);
        let Some(value) = variable(&name).filter(|value| !value.is_empty()) else {
            continue;
        };
        match argument.get_action() {
            ArgAction::SetTrue if value == "true" || value == "1" => {
                completed.push(format!("--{long}").into())
            }
            ArgAction::SetTrue
            | ArgAction::Help
            | ArgAction::HelpShort
            | ArgAction::HelpLong
            | ArgAction::Version => {}
            // A list is one value a line or a comma, as an action's input has it.
            ArgAction::Append => {
                let text = value.to_string_lossy().into_owned();
                let values = text
                    .split([',', '\n'])
                    .map(str::trim)
                    .filter(|value| !value.is_empty());
                completed.extend(values.map(|value| OsString::from(format!("--{long}={value}"))));
            }
            _ => {
                let mut given = OsString::from(format!("--{long}="));
                given.push(value);
                completed.push(given);
            }
        }
    }
    completed.extend(rest.iter().cloned());
    completed
}

fn variable_name(long: &str) -> String {
    format!("LASTMILE_{}", long.to_uppercase().replace('-', "_"))
}

/// The subcommand that the arguments name, and how many arguments lead up to it, the program's own name included.
/// Flags of the commands above it may stand between.
fn chosen<'a>(root: &'a Command, arguments: &[OsString]) -> (&'a Command, usize) {
    let (mut command, mut depth) = (root, 1.min(arguments.len()));
    let mut at = depth;
    while let Some(word) = arguments.get(at) {
        let text = word.to_string_lossy();
        if let Some(next) = command.find_subcommand(word) {
            (command, depth) = (next, at + 1);
            at += 1;
        } else if let Some(flag) = text.strip_prefix("--").filter(|flag| !flag.is_empty()) {
            let takes_value = command
                .get_arguments()
                .find(|argument| argument.get_long() == Some(flag))
                .is_some_and(|argument| argument.get_action().takes_values());
            at += if takes_value { 2 } else { 1 };
        } else if text.len() > 1 && text.starts_with('-') && text != "--" {
            at += 1;
        } else {
            break;
        }
    }
    (command, depth)
}

fn is_given(argument: &Arg, arguments: &[OsString]) -> bool {
    let Some(long) = argument.get_long() else {
        return false;
    };
    let flag = format!("--{long}");
    arguments
        .iter()
        .take_while(|word| *word != "--")
        .any(|word| {
            let word = word.to_string_lossy();
            word == flag
                || word
                    .strip_prefix(&flag)
                    .is_some_and(|rest| rest.starts_with('='))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
        let arguments = words.iter().map(OsString::from).collect();
        let look = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| OsString::from(value))
        };
        completed(arguments, look)
            .into_iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn variables_become_one_argument_each() {
        let variables = [
            ("LASTMILE_STORE", "file:./x"),
            ("LASTMILE_APP", ""),
            ("LASTMILE_REASON", "a\n--store=evil $(x)"),
            ("LASTMILE_PLATFORM", "macos\nwindows-x64"),
        ];
        let words = run(
            &["lastmile", "rollout", "halt", "--channel", "beta"],
            &variables,
        );
        assert!(words.contains(&"--store=file:./x".to_owned()), "{words:?}");
        assert!(
            words.contains(&"--reason=a\n--store=evil $(x)".to_owned()),
            "{words:?}"
        );
        assert!(
            !words.iter().any(|word| word.starts_with("--app")),
            "an empty variable is unset: {words:?}"
        );
        assert_eq!(
            words
                .iter()
                .filter(|word| word.starts_with("--platform="))
                .count(),
            2,
            "{words:?}"
        );
    }

    #[test]
    fn flags_before_the_verb_hide_no_variable() {
        for words in [
            &["lastmile", "--format", "json", "rollout", "halt"][..],
            &["lastmile", "--format=json", "rollout", "halt"],
            &["lastmile", "rollout", "--config", "x.yml", "halt"],
        ] {
            let words = run(words, &[("LASTMILE_CHANNEL", "beta")]);
            assert!(words.contains(&"--channel=beta".to_owned()), "{words:?}");
        }
    }

    #[test]
    fn a_flag_wins_over_a_variable() {
        let words = run(
            &["lastmile", "rollout", "halt", "--store=file:./y"],
            &[("LASTMILE_STORE", "file:./x")],
        );
        assert_eq!(
            words
                .iter()
                .filter(|word| word.starts_with("--store"))
                .collect::<Vec<_>>(),
            ["--store=file:./y"]
        );
    }
}
