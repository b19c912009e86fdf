//! What a caller asks: WCP's `RouteInput`.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// A closed list of words, such as the environments.
pub trait Word: Copy + Eq + fmt::Debug + 'static {
    /// What the words are: `env`.
    const KIND: &'static str;
    /// Every word, in WCP's order.
    const ALL: &'static [Self];

    /// The word as it stands in WCP.
    fn as_str(self) -> &'static str;

    /// The word with this very spelling.
    #[must_use]
    fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|word| word.as_str() == text)
    }

    /// `env is one of dev, stage, prod, edge`: for messages.
    #[must_use]
    fn choices() -> String {
        let words: Vec<&str> = Self::ALL.iter().map(|word| word.as_str()).collect();
        format!("{} is one of {}", Self::KIND, words.join(", "))
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $($(#[$variant_doc:meta])* $variant:ident = $text:literal),*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl Word for $name {
            const KIND: &'static str = $kind;
            const ALL: &'static [Self] = &[$(Self::$variant,)*];

            fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom(Self::choices()))
            }
        }

        impl From<$name> for Stated<$name> {
            fn from(word: $name) -> Self {
                Self::Known(word)
            }
        }
    };
}

words!(
    /// Where the call would run (WCP 4.1, `env`).
    Env, "env",
    /// A developer's machine.
    Dev = "dev",
    /// Rehearsal.
    Stage = "stage",
    /// Production.
    Prod = "prod",
    /// Production outside the data centre.
    Edge = "edge"
);
words!(
    /// How sensitive the data of the call is (WCP 4.1, `data_label`).
    DataLabel, "data_label",
    /// Anybody may see it.
    Public = "PUBLIC",
    /// The organisation may see it.
    Internal = "INTERNAL",
    /// Few may see it.
    Restricted = "RESTRICTED"
);
words!(
    /// How much trust the tenant has (WCP 4.1, `tenant_risk`).
    TenantRisk, "tenant_risk",
    /// Little risk.
    Low = "low",
    /// Some risk.
    Medium = "medium",
    /// Much risk.
    High = "high"
);
words!(
    /// How urgent the call is (WCP 4.1, `qos_class`).
    QosClass, "qos_class",
    /// The most urgent.
    P0 = "P0",
    /// Urgent.
    P1 = "P1",
    /// Ordinary.
    P2 = "P2",
    /// In the background.
    P3 = "P3"
);

impl Env {
    /// Whether this is production, where WCP's floors hold: `prod` and `edge`.
    #[must_use]
    pub fn is_production(self) -> bool {
        matches!(self, Self::Prod | Self::Edge)
    }
}

/// A word as a caller stated it. One that is not in the list is kept as it came, so that the denial can show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stated<T> {
    /// A word of the list.
    Known(T),
    /// Anything else.
    Other(String),
}

impl<T: Word> Stated<T> {
    /// Reads a text.
    #[must_use]
    pub fn read(text: &str) -> Self {
        T::parse(text).map_or_else(|| Self::Other(text.to_owned()), Self::Known)
    }

    /// The word, if it is one of the list.
    #[must_use]
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(word) => Some(*word),
            Self::Other(_) => None,
        }
    }

    /// The text as it was stated.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(word) => word.as_str(),
            Self::Other(text) => text,
        }
    }
}

impl<T: Word> Serialize for Stated<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A tenant's credential. It counts into the artifact hash and is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(String);

impl Credential {
    /// Takes the credential as it was presented.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The credential itself, for whoever verifies it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// WCP's `RouteInput` (WCP 4.1). Build one with [`Request::new`] and set the rest, or read one with [`Request::read`].
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What is asked for, such as `cap.text.redact`.
    pub capability_id: String,
    /// Where it would run.
    pub env: Stated<Env>,
    /// How sensitive the data is.
    pub data_label: Stated<DataLabel>,
    /// How much trust the tenant has.
    pub tenant_risk: Stated<TenantRisk>,
    /// How urgent it is.
    pub qos_class: Stated<QosClass>,
    /// Who asks.
    pub tenant_id: String,
    /// Ties together everything that belongs to one task.
    pub correlation_id: String,
    /// The payload for the worker; its members `egress`, `external_call`, `writes` and `mutates_state` raise the score.
    pub request: Map<String, Value>,
    /// What the caller says of the blast radius; recorded, not judged.
    pub blast_radius: Option<Map<String, Value>>,
    /// The caller's own score, 0 to 100: it can raise the computed one, never lower it.
    pub blast_score: Option<i64>,
    /// What the caller says of privileges; recorded, not judged.
    pub privilege_context: Option<Map<String, Value>>,
    /// Decide only; nothing is run.
    pub dry_run: bool,
    /// What proves who the tenant is, where the hall asks for it.
    pub tenant_credential: Option<Credential>,
    /// What the reader found wrong with the request; decided as `DENY_INVALID_INPUT`.
    pub malformed: Option<String>,
}

impl Request {
    /// A request with the seven required fields.
    #[must_use]
    pub fn new(
        capability_id: String,
        env: Env,
        data_label: DataLabel,
        tenant_risk: TenantRisk,
        qos_class: QosClass,
        tenant_id: String,
        correlation_id: String,
    ) -> Self {
        Self {
            capability_id,
            env: env.into(),
            data_label: data_label.into(),
            tenant_risk: tenant_risk.into(),
            qos_class: qos_class.into(),
            tenant_id,
            correlation_id,
            request: Map::new(),
            blast_radius: None,
            blast_score: None,
            privilege_context: None,
            dry_run: false,
            tenant_credential: None,
            malformed: None,
        }
    }

    /// Reads a request from JSON. Never fails: what is wrong stands in [`malformed`](Self::malformed), so that the
    /// denial can still name the tenant and the correlation id.
    #[must_use]
    pub fn read(value: &Value) -> Self {
        let mut reader = Reader { fault: None };
        let empty = Map::new();
        let members = value.as_object().unwrap_or_else(|| {
            reader.note("the request is no object".to_owned());
            &empty
        });
        if let Some(unknown) = members.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            reader.note(format!("unknown field '{}'", shown(unknown)));
        }
        let request = Self {
            capability_id: reader.text(members, "capability_id").unwrap_or_default(),
            env: reader.word(members),
            data_label: reader.word(members),
            tenant_risk: reader.word(members),
            qos_class: reader.word(members),
            tenant_id: reader.text(members, "tenant_id").unwrap_or_default(),
            correlation_id: reader.text(members, "correlation_id").unwrap_or_default(),
            request: reader.object(members, "request").unwrap_or_default(),
            blast_radius: reader.object(members, "blast_radius"),
            blast_score: reader.integer(members, "blast_score"),
            privilege_context: reader.object(members, "privilege_context"),
            dry_run: reader.flag(members, "dry_run"),
            tenant_credential: reader.text(members, "tenant_credential").map(Credential),
            malformed: None,
        };
        Self { malformed: reader.fault, ..request }
    }
}

const FIELDS: [&str; 13] = [
    "capability_id",
    "env",
    "data_label",
    "tenant_risk",
    "qos_class",
    "tenant_id",
    "correlation_id",
    "request",
    "blast_radius",
    "blast_score",
    "privilege_context",
    "dry_run",
    "tenant_credential",
];

/// A caller's text as part of a message: cut at 80 characters, control characters escaped.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// Remembers the first thing that is wrong.
struct Reader {
    fault: Option<String>,
}

impl Reader {
    fn note(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }

    fn text(&mut self, members: &Map<String, Value>, key: &str) -> Option<String> {
        match members.get(key) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => {
                self.note(format!("{key} is no string"));
                None
            }
        }
    }

    fn word<T: Word>(&mut self, members: &Map<String, Value>) -> Stated<T> {
        Stated::read(&self.text(members, T::KIND).unwrap_or_default())
    }

    fn object(&mut self, members: &Map<String, Value>, key: &str) -> Option<Map<String, Value>> {
        match members.get(key) {
            None | Some(Value::Null) => None,
            Some(Value::Object(object)) => Some(object.clone()),
            Some(_) => {
                self.note(format!("{key} is no object"));
                None
            }
        }
    }

    fn integer(&mut self, members: &Map<String, Value>, key: &str) -> Option<i64> {
        match members.get(key) {
            None | Some(Value::Null) => None,
            Some(value) => value.as_i64().or_else(|| {
                self.note(format!("{key} is no integer"));
                None
            }),
        }
    }

    fn flag(&mut self, members: &Map<String, Value>, key: &str) -> bool {
        match members.get(key) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.note(format!("{key} is neither true nor false"));
                // A request whose flag cannot be read is denied anyway; should it ever run, then as a probe.
                true
            }
        }
    }
}
