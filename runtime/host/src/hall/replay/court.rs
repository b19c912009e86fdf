//! What a recorded decision is taken again by: the registry's standing, the configuration, the rules, and the policy gates that may be
//! asked.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use skillhall_core::denial::{Code, Stage};
use skillhall_core::govern::config::HallConfig;
use skillhall_core::govern::replay::{Again, Against, policy_again, standing_again};
use skillhall_core::govern::wcp::gate::{EMBEDDED, GateContext, GateError, PolicyGate, Verdict};
use skillhall_core::govern::wcp::rules::RuleSet;
use skillhall_core::id::{AdapterId, OrgId};
use skillhall_core::ledger::taken::{Taken, Untaken};
use skillhall_core::registry::standing::{Standing, consult};
use skillhall_core::registry::{Registry, StandingQuery};

use super::Replay;
use crate::gates::Worst;
use crate::hall::{Fault, Hall, Refused, gates};
use crate::worker::Isolation;

/// The most answers of the registry that are kept at once.
const MAX_STANDINGS: usize = 1024;

/// What decisions are taken again by.
pub(super) struct Court<'a> {
    hall: &'a Hall,
    registry: &'a dyn Registry,
    config: &'a HallConfig,
    rules: &'a RuleSet,
    gates: Gates,
    standings: HashMap<(String, OrgId, AdapterId), Result<Standing, Code>>,
}

/// How it comes out, and the gates before that which nobody can judge now.
pub(super) type Judged = Result<(Again, Vec<Stage>), Untaken>;

impl<'a> Court<'a> {
    pub(super) fn new(
        hall: &'a Hall,
        registry: &'a dyn Registry,
        config: &'a HallConfig,
        rules: &'a RuleSet,
        replay: &Replay,
    ) -> Result<Self, Fault> {
        let gates = Gates::of(hall, config, replay)?;
        Ok(Self { hall, registry, config, rules, gates, standings: HashMap::new() })
    }

    pub(super) fn judge(&mut self, taken: &Taken) -> Result<Judged, Refused> {
        let Ok(standing) = self.standing(taken)? else { return Ok(Err(Untaken::OtherBytes)) };
        if standing.published().manifest_hash != taken.manifest {
            return Ok(Err(Untaken::OtherBytes));
        }
        if let Some(again) = standing_again(standing, &taken.keys) {
            return Ok(Ok((again, Vec::new())));
        }
        let Some(matter) = taken.matter() else { return Ok(Err(Untaken::Incomplete)) };
        let gate = self.gates.for_record(taken);
        let against = Against { config: self.config, rules: self.rules, gate, isolates: &Isolation };
        let mut again = policy_again(&matter, taken.approved, &against, taken.at);
        if let Err(untaken) = self.gates.missing() {
            return Ok(Err(untaken));
        }
        // The approval that it named does not count, whether one is needed or not.
        if taken.approval_failed && (again.code.is_none() || again.awaits_approval) {
            again.code = taken.code;
        }
        let at_standing = taken.code.is_some_and(|code| code.stage() == Stage::Standing);
        let unjudged = if at_standing { vec![Stage::Caller, Stage::Host, Stage::Input] } else { Vec::new() };
        Ok(Ok((again, unjudged)))
    }

    fn standing(&mut self, taken: &Taken) -> Result<&Result<Standing, Code>, Refused> {
        let Taken { skill, caller, .. } = taken;
        let key = (skill.to_string(), caller.organisation.clone(), caller.adapter.clone());
        if !self.standings.contains_key(&key) && self.standings.len() >= MAX_STANDINGS {
            self.standings.clear();
        }
        let answer = match self.standings.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let query = StandingQuery {
                    skill: skill.clone(),
                    organisation: caller.organisation.clone(),
                    host: self.hall.host.host.clone(),
                    adapter: caller.adapter.clone(),
                    approval: None,
                    token: None,
                };
                place.insert(match consult(self.registry, query) {
                    Ok(standing) => Ok(standing),
                    Err(denial) if denial.code == Code::SkillUnknown => Err(denial.code),
                    Err(denial) => return Err(denial.into()),
                })
            }
        };
        Ok(answer)
    }
}

/// A gate that is not asked, and notes that it should have been.
#[derive(Default)]
struct Unasked(AtomicBool);

impl PolicyGate for Unasked {
    fn evaluate(&self, _: &GateContext) -> Result<Verdict, GateError> {
        self.0.store(true, Ordering::SeqCst);
        Err(GateError::Failed("it is not asked in a replay".to_owned()))
    }
}

impl Unasked {
    fn was_asked(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}

/// Who is asked where a rule wants it.
struct Gates {
    usual: Option<Arc<dyn PolicyGate>>,
    /// As in a program that brings a gate of its own, which is not this one.
    with_embedded: Option<Arc<dyn PolicyGate>>,
    outside: Arc<Unasked>,
    embedded: Arc<Unasked>,
    has_own: bool,
}

impl Gates {
    fn of(hall: &Hall, config: &HallConfig, replay: &Replay) -> Result<Self, Fault> {
        let (outside, embedded) = (Arc::<Unasked>::default(), Arc::<Unasked>::default());
        let policies = &replay.texts.policies;
        let mut all = gates::inside(config, policies)?;
        let beyond = gates::outside(config, &hall.folder)?;
        if replay.ask_outside {
            all.extend(beyond);
        } else if !beyond.is_empty() {
            all.push(outside.clone());
        }
        all.extend(hall.own_gate.clone());
        let mut with_embedded = all.clone();
        with_embedded.push(embedded.clone());
        let (usual, with_embedded) = (Worst::of(all), Worst::of(with_embedded));
        Ok(Self { usual, with_embedded, outside, embedded, has_own: hall.own_gate.is_some() })
    }

    fn for_record(&self, taken: &Taken) -> Option<&dyn PolicyGate> {
        let foreign = !self.has_own && taken.basis.gates.iter().any(|name| name == EMBEDDED);
        if foreign { self.with_embedded.as_deref() } else { self.usual.as_deref() }
    }

    /// Whether an answer was needed that was not asked for.
    fn missing(&self) -> Result<(), Untaken> {
        let (outside, embedded) = (self.outside.was_asked(), self.embedded.was_asked());
        match (outside, embedded) {
            (true, _) => Err(Untaken::OutsideGate),
            (_, true) => Err(Untaken::EmbeddedGate),
            _ => Ok(()),
        }
    }
}
