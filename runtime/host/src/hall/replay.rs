//! Recorded decisions, taken again under another policy: whose verdict changes. Nothing is admitted, recorded or asked of a person.

mod court;

use std::collections::{BTreeMap, VecDeque};

use semver::Version;
use serde::Serialize;
use skillhall_core::clock::Timestamp;
use skillhall_core::denial::{Code, Stage};
use skillhall_core::digest::Digest;
use skillhall_core::govern::config::HallConfig;
use skillhall_core::govern::replay::Again;
use skillhall_core::govern::wcp::rules::RuleSet;
use skillhall_core::id::{AdapterId, OrgId, SkillId, ToolName};
use skillhall_core::ledger::event::{Decision, Record, id_text};
use skillhall_core::ledger::read::{self, Filter};
use skillhall_core::ledger::taken::{Taken, Untaken};
use skillhall_core::ledger::{Event, EventKind};
use skillhall_core::registry::{Registry as _, Target};

use super::banned::Banned;
use super::folder::LEDGER;
use super::{Fault, Hall, PolicyTexts, Refused};
use crate::gates::PolicyFile;
use court::Court;

/// The most groups of changes that are told apart; what is beyond is counted as one.
const MAX_GROUPS: usize = 1000;
/// The most examples of a group.
const MAX_EXAMPLES: usize = 10;

/// Which decisions are taken again, and under what.
#[derive(Clone, Debug)]
pub struct Replay {
    /// hall.toml, rules and policies.
    pub texts: PolicyTexts,
    /// What is taken as banned for everybody, beside what the registry says now.
    pub bans: Vec<Target>,
    /// About this skill alone.
    pub skill: Option<SkillId>,
    /// From this time on.
    pub since: Option<Timestamp>,
    /// At most so many, the last ones.
    pub limit: Option<usize>,
    /// Whether policy gates outside of this program (a program, an endpoint) are asked. Else what needs their answer is not judged.
    pub ask_outside: bool,
}

/// How a decision came out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Came {
    /// ALLOW or DENY.
    pub decision: Decision,
    /// The deny code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The rule that matched, or `NO_MATCH`, if gate 10 was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched_rule: Option<String>,
    /// The version of the hall's policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<String>,
    /// The version that the policy gate named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate_policy_version: Option<String>,
    /// What is said of the refusal; absent for what was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A decision whose verdict changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// The record's place in the ledger.
    pub sequence: u64,
    /// When it was decided.
    pub time: Timestamp,
    /// The decision's id.
    pub decision_id: Option<String>,
    /// What the caller ties its calls together with.
    pub correlation_id: Option<String>,
    /// The caller's organisation.
    pub organisation: OrgId,
    /// Who called.
    pub caller: String,
    /// Through which adapter.
    pub adapter: AdapterId,
    /// Which skill.
    pub skill: SkillId,
    /// In which version.
    pub version: Version,
    /// Which tool.
    pub tool: Option<ToolName>,
    /// Whether nothing was to run.
    pub dry_run: bool,
    /// What was recorded.
    pub before: Came,
    /// What it would be.
    pub after: Came,
    /// The gates before the end that were not reached then and cannot be judged now: what is allowed now, they could still deny.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unjudged: Vec<Stage>,
}

/// Changes of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The deny code then; `None` if it was allowed.
    pub before: Option<Code>,
    /// The rule then.
    pub before_rule: Option<String>,
    /// The deny code now; `None` if it is allowed.
    pub after: Option<Code>,
    /// The rule now.
    pub after_rule: Option<String>,
    /// How many.
    pub count: u64,
    /// The first of them.
    #[serde(skip)]
    pub examples: Vec<Changed>,
}

/// What a replay found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// The digest of hall.toml, rules and policies under which it was done.
    pub policy: Option<Digest>,
    /// Decisions that were looked at.
    pub decisions: u64,
    /// Of these, those that were taken again.
    pub replayed: u64,
    /// Of these, those whose verdict is the same.
    pub same: u64,
    /// Of these, those that another rule decides than then.
    pub same_by_another_rule: u64,
    /// Those whose verdict changes.
    pub changed: u64,
    /// Of these, those that were allowed and are denied.
    pub now_denied: u64,
    /// Those that were denied and are allowed.
    pub now_allowed: u64,
    /// Those that are denied with another code.
    pub other_code: u64,
    /// Of those that were taken again, those that rest on a person's approval, which is taken as given again.
    pub on_approval: u64,
    /// Those that cannot be taken again, by why.
    pub not_replayed: BTreeMap<Untaken, u64>,
    /// Changes by kind, the most frequent first.
    pub groups: Vec<Group>,
    /// Changes in groups that are not listed.
    pub ungrouped: u64,
    /// Whether the registry changed while it was read, so that parts were judged by one state and parts by another.
    pub registry_changed: bool,
}

impl Hall {
    /// hall.toml, rules and policies as they are on disk, but for what is given in their place.
    ///
    /// # Errors
    /// Faults of the files.
    pub fn texts_with(
        &self,
        config: Option<String>,
        rules: Option<String>,
        policies: Option<Vec<PolicyFile>>,
    ) -> Result<PolicyTexts, Fault> {
        let config = config.map_or_else(|| self.folder.text(super::CONFIG), Ok)?;
        let policy = HallConfig::parse(&config)?.policy;
        let rules = rules.map_or_else(|| self.folder.text(&policy.rules), Ok)?;
        let policies = policies.map_or_else(|| self.folder.policies(&policy.cedar), Ok)?;
        Ok(PolicyTexts { config, rules, policies })
    }

    /// Takes recorded decisions again, oldest first, and tells each whose verdict changes. Gates 5, 9 and 10 are judged, by what the
    /// records say, by the registry's standing now, and by the policy that is given. It writes nothing, and keeps no more than a
    /// bounded number of answers, whatever the ledger's length.
    ///
    /// # Errors
    /// If the policy does not load, or ledger or registry cannot be read; `DENY_REGISTRY_UNREACHABLE`.
    pub fn replay(&self, replay: &Replay, told: &mut dyn FnMut(&Changed)) -> Result<Replayed, Refused> {
        let mut config = HallConfig::parse(&replay.texts.config).map_err(Fault::from)?;
        self.without_the_unreachable(&mut config);
        let rules = RuleSet::parse(replay.texts.rules.as_bytes())
            .map_err(|error| Fault::Configuration(format!("{}: {error}", config.policy.rules)))?;
        let registry = Banned::new(self.registry()?, &replay.bans, &config.hall.organisation, self.now()?);
        let version = registry.version().map_err(|error| super::registry::unreachable(&error))?;
        let mut court = Court::new(self, &registry, &config, &rules, replay)?;
        let mut found = Replayed { policy: Some(replay.texts.digest()), ..Replayed::default() };
        let mut groups = Groups::default();
        let filter =
            Filter { kind: Some(EventKind::SkillExecute), skill: replay.skill.clone(), since: replay.since, ..Filter::default() };
        let dir = self.folder.part(LEDGER)?;
        let from = first(&dir, &filter, replay.limit)?;
        for record in read::read(&dir, from).map_err(Fault::from)? {
            let record = record.map_err(Fault::from)?;
            let Some(taken) = Taken::of(&record).filter(|_| filter.fits(&record)) else { continue };
            found.decisions += 1;
            let judged = match taken {
                Ok(taken) => court.judge(&taken)?.map(|(again, unjudged)| (taken, again, unjudged)),
                Err(untaken) => Err(untaken),
            };
            let (taken, again, unjudged) = match judged {
                Ok(judged) => judged,
                Err(untaken) => {
                    *found.not_replayed.entry(untaken).or_default() += 1;
                    continue;
                }
            };
            found.count(&record, &taken, again, unjudged, &config, &mut groups, told);
        }
        let now = registry.version().map_err(|error| super::registry::unreachable(&error))?;
        found.registry_changed = now != version;
        (found.groups, found.ungrouped) = groups.sorted();
        Ok(found)
    }
}

/// Where to begin so that the last `limit` decisions that fit are read.
fn first(dir: &cap_std::fs::Dir, filter: &Filter, limit: Option<usize>) -> Result<u64, Fault> {
    let Some(limit) = limit else { return Ok(0) };
    let mut last = VecDeque::new();
    for record in read::read(dir, 0)? {
        let record = record?;
        if filter.fits(&record) && record.event.decision.is_some() {
            last.push_back(record.sequence);
            if last.len() > limit {
                last.pop_front();
            }
        }
    }
    Ok(last.front().copied().unwrap_or(u64::MAX))
}

impl Replayed {
    #[expect(clippy::too_many_arguments, reason = "one decision, then and now")]
    fn count(
        &mut self,
        record: &Record,
        taken: &Taken,
        again: Again,
        unjudged: Vec<Stage>,
        config: &HallConfig,
        groups: &mut Groups,
        told: &mut dyn FnMut(&Changed),
    ) {
        self.replayed += 1;
        self.on_approval += u64::from(taken.approved);
        let event = &record.event;
        let before = recorded(event);
        let rule = again.matched_rule.as_deref().map(id_text);
        if again.code == taken.code {
            self.same += 1;
            self.same_by_another_rule += u64::from(rule != before.matched_rule);
            return;
        }
        self.changed += 1;
        match (taken.code, again.code) {
            (None, _) => self.now_denied += 1,
            (_, None) => self.now_allowed += 1,
            _ => self.other_code += 1,
        }
        let after = Came {
            decision: if again.code.is_some() { Decision::Deny } else { Decision::Allow },
            code: again.code,
            matched_rule: rule,
            policy_version: Some(config.policy.version.clone()),
            gate_policy_version: again.gate_policy_version,
            message: again.message,
        };
        let changed = Changed {
            sequence: record.sequence,
            time: event.time,
            decision_id: event.decision_id.clone(),
            correlation_id: event.correlation_id.clone(),
            organisation: taken.caller.organisation.clone(),
            caller: taken.caller.name.clone(),
            adapter: taken.caller.adapter.clone(),
            skill: taken.skill.id.clone(),
            version: taken.skill.version.clone(),
            tool: taken.tool.clone(),
            dry_run: event.data.contains_key("dry_run"),
            before,
            after,
            unjudged,
        };
        told(&changed);
        groups.add(changed);
    }
}

fn recorded(event: &Event) -> Came {
    Came {
        decision: event.decision.unwrap_or(Decision::Deny),
        code: event.code,
        matched_rule: event.matched_rule.clone(),
        policy_version: event.policy_version.clone(),
        gate_policy_version: event.data.get("gate_policy_version").and_then(|version| version.as_str()).map(str::to_owned),
        message: None,
    }
}

type Kind = (Option<Code>, Option<String>, Option<Code>, Option<String>);

#[derive(Default)]
struct Groups {
    by_kind: BTreeMap<Kind, (u64, Vec<Changed>)>,
    beyond: u64,
}

impl Groups {
    fn add(&mut self, changed: Changed) {
        let Changed { before, after, .. } = &changed;
        let kind = (before.code, before.matched_rule.clone(), after.code, after.matched_rule.clone());
        if !self.by_kind.contains_key(&kind) && self.by_kind.len() >= MAX_GROUPS {
            self.beyond += 1;
            return;
        }
        let (count, examples) = self.by_kind.entry(kind).or_default();
        *count += 1;
        if examples.len() < MAX_EXAMPLES {
            examples.push(changed);
        }
    }

    fn sorted(self) -> (Vec<Group>, u64) {
        let mut groups: Vec<Group> = self
            .by_kind
            .into_iter()
            .map(|((before, before_rule, after, after_rule), (count, examples))| Group {
                before,
                before_rule,
                after,
                after_rule,
                count,
                examples,
            })
            .collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        (groups, self.beyond)
    }
}
