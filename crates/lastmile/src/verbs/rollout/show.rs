//! What the rollout verbs show to people.

use ops::Place;
use ops::rollout::{Changed, Plan, Status};
use release::name::printable;

use crate::output::table;

/// What a verb did.
pub(crate) fn changed(place: &Place, changed: &Changed) -> String {
    let at = format!(
        "{}/{} revision {}",
        place.app, place.channel, changed.revision
    );
    let mut text = match &changed.already {
        Some(why) => format!("{at}: nothing to do, {why}\n"),
        None => format!("{at}: {}\n", changed.verb),
    };
    let rows: Vec<_> = changed
        .changes
        .iter()
        .map(|(platform, what)| vec![platform.clone(), what.clone()])
        .collect();
    text.push_str(&table(&rows));
    for (channel, revision) in &changed.followed {
        text.push_str(&format!("channel {channel} follows: revision {revision}\n"));
    }
    text.push_str(match changed.projected.len() {
        0 => "every feed shows it already\n",
        _ => "every feed was written and read back:\n",
    });
    let rows: Vec<_> = changed
        .projected
        .iter()
        .map(|path| vec![path.clone()])
        .collect();
    text.push_str(&table(&rows));
    for note in &changed.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text
}

/// What comes next.
pub(crate) fn plan(plan: &Plan) -> String {
    let mut text = format!("planned on revision {}\n", plan.revision);
    if let Some(already) = &plan.already {
        text.push_str(&format!("nothing to do: {already}\n"));
    }
    let rows: Vec<_> = plan
        .changes
        .iter()
        .map(|(platform, what)| vec![platform.clone(), what.clone()])
        .collect();
    text.push_str(&table(&rows));
    for step in &plan.steps {
        let platforms = step
            .platforms
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        text.push_str(&format!("{}\n", step.command));
        let mut rows = vec![
            vec!["platforms".to_owned(), platforms],
            vec!["offered to".to_owned(), step.exposure.clone()],
        ];
        if let (Some(at), Some(wait)) = (step.not_before, &step.wait) {
            rows.push(vec![
                "not before".to_owned(),
                format!("{at}, in {wait}: the tier soaks"),
            ]);
        }
        text.push_str(&table(&rows));
    }
    if plan.steps.is_empty() && plan.already.is_none() {
        text.push_str("no step is due: nothing is on its way\n");
    }
    for (feed, staging) in &plan.feeds {
        text.push_str(&format!("{feed}: {staging}\n"));
    }
    text
}

/// Where the channel is.
pub(crate) fn status(place: &Place, status: &Status) -> String {
    let Status {
        revision,
        written,
        verb,
        actor,
        reason,
        platforms,
        problems,
    } = status;
    let why = reason
        .as_deref()
        .map(|reason| format!(": {}", printable(reason)))
        .unwrap_or_default();
    let mut text = format!(
        "{}/{} revision {revision}, {written}\n",
        place.app, place.channel
    );
    text.push_str(&format!(
        "{} by {}{why}\n",
        printable(verb),
        printable(actor)
    ));
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
    for (platform, entry) in platforms {
        text.push_str(&format!("{platform}\n"));
        let mut rows = vec![vec![
            "baseline".to_owned(),
            or_none(entry.baseline.as_ref().map(ToString::to_string)),
        ]];
        if let (Some(candidate), Some(stage)) = (&entry.candidate, &entry.stage) {
            let tier = entry
                .tier
                .as_ref()
                .map(|tier| format!(" at tier {tier}"))
                .unwrap_or_default();
            let exposure = entry
                .exposure
                .as_ref()
                .map(|to| format!(", offered to {to}"))
                .unwrap_or_default();
            rows.push(vec![
                "candidate".to_owned(),
                format!("{candidate} {stage}{tier}{exposure}"),
            ]);
        }
        rows.extend(
            entry
                .feeds
                .iter()
                .map(|(feed, shows)| vec![feed.clone(), shows.clone()]),
        );
        text.push_str(&table(&rows));
    }
    for problem in problems {
        text.push_str(&format!("problem: {problem}\n"));
    }
    text
}
