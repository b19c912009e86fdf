//! The laws of the decision, held against many random calls: it is total and deterministic, the first step that refuses
//! gives the code, and what is allowed fulfils every precondition. What each step asks is written down a second time, in
//! `steps`, over plain values and without a line of the code that is tested.
//!
//! `SKILLHALL_SCENARIOS=2000000 cargo test --release -p skillhall-core --lib laws` runs that many scenarios, with a seed of its own
//! unless `SKILLHALL_SEED` says one. Each set of rules is drawn from a seed of its own, which a failure tells: with that one, the first
//! set is the one that failed.

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
/// The seed of the ordinary run.
const SEED: u64 = 0x5eed_0f5c_1115_ba11;

/// Tells how to draw the set again, should it not pass.
struct Told(u64);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("to do only this set again: SKILLHALL_SEED={} SKILLHALL_SCENARIOS=1", self.0);
        }
    }
}

/// A number that the environment says.
fn said(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "how many scenarios are drawn, and which, is said by the environment")]
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn every_decision_keeps_the_laws() {
    let many = said("SKILLHALL_SCENARIOS");
    let wanted = many.unwrap_or(USUAL);
    // The ordinary run is the same each time; one that somebody asks for looks at something new.
    let new = || many.map(|_| u64::from_le_bytes(crate::random::bytes().expect("there is randomness")));
    let seed = said("SKILLHALL_SEED").or_else(new).unwrap_or(SEED);
    let mut seeds = (0..).map(|set| seed.wrapping_add(set));
    let (mut drawn, mut ends) = (0, BTreeMap::<&str, u64>::new());
    while drawn < wanted {
        let told = Told(seeds.next().expect("they never end"));
        let mut chance = Chance::new(told.0);
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
    println!("{drawn} scenarios from the seed {seed}: {ends:?}");
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
