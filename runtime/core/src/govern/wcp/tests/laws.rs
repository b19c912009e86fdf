//! The laws of the decision, held against many random calls: it is total and deterministic, the first step that refuses
//! gives the code, and what is allowed fulfils every precondition. What each step asks is written down a second time, in
//! `steps`, over plain values and without a line of the code that is tested.
//!
//! `SKILLHALL_SCENARIOS=2000000 cargo test --release -p skillhall-core --lib laws` runs that many scenarios.

mod draw;
mod steps;

use std::collections::BTreeMap;

use draw::{Chance, Draw, RuleDraw};

use super::properties::CODES;
use crate::denial::Code;
use crate::govern::wcp::{RuleSet, decide};

/// How many scenarios are drawn if nobody says.
const USUAL: u64 = 20_000;
/// How many calls are drawn for one set of rules.
const CALLS_PER_SET: u64 = 32;

#[test]
fn every_decision_keeps_the_laws() {
    #[expect(clippy::disallowed_methods, reason = "how many scenarios are drawn is said by the environment")]
    let said = std::env::var("SKILLHALL_SCENARIOS").ok();
    let wanted = said.map_or(USUAL, |text| text.parse().expect("SKILLHALL_SCENARIOS is a number"));
    let mut chance = Chance::new(0x5eed_0f5c_1115_ba11);
    let (mut drawn, mut ends) = (0, BTreeMap::<&str, u64>::new());
    while drawn < wanted {
        let rules = RuleDraw::set(&mut chance);
        let set = RuleSet::parse(draw::rules_text(&rules).as_bytes()).expect("drawn rules load");
        let shadowed = steps::shadowed(&rules);
        assert_eq!(!set.shadowed().is_empty(), shadowed, "{}", draw::rules_text(&rules));
        for _ in 0..CALLS_PER_SET {
            let call = Draw::call(&mut chance);
            *ends.entry(held(&call, &rules, shadowed, &set)).or_default() += 1;
            drawn += 1;
        }
    }
    println!("{drawn} scenarios: {ends:?}");
    if wanted >= USUAL {
        let missing: Vec<&str> = CODES.into_iter().filter(|code| !ends.contains_key(code)).collect();
        assert!(missing.is_empty(), "no scenario came to {missing:?}: {ends:?}");
        assert!(ends["ALLOW"] * 100 > drawn, "too few were allowed: {ends:?}");
    }
}

/// Decides one call and holds the decision against the steps. Gives how it ended.
fn held(call: &Draw, rules: &[RuleDraw], shadowed: bool, set: &RuleSet) -> &'static str {
    let (input, callables) = (call.input(), call.callables());
    let decision = decide(&input, set, &callables);
    let rule = steps::rule(call, rules);
    let refused = steps::refusals(call, rule, shadowed);
    let first = refused.iter().find_map(|refusal| *refusal);
    let shown = || format!("{call:#?}\nrules: {}\n{decision:#?}\n{refused:?}", draw::rules_text(rules));

    assert_eq!(decide(&input, set, &callables), decision, "it decides alike each time: {}", shown());
    let code = decision.deny_reason().map(|reason| reason.code.as_str());
    assert_eq!(code, first, "the first step that refuses gives the code: {}", shown());
    let Some(code) = first else {
        assert!(refused.iter().all(Option::is_none), "what is allowed fulfils every precondition: {}", shown());
        let rule = rule.expect("a rule matched");
        assert_eq!(decision.matched_rule_id(), rule.id, "{}", shown());
        assert_eq!(decision.selected_worker(), steps::worker(call, rule).map(|worker| worker.species), "{}", shown());
        assert_eq!(decision.artifact_hash().map(str::len), Some(64), "{}", shown());
        assert_eq!(decision.approval_used().is_some(), steps::needs_approval(call, rule), "{}", shown());
        return "ALLOW";
    };
    assert!(CODES.contains(&code) && Code::parse(code).is_some(), "{code} is a code of the table: {}", shown());
    let nothing =
        decision.selected_worker().is_none() && decision.artifact_hash().is_none() && decision.approval_used().is_none();
    assert!(nothing, "a denied call selects nothing and uses nothing up: {}", shown());
    code
}
