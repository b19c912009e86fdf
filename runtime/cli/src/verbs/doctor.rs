//! `hall doctor`: tries the built-in hostile guests on this machine, and looks at what stands around the sandbox.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};
use skillhall::doctor::{Condition, Doctor, Figure, Finding, Guest, Standing, Unit, conditions, environment};
use skillhall::hall::{Fault, Hall};

use super::list::size;
use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::hall::{Place, config};
use crate::printer::{Printer, bad, bold, dim, good, hint, shown};
use crate::progress::micros;

/// Try on this machine whether the sandbox holds, and look at what stands around it
#[derive(Args)]
#[command(
    after_help = "Nothing of a hall is run or changed. Exit code 0: all holds; 1: something does not, and the table says what.\n\nExamples:\n  hall doctor\n  hall doctor --list\n  hall doctor --only time --only clock\n  hall doctor --json > doctor.json"
)]
pub(crate) struct Arguments {
    /// Say what would be tried and looked at, and do nothing
    #[arg(long, conflicts_with = "only")]
    list: bool,
    /// Only this guest, this kind of guests (such as time) or this condition; can be given several times
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
}

pub(crate) async fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome {
    let started = Instant::now();
    let doctor = Doctor::new().map_err(|fault| CommandError::Fault(fault.into()))?;
    if arguments.list {
        list(&doctor, printer);
        return Ok(Exit::Done);
    }
    let wanted = Wanted::new(&arguments.only, &doctor)?;
    let guests: Vec<&Guest> = doctor.guests().iter().filter(|guest| wanted.guest(guest.name())).collect();
    let mut findings = Vec::new();
    for guest in &guests {
        if std::io::stderr().is_terminal() && findings.last().is_none_or(|last: &Finding| kind(&last.guest) != kind(guest.name()))
        {
            printer.note(&dim(&format!("  {} of {}: {} ...", findings.len() + 1, guests.len(), kind(guest.name()))));
        }
        findings.push(doctor.examine(guest).await);
    }
    let mut around = surroundings(place);
    around.retain(|condition| wanted.condition(condition.name));
    Report { findings, conditions: around, took: started.elapsed() }.tell(printer)
}

/// What stands around the sandbox, with the hall if there is one.
fn surroundings(place: &Place) -> Vec<Condition> {
    let path = place.path().unwrap_or_else(|_| "the home folder, which is not known".into());
    match Hall::open(config(path.clone())) {
        Ok(hall) => conditions(Ok(Some(&hall)), &path),
        Err(Fault::Missing { .. }) => conditions(Ok(None), &path),
        Err(fault) => conditions(Err(&fault), &path),
    }
}

fn list(doctor: &Doctor, printer: &Printer) {
    let guest = |guest: &Guest| json!({ "guest": guest.name(), "tries": guest.tries(), "expected": guest.expected(), "limit": guest.limit() });
    let guests: Vec<Value> = doctor.guests().iter().map(guest).collect();
    printer.result(&json!({ "guests": guests, "environment": environment::NAMES }), || {
        let guests = doctor
            .guests()
            .iter()
            .flat_map(|guest| [format!("{}  {}", bold(guest.name()), dim(guest.expected())), format!("  {}", guest.tries())]);
        guests.chain([format!("{}: {}", bold("environment"), environment::NAMES.join(", "))]).collect()
    });
}

/// What a guest's name begins with.
fn kind(name: &str) -> &str {
    name.split('-').next().unwrap_or_default()
}

/// What was asked for with `--only`.
struct Wanted<'a>(&'a [String]);

impl<'a> Wanted<'a> {
    fn new(only: &'a [String], doctor: &Doctor) -> Outcome<Self> {
        let guests = || doctor.guests().iter().map(Guest::name);
        let known: Vec<&str> = guests().chain(guests().map(kind)).chain(environment::NAMES).collect();
        if let Some(unknown) = only.iter().find(|name| !known.contains(&name.as_str())) {
            let likeness = |name: &&&str| strsim::jaro_winkler(name, unknown);
            let nearest =
                known.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other))).copied().unwrap_or_default();
            return Err(CommandError::usage(
                format!("there is no guest and no condition '{}'", unknown.escape_default()),
                format!("did you mean {nearest}? `hall doctor --list` names them all"),
            ));
        }
        Ok(Self(only))
    }

    fn guest(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|wanted| wanted == name || wanted == kind(name))
    }

    fn condition(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|wanted| wanted == name)
    }
}

/// What was found.
struct Report {
    findings: Vec<Finding>,
    conditions: Vec<Condition>,
    took: Duration,
}

/// Something does not hold.
#[derive(Debug)]
pub(crate) struct Unsound {
    message: String,
    hint: String,
}

impl Unsound {
    pub(crate) fn hint(&self) -> String {
        self.hint.clone()
    }
}

impl std::fmt::Display for Unsound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Unsound {}

impl Report {
    /// The table, and how the command ends.
    fn tell(&self, printer: &Printer) -> Outcome {
        printer.result(&self.object(), || self.lines());
        match self.unsound() {
            None => Ok(Exit::Done),
            Some(unsound) => Err(CommandError::Fault(unsound.into())),
        }
    }

    fn unsound(&self) -> Option<Unsound> {
        let open = self.findings.iter().filter(|finding| !finding.held).count();
        let wrong = self.conditions.iter().find(|condition| condition.standing == Standing::Bad);
        match (open, wrong) {
            (0, None) => None,
            (0, Some(condition)) => Some(Unsound {
                message: format!("{}: {}", condition.name, condition.told),
                hint: condition.hint.clone().unwrap_or_else(|| "see docs/doctor.md".into()),
            }),
            (open, _) => Some(Unsound {
                message: format!("the sandbox does not hold here: {open} of {} guests were not stopped as they must be", self.findings.len()),
                hint: "run no skills of others on this machine; if it happens again on a quiet machine, report it as SECURITY.md says".into(),
            }),
        }
    }

    fn object(&self) -> Value {
        let held = self.findings.iter().filter(|finding| finding.held).count();
        json!({
            "sound": self.unsound().is_none(),
            "tried": self.findings.len(),
            "held": held,
            "guests": self.findings,
            "environment": self.conditions,
            "duration_us": u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX),
        })
    }

    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.findings.iter().flat_map(finding_lines).collect();
        lines.extend(self.conditions.iter().flat_map(condition_lines));
        let held = self.findings.iter().filter(|finding| finding.held).count();
        let wrong = self.conditions.iter().filter(|condition| condition.standing == Standing::Bad).count();
        let guests = (!self.findings.is_empty()).then(|| format!("{held} of {} guests held", self.findings.len()));
        let around = (!self.conditions.is_empty()).then(|| match wrong {
            0 => "nothing around the sandbox is wrong".to_owned(),
            1 => "one thing around the sandbox is wrong".to_owned(),
            wrong => format!("{wrong} things around the sandbox are wrong"),
        });
        let told: Vec<String> = guests.into_iter().chain(around).collect();
        let mark = if self.unsound().is_none() { good("✓") } else { bad("✗") };
        lines.push(format!("{mark} {} ({})", told.join("; "), micros(self.took)));
        lines
    }
}

/// How wide the longest name is.
const NAME: usize = 52;

fn finding_lines(finding: &Finding) -> Vec<String> {
    let figure = finding.figure.map(show_figure).unwrap_or_default();
    let name = format!("{:<NAME$}", finding.guest);
    if finding.held {
        let mark = good("✓");
        return vec![match figure.as_str() {
            "" => format!("  {mark} {name} {}", finding.came),
            figure => format!("  {mark} {name} {:<16} {}", finding.came, dim(figure)),
        }];
    }
    let mut lines = vec![format!("  {} {} {:<16} {}", bad("✗"), bold(&name), finding.came, bad("NOT HELD"))];
    lines.push(format!("      it tries: {}", finding.tries));
    lines.extend(finding.wrong.iter().map(|wrong| format!("      {}", shown(wrong))));
    lines
}

fn condition_lines(condition: &Condition) -> Vec<String> {
    let mark = match condition.standing {
        Standing::Good => good("✓"),
        Standing::Remark => hint("·"),
        Standing::Bad => bad("✗"),
    };
    let mut lines = vec![format!("  {mark} {:<14} {}", condition.name, shown(&condition.told))];
    if condition.standing != Standing::Good
        && let Some(advice) = &condition.hint
    {
        lines.push(format!("    {} {}", hint("hint:"), shown(advice)));
    }
    lines
}

/// What was used of what was allowed.
fn show_figure(figure: Figure) -> String {
    let show = |number: u64| match figure.unit {
        Unit::Micros => micros(Duration::from_micros(number)),
        Unit::Bytes => size(number),
        Unit::Count => number.to_string(),
    };
    let allowed = match figure.unit {
        Unit::Micros => format!("{} ms", figure.allowed / 1000),
        _ => show(figure.allowed),
    };
    match figure.used {
        Some(used) => format!("{} of {allowed}", show(used)),
        None => format!("at most {allowed}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(held: bool) -> Finding {
        Finding {
            guest: "memory-grow".into(),
            tries: "Grows its memory page by page without end.".into(),
            limit: Some("memory".into()),
            expected: "FAIL_MEMORY",
            came: if held { "FAIL_MEMORY" } else { "its value" },
            held,
            wrong: if held { Vec::new() } else { vec!["it came to its end and gave \u{1b}7".into()] },
            resources: None,
            figure: Some(Figure { used: Some(4 << 20), allowed: 4 << 20, unit: Unit::Bytes }),
            duration_us: 1,
        }
    }

    fn condition(standing: Standing) -> Condition {
        Condition { name: "keys", standing, told: "keys has mode 755".into(), hint: Some("chmod 700 keys".into()) }
    }

    fn report(findings: Vec<Finding>, conditions: Vec<Condition>) -> Report {
        Report { findings, conditions, took: Duration::from_millis(1) }
    }

    /// What a limit that does not hold looks like, and how the command then ends. That such a limit is found, the host's own tests
    /// show.
    #[test]
    fn a_limit_that_does_not_hold_is_shown_and_ends_the_command_badly() {
        let report = report(vec![finding(true), finding(false)], vec![condition(Standing::Remark)]);
        let text = report.lines().join("\n");
        assert!(
            text.contains("NOT HELD") && text.contains("it tries: Grows its memory") && text.contains("1 of 2 guests held"),
            "{text}"
        );
        assert!(text.contains("gave \\u{1b}7"), "{text}");
        let object = report.object();
        assert_eq!((&object["sound"], &object["tried"], &object["held"]), (&json!(false), &json!(2), &json!(1)));
        let error = report.tell(&Printer::new(false, true)).unwrap_err();
        assert_eq!(error.exit(), Exit::Fault);
        assert!(error.message().contains("1 of 2 guests") && error.hint().unwrap().contains("SECURITY.md"), "{error}");
    }

    #[test]
    fn a_condition_that_is_wrong_ends_the_command_badly_and_a_remark_does_not() {
        assert_eq!(
            report(vec![finding(true)], vec![condition(Standing::Remark)]).tell(&Printer::new(false, true)).unwrap(),
            Exit::Done
        );
        let error = report(Vec::new(), vec![condition(Standing::Bad)]).tell(&Printer::new(false, true)).unwrap_err();
        assert_eq!((error.exit(), error.hint().as_deref()), (Exit::Fault, Some("chmod 700 keys")));
        assert_eq!(error.message(), "keys: keys has mode 755");
    }

    #[test]
    fn figures_are_told_in_their_units() {
        let figure = |used, allowed, unit| show_figure(Figure { used, allowed, unit });
        assert_eq!(figure(Some(51_300), 50_000, Unit::Micros), "51.3 ms of 50 ms");
        assert_eq!(figure(Some(1 << 20), 4 << 20, Unit::Bytes), "1.0 MiB of 4.0 MiB");
        assert_eq!(figure(None, 1000, Unit::Count), "at most 1000");
    }
}
