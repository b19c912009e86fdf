//! Which rules can never match. The answer is exact: also a rule that several earlier ones cover together is found.
//!
//! Four of the five fields have few values, 144 combinations in all, which fit a bit set; the capability ids that occur
//! in the rules, and one that does not, stand for all capability ids.

use std::collections::BTreeSet;

use super::{Condition, Match, Rule, Shadowed};
use crate::govern::wcp::request::{DataLabel, Env, QosClass, TenantRisk, Word};

/// The most earlier rules that are named for one shadowed rule.
const MAX_NAMED: usize = 8;

pub(super) fn find(rules: &[Rule]) -> Vec<Shadowed> {
    let cells: Vec<Cells> = rules.iter().map(|rule| Cells::of(&rule.matching)).collect();
    let mut reachable = vec![false; rules.len()];
    for capability in capabilities(rules) {
        let mut free = Cells::ALL;
        for ((rule, taken), reachable) in rules.iter().zip(&cells).zip(&mut reachable) {
            if !covers(&rule.matching.capability_id, capability) {
                continue;
            }
            *reachable |= free.meets(*taken);
            free = free.without(*taken);
            if free.is_empty() {
                break;
            }
        }
    }
    let shadowed = rules.iter().zip(&cells).zip(reachable).enumerate().filter(|(_, (_, reachable))| !reachable);
    shadowed
        .map(|(index, ((rule, taken), _))| {
            let earlier = rules.iter().zip(&cells).take(index);
            let by = earlier.filter(|(other, cells)| cells.meets(*taken) && overlap(&other.matching, &rule.matching));
            Shadowed { rule_id: rule.id.clone(), by: by.map(|(other, _)| other.id.clone()).take(MAX_NAMED).collect() }
        })
        .collect()
}

/// Every capability id that some rule names, and `None` for any other.
fn capabilities(rules: &[Rule]) -> BTreeSet<Option<&str>> {
    let named = rules.iter().flat_map(|rule| match &rule.matching.capability_id {
        Condition::Any => None.into_iter().flatten(),
        Condition::OneOf(values) => Some(values.iter()).into_iter().flatten(),
    });
    named.map(|text| Some(text.as_str())).chain([None]).collect()
}

fn covers(condition: &Condition, capability: Option<&str>) -> bool {
    match (condition, capability) {
        (Condition::Any, _) => true,
        (Condition::OneOf(_), None) => false,
        (Condition::OneOf(values), Some(capability)) => values.contains(capability),
    }
}

fn overlap(one: &Match, other: &Match) -> bool {
    match (&one.capability_id, &other.capability_id) {
        (Condition::OneOf(one), Condition::OneOf(other)) => !one.is_disjoint(other),
        _ => true,
    }
}

/// A set of combinations of env, data label, tenant risk and `qos_class`: 4 * 3 * 3 * 4 bits, 36 for each environment.
#[derive(Clone, Copy)]
struct Cells([u64; 4]);

impl Cells {
    const ALL: Self = Self([(1 << 36) - 1; 4]);

    fn of(matching: &Match) -> Self {
        let mut within: u64 = 0;
        let mut bit: u64 = 1;
        for label in DataLabel::ALL {
            for risk in TenantRisk::ALL {
                for class in QosClass::ALL {
                    let holds = matching.data_label.holds(label.as_str())
                        && matching.tenant_risk.holds(risk.as_str())
                        && matching.qos_class.holds(class.as_str());
                    if holds {
                        within |= bit;
                    }
                    bit <<= 1;
                }
            }
        }
        let mut cells = [0; 4];
        for (cell, env) in cells.iter_mut().zip(Env::ALL) {
            if matching.env.holds(env.as_str()) {
                *cell = within;
            }
        }
        Self(cells)
    }

    fn meets(self, other: Self) -> bool {
        self.0.iter().zip(other.0).any(|(one, other)| one & other != 0)
    }

    fn without(self, other: Self) -> Self {
        let mut cells = self.0;
        for (cell, other) in cells.iter_mut().zip(other.0) {
            *cell &= !other;
        }
        Self(cells)
    }

    fn is_empty(self) -> bool {
        self.0 == [0; 4]
    }
}
