//! By which calls a call came about: the way from the caller from outside to the skill that calls now.

use serde::Serialize;
use serde_json::{Value, json};

use crate::id::{SkillId, SkillRef};

/// One call on the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The skill that was called, and calls on.
    pub skill: SkillRef,
    /// The decision by which it runs.
    pub decision_id: String,
}

/// The calls on the way, the outermost first. The default is empty: a caller from outside calls. It grows by
/// [`Call::nested`](super::call::Call::nested) alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain(Vec<Link>);

impl Chain {
    /// Whether a caller from outside calls.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many skills stand between the caller from outside and the one that is called.
    #[must_use]
    pub fn depth(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    /// The calls, the outermost first.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.0
    }

    /// Whether the skill is on the way, in whatever version.
    #[must_use]
    pub fn holds(&self, skill: &SkillId) -> bool {
        self.0.iter().any(|link| link.skill.id == *skill)
    }

    pub(super) fn longer(&self, skill: SkillRef, decision_id: &str) -> Self {
        let mut links = self.0.clone();
        links.push(Link { skill, decision_id: decision_id.to_owned() });
        Self(links)
    }

    /// As it stands in a record: a list of `skill` and `decision_id`, the outermost first.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.0.iter().map(|link| json!({ "skill": link.skill.to_string(), "decision_id": link.decision_id })).collect()
    }
}
