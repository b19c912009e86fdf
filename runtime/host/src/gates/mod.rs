//! Policy gates that a hall brings with it: Cedar policies, a program, an HTTP endpoint; and several of them as one.
//!
//! A gate that a program embeds implements [`PolicyGate`] itself and comes in by [`Config::gate`](crate::hall::Config::gate).

#[cfg(feature = "cedar")]
pub mod cedar;
pub mod command;
#[cfg(feature = "http")]
pub mod endpoint;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use skillhall_core::govern::wcp::gate::{GateContext, GateError, PolicyGate, Verdict, consult};

/// The most that a program or an endpoint may answer, in bytes.
pub const MAX_ANSWER: usize = 64 << 10;
/// The longest policy version that one gate may name, in bytes. What is recorded of several together is then never cut, and an approval
/// counts under the whole of it.
pub const MAX_VERSION: usize = 256;

/// A file of policies: its name, which stands in messages and digests, and its text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct PolicyFile {
    /// Its path below the hall's folder.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Several gates as one: every one is asked, and the worst answer counts. No answer is worse than DENY, DENY than `REQUIRE_HUMAN`,
/// `REQUIRE_HUMAN` than ALLOW. The policy version names those of all of them.
pub struct Worst(Vec<Arc<dyn PolicyGate>>);

impl Worst {
    /// These gates as one; `None` if there is none, because nobody's answer is no permission.
    #[must_use]
    pub fn of(mut gates: Vec<Arc<dyn PolicyGate>>) -> Option<Arc<dyn PolicyGate>> {
        if gates.len() > 1 { Some(Arc::new(Self(gates))) } else { gates.pop() }
    }
}

impl PolicyGate for Worst {
    fn evaluate(&self, context: &GateContext) -> Result<Verdict, GateError> {
        let (mut worst, mut versions) = (None::<Verdict>, Vec::new());
        for gate in &self.0 {
            let verdict = consult(&**gate, context)?;
            versioned(&verdict)?;
            versions.push(verdict.policy_version.clone());
            let badness = badness(&verdict)?;
            if worst.as_ref().is_none_or(|worst| self::badness(worst).is_ok_and(|least| badness > least)) {
                worst = Some(verdict);
            }
        }
        let worst = worst.ok_or_else(|| GateError::Failed("there is no gate".to_owned()))?;
        Ok(Verdict { policy_version: versions.join("+"), ..worst })
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().flat_map(|gate| gate.names()).collect()
    }
}

fn versioned(verdict: &Verdict) -> Result<(), GateError> {
    match verdict.policy_version.len() {
        _ if verdict.policy_version.trim().is_empty() => Err(GateError::Malformed("it names no policy version".to_owned())),
        0..=MAX_VERSION => Ok(()),
        _ => Err(GateError::Malformed(format!("its policy version is longer than {MAX_VERSION} bytes"))),
    }
}

fn badness(verdict: &Verdict) -> Result<u8, GateError> {
    match verdict.decision.as_str() {
        "ALLOW" => Ok(0),
        "REQUIRE_HUMAN" => Ok(1),
        "DENY" => Ok(2),
        other => Err(GateError::Malformed(format!("{other:?} is none of ALLOW, DENY and REQUIRE_HUMAN"))),
    }
}

/// Reads what a program or an endpoint answered: one JSON object, `{"decision": .., "policy_version": .., "reason": ..}`.
fn read(answer: &[u8]) -> Result<Verdict, GateError> {
    let malformed = |what: String| GateError::Malformed(what);
    let value = skillhall_core::json::parse(answer).map_err(|error| malformed(error.to_string()))?;
    if !value.is_object() {
        return Err(malformed("it is no object".to_owned()));
    }
    let verdict = Verdict::deserialize(&value).map_err(|error| malformed(error.to_string()))?;
    versioned(&verdict).map(|()| verdict)
}

/// The context as an external gate gets it: its members and nothing else, on one line.
fn written(context: &GateContext) -> Result<Vec<u8>, GateError> {
    serde_json::to_vec(context).map_err(|error| GateError::Failed(error.to_string()))
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;
    use skillhall_core::govern::wcp::{DataLabel, Env, QosClass, TenantRisk};
    use skillhall_core::package::Effect;

    use super::*;

    /// A call, as a gate is told of it.
    pub(crate) fn context() -> GateContext {
        GateContext {
            capability_id: "cap.text.redact".to_owned(),
            tenant_id: "acme".to_owned(),
            env: Env::Dev,
            data_label: DataLabel::Public,
            tenant_risk: TenantRisk::Low,
            qos_class: QosClass::P2,
            policy_version: "policy.v0",
            skill: "org.acme/redact@1.2.0".to_owned(),
            tool: "redact".to_owned(),
            effects: vec![Effect::Read],
            capabilities: vec!["files /in read".to_owned()],
            caller: "ada".to_owned(),
            organisation: "acme".to_owned(),
            blast_score: 10,
        }
    }

    struct Says(&'static str, &'static str);

    impl PolicyGate for Says {
        fn evaluate(&self, _: &GateContext) -> Result<Verdict, GateError> {
            Ok(Verdict { decision: self.0.to_owned(), policy_version: self.1.to_owned(), reason: self.0.to_lowercase() })
        }
    }

    struct Panics;

    impl PolicyGate for Panics {
        fn evaluate(&self, _: &GateContext) -> Result<Verdict, GateError> {
            panic!("no verdict")
        }
    }

    fn of(gates: Vec<Arc<dyn PolicyGate>>) -> Result<Verdict, GateError> {
        Worst::of(gates).unwrap().evaluate(&context())
    }

    #[test]
    fn the_worst_answer_counts_in_every_order() {
        let says = |decision| -> Arc<dyn PolicyGate> { Arc::new(Says(decision, "v1")) };
        let words = ["ALLOW", "REQUIRE_HUMAN", "DENY"];
        for (one, first) in words.into_iter().enumerate() {
            for (other, second) in words.into_iter().enumerate() {
                let verdict = of(vec![says(first), says(second)]).unwrap();
                assert_eq!(verdict.decision, words[one.max(other)], "{first} and {second}");
                assert_eq!(verdict.policy_version, "v1+v1");
                assert_eq!(verdict.reason, words[one.max(other)].to_lowercase());
            }
        }
        assert!(Worst::of(Vec::new()).is_none());
        assert_eq!(of(vec![says("ALLOW")]).unwrap().policy_version, "v1");
    }

    #[test]
    fn no_answer_is_worse_than_any() {
        let long: &'static str = Box::leak("v".repeat(MAX_VERSION + 1).into_boxed_str());
        let bad: [Arc<dyn PolicyGate>; 4] =
            [Arc::new(Panics), Arc::new(Says("PERHAPS", "v1")), Arc::new(Says("ALLOW", " ")), Arc::new(Says("ALLOW", long))];
        for bad in bad {
            for other in ["ALLOW", "DENY"] {
                assert!(of(vec![bad.clone(), Arc::new(Says(other, "v1"))]).is_err());
                assert!(of(vec![Arc::new(Says(other, "v1")), bad.clone()]).is_err());
            }
        }
    }

    #[test]
    fn an_answer_is_one_object_of_three_texts() {
        let good = br#"{"decision": "ALLOW", "policy_version": "v1", "reason": "fine"}"#;
        assert_eq!(read(good).unwrap().decision, "ALLOW");
        for bad in [
            "",
            "null",
            "ALLOW",
            r#"["ALLOW", "v1", "fine"]"#,
            r#"{"decision": "ALLOW"}"#,
            r#"{"decision": "ALLOW", "policy_version": " ", "reason": "fine"}"#,
            r#"{"decision": true, "policy_version": "v1", "reason": "fine"}"#,
            r#"{"decision": "DENY", "decision": "ALLOW", "policy_version": "v1", "reason": "fine"}"#,
            r#"{"decision": "ALLOW", "policy_version": "v1", "reason": "fine", "more": 1}"#,
            r#"{"decision": "ALLOW", "policy_version": "v1", "reason": "fine"} {}"#,
        ] {
            assert!(matches!(read(bad.as_bytes()), Err(GateError::Malformed(_))), "{bad}");
        }
        let versioned = |length: usize| {
            read(json!({ "decision": "ALLOW", "policy_version": "v".repeat(length), "reason": "" }).to_string().as_bytes())
        };
        assert!(versioned(MAX_VERSION).is_ok() && versioned(MAX_VERSION + 1).is_err());
    }
}
