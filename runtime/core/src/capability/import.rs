//! Which power an imported interface belongs to.

use serde::{Deserialize, Serialize};

/// A power that a component can import, by class: a declared capability covers all interfaces of its class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PowerClass {
    /// `wasi:filesystem`.
    Files,
    /// `wasi:http`, outgoing.
    Http,
    /// `wasi:sockets`.
    Sockets,
    /// `skillhall:secrets`.
    Secrets,
    /// `wasi:keyvalue`.
    Keyvalue,
    /// `wasi:config`.
    Config,
    /// `skillhall:tools`.
    Tools,
}

impl PowerClass {
    /// Every class.
    pub const ALL: &'static [Self] =
        &[Self::Files, Self::Http, Self::Sockets, Self::Secrets, Self::Keyvalue, Self::Config, Self::Tools];

    /// The capability's name in skill.toml.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Http => "http",
            Self::Sockets => "sockets",
            Self::Secrets => "secrets",
            Self::Keyvalue => "keyvalue",
            Self::Config => "config",
            Self::Tools => "tools",
        }
    }

    /// The least that skill.toml has to say under `[capabilities]` so that an import of this class is declared.
    #[must_use]
    pub fn declaration(self) -> &'static str {
        match self {
            Self::Files => "files = \"empty\"",
            Self::Http => "http = \"empty\"",
            Self::Sockets => "sockets = \"empty\"",
            Self::Secrets => "secrets = [{ name = \"NAME\", for = \"ORIGIN\", header = \"authorization\", reveal = true }]",
            Self::Keyvalue => "keyvalue = [\"NAME-OF-A-STORE\"]",
            Self::Config => "config = [\"NAME-OF-A-VALUE\"]",
            Self::Tools => "tools = [{ skill = \"NAMESPACE/NAME\", version = \"^1\" }]",
        }
    }
}

/// What an imported interface means for a skill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportClass {
    /// The harmless base: linked for everybody, empty or bounded.
    Base,
    /// Only with a declared capability.
    Power(PowerClass),
    /// Nothing that a host offers: always refused.
    Unknown,
}

/// The class of an interface by its full name, such as `wasi:filesystem/types@0.2.6`.
///
/// Within WASI 0.2 the patch version does not matter (WASI 0.2 releases are backwards compatible); a pre-release, another
/// version or none is [`ImportClass::Unknown`], except for what has been published as drafts only: `wasi:logging`,
/// `wasi:config` and `wasi:keyvalue`, in the very drafts that are linked. Of Skillhall's own interfaces there is one version.
#[must_use]
pub fn imports(interface: &str) -> ImportClass {
    if let Some(class) = exactly(interface) {
        return class;
    }
    let Some((name, version)) = interface.split_once('@') else {
        return ImportClass::Unknown;
    };
    let Some(version) = crate::id::parse_version(version) else {
        return ImportClass::Unknown;
    };
    if (version.major, version.minor) != (0, 2) || !version.build.is_empty() {
        return ImportClass::Unknown;
    }
    if version.pre.is_empty() { released(name) } else { ImportClass::Unknown }
}

fn released(name: &str) -> ImportClass {
    match name {
        "wasi:cli/environment"
        | "wasi:cli/exit"
        | "wasi:cli/stdin"
        | "wasi:cli/stdout"
        | "wasi:cli/stderr"
        | "wasi:cli/terminal-input"
        | "wasi:cli/terminal-output"
        | "wasi:cli/terminal-stdin"
        | "wasi:cli/terminal-stdout"
        | "wasi:cli/terminal-stderr"
        | "wasi:io/error"
        | "wasi:io/poll"
        | "wasi:io/streams"
        | "wasi:clocks/monotonic-clock"
        | "wasi:clocks/wall-clock"
        | "wasi:random/random"
        | "wasi:random/insecure"
        | "wasi:random/insecure-seed" => ImportClass::Base,
        "wasi:filesystem/types" | "wasi:filesystem/preopens" => ImportClass::Power(PowerClass::Files),
        "wasi:http/types" | "wasi:http/outgoing-handler" => ImportClass::Power(PowerClass::Http),
        "wasi:sockets/network"
        | "wasi:sockets/instance-network"
        | "wasi:sockets/ip-name-lookup"
        | "wasi:sockets/tcp"
        | "wasi:sockets/tcp-create-socket"
        | "wasi:sockets/udp"
        | "wasi:sockets/udp-create-socket" => ImportClass::Power(PowerClass::Sockets),
        _ => ImportClass::Unknown,
    }
}

fn exactly(interface: &str) -> Option<ImportClass> {
    match interface {
        "wasi:logging/logging@0.1.0-draft" => Some(ImportClass::Base),
        "skillhall:secrets/reveal@0.1.0" => Some(ImportClass::Power(PowerClass::Secrets)),
        "skillhall:tools/call@0.1.0" => Some(ImportClass::Power(PowerClass::Tools)),
        "wasi:config/store@0.2.0-rc.1" => Some(ImportClass::Power(PowerClass::Config)),
        "wasi:keyvalue/store@0.2.0-draft"
        | "wasi:keyvalue/atomics@0.2.0-draft"
        | "wasi:keyvalue/batch@0.2.0-draft"
        | "wasi:keyvalue/store@0.2.0-draft2"
        | "wasi:keyvalue/atomics@0.2.0-draft2"
        | "wasi:keyvalue/batch@0.2.0-draft2" => Some(ImportClass::Power(PowerClass::Keyvalue)),
        _ => None,
    }
}
