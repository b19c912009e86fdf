//! `hall policy check` and `hall policy test`: what is wrong with the policies of the gate, and what they answer.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use skillhall::gates::PolicyFile;
use skillhall::gates::cedar::{CedarGate, Finding, Severity, check as examine, digest};
use skillhall_core::govern::config::HallConfig;
use skillhall_core::govern::wcp::gate::{DEFAULT_POLICY_VERSION, GateContext, PolicyGate, consult};
use skillhall_core::govern::wcp::{DataLabel, Env, QosClass, TenantRisk};
use skillhall_core::package::Effect;

use crate::error::{CommandError, NotAsExpected, Outcome};
use crate::exit::Exit;
use crate::hall::Place;
use crate::printer::{Printer, bad, bold, good, hint, shown};

/// The largest file of policies or cases that is read, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// Find what is wrong with the Cedar policies of hall.toml, or with other ones
#[derive(Args)]
#[command(
    after_help = "Each finding names file, line and column. Errors keep the policies from loading: syntax, what the schema does not know, templates, unknown annotations. Warnings name what can never matter: a condition that is false by its types, a policy that another one covers (the same or a wider scope and no condition of its own, or the same one), an approval that is never asked for, a set that permits nothing. Whether two different conditions exclude one another is not looked for.\nExit code: 0 if nothing is wrong, 2 otherwise.\n\nExamples:\n  hall policy check\n  hall policy check policies/new.cedar\n  hall policy check --schema         # what a policy can speak of"
)]
pub(super) struct CheckArguments {
    /// Files with policies, as one set [default: those that hall.toml names, as they are on disk]
    files: Vec<PathBuf>,
    /// Print the schema instead
    #[arg(long, conflicts_with = "files")]
    schema: bool,
}

/// Ask the policy gate about cases in files, and hold its answers against what they expect
#[derive(Args)]
#[command(
    after_help = "A file holds cases in TOML. What a context leaves out is the most harmless: dev, PUBLIC, low, P2, no effects, score 0.\n\n  [[case]]\n  name = \"restricted data in prod\"\n  context = { env = \"prod\", data_label = \"RESTRICTED\" }\n  verdict = \"REQUIRE_HUMAN\"\n  reason = \"restricted_data_in_prod\"       # may be left out\n\nThe gate is what hall.toml names on disk (Cedar, program, endpoint; the worst answer counts), or the policies of --cedar.\nExit code: 0 if every answer is as expected, 1 if one is not.\n\nExamples:\n  hall policy test policies/cases.toml\n  hall policy test cases.toml --cedar policies/new.cedar"
)]
pub(super) struct TestArguments {
    /// Files with cases
    #[arg(required = true, value_name = "FILE")]
    cases: Vec<PathBuf>,
    /// Ask these Cedar policies, as one set, and no hall
    #[arg(long, value_name = "FILE", num_args = 1..)]
    cedar: Vec<PathBuf>,
}

pub(super) fn check(arguments: &CheckArguments, place: &Place, printer: &Printer) -> Outcome {
    if arguments.schema {
        let schema = skillhall::gates::cedar::SCHEMA;
        printer.result(&json!({ "schema": schema }), || schema.lines().map(str::to_owned).collect());
        return Ok(Exit::Done);
    }
    let files = if arguments.files.is_empty() { named(place)? } else { read_all(&arguments.files)? };
    let findings = examine(&files);
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let object = json!({ "files": names, "findings": findings, "policy_version": format!("cedar.{}", digest(&files)) });
    printer.result(&object, || {
        let mut lines: Vec<String> = findings.iter().map(line).collect();
        if findings.is_empty() {
            lines.push(format!("{} {}: nothing is wrong", good("✓"), shown(&names.join(", "))));
        }
        lines
    });
    if findings.is_empty() {
        return Ok(Exit::Done);
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let message = format!("the policies have {} and {}", count(errors, "error"), count(findings.len() - errors, "warning"));
    Err(CommandError::usage(message, "hall policy check --schema shows what a policy can speak of; docs/governance.md"))
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn line(finding: &Finding) -> String {
    let (mark, word) = match finding.severity {
        Severity::Error => (bad("✗"), "error"),
        Severity::Warning => (hint("!"), "warning"),
    };
    format!("{mark} {word}: {}", shown(&finding.fault.to_string()))
}

/// The policies that hall.toml names on disk.
fn named(place: &Place) -> Outcome<Vec<PolicyFile>> {
    let texts = place.open()?.texts_on_disk()?;
    if texts.policies.is_empty() && HallConfig::parse(&texts.config).is_ok_and(|config| config.policy.cedar.is_empty()) {
        return Err(CommandError::usage(
            "hall.toml names no Cedar policies",
            "name files, or set policy.cedar = [\"policies/*.cedar\"]",
        ));
    }
    Ok(texts.policies)
}

pub(super) fn read_all(paths: &[PathBuf]) -> Outcome<Vec<PolicyFile>> {
    paths.iter().map(|path| Ok(PolicyFile { name: path.display().to_string(), text: read(path)? })).collect()
}

pub(super) fn read(path: &Path) -> Outcome<String> {
    let fault = |error: String| CommandError::usage(format!("{}: {error}", path.display()), "hall policy --help");
    let mut text = String::new();
    let file = File::open(path).map_err(|error| fault(error.to_string()))?;
    file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(|error| fault(error.to_string()))?;
    if text.len() as u64 > MAX_FILE {
        return Err(fault(format!("it is larger than {MAX_FILE} bytes")));
    }
    Ok(text)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    context: Stated,
    verdict: Expected,
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Expected {
    Allow,
    Deny,
    RequireHuman,
}

impl Expected {
    fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "ALLOW",
            Self::Deny => "DENY",
            Self::RequireHuman => "REQUIRE_HUMAN",
        }
    }
}

/// What a case says of its context.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Stated {
    capability_id: String,
    tenant_id: String,
    env: Env,
    data_label: DataLabel,
    tenant_risk: TenantRisk,
    qos_class: QosClass,
    skill: String,
    tool: String,
    effects: Vec<Effect>,
    capabilities: Vec<String>,
    caller: String,
    organisation: String,
    blast_score: u8,
}

impl Default for Stated {
    fn default() -> Self {
        Self {
            capability_id: "cap.example".to_owned(),
            tenant_id: "example".to_owned(),
            env: Env::Dev,
            data_label: DataLabel::Public,
            tenant_risk: TenantRisk::Low,
            qos_class: QosClass::P2,
            skill: "x.example/skill@1.0.0".to_owned(),
            tool: "tool".to_owned(),
            effects: Vec::new(),
            capabilities: Vec::new(),
            caller: "caller".to_owned(),
            organisation: "example".to_owned(),
            blast_score: 0,
        }
    }
}

impl From<Stated> for GateContext {
    fn from(stated: Stated) -> Self {
        Self {
            capability_id: stated.capability_id,
            tenant_id: stated.tenant_id,
            env: stated.env,
            data_label: stated.data_label,
            tenant_risk: stated.tenant_risk,
            qos_class: stated.qos_class,
            policy_version: DEFAULT_POLICY_VERSION,
            skill: stated.skill,
            tool: stated.tool,
            effects: stated.effects,
            capabilities: stated.capabilities,
            caller: stated.caller,
            organisation: stated.organisation,
            blast_score: stated.blast_score,
        }
    }
}

pub(super) fn test(arguments: &TestArguments, place: &Place, printer: &Printer) -> Outcome {
    let gate = gate(arguments, place)?;
    let mut cases = Vec::new();
    for path in &arguments.cases {
        let fault =
            |error: toml::de::Error| CommandError::usage(format!("{}: {error}", path.display()), "hall policy test --help");
        cases.extend(toml::from_str::<Cases>(&read(path)?).map_err(fault)?.case);
    }
    let answers: Vec<Answer> = cases.into_iter().map(|case| asked(&*gate, case)).collect();
    let wrong = answers.iter().filter(|answer| !answer.holds).count();
    let rows: Vec<Value> = answers.iter().map(|answer| answer.row.clone()).collect();
    printer.result(&json!({ "cases": rows, "wrong": wrong }), || {
        let mut lines: Vec<String> = answers.into_iter().map(|answer| answer.line).collect();
        lines.push(format!("{}, {wrong} not as expected", count(lines.len(), "case")));
        lines
    });
    if wrong == 0 {
        return Ok(Exit::Done);
    }
    let what = format!("{} not answered as expected", count(wrong, "case"));
    Err(CommandError::Fault(NotAsExpected { what, hint: "change the policies, or what the cases expect of them" }.into()))
}

fn gate(arguments: &TestArguments, place: &Place) -> Outcome<Arc<dyn PolicyGate>> {
    if arguments.cedar.is_empty() {
        let nothing = || CommandError::usage("hall.toml names no policy gate", "set policy.cedar, or name policies with --cedar");
        return place.open()?.gate_on_disk()?.ok_or_else(nothing);
    }
    let gate = CedarGate::load(&read_all(&arguments.cedar)?);
    Ok(Arc::new(gate.map_err(|error| CommandError::usage(error.to_string(), "hall policy check"))?))
}

/// How the gate answered a case.
struct Answer {
    holds: bool,
    row: Value,
    line: String,
}

fn asked(gate: &dyn PolicyGate, case: Case) -> Answer {
    let Case { name, context, verdict: expected, reason } = case;
    let told = |holds: bool, found: &Value, text: &str| {
        let mark = if holds { good("✓") } else { bad("✗") };
        let wanted =
            reason.as_ref().map_or_else(|| expected.as_str().to_owned(), |reason| format!("{} {reason}", expected.as_str()));
        let tail = if holds { String::new() } else { format!(", expected {}", shown(&wanted)) };
        let row = json!({ "name": name, "holds": holds, "expected": { "verdict": expected.as_str(), "reason": reason }, "found": found });
        Answer { holds, row, line: format!("{mark} {}  {}{tail}", bold(&shown(&name)), shown(text)) }
    };
    match consult(gate, &context.into()) {
        Ok(verdict) => {
            let holds = verdict.decision == expected.as_str() && reason.as_ref().is_none_or(|reason| *reason == verdict.reason);
            told(holds, &json!(verdict), &format!("{} {}", verdict.decision, verdict.reason))
        }
        Err(error) => told(false, &json!({ "error": error.to_string() }), &error.to_string()),
    }
}
