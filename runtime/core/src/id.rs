//! The names of things: namespaces, skills, versions, tools, organisations, keys.
//!
//! Every name is ASCII and bounded, so that a name can stand in a record, a path or a terminal without being more than a
//! name. A check on a name is no check on the thing: gates compare digests.

use std::fmt;
use std::str::FromStr;

use semver::Version;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is no name of the wanted kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is no {kind}: {rule}")]
pub struct IdError {
    kind: &'static str,
    text: String,
    rule: &'static str,
}

const LABEL_RULE: &str = "1 to 63 of a-z, 0-9 and '-', beginning with a letter or digit";

fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
        && bytes.first() != Some(&b'-')
}

fn error(kind: &'static str, text: &str, rule: &'static str) -> IdError {
    IdError { kind, text: text.chars().take(80).flat_map(char::escape_default).collect(), rule }
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:expr, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.to_owned())) } else { Err(error($kind, text, $rule)) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

name_type!(
    /// Who a skill belongs to: `x.<name>` for the community, `org.<name>` for an organisation.
    Namespace, "namespace", "x.<name> or org.<name>, where <name> is 1 to 63 of a-z, 0-9 and '-', beginning with a letter or digit",
    |text| matches!(text.split_once('.'), Some(("x" | "org", label)) if is_label(label))
);
name_type!(
    /// A skill's name inside its namespace.
    SkillName, "skill name", LABEL_RULE, is_label
);
name_type!(
    /// The name of a tool of a skill.
    ToolName, "tool name", LABEL_RULE, is_label
);
name_type!(
    /// An organisation that calls, publishes or operates.
    OrgId, "organisation", LABEL_RULE, is_label
);
name_type!(
    /// The id of a key in the keyring.
    KeyId, "key id", "1 to 128 of a-z, 0-9, '.', '-', '_', ':' and '/'",
    |text| (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_:/".contains(&byte))
);
name_type!(
    /// A host that runs skills.
    HostId, "host id", LABEL_RULE, is_label
);
name_type!(
    /// An entry point or platform through which a call comes: `command`, `embed`, `http`, `mcp`, `openai` and so on.
    AdapterId, "adapter", LABEL_RULE, is_label
);
name_type!(
    /// A WCP capability id, such as `cap.text.redact`: what a caller may ask for instead of a skill by name.
    CapabilityId, "capability id", "cap. followed by labels of a-z, 0-9, '-' and '_', joined by '.'",
    |text| text.len() <= 200 && text.strip_prefix("cap.").is_some_and(|rest| {
        !rest.is_empty() && rest.split('.').all(|part| !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte)))
    })
);

impl Namespace {
    /// The organisation's or person's part of the namespace.
    #[must_use]
    pub fn label(&self) -> &str {
        self.0.split_once('.').map_or("", |(_, label)| label)
    }
}

/// A skill, whatever its version: `org.acme/redact`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SkillId {
    /// Who it belongs to.
    pub namespace: Namespace,
    /// Its name there.
    pub name: SkillName,
}

impl SkillId {
    /// WCP's worker id: `<namespace>.<name>`.
    #[must_use]
    pub fn worker_id(&self) -> String {
        format!("{}.{}", self.namespace, self.name)
    }

    /// WCP's worker species id: `wrk.<namespace>.<name>`.
    #[must_use]
    pub fn worker_species_id(&self) -> String {
        format!("wrk.{}.{}", self.namespace, self.name)
    }

    /// This skill in one version.
    #[must_use]
    pub fn at(&self, version: Version) -> SkillRef {
        SkillRef { id: self.clone(), version }
    }
}

impl fmt::Display for SkillId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl FromStr for SkillId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let Some((namespace, name)) = text.split_once('/') else {
            return Err(error("skill", text, "NAMESPACE/NAME, such as org.acme/redact"));
        };
        Ok(Self { namespace: namespace.parse()?, name: name.parse()? })
    }
}

/// A skill in one version: `org.acme/redact@1.2.0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SkillRef {
    /// Which skill.
    pub id: SkillId,
    /// Which version of it.
    pub version: Version,
}

impl fmt::Display for SkillRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.id, self.version)
    }
}

impl FromStr for SkillRef {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        const RULE: &str = "NAMESPACE/NAME@VERSION, such as org.acme/redact@1.2.0";
        let (id, version) = text.split_once('@').ok_or_else(|| error("skill version", text, RULE))?;
        let version = parse_version(version).ok_or_else(|| error("skill version", text, RULE))?;
        Ok(Self { id: id.parse()?, version })
    }
}

/// Reads a semantic version of at most 64 bytes.
#[must_use]
pub fn parse_version(text: &str) -> Option<Version> {
    (text.len() <= 64).then(|| Version::parse(text).ok()).flatten()
}

macro_rules! text_serde {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
text_serde!(SkillId, SkillRef);
