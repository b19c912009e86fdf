//! What stands in `fixtures/deny/<CODE>/case*.toml`.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use skillhall_core::denial::Stage;
use skillhall_core::digest::Digest;
use skillhall_core::govern::call::DataLabel;
use skillhall_core::registry::State;
use skillhall_core::registry::access::Role;
use skillhall_core::trust::approve::Answer;
use skillhall_core::trust::keys::Require;
use skillhall_tests::files;

/// One case: a hall, what is done to it, what is then tried, and how that is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Case {
    /// One line: what is shown.
    pub(super) description: String,
    /// How the hall is made.
    #[serde(default)]
    pub(super) hall: Preparation,
    /// What is done to it, in this order.
    #[serde(default)]
    pub(super) steps: Vec<Step>,
    /// What is then tried.
    #[serde(default)]
    pub(super) attempt: Attempt,
    /// How it is refused.
    pub(super) expect: Expect,
    /// Why nothing can be undone so that the call would pass; absent: after undoing the steps it passes.
    #[serde(default)]
    pub(super) for_good: Option<String>,
}

/// How the hall is made: the real skill is attested, certified, published and installed, but for what is said here.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Preparation {
    /// The skill is not certified.
    #[serde(default)]
    pub(super) uncertified: bool,
    /// The skill is not installed.
    #[serde(default)]
    pub(super) uninstalled: bool,
    /// Changes of its skill.toml: each text is replaced by the other.
    #[serde(default)]
    pub(super) skill: Vec<(String, String)>,
}

impl Preparation {
    pub(super) fn is_plain(&self) -> bool {
        !self.uncertified && !self.uninstalled && self.skill.is_empty()
    }
}

/// Whose key.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Key {
    Hmac,
    Ed25519,
    Certifier,
}

/// What is done to a hall. Files are named from the hall's folder; `package/` is the installed package.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub(super) enum Step {
    /// Opens the hall now; what follows happens while it is open.
    Open,
    /// The clock of whatever is opened or done from now on.
    Clock { days: i64 },
    /// Changes the last byte of a file, or the one at a place.
    FlipByte { file: String, at: Option<usize> },
    /// Takes a file or folder away.
    Remove { file: String },
    /// Adds a file.
    Add { file: String, text: String },
    /// Adds a link.
    Link { file: String, to: String },
    /// Puts a copy of a file in its place: the same bytes, another file.
    Replace { file: String },
    /// Writes a file anew.
    Write { file: String, text: String },
    /// Changes a text in a file.
    Edit { file: String, from: String, to: String },
    /// Takes the secrets of HMAC keys away.
    RemoveHmacKeys,
    /// Puts a short secret in the place of the HMAC key's.
    WeakHmacKey,
    /// Puts a point of small order into the keyring.
    WeakEd25519Key,
    /// Makes a key's time end, in days from setup.
    ExpireKey { key: Key, days: i64 },
    /// Makes a key's time begin later, in days from setup.
    DelayKey { key: Key, days: i64 },
    /// Revokes a key.
    RevokeKey { key: Key },
    /// Takes a key out of the keyring.
    DropKey { key: Key },
    /// Gives the Ed25519 key to another namespace.
    ForeignKey { namespace: String },
    /// Which form of attestation the namespace requires.
    Require { form: Require },
    /// Takes the signature out of manifest.json.
    StripSignature,
    /// Changes the signature in manifest.json.
    ForgeSignature,
    /// Attests the same bytes, with the right key, as another worker or version.
    AttestAs { worker: Option<String>, version: Option<String> },
    /// A standing event: of the skill, version, namespace, hash:.., key:.., certification or adapter:...
    Stand { target: String, state: State, own_callers: Option<bool> },
    /// Suspends the hall's organisation.
    SuspendOrganisation,
    /// Registers another organisation, which may call nothing.
    RegisterOrganisation { name: String },
    /// Gives the namespace to another organisation.
    GiveNamespace { to: String },
    /// Sets the least policy tier of the skill's namespace.
    SetTier { tier: u8 },
    /// A token is issued to bob, who is given these roles, and everything that follows is done by it.
    Token {
        /// In which organisation; absent: the hall's own. Another one is let into the skill's namespace.
        of: Option<String>,
        roles: Vec<Role>,
        #[serde(flatten)]
        wanted: Wanted,
    },
    /// Everything that follows is done by this token.
    Present { text: String },
    /// Revokes the token.
    RevokeToken,
    /// Offboards an organisation.
    Offboard { name: String },
    /// Revokes the host's enrolment.
    RevokeHost,
    /// Enrols another executable under this host's name.
    OtherExecutable,
    /// Enrols this host as it is now.
    Enroll,
    /// The hall takes no new calls from now on.
    ShutDown,
    /// The clock does not know the time from now on.
    StopClock,
    /// A policy gate is there, and answers.
    Gate { answers: String, version: Option<String> },
    /// A policy gate is there, and fails.
    GateFails { how: GateFault },
    /// Somebody may answer calls that wait for a person.
    Approver { holder: String },
    /// The call that a ready hall lets pass is made, and waits for a person.
    Ask,
    /// Somebody answers it.
    Answer { holder: String, answer: Answer },
    /// Revokes the keys of all approvers.
    RevokeApprovers,
    /// Takes all approvers out of the keyring.
    DropApprovers,
    /// The call is made on the strength of the answer, and runs.
    Use,
    /// The call that a ready hall lets pass is made, and runs.
    Call,
    /// hall.toml has quotas from now on, and the host is enrolled with them.
    Quotas { say: String },
}

/// What a token is to be for, but for what it is by default.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Wanted {
    /// For no namespace.
    pub(super) no_namespace: bool,
    /// For one adapter.
    pub(super) adapter: Option<String>,
    /// From so many days on.
    pub(super) begins_in: Option<i64>,
}

/// How a policy gate fails.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum GateFault {
    Error,
    Late,
    Malformed,
    Panic,
}

/// What is tried.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub(super) enum Attempt {
    /// The call that a ready hall lets pass, but for what is said here.
    Call {
        skill: Option<String>,
        tool: Option<String>,
        input: Option<String>,
        data_label: Option<DataLabel>,
        correlation_id: Option<Text>,
        caller: Option<String>,
        adapter: Option<String>,
        /// An approval's id; `asked` is that of the call that waits.
        approval: Option<String>,
        #[serde(default)]
        dry_run: bool,
    },
    /// Somebody answers the call that waits.
    Answer { holder: String, answer: Answer },
    /// Certifies a package of the real skill with these changes of its skill.toml.
    Certify {
        #[serde(default)]
        skill: Vec<(String, String)>,
        adapter: Option<Edited>,
    },
    /// Attests such a package.
    Attest {
        #[serde(default)]
        skill: Vec<(String, String)>,
    },
    /// Attests and publishes such a package.
    Publish {
        #[serde(default)]
        skill: Vec<(String, String)>,
        adapter: Option<Edited>,
    },
    /// Attests and installs such a package; if it says so, certifies and publishes it before.
    Install {
        #[serde(default)]
        skill: Vec<(String, String)>,
        adapter: Option<Edited>,
        #[serde(default)]
        published: bool,
        accept_powers: Option<Digest>,
    },
    /// Gives somebody of an organisation a role.
    GrantRole { of: String, holder: String, role: Role },
    /// Builds a skill with the command.
    Build {
        component: Component,
        #[serde(default)]
        skill: Vec<(String, String)>,
    },
    /// Takes the decision of WCP that stands in a file beside the case, and nothing else.
    Decide { scenario: String },
}

/// A file of the package that was edited by hand, before skill.json was made again with its digest and the package attested.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edited {
    pub(super) file: String,
    pub(super) from: String,
    pub(super) to: String,
}

/// A text, or one character so many times.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Text {
    Plain(String),
    Long { times: usize },
}

impl Text {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Long { times } => "x".repeat(*times),
        }
    }
}

/// A component to build with.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Component {
    Redact,
    Http,
}

impl Default for Attempt {
    fn default() -> Self {
        Self::Call {
            skill: None,
            tool: None,
            input: None,
            data_label: None,
            correlation_id: None,
            caller: None,
            adapter: None,
            approval: None,
            dry_run: false,
        }
    }
}

/// How it is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Expect {
    /// The gate or verb that refuses.
    pub(super) stage: Stage,
    /// What the message says.
    pub(super) says: String,
}

/// Where the cases are.
pub(super) fn folder() -> PathBuf {
    files::repository("fixtures/deny")
}

/// Every case with its code and the folder that it stands in, in their order.
pub(super) fn all() -> Vec<(String, PathBuf, Case)> {
    let mut cases = Vec::new();
    for path in files::below(&folder()) {
        let path = folder().join(path);
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !name.starts_with("case") || !name.ends_with(".toml") {
            continue;
        }
        let text = files::text(&path);
        let case = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        cases.push((code_of(&path), path, case));
    }
    cases
}

fn code_of(path: &Path) -> String {
    let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    folder.unwrap_or_else(|| panic!("{} stands in no folder of a code", path.display())).to_owned()
}
