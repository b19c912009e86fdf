//! How much of WCP a worker's registry record declares: none, Basic, Standard or Full, by the criteria of the reference's
//! `check_worker_compliance`. It grades what a record says; whether that is so, no record shows.

use serde::Serialize;
use serde_json::Value;

/// A level, the lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Level {
    /// Less than Basic.
    #[serde(rename = "none")]
    None,
    /// It can be found and routed to.
    #[serde(rename = "WCP-Basic")]
    Basic,
    /// It says what controls it needs and has, and where it may run.
    #[serde(rename = "WCP-Standard")]
    Standard,
    /// It says how far it reaches, and leaves evidence.
    #[serde(rename = "WCP-Full")]
    Full,
}

impl Level {
    /// The level as WCP writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "WCP-Basic",
            Self::Standard => "WCP-Standard",
            Self::Full => "WCP-Full",
        }
    }
}

/// A record's grade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grade {
    /// The highest level of which every criterion, and every one of the lower levels, is met.
    pub level: Level,
    /// Every criterion, in order of the levels.
    pub criteria: Vec<Criterion>,
}

/// One criterion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Criterion {
    /// The level that needs it.
    pub level: Level,
    /// What the record has to declare.
    pub what: &'static str,
    /// Whether it does.
    pub met: bool,
}

/// The dimensions of a declared blast radius.
const DIMENSIONS: [&str; 5] = ["data", "network", "financial", "time", "reversibility"];

/// Grades a record. Whatever it is given, it answers: what is no object declares nothing, and a member of another type than
/// WCP gives it does not count.
#[must_use]
pub fn grade(record: &Value) -> Grade {
    let text = |key: &str| record.get(key).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
    let list = |key: &str| texts(record, key).next().is_some();
    let controls = |parts: &[&str]| {
        let mut all = texts(record, "required_controls").chain(texts(record, "currently_implements"));
        all.any(|control| parts.iter().any(|part| plain(control).contains(part)))
    };
    let blast = record.get("blast_radius").and_then(Value::as_object);
    let envelope = record.get("privilege_envelope").and_then(Value::as_object);
    let criterion = |level, what, met| Criterion { level, what, met };
    let criteria = vec![
        criterion(Level::Basic, "worker_id", text("worker_id")),
        criterion(Level::Basic, "capabilities, at least one", list("capabilities")),
        criterion(Level::Basic, "worker_species_id", text("worker_species_id")),
        criterion(Level::Basic, "risk_tier", text("risk_tier")),
        criterion(Level::Standard, "required_controls, at least one", list("required_controls")),
        criterion(Level::Standard, "currently_implements, at least one", list("currently_implements")),
        criterion(Level::Standard, "allowed_environments, at least one", list("allowed_environments")),
        criterion(
            Level::Standard,
            "a control of the audit log (ctrl.obs.audit-log-append-only)",
            controls(&["audit_log", "ctrl_audit"]),
        ),
        criterion(
            Level::Standard,
            "a control of denying by default (ctrl.pol.default-deny)",
            controls(&["default_deny", "deny_default"]),
        ),
        criterion(
            Level::Full,
            "blast_radius with data, network, financial, time and reversibility",
            blast.is_some_and(|blast| DIMENSIONS.iter().all(|dimension| blast.contains_key(*dimension))),
        ),
        criterion(Level::Full, "privilege_envelope, not empty", envelope.is_some_and(|envelope| !envelope.is_empty())),
        criterion(Level::Full, "idempotency", text("idempotency")),
        criterion(
            Level::Full,
            "artifact_hash, or a control of evidence receipts",
            text("artifact_hash") || controls(&["artifact_hash", "evidence_receipt"]),
        ),
    ];
    let met = |level: Level| criteria.iter().filter(|criterion| criterion.level <= level).all(|criterion| criterion.met);
    let level = [Level::Full, Level::Standard, Level::Basic].into_iter().find(|level| met(*level)).unwrap_or(Level::None);
    Grade { level, criteria }
}

fn texts<'a>(record: &'a Value, key: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    record.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).filter(|text| !text.is_empty())
}

/// A control's id with every spelling of its parts' ends made one.
fn plain(control: &str) -> String {
    control.to_lowercase().replace(['-', '.'], "_")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn full() -> Value {
        json!({
            "worker_id": "org.acme.redact.1",
            "worker_species_id": "wrk.org.acme.redact",
            "capabilities": ["cap.text.redact"],
            "risk_tier": "low",
            "required_controls": ["ctrl.obs.audit-log-append-only"],
            "currently_implements": ["ctrl.pol.default_deny"],
            "allowed_environments": ["dev"],
            "blast_radius": { "data": 1, "network": 0, "financial": 0, "time": 1, "reversibility": "reversible" },
            "privilege_envelope": { "network_egress": "none" },
            "idempotency": "full",
            "artifact_hash": "ab",
        })
    }

    #[test]
    fn each_criterion_is_needed_for_its_level() {
        assert_eq!(grade(&full()).level, Level::Full);
        let cases = [
            ("worker_id", Level::None),
            ("worker_species_id", Level::None),
            ("capabilities", Level::None),
            ("risk_tier", Level::None),
            ("required_controls", Level::Basic),
            ("currently_implements", Level::Basic),
            ("allowed_environments", Level::Basic),
            ("blast_radius", Level::Standard),
            ("privilege_envelope", Level::Standard),
            ("idempotency", Level::Standard),
            ("artifact_hash", Level::Standard),
        ];
        for (key, level) in cases {
            for nothing in [None, Some(json!(null)), Some(json!("")), Some(json!([])), Some(json!({})), Some(json!(0))] {
                let mut record = full();
                match nothing.clone() {
                    Some(nothing) => record[key] = nothing,
                    None => drop(record.as_object_mut().unwrap().remove(key)),
                }
                assert_eq!(grade(&record).level, level, "{key} is {nothing:?}");
            }
        }
        let mut without_receipts = full();
        without_receipts["artifact_hash"] = json!(null);
        without_receipts["currently_implements"] = json!(["ctrl.pol.default-deny", "ctrl.evidence-receipts"]);
        assert_eq!(grade(&without_receipts).level, Level::Full);
        let mut flat = full();
        flat["blast_radius"].as_object_mut().unwrap().remove("time");
        assert_eq!(grade(&flat).level, Level::Standard);
    }

    #[test]
    fn whatever_is_no_record_has_no_level() {
        for value in [json!(null), json!([]), json!("x"), json!({}), json!({ "capabilities": "cap.a" })] {
            assert_eq!(grade(&value).level, Level::None);
        }
    }
}
