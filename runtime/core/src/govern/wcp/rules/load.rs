//! The strict reader of a rules file. Every fault is found where it stands, so that it can be told with line and column.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::{Candidate, Condition, Escalation, HumanTrigger, MAX_BYTES, MAX_RULES, Match, Preconditions, Rule, RulesError};
use crate::govern::wcp::controls::ControlId;
use crate::govern::wcp::object::Object;
use crate::govern::wcp::request::{DataLabel, Env, QosClass, TenantRisk, Word, shown};
use crate::json::{JsonError, sorted_members};

/// The longest id or text, in bytes.
const MAX_TEXT: usize = 1024;

pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Rule>, RulesError> {
    if bytes.len() > MAX_BYTES {
        return Err(RulesError { message: format!("the rules are larger than {MAX_BYTES} bytes"), line: 0, column: 0 });
    }
    // First as JSON that everybody reads alike (no key twice anywhere), then as rules.
    crate::json::parse(bytes)?;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let document: Object<Document> = Object::deserialize(&mut reader).map_err(JsonError::from)?;
    Ok(document.0.rules)
}

impl From<JsonError> for RulesError {
    fn from(error: JsonError) -> Self {
        let message = error.message.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] });
        Self { message: message.collect(), line: error.line, column: error.column }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(deserialize_with = "rules")]
    rules: Vec<Rule>,
}

fn rules<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Rule>, D::Error> {
    struct Rules;
    impl<'de> Visitor<'de> for Rules {
        type Value = Vec<Rule>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of rules")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Rule>, A::Error> {
            let (mut rules, mut ids) = (Vec::new(), BTreeSet::new());
            while let Some(rule) = list.next_element_seed(RuleSeed { ids: &mut ids })? {
                rules.push(rule);
                if rules.len() > MAX_RULES {
                    return Err(A::Error::custom(format_args!("more than {MAX_RULES} rules")));
                }
            }
            Ok(rules)
        }
    }
    deserializer.deserialize_seq(Rules)
}

/// Reads one rule and knows the ids of those before it, so that a duplicate is told where the id stands.
struct RuleSeed<'a> {
    ids: &'a mut BTreeSet<String>,
}

impl<'de> DeserializeSeed<'de> for RuleSeed<'_> {
    type Value = Rule;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Rule, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RuleSeed<'_> {
    type Value = Rule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a rule, an object with rule_id, match and decision")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rule, A::Error> {
        const FIELDS: &[&str] = &["rule_id", "description", "match", "decision"];
        let (mut id, mut matching, mut decision) = (None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "rule_id" => {
                    let text = map.next_value::<Name>()?.0;
                    if !self.ids.insert(text.clone()) {
                        return Err(A::Error::custom(format_args!("the rule id '{}' comes twice", shown(&text))));
                    }
                    id = Some(text);
                }
                "description" => {
                    map.next_value::<String>()?;
                }
                "match" => matching = Some(map.next_value::<Object<RawMatch>>()?.0),
                "decision" => decision = Some(map.next_value::<Object<RawDecision>>()?.0),
                unknown => return Err(A::Error::unknown_field(&shown(unknown), FIELDS)),
            }
        }
        let id = id.ok_or_else(|| A::Error::missing_field("rule_id"))?;
        let matching = matching.ok_or_else(|| A::Error::missing_field("match"))?;
        let decision = decision.ok_or_else(|| A::Error::missing_field("decision"))?;
        Ok(decision.into_rule(id, matching.into()))
    }
}

/// An id: 1 to 1024 bytes, no control characters, not blank.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        checked(text).map(Name)
    }
}

fn checked<E: Error>(text: String) -> Result<String, E> {
    if text.trim().is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control) {
        return Err(E::custom(format_args!("'{}' is no id: 1 to {MAX_TEXT} bytes without control characters", shown(&text))));
    }
    Ok(text)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMatch {
    #[serde(default, deserialize_with = "capability")]
    capability_id: Condition,
    #[serde(default, deserialize_with = "word::<Env, _>")]
    env: Condition,
    #[serde(default, deserialize_with = "word::<DataLabel, _>")]
    data_label: Condition,
    #[serde(default, deserialize_with = "word::<TenantRisk, _>")]
    tenant_risk: Condition,
    #[serde(default, deserialize_with = "word::<QosClass, _>")]
    qos_class: Condition,
}

impl From<RawMatch> for Match {
    fn from(raw: RawMatch) -> Self {
        let RawMatch { capability_id, env, data_label, tenant_risk, qos_class } = raw;
        Self { capability_id, env, data_label, tenant_risk, qos_class }
    }
}

fn capability<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Condition, D::Error> {
    deserializer.deserialize_any(ConditionVisitor { choices: String::new(), fits: |text| Some(text.to_owned()) })
}

fn word<'de, T: Word, D: Deserializer<'de>>(deserializer: D) -> Result<Condition, D::Error> {
    let fits = |text: &str| T::parse(text).map(|word| word.as_str().to_owned());
    deserializer.deserialize_any(ConditionVisitor { choices: T::choices(), fits })
}

/// `"value"`, `{"in": ["value", ..]}` or `{"any": true}`.
struct ConditionVisitor {
    choices: String,
    fits: fn(&str) -> Option<String>,
}

impl ConditionVisitor {
    fn value<E: Error>(&self, text: &str) -> Result<String, E> {
        let known =
            (self.fits)(text).ok_or_else(|| E::custom(format_args!("'{}' cannot match: {}", shown(text), self.choices)))?;
        checked(known)
    }
}

impl<'de> Visitor<'de> for ConditionVisitor {
    type Value = Condition;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, {\"in\": [..]} or {\"any\": true}")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Condition, E> {
        Ok(Condition::OneOf(BTreeSet::from([self.value(text)?])))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Condition, A::Error> {
        let condition = match map.next_key::<String>()?.as_deref() {
            Some("any") => {
                if !map.next_value::<bool>()? {
                    return Err(A::Error::custom("{\"any\": false} matches nothing; only {\"any\": true} has a meaning"));
                }
                Condition::Any
            }
            Some("in") => {
                let mut values = BTreeSet::new();
                for text in map.next_value::<Texts>()?.0 {
                    values.insert(self.value(&text)?);
                }
                if values.is_empty() {
                    return Err(A::Error::custom("\"in\" with an empty list matches nothing"));
                }
                Condition::OneOf(values)
            }
            Some(unknown) => return Err(A::Error::unknown_field(&shown(unknown), &["in", "any"])),
            None => return Err(A::Error::custom("an empty condition; write {\"any\": true} or leave the key out")),
        };
        match map.next_key::<String>()? {
            None => Ok(condition),
            Some(second) => {
                Err(A::Error::custom(format_args!("'{}' beside another operator: a condition has one", shown(&second))))
            }
        }
    }
}

/// A list of strings, told apart from one string, which other readers would search for substrings.
struct Texts(Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of strings, such as [\"dev\"]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_any(List)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDecision {
    #[serde(default)]
    candidate_workers_ranked: Vec<Object<RawCandidate>>,
    #[serde(default)]
    required_controls_suggested: BTreeSet<ControlId>,
    #[serde(default)]
    recommended_profiles: Vec<Map<String, Value>>,
    #[serde(default = "RawEscalation::none")]
    escalation: Object<RawEscalation>,
    #[serde(default = "no_preconditions")]
    preconditions: Object<Preconditions>,
}

fn no_preconditions() -> Object<Preconditions> {
    Object(Preconditions::default())
}

impl RawDecision {
    fn into_rule(self, id: String, matching: Match) -> Rule {
        let escalation = self.escalation.0;
        let triggers: Vec<RawTrigger> = escalation.human_required_if.into_iter().map(|trigger| trigger.0).collect();
        Rule {
            id,
            matching,
            candidates: self.candidate_workers_ranked.into_iter().map(|candidate| candidate.0.into()).collect(),
            required_controls: self.required_controls_suggested,
            recommended_profiles: self.recommended_profiles.into_iter().map(sorted_members).collect(),
            escalation: Escalation {
                policy_gate: escalation.policy_gate,
                msavx_step_up: escalation.msavx_step_up,
                human_required_default: escalation.human_required_default,
                human_required_if: triggers.iter().map(RawTrigger::written).collect(),
                rationale: escalation.rationale,
            },
            human_triggers: triggers.into_iter().map(HumanTrigger::from).collect(),
            preconditions: self.preconditions.0,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCandidate {
    #[serde(default)]
    worker_species_id: Option<Name>,
    #[serde(default)]
    score_hint: Option<f64>,
    #[serde(default)]
    requires_controls_minimum: Option<BTreeSet<ControlId>>,
}

impl From<RawCandidate> for Candidate {
    fn from(raw: RawCandidate) -> Self {
        Self {
            worker_species_id: raw.worker_species_id.map(|name| name.0),
            score_hint: raw.score_hint,
            requires_controls_minimum: raw.requires_controls_minimum.unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEscalation {
    #[serde(default)]
    policy_gate: bool,
    #[serde(default)]
    msavx_step_up: bool,
    #[serde(default)]
    human_required_default: bool,
    #[serde(default)]
    human_required_if: Vec<Object<RawTrigger>>,
    #[serde(default)]
    rationale: Option<String>,
}

impl RawEscalation {
    fn none() -> Object<Self> {
        Object(Self {
            policy_gate: false,
            msavx_step_up: false,
            human_required_default: false,
            human_required_if: Vec::new(),
            rationale: None,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTrigger {
    #[serde(default, deserialize_with = "capability")]
    capability_id: Condition,
    #[serde(default, deserialize_with = "word::<Env, _>")]
    env: Condition,
    #[serde(default, deserialize_with = "word::<DataLabel, _>")]
    data_label: Condition,
    #[serde(default, deserialize_with = "word::<TenantRisk, _>")]
    tenant_risk: Condition,
    #[serde(default, deserialize_with = "word::<QosClass, _>")]
    qos_class: Condition,
    #[serde(default, deserialize_with = "score")]
    blast_score_at_least: Option<u8>,
}

fn score<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    let score = u8::deserialize(deserializer)?;
    if score > 100 { Err(D::Error::custom("blast_score_at_least goes from 0 to 100")) } else { Ok(Some(score)) }
}

impl RawTrigger {
    /// The trigger as a rule would write it, for the decision to show.
    fn written(&self) -> Map<String, Value> {
        let conditions = [
            ("capability_id", &self.capability_id),
            ("env", &self.env),
            ("data_label", &self.data_label),
            ("tenant_risk", &self.tenant_risk),
            ("qos_class", &self.qos_class),
        ];
        let mut members: Map<String, Value> = conditions
            .into_iter()
            .filter_map(|(key, condition)| match condition {
                Condition::Any => None,
                Condition::OneOf(values) => Some((key.to_owned(), json!({ "in": values }))),
            })
            .collect();
        if let Some(score) = self.blast_score_at_least {
            members.insert("blast_score_at_least".to_owned(), score.into());
        }
        sorted_members(members)
    }
}

impl From<RawTrigger> for HumanTrigger {
    fn from(raw: RawTrigger) -> Self {
        let RawTrigger { capability_id, env, data_label, tenant_risk, qos_class, blast_score_at_least } = raw;
        Self { matching: Match { capability_id, env, data_label, tenant_risk, qos_class }, blast_score_at_least }
    }
}
