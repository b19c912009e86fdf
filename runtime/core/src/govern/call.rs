//! What a caller asks for, and who it is. None of the facts about the caller or the host is an argument of a call: the
//! entry point takes them from the credential and the configuration.

use serde_json::Value;

pub use super::chain::{Chain, Link};
use crate::denial::{Code, Denial};
use crate::id::{AdapterId, CapabilityId, OrgId, SkillRef, ToolName};
use crate::json;
use crate::random;
use crate::registry::access::Identity;
use crate::registry::token::Presented;

pub use super::wcp::{DataLabel, QosClass, TenantRisk};

/// The largest input text that is read at all: 4 MiB.
pub const MAX_INPUT_BYTES: usize = 4 << 20;

/// A call: which tool of which skill, with what.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Which skill in which version.
    pub skill: SkillRef,
    /// Which of its tools; `None` is the only one it has.
    pub tool: Option<ToolName>,
    /// The input, read strictly.
    pub input: Input,
    /// How sensitive the data is.
    pub data_label: DataLabel,
    /// How risky the tenant is.
    pub tenant_risk: TenantRisk,
    /// How urgent it is.
    pub qos_class: QosClass,
    /// Ties the records of one undertaking together; made by the entry point if the caller has none.
    pub correlation_id: String,
    /// What the caller named, if it was no exact version: a name, a range or a path, which was resolved to `skill`.
    pub requested: Option<String>,
    /// What was asked for, if the caller named a capability and the skill was found by it. The call is judged under this capability
    /// first; under the others that the skill provides it is judged all the same.
    pub capability: Option<CapabilityId>,
    /// The approval on the strength of which it is called, if it needs one.
    pub approval: Option<String>,
    /// The calls by which it came about, if a skill calls; empty if a caller from outside does.
    pub chain: Chain,
}

impl Call {
    /// A call of a skill's only tool, about public data, for a tenant of low risk, not urgent, and under a correlation id of
    /// its own. What differs is said with the methods below.
    ///
    /// Should the operating system give no randomness, the correlation id is empty, and gate 10 denies the call.
    #[must_use]
    pub fn new(skill: SkillRef, input: Input) -> Self {
        Self {
            skill,
            tool: None,
            input,
            data_label: DataLabel::Public,
            tenant_risk: TenantRisk::Low,
            qos_class: QosClass::P2,
            correlation_id: random::uuid().unwrap_or_default(),
            requested: None,
            capability: None,
            approval: None,
            chain: Chain::default(),
        }
    }

    /// Names the tool; needed for a skill that has more than one.
    #[must_use]
    pub fn tool(mut self, tool: ToolName) -> Self {
        self.tool = Some(tool);
        self
    }

    /// Says what the caller named, if it was no exact version; it stands in the record.
    #[must_use]
    pub fn requested(mut self, requested: Option<String>) -> Self {
        self.requested = requested;
        self
    }

    /// Says which capability was asked for, if the skill was found by it.
    #[must_use]
    pub fn capability(mut self, capability: CapabilityId) -> Self {
        self.capability = Some(capability);
        self
    }

    /// Names the approval on the strength of which this is called.
    #[must_use]
    pub fn approval(mut self, id: Option<String>) -> Self {
        self.approval = id;
        self
    }

    /// The call with which a skill that runs calls another. What the caller from outside said of the data, the tenant, the
    /// urgency and the undertaking holds for it too.
    #[must_use]
    pub fn nested(&self, decision_id: &str, skill: SkillRef, tool: ToolName, input: Input) -> Self {
        let chain = self.chain_below(decision_id);
        Self { skill, tool: Some(tool), input, requested: None, capability: None, approval: None, chain, ..self.clone() }
    }

    /// The chain of what this call, decided by that decision, calls.
    #[must_use]
    pub fn chain_below(&self, decision_id: &str) -> Chain {
        self.chain.longer(self.skill.clone(), decision_id)
    }

    /// How sensitive the data is.
    #[must_use]
    pub fn data_label(mut self, label: DataLabel) -> Self {
        self.data_label = label;
        self
    }

    /// How risky the tenant is.
    #[must_use]
    pub fn tenant_risk(mut self, risk: TenantRisk) -> Self {
        self.tenant_risk = risk;
        self
    }

    /// How urgent the call is.
    #[must_use]
    pub fn qos_class(mut self, class: QosClass) -> Self {
        self.qos_class = class;
        self
    }

    /// Ties the call to others in the records.
    #[must_use]
    pub fn correlation_id(mut self, id: impl Into<String>) -> Self {
        self.correlation_id = id.into();
        self
    }
}

/// A call's input: one JSON value, read strictly and bounded.
#[derive(Clone, Debug, PartialEq)]
pub struct Input(Value);

impl Input {
    /// Reads an input text.
    ///
    /// # Errors
    /// `DENY_INPUT_SCHEMA` if the text is larger than [`MAX_INPUT_BYTES`] or no JSON that everybody reads alike.
    pub fn parse(text: &[u8]) -> Result<Self, Denial> {
        if text.len() > MAX_INPUT_BYTES {
            return Err(Denial::new(
                Code::InputSchema,
                format!("the input has {} bytes; at most {MAX_INPUT_BYTES} are read", text.len()),
            )
            .detail("rule", "size")
            .detail("pointer", "")
            .advise("Give it in smaller parts, one call each."));
        }
        json::parse(text).map(Self).map_err(|error| {
            Denial::new(Code::InputSchema, format!("the input is no JSON: {error}"))
                .detail("rule", "json")
                .detail("pointer", "")
                .advise("Give one JSON object with the tool's parameters, such as {\"text\": \"...\"}.")
        })
    }

    /// Takes a value that a program has made, under the same bounds as a text.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn from_value(value: &Value) -> Result<Self, Denial> {
        Self::parse(value.to_string().as_bytes())
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.0
    }
}

/// Who calls, as the credential proved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The organisation it belongs to.
    pub organisation: OrgId,
    /// The person or token.
    pub name: String,
    /// The adapter through which the call came.
    pub adapter: AdapterId,
    /// By what right it calls.
    pub authority: Authority,
}

impl Caller {
    /// Who it is, whatever the way in.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity { organisation: self.organisation.clone(), name: self.name.clone() }
    }
}

/// By what right somebody calls or acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authority {
    /// As the account that owns the hall's folder: with every role.
    Owner,
    /// By a token, which is judged anew at every call: with the roles that it is for.
    Token(Presented),
    /// By the word of the program that embeds the hall, which has looked at a credential of its own: to call, and nothing else.
    Program,
}

impl Authority {
    /// As records and receipts say it: `owner`, `token:ID` or `program`.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Owner => "owner".to_owned(),
            Self::Token(presented) => format!("token:{}", presented.id()),
            Self::Program => "program".to_owned(),
        }
    }
}
