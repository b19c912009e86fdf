//! What a caller asks for, and who it is. None of the facts about the caller or the host is an argument of a call: the
//! entry point takes them from the credential and the configuration.

use serde_json::Value;

use crate::denial::{Code, Denial};
use crate::id::{AdapterId, OrgId, SkillRef, ToolName};
use crate::json;

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
            .detail("pointer", ""));
        }
        json::parse(text).map(Self).map_err(|error| {
            Denial::new(Code::InputSchema, format!("the input is no JSON: {error}"))
                .detail("rule", "json")
                .detail("pointer", "")
                .advise("Give one JSON object with the tool's parameters, such as {\"text\": \"...\"}.")
        })
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
}
