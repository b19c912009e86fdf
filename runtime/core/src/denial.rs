//! The one table of refusals.
//!
//! A [`Denial`] says that something was refused: it carries a [`Code`] from the closed table below, and every code has a
//! stage (the gate or verb that gives it), a one-line summary and a hint that says what to do. `docs/deny-codes.md` is
//! made from this table, and `fixtures/deny/<CODE>/` holds a case for each code.
//!
//! A denial is never a [`failure`](crate::failure) (admitted, then ended badly) and never a fault (the host's own trouble).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where in the line a refusal comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Gate 1: the registry answers, with one consistent view.
    Registry,
    /// Gate 2: the package is whole and is the one that was published.
    Package,
    /// Gate 3: the package is attested in the form its namespace requires.
    Attestation,
    /// Gate 4: the package is certified.
    Certification,
    /// Gate 5: nothing has been banned, revoked or degraded.
    Standing,
    /// Gate 6: the caller's organisation may call into this namespace.
    Caller,
    /// Gate 7: this host is enrolled and unchanged.
    Host,
    /// Gate 8: the input fits the tool's schema.
    Input,
    /// Gate 9: every declared capability is granted.
    Capability,
    /// Gate 10: the WCP decision.
    Policy,
    /// Gate 11: the decision is durable.
    Ledger,
    /// Before any run: the package is being built.
    Build,
    /// Before any run: a certifier is looking at the package.
    Certify,
    /// Before any run: the package is being published or installed.
    Publish,
    /// Before any run: somebody gives a role or a token.
    Authority,
}

impl Stage {
    /// The number of the gate of an execution (1 to 11), or `None` for the stages that come before any run.
    #[must_use]
    pub fn gate(self) -> Option<u8> {
        Some(match self {
            Self::Registry => 1,
            Self::Package => 2,
            Self::Attestation => 3,
            Self::Certification => 4,
            Self::Standing => 5,
            Self::Caller => 6,
            Self::Host => 7,
            Self::Input => 8,
            Self::Capability => 9,
            Self::Policy => 10,
            Self::Ledger => 11,
            Self::Build | Self::Certify | Self::Publish | Self::Authority => return None,
        })
    }

    /// The stage's name as it stands in records and in the documentation.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Package => "package",
            Self::Attestation => "attestation",
            Self::Certification => "certification",
            Self::Standing => "standing",
            Self::Caller => "caller",
            Self::Host => "host",
            Self::Input => "input",
            Self::Capability => "capability",
            Self::Policy => "policy",
            Self::Ledger => "ledger",
            Self::Build => "build",
            Self::Certify => "certify",
            Self::Publish => "publish",
            Self::Authority => "authority",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! codes {
    ($($variant:ident = $text:literal, $stage:ident, $summary:literal, $hint:literal;)*) => {
        /// A deny code: the closed list of reasons for which anything is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code {
            $(#[doc = $summary] #[serde(rename = $text)] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as it stands in records, on the wire and in the documentation.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The gate or verb that gives this code.
            #[must_use]
            pub fn stage(self) -> Stage {
                match self { $(Self::$variant => Stage::$stage,)* }
            }

            /// One line: what was found.
            #[must_use]
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)* }
            }

            /// One line: what to do about it.
            #[must_use]
            pub fn hint(self) -> &'static str {
                match self { $(Self::$variant => $hint,)* }
            }
        }
    };
}

codes! {
    // Gate 1
    RegistryUnreachable = "DENY_REGISTRY_UNREACHABLE", Registry,
        "The registry did not answer, so nothing it guards may run.",
        "Bring the registry back (in a local hall: registry.db in the hall's folder), then call again; there is no cached trust to fall back on.";
    SkillUnknown = "DENY_SKILL_UNKNOWN", Registry,
        "The registry knows no such skill or version.",
        "Check the spelling, list what is there with `hall inspect NS/NAME`, or publish the skill first.";
    NotInstalled = "DENY_NOT_INSTALLED", Package,
        "The skill is published, but this hall holds no package of it.",
        "Install it: `hall install PACKAGE`.";
    // Gate 2
    ManifestMissing = "ATTEST_MANIFEST_MISSING", Package,
        "skill.json or manifest.json is missing, or cannot be read as what it must be.",
        "Build the package again with `hall build` and attest it with `hall attest`.";
    PackageLayout = "ATTEST_PACKAGE_LAYOUT", Package,
        "The package holds a file, name, link or size that no package may hold.",
        "Remove what the message names and build again; a package is a closed set of files (docs/package.md).";
    HashMismatch = "ATTEST_HASH_MISMATCH", Package,
        "A file's bytes are not those that were attested or published.",
        "Do not run it. Fetch the package again from its publisher; if you changed it yourself, give it a new version, then build, attest and publish that.";
    ImportUndeclared = "DENY_IMPORT_UNDECLARED", Package,
        "The component imports an interface that its manifest declares no capability for.",
        "Declare the capability in skill.toml under [capabilities] (\"empty\" if it is only mentioned), or remove the import.";
    // Gate 3
    SignatureMissing = "ATTEST_SIGNATURE_MISSING", Attestation,
        "The namespace requires an HMAC attestation, and the signature or the key to check it is not there.",
        "Set WCP_ATTEST_HMAC_KEY (or put the key back into the hall), and attest the package with `hall attest`.";
    Ed25519Required = "ATTEST_ED25519_REQUIRED", Attestation,
        "The namespace requires an Ed25519 attestation, and the package has none.",
        "Ask the publisher for a package with manifest.sig, or attest it with an Ed25519 key of the namespace.";
    SigInvalid = "ATTEST_SIG_INVALID", Attestation,
        "A signature is there and does not fit what it claims to sign.",
        "Do not run it. Attest again with the right key; if you did not change anything, someone else did.";
    ManifestIdMismatch = "ATTEST_MANIFEST_ID_MISMATCH", Attestation,
        "The attestation names another skill, species or version than the package.",
        "Attest this very package again with `hall attest`.";
    KeyUnknown = "ATTEST_KEY_UNKNOWN", Attestation,
        "The attestation was made with a key that this hall's keyring does not name for the namespace.",
        "Get the publisher's public key from a source you trust and add it with `hall keys trust`, or refuse the package.";
    KeyExpired = "ATTEST_KEY_EXPIRED", Attestation,
        "The key's time is over.",
        "Attest again with a key that is valid now: `hall keys rotate`, then `hall attest --namespace NS --all`.";
    KeyNotYetValid = "ATTEST_KEY_NOT_YET_VALID", Attestation,
        "The key's time has not begun.",
        "Wait until the key is valid, attest with another key, or mend this machine's clock.";
    KeyRevoked = "ATTEST_KEY_REVOKED", Attestation,
        "The key was revoked by its owner.",
        "Attest again with another key of the namespace (`hall keys new`, then `hall attest --namespace NS --all`); what only the revoked key signed stays refused.";
    KeyWeak = "ATTEST_KEY_WEAK", Attestation,
        "The key is too weak to prove anything (HMAC under 32 bytes, or an Ed25519 point of small order).",
        "Make a strong key with `hall keys new` and attest again.";
    NamespaceInvalid = "ATTEST_NAMESPACE_INVALID", Attestation,
        "The namespace is not of the form x.NAME or org.NAME, or is not the signer's.",
        "Use a namespace of your own: x.NAME for the community, org.NAME for an organisation.";
    // Gate 4
    NotCertified = "DENY_NOT_CERTIFIED", Certification,
        "No certification covers these bytes.",
        "Have the package certified: `hall certify PACKAGE`.";
    CertificationInvalid = "DENY_CERTIFICATION_INVALID", Certification,
        "A certification is there, but its signature or its subjects do not hold, or its signer is no certifier of this hall.",
        "Certify again with a certifier's key that this hall trusts.";
    CertificationExpired = "DENY_CERTIFICATION_EXPIRED", Certification,
        "The certification's time is over (or has not begun).",
        "Certify the package again: `hall certify PACKAGE`.";
    CertificationRevoked = "DENY_CERTIFICATION_REVOKED", Certification,
        "The certification was revoked.",
        "Find out why with `hall inspect`; after the cause is mended, certify again.";
    DutySeparation = "DENY_DUTY_SEPARATION", Certification,
        "One identity both brought a version in and certified it, in a policy tier above 0.",
        "Have somebody else certify it: a token of another holder with the role certifier, `hall certify PACKAGE --token-file FILE`.";
    // Gate 5
    BannedHash = "ATTEST_BANNED_HASH", Standing,
        "These bytes are on the ban list.",
        "Do not run them. The ban's reason stands in `hall inspect`; use a version whose bytes are not banned.";
    SkillBanned = "DENY_SKILL_BANNED", Standing,
        "The skill or this version of it is banned.",
        "See the reason with `hall inspect`; only who banned it, or a higher authority, can restore it.";
    NamespaceBanned = "DENY_NAMESPACE_BANNED", Standing,
        "Everything of this namespace is banned.",
        "See the reason with `hall inspect`; only who banned it, or a higher authority, can restore it.";
    KeyBanned = "DENY_KEY_BANNED", Standing,
        "The key that attested or certified this package is banned.",
        "Have the package attested or certified with another key.";
    SkillRevoked = "DENY_SKILL_REVOKED", Standing,
        "The publisher revoked the skill or this version of it.",
        "Move to a version that is not revoked; the reason stands in `hall inspect`.";
    AdapterDegraded = "DENY_ADAPTER_DEGRADED", Standing,
        "The adapter through which this call came is degraded for the skill.",
        "Call through another adapter, or wait until it is restored: `hall restore`.";
    // Gate 6
    Unauthenticated = "DENY_UNAUTHENTICATED", Caller,
        "The caller did not prove who it is.",
        "Run as the hall's owner, or present a token of your organisation.";
    TokenUnknown = "DENY_TOKEN_UNKNOWN", Caller,
        "The token that was presented is none that was issued here.",
        "Look whether the file holds the whole token, and of this hall; else have a new one issued: `hall token issue`.";
    TokenRevoked = "DENY_TOKEN_REVOKED", Caller,
        "The token was revoked.",
        "Ask whoever revoked it why; a new one is issued with `hall token issue`.";
    TokenNotYetValid = "DENY_TOKEN_NOT_YET_VALID", Caller,
        "The token's time has not begun.",
        "Wait until it has, or have another one issued.";
    TokenExpired = "DENY_TOKEN_EXPIRED", Caller,
        "The token's time is over.",
        "Have a new one issued: `hall token issue`.";
    OrgOffboarded = "DENY_ORG_OFFBOARDED", Caller,
        "The organisation is offboarded, for good.",
        "Register another organisation: `hall org create`; an offboarded one never comes back.";
    RoleMissing = "DENY_ROLE_MISSING", Caller,
        "Whoever acts has none of the roles that this takes.",
        "Have the role given (`hall role grant`) and a token issued that is for it (`hall token issue`), or have somebody do it who has it.";
    TokenNamespace = "DENY_TOKEN_NAMESPACE", Caller,
        "The token is not for this namespace.",
        "Use a token that names the namespace, or have one issued: `hall token issue --namespace NS`.";
    TokenAdapter = "DENY_TOKEN_ADAPTER", Caller,
        "The token is not for calls through this adapter.",
        "Call through one that it names, or have a token issued for this one: `hall token issue --adapter NAME`.";
    ClaimUnauthorized = "DENY_CLAIM_UNAUTHORIZED", Caller,
        "The call states a data label, a tenant risk or a service class that its token may not state.",
        "State one that it may, or have a token issued that may state this.";
    OrgSuspended = "DENY_ORG_SUSPENDED", Caller,
        "The caller's organisation is suspended.",
        "Ask the hall's operator to lift the suspension.";
    QuotaExceeded = "DENY_QUOTA_EXCEEDED", Caller,
        "The caller's organisation has had all that its quota allows.",
        "Call again when it is free, as the details say, or have the host's operator raise the quota under [quotas] in hall.toml.";
    QuotaUnavailable = "DENY_QUOTA_UNAVAILABLE", Caller,
        "What the caller's organisation has used cannot be counted, so nothing is let in.",
        "Free space on the disk or mend the folder quotas in the hall, then call again; taken away, the counts begin anew.";
    NamespaceUnauthorized = "DENY_NAMESPACE_UNAUTHORIZED", Caller,
        "The caller's organisation may not use this namespace.",
        "Ask the hall's operator to authorise the organisation for the namespace.";
    // Gate 7
    HostNotEnrolled = "DENY_HOST_NOT_ENROLLED", Host,
        "This host is not enrolled in the registry.",
        "Enrol it: `hall worker enroll`.";
    HostTampered = "DENY_HOST_TAMPERED", Host,
        "The host's executable or configuration is not what the registry says.",
        "If you changed it on purpose (an update, an edited hall.toml), enrol the host again with `hall worker enroll`; if not, find out who did.";
    HostRevoked = "DENY_HOST_REVOKED", Host,
        "This host's enrolment was revoked.",
        "Ask the hall's operator; a revoked host runs nothing.";
    HostDraining = "DENY_HOST_DRAINING", Host,
        "This host is shutting down and takes no new calls.",
        "Call another host, or this one again when it is back.";
    TimeUnknown = "DENY_TIME_UNKNOWN", Host,
        "This host does not know the time, and nothing is valid at no time.",
        "Mend the clock that the message names; an embedding program gives its hall one with `Config::clock`.";
    // Gate 8
    ToolUnknown = "DENY_TOOL_UNKNOWN", Input,
        "The skill has no such tool.",
        "`hall inspect NS/NAME` lists its tools.";
    AdapterUnknown = "DENY_ADAPTER_UNKNOWN", Input,
        "The call came through an adapter that the package does not have.",
        "Call through an adapter that it has, or run it by `hall run`; its author can build it again with this one.";
    InputSchema = "DENY_INPUT_SCHEMA", Input,
        "The input does not fit the tool's schema.",
        "Mend the value at the JSON pointer that the message names; `hall inspect` shows the schema.";
    // Gate 9
    CapabilityNotGranted = "DENY_CAPABILITY_NOT_GRANTED", Capability,
        "The skill asks for a power that this host's policy does not grant.",
        "If the skill should have it, grant it in hall.toml as the message says; otherwise do not run the skill.";
    PowersIncreased = "DENY_POWERS_INCREASED", Capability,
        "The version asks for more than the installed one, and nobody has accepted the difference.",
        "Look at what is new; if the skill should have it, install with `--accept-powers` and the digest that the message names.";
    // Gate 10: WCP's own
    UnknownTenant = "DENY_UNKNOWN_TENANT", Policy,
        "The tenant is not registered.",
        "Register the tenant in the hall's configuration.";
    MissingTenantId = "DENY_MISSING_TENANT_ID", Policy,
        "A tenant id is required and absent.",
        "State the tenant of the call.";
    InvalidInput = "DENY_INVALID_INPUT", Policy,
        "A field of the decision request has no valid value.",
        "Mend the field that the message names.";
    ShadowRules = "DENY_SHADOW_RULES_DETECTED", Policy,
        "A rule can never match because an earlier one covers it; in prod and edge such a rule set decides nothing.",
        "Reorder or remove the rules that the details name.";
    NoMatchingRule = "DENY_NO_MATCHING_RULE", Policy,
        "No rule matches the call.",
        "Add a rule for this capability, environment and data label to the hall's rules, if the call should be allowed.";
    MissingCorrelationId = "DENY_MISSING_CORRELATION_ID", Policy,
        "A correlation id is required and absent.",
        "Send one; the command makes one by itself.";
    MissingRequiredControls = "DENY_MISSING_REQUIRED_CONTROLS", Policy,
        "The policy tier or the rule requires a control that this host does not have.",
        "Put the control in place and name it under controls in hall.toml, or run the skill on a host that has it.";
    RequiresHuman = "DENY_REQUIRES_HUMAN", Policy,
        "The blast radius is too high for a run without a person.",
        "Have a person approve the run, or lower what the call can touch.";
    PolicyGateUnconfigured = "DENY_POLICY_GATE_UNCONFIGURED", Policy,
        "The rule requires a policy gate and this host has none.",
        "Configure a policy gate, or change the rule.";
    IsolationUnavailable = "DENY_ISOLATION_UNAVAILABLE", Policy,
        "The skill is to run in a process of its own, and this host cannot do that for it.",
        "Mend what the message names, or say under [isolation] in hall.toml where such skills run.";
    InternalError = "DENY_INTERNAL_ERROR", Policy,
        "A part that the decision needs failed.",
        "Read the message and mend the part that it names; until then the call stays denied.";
    PolicyGate = "DENY_POLICY_GATE", Policy,
        "The policy gate said no.",
        "The reason is the gate's; change the call or the policy.";
    RequiresHumanApproval = "DENY_REQUIRES_HUMAN_APPROVAL", Policy,
        "The policy gate asks for a person's approval.",
        "Have the pending approval resolved by someone other than the requester, then call again.";
    ApprovalUnknown = "DENY_APPROVAL_UNKNOWN", Policy,
        "The approval that the call names is not there.",
        "`hall approvals list` shows those that are; or call without one, and a new one is asked for if a person is needed.";
    ApprovalRejected = "DENY_APPROVAL_REJECTED", Policy,
        "A person said no to this very call.",
        "The reason is that person's; change the call, or have it asked for anew by calling without the approval.";
    ApprovalExpired = "DENY_APPROVAL_EXPIRED", Policy,
        "The approval was not answered, or not used, in time.",
        "Call without the approval: a new one is asked for.";
    ApprovalUsed = "DENY_APPROVAL_USED", Policy,
        "The approval was used: each one is good for a single run.",
        "Call without the approval: a new one is asked for.";
    ApprovalMismatch = "DENY_APPROVAL_MISMATCH", Policy,
        "The approval is for something else than this call.",
        "Make the call that was approved, or call without the approval: a new one is asked for.";
    ApprovalInvalid = "DENY_APPROVAL_INVALID", Policy,
        "The answer is not one that an approver of this hall has signed.",
        "Find out who wrote it into the registry; have the call approved by somebody whose key the keyring names.";
    ApprovalSelf = "DENY_APPROVAL_SELF", Policy,
        "The person who called also approved, and may not do both here.",
        "Have somebody else approve it; `approvals.own` in hall.toml says where one's own approval counts.";
    PolicyGateInvalidResponse = "DENY_POLICY_GATE_INVALID_RESPONSE", Policy,
        "The policy gate answered something that is no decision.",
        "Mend the gate: it answers ALLOW, DENY or REQUIRE_HUMAN.";
    NoAvailableWorker = "DENY_NO_AVAILABLE_WORKER", Policy,
        "None of the rule's candidate workers is available here.",
        "Install a skill that the rule names, or change the rule's candidates.";
    AttestationUnconfigured = "DENY_ATTESTATION_UNCONFIGURED", Policy,
        "Worker attestation is required and cannot be looked up.",
        "Configure where the registered and the current hash of a worker come from.";
    WorkerAttestationMissing = "DENY_WORKER_ATTESTATION_MISSING", Policy,
        "The worker has no registered hash.",
        "Register the worker: publishing the skill does so.";
    WorkerAttestationInvalidHash = "DENY_WORKER_ATTESTATION_INVALID_HASH", Policy,
        "The worker's registered hash is no SHA-256 digest.",
        "Register the worker again with 64 lower-case hexadecimal digits.";
    WorkerHashUnavailable = "DENY_WORKER_HASH_UNAVAILABLE", Policy,
        "The worker's current hash could not be computed.",
        "See why its package cannot be read; install it again.";
    WorkerTampered = "DENY_WORKER_TAMPERED", Policy,
        "The worker's current hash is not the registered one.",
        "Do not run it. Install the published package again and find out what changed it.";
    PrivilegeEnvelopeUnconfigured = "DENY_PRIVILEGE_ENVELOPE_UNCONFIGURED", Policy,
        "A privilege envelope is required and none is configured.",
        "Declare the worker's privilege envelope.";
    PrivilegeEnvelopeViolated = "DENY_PRIVILEGE_ENVELOPE_VIOLATED", Policy,
        "The call asks for more than the worker's privilege envelope holds.",
        "Ask for less, or have the envelope widened by whoever owns it.";
    // Gate 11
    LedgerUnavailable = "DENY_LEDGER_UNAVAILABLE", Ledger,
        "The decision could not be written durably, so nothing runs.",
        "Free space on the disk or mend the ledger's folder (`hall audit verify` says what is wrong), then call again.";
    // Verbs before any run
    Escalation = "DENY_ESCALATION", Authority,
        "A role or token would reach further than what whoever gives it has.",
        "Give no more than you have, or ask somebody who has it: the hall's owner, or an operator.";
    SchemaInvalid = "DENY_SCHEMA_INVALID", Build,
        "A tool's type or its narrowing gives no valid schema.",
        "Mend the tool that the message names in skill.toml or in the WIT.";
    AdapterMalformed = "DENY_ADAPTER_MALFORMED", Build,
        "An adapter breaks its platform's rules, or is not the one that skill.json gives.",
        "Mend what the message names and build the package again with `hall build`; adapters are never written by hand.";
    CertificationRefused = "DENY_CERTIFICATION_REFUSED", Certify,
        "The certifier's checks did not all pass.",
        "Mend what the failed checks name and build again.";
    VersionImmutable = "DENY_VERSION_IMMUTABLE", Publish,
        "This version is published with other bytes, and a published version never changes.",
        "Raise the version in skill.toml and build again.";
}

impl Code {
    /// Finds a code by its text, case-insensitively and with either spelling of word breaks (`-` or `_`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let wanted = text.trim().to_ascii_uppercase().replace('-', "_");
        Self::ALL.iter().copied().find(|code| code.as_str() == wanted)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal: which code, what exactly was found, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// The code of the closed table.
    pub code: Code,
    /// What was found, with the names and values of this case. Control characters are escaped when it is shown.
    pub message: String,
    /// What to do about this very case, where that says more than the code's own hint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// The facts of the case, for programs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, Value>,
}

impl Denial {
    /// A denial with a message of its own.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), advice: None, details: BTreeMap::new() }
    }

    /// Adds a fact for programs.
    #[must_use]
    pub fn detail(mut self, key: &str, value: impl Into<Value>) -> Self {
        let mut value = value.into();
        // Its text is the same in every build, whichever order objects of JSON keep there.
        value.sort_all_objects();
        self.details.insert(key.to_owned(), value);
        self
    }

    /// Replaces the table's hint by one that fits this case.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// The gate or verb that refused.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.code.stage()
    }

    /// What to do: the case's own advice, else the table's hint.
    #[must_use]
    pub fn hint(&self) -> &str {
        self.advice.as_deref().unwrap_or_else(|| self.code.hint())
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Denial {}
