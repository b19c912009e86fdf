//! What can be wrong, in the order of the gates.

use std::collections::BTreeSet;

use skillhall_core::clock::Timestamp;
use skillhall_core::denial::Code;
use skillhall_core::digest::Digest;
use skillhall_core::govern::call::{DataLabel, Input};
use skillhall_core::govern::wcp::gate::{GateError, Verdict};
use skillhall_core::id::OrgId;
use skillhall_core::registry::access::{Credential, Identity, Role, RoleRecord, Token, TokenRecord, TokenRevocation};
use skillhall_core::registry::token::TokenText;
use skillhall_core::registry::{OrgRecord, Scope, Snapshot, StandingEvent, State, StatementKind, Target};
use skillhall_core::trust::keys::{KeyRecord, Keyring, Secret};

use super::parts::{Does, Spoil};

/// In which way something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Missing,
    Malformed,
    Wrong,
    Stale,
}

use Kind::{Malformed, Missing, Stale, Wrong};

/// Something that is wrong, and the code with which it is refused.
pub(super) struct Fault {
    pub(super) gate: &'static str,
    pub(super) kind: Kind,
    pub(super) is: &'static str,
    pub(super) code: Code,
    pub(super) does: Does,
}

const fn fault(gate: &'static str, kind: Kind, is: &'static str, code: Code, does: Does) -> Fault {
    Fault { gate, kind, is, code, does }
}

/// The call comes by a good token, but for this.
macro_rules! by_token {
    ($edit:expr) => {
        Does::Token(|said| {
            let edit: fn(&mut Credential) = $edit;
            said.iter_mut().for_each(edit);
        })
    };
}

/// What must be so, each as the fault that it is not.
pub(super) const PRECONDITIONS: [Fault; 16] = [
    fault("registry", Missing, "the registry answers", Code::RegistryUnreachable, Does::Unreachable),
    fault("package", Wrong, "the package is whole", Code::HashMismatch, Does::File("component.wasm", Spoil::Flipped)),
    fault("attestation", Missing, "it is attested", Code::SignatureMissing, Does::Keys(|keyring| keyring.namespaces.clear())),
    fault("certification", Missing, "it is certified", Code::NotCertified, Does::Answer(uncertified)),
    fault(
        "standing",
        Wrong,
        "it is not banned",
        Code::BannedHash,
        Does::Answer(|answer| {
            let hash = published(answer).manifest_hash;
            mark(answer, Target::Hash(hash), State::Banned);
        }),
    ),
    fault(
        "standing",
        Stale,
        "it is not revoked",
        Code::SkillRevoked,
        Does::Answer(|answer| {
            let version = published(answer).skill.clone();
            mark(answer, Target::Version(version), State::Revoked);
        }),
    ),
    fault("standing", Malformed, "the adapter is good", Code::AdapterDegraded, Does::Answer(degraded)),
    fault("caller", Wrong, "the organisation is authorised", Code::NamespaceUnauthorized, Does::Answer(given_away)),
    fault("quota", Stale, "the organisation has some of its quota left", Code::QuotaExceeded, Does::Quota(|| Ok(u64::MAX))),
    fault(
        "host",
        Wrong,
        "the host is what is enrolled",
        Code::HostTampered,
        Does::Answer(|answer| {
            answer.host.iter_mut().for_each(|host| host.executable = Digest::of(b"another"));
        }),
    ),
    fault("input", Wrong, "the input is valid", Code::InputSchema, Does::Call(|call| call.input = input("{\"text\": 1}"))),
    fault("capability", Missing, "the capabilities are granted", Code::CapabilityNotGranted, Does::Powerless),
    fault("rule", Missing, "a rule matches", Code::NoMatchingRule, Does::Call(|call| call.data_label = DataLabel::Internal)),
    fault("controls", Missing, "the controls are present", Code::MissingRequiredControls, Does::Answer(highest_tier)),
    fault("policy gate", Wrong, "the policy gate allows", Code::PolicyGate, Does::Gate(|| says("DENY"))),
    fault("ledger", Missing, "the ledger is durable", Code::LedgerUnavailable, Does::NoLedger),
];

/// Everything that can be missing, malformed, wrong or stale at a gate, in the order of the gates.
pub(super) const FAULTS: &[Fault] = &[
    fault("registry", Missing, "no answer", Code::RegistryUnreachable, Does::Unreachable),
    fault(
        "registry",
        Wrong,
        "another skill's answer",
        Code::RegistryUnreachable,
        Does::Answer(|answer| {
            answer.published.as_mut().expect("it is published").skill = "org.skillhall/other@1.0.0".parse().expect("a skill");
        }),
    ),
    fault(
        "registry",
        Malformed,
        "statements about other bytes",
        Code::RegistryUnreachable,
        Does::Answer(|answer| {
            answer.statements.iter_mut().for_each(|statement| statement.manifest_hash = Digest::of(b"other"));
        }),
    ),
    fault(
        "registry",
        Stale,
        "an answer from before it was published",
        Code::SkillUnknown,
        Does::Answer(|answer| {
            (answer.published, answer.statements) = (None, Vec::new());
        }),
    ),
    fault("package", Missing, "no skill.json", Code::ManifestMissing, Does::File("skill.json", Spoil::Gone)),
    fault("package", Missing, "no component", Code::PackageLayout, Does::File("component.wasm", Spoil::Gone)),
    fault("package", Malformed, "a manifest that is cut", Code::ManifestMissing, Does::File("skill.json", Spoil::Cut)),
    fault("package", Missing, "no manifest.json", Code::ManifestMissing, Does::File("manifest.json", Spoil::Gone)),
    fault("package", Malformed, "a manifest.json that is cut", Code::ManifestMissing, Does::File("manifest.json", Spoil::Cut)),
    fault("package", Wrong, "another component", Code::HashMismatch, Does::File("component.wasm", Spoil::Flipped)),
    fault(
        "package",
        Stale,
        "another hash of the component published",
        Code::HashMismatch,
        Does::Answer(|answer| {
            answer.published.as_mut().expect("it is published").component_hash = Digest::of(b"the new one");
        }),
    ),
    fault(
        "package",
        Stale,
        "another worker hash published",
        Code::HashMismatch,
        Does::Answer(|answer| {
            answer.published.as_mut().expect("it is published").package_hash = Digest::of(b"the new one");
        }),
    ),
    fault("attestation", Missing, "no key", Code::SignatureMissing, Does::Keys(|keyring| keyring.namespaces.clear())),
    fault("attestation", Missing, "no secret", Code::SignatureMissing, Does::Secret(|| None)),
    fault("attestation", Wrong, "another secret", Code::SigInvalid, Does::Secret(|| Some(Secret::new(vec![7; 32])))),
    fault(
        "attestation",
        Stale,
        "keys whose time is over",
        Code::KeyExpired,
        Does::Keys(|keyring| {
            each_key(keyring, |key| key.valid_to = Some(key.valid_from.plus_millis(1)));
        }),
    ),
    fault(
        "attestation",
        Stale,
        "keys that were revoked",
        Code::KeyRevoked,
        Does::Keys(|keyring| {
            each_key(keyring, |key| key.revoked_at = Some(key.valid_from));
        }),
    ),
    fault("certification", Missing, "no certification", Code::NotCertified, Does::Answer(uncertified)),
    fault(
        "certification",
        Malformed,
        "a certification that is no text",
        Code::CertificationInvalid,
        Does::Answer(|answer| {
            certifications(answer, |body| *body = "{\"payload\":".to_owned());
        }),
    ),
    fault(
        "certification",
        Wrong,
        "a certification that was changed",
        Code::CertificationInvalid,
        Does::Answer(|answer| {
            certifications(answer, |body| *body = body.replace("\"sig\":\"", "\"sig\":\"AAAA"));
        }),
    ),
    fault(
        "certification",
        Wrong,
        "no certifier's key",
        Code::CertificationInvalid,
        Does::Keys(|keyring| {
            keyring.certifiers.clear();
        }),
    ),
    fault("certification", Stale, "a certification whose time is over", Code::CertificationExpired, Does::Days(400)),
    fault(
        "certification",
        Stale,
        "a certification taken back",
        Code::CertificationRevoked,
        Does::Answer(|answer| {
            let ids: Vec<String> = answer.statements.iter().map(|statement| statement.id.clone()).collect();
            ids.into_iter().for_each(|id| mark(answer, Target::Certification(id), State::Revoked));
        }),
    ),
    fault(
        "certification",
        Wrong,
        "certified by who published",
        Code::DutySeparation,
        Does::Answer(|answer| {
            let by = published(answer).by.clone();
            answer.statements.iter_mut().for_each(|statement| statement.by.clone_from(&by));
        }),
    ),
    fault(
        "standing",
        Wrong,
        "a banned hash",
        Code::BannedHash,
        Does::Answer(|answer| {
            let hash = published(answer).component_hash;
            mark(answer, Target::Hash(hash), State::Banned);
        }),
    ),
    fault(
        "standing",
        Wrong,
        "a banned skill",
        Code::SkillBanned,
        Does::Answer(|answer| {
            let skill = published(answer).skill.id.clone();
            mark(answer, Target::Skill(skill), State::Banned);
        }),
    ),
    fault(
        "standing",
        Wrong,
        "a banned namespace",
        Code::NamespaceBanned,
        Does::Answer(|answer| {
            let namespace = published(answer).skill.id.namespace.clone();
            mark(answer, Target::Namespace(namespace), State::Banned);
        }),
    ),
    fault(
        "standing",
        Wrong,
        "a banned key",
        Code::KeyBanned,
        Does::Answer(|answer| {
            let keys: Vec<_> = answer.statements.iter().map(|statement| statement.signer.clone()).collect();
            keys.into_iter().for_each(|key| mark(answer, Target::Key(key), State::Banned));
        }),
    ),
    fault(
        "standing",
        Stale,
        "a revoked version",
        Code::SkillRevoked,
        Does::Answer(|answer| {
            let version = published(answer).skill.clone();
            mark(answer, Target::Version(version), State::Revoked);
        }),
    ),
    fault("standing", Malformed, "a degraded adapter", Code::AdapterDegraded, Does::Answer(degraded)),
    fault("caller", Missing, "nobody", Code::Unauthenticated, Does::Caller(|caller| *caller = None)),
    fault(
        "caller",
        Malformed,
        "an organisation that nobody knows",
        Code::NamespaceUnauthorized,
        Does::Caller(|caller| {
            caller.iter_mut().for_each(|caller| caller.organisation = "nobody".parse().expect("a name"));
        }),
    ),
    fault(
        "caller",
        Stale,
        "a suspended organisation",
        Code::OrgSuspended,
        Does::Answer(|answer| {
            answer.organisation.iter_mut().for_each(|organisation| organisation.suspended = true);
        }),
    ),
    fault("caller", Missing, "a token that nobody issued", Code::TokenUnknown, Does::Token(|said| *said = None)),
    fault(
        "caller",
        Wrong,
        "another secret",
        Code::TokenUnknown,
        by_token!(|token| token.token.record.hash = Digest::of(b"another")),
    ),
    fault(
        "caller",
        Wrong,
        "somebody else's token",
        Code::Unauthenticated,
        by_token!(|token| {
            token.token.record.holder = "eve".into();
            token.roles.iter_mut().for_each(|role| role.holder = "eve".into());
        }),
    ),
    fault("caller", Stale, "a token that was revoked", Code::TokenRevoked, by_token!(revoked)),
    fault(
        "caller",
        Stale,
        "a token whose time is over",
        Code::TokenExpired,
        by_token!(|token| {
            token.token.record.expires_at = token.token.record.not_before;
        }),
    ),
    fault(
        "caller",
        Malformed,
        "a token whose time has not begun",
        Code::TokenNotYetValid,
        by_token!(|token| {
            token.token.record.not_before = token.token.record.expires_at;
        }),
    ),
    fault(
        "caller",
        Stale,
        "a token of an organisation that is gone",
        Code::OrgOffboarded,
        by_token!(|token| {
            token.organisation.iter_mut().for_each(|organisation| organisation.offboarded = true);
        }),
    ),
    fault(
        "caller",
        Stale,
        "a token of a suspended organisation",
        Code::OrgSuspended,
        by_token!(|token| {
            token.organisation.iter_mut().for_each(|organisation| organisation.suspended = true);
        }),
    ),
    fault("caller", Missing, "a role that was taken", Code::RoleMissing, by_token!(|token| token.roles.clear())),
    fault(
        "caller",
        Wrong,
        "a token for something else",
        Code::RoleMissing,
        by_token!(|token| {
            token.token.record.roles = [Role::Auditor].into();
        }),
    ),
    fault(
        "caller",
        Wrong,
        "a token for another namespace",
        Code::TokenNamespace,
        by_token!(|token| {
            token.token.record.namespaces = ["org.other".parse().expect("a namespace")].into();
        }),
    ),
    fault(
        "caller",
        Wrong,
        "a token for another adapter",
        Code::TokenAdapter,
        by_token!(|token| {
            token.token.record.adapters = Some(["http".parse().expect("an adapter")].into());
        }),
    ),
    fault(
        "caller",
        Wrong,
        "a data label that may not be stated",
        Code::ClaimUnauthorized,
        by_token!(|token| {
            token.token.record.data_labels.clear();
        }),
    ),
    fault(
        "caller",
        Wrong,
        "a tenant risk that may not be stated",
        Code::ClaimUnauthorized,
        by_token!(|token| {
            token.token.record.tenant_risks.clear();
        }),
    ),
    fault(
        "caller",
        Wrong,
        "a QoS class that may not be stated",
        Code::ClaimUnauthorized,
        by_token!(|token| {
            token.token.record.qos_classes.clear();
        }),
    ),
    fault("caller", Wrong, "a namespace of somebody else's", Code::NamespaceUnauthorized, Does::Answer(given_away)),
    fault(
        "caller",
        Missing,
        "a namespace that is not registered",
        Code::NamespaceUnauthorized,
        Does::Answer(|answer| {
            answer.namespace = None;
        }),
    ),
    fault("quota", Stale, "a quota that is used up", Code::QuotaExceeded, Does::Quota(|| Ok(u64::MAX))),
    fault("quota", Missing, "nowhere to count", Code::QuotaUnavailable, Does::Quota(|| Err(()))),
    fault("host", Missing, "no enrolment", Code::HostNotEnrolled, Does::Answer(|answer| answer.host = None)),
    fault(
        "host",
        Stale,
        "an enrolment that was revoked",
        Code::HostRevoked,
        Does::Answer(|answer| {
            answer.host.iter_mut().for_each(|host| host.revoked = true);
        }),
    ),
    fault(
        "host",
        Wrong,
        "another executable",
        Code::HostTampered,
        Does::Answer(|answer| {
            answer.host.iter_mut().for_each(|host| host.executable = Digest::of(b"another"));
        }),
    ),
    fault(
        "host",
        Stale,
        "the configuration of before",
        Code::HostTampered,
        Does::Answer(|answer| {
            answer.host.iter_mut().for_each(|host| host.configuration = Digest::of(b"before"));
        }),
    ),
    fault("input", Missing, "no text", Code::InputSchema, Does::Call(|call| call.input = input("{}"))),
    fault("input", Malformed, "no object", Code::InputSchema, Does::Call(|call| call.input = input("[]"))),
    fault("input", Wrong, "a number", Code::InputSchema, Does::Call(|call| call.input = input("{\"text\": 1}"))),
    fault(
        "input",
        Wrong,
        "no such tool",
        Code::ToolUnknown,
        Does::Call(|call| {
            call.tool = Some("unredact".parse().expect("a name"));
        }),
    ),
    fault("capability", Missing, "no powers", Code::CapabilityNotGranted, Does::Powerless),
    fault("rule", Missing, "no rule", Code::NoMatchingRule, Does::Call(|call| call.data_label = DataLabel::Internal)),
    fault(
        "correlation",
        Missing,
        "no correlation id",
        Code::MissingCorrelationId,
        Does::Call(|call| {
            call.correlation_id.clear();
        }),
    ),
    fault("controls", Missing, "a tier without its controls", Code::MissingRequiredControls, Does::Answer(highest_tier)),
    fault("policy gate", Missing, "no gate", Code::PolicyGateUnconfigured, Does::Gateless),
    fault("policy gate", Malformed, "an answer that is none", Code::PolicyGateInvalidResponse, Does::Gate(|| says("allow"))),
    fault("policy gate", Malformed, "an empty answer", Code::PolicyGateInvalidResponse, Does::Gate(|| says(""))),
    fault("policy gate", Wrong, "no", Code::PolicyGate, Does::Gate(|| says("DENY"))),
    fault("policy gate", Wrong, "a person is to be asked", Code::RequiresHumanApproval, Does::Gate(|| says("REQUIRE_HUMAN"))),
    fault("policy gate", Stale, "an answer that comes too late", Code::InternalError, Does::Gate(|| Err(GateError::Late))),
    fault("policy gate", Malformed, "a panic", Code::InternalError, Does::Gate(|| panic!("this gate panics"))),
    fault(
        "policy gate",
        Wrong,
        "an approval that nobody knows",
        Code::ApprovalUnknown,
        Does::Call(|call| {
            call.approval = Some("apr-0000".into());
        }),
    ),
    fault("ledger", Missing, "no ledger", Code::LedgerUnavailable, Does::NoLedger),
    fault("ledger", Malformed, "a ledger that was edited", Code::LedgerUnavailable, Does::EditedLedger),
];

/// The token by which calls come, where they come by one.
pub(super) fn token() -> TokenText {
    TokenText::parse(&format!("skh_0123456789abcdef_{}", "0123456789abcdef".repeat(4))).expect("it has the form of a token")
}

/// What the registry says of it, if it is good.
pub(super) fn credential() -> Credential {
    let organisation: OrgId = "acme".parse().expect("a name");
    let by = Identity { organisation: organisation.clone(), name: "ada".into() };
    let (then, presented) = (Timestamp::from_millis(1_700_000_000_000), token().presented());
    let words = |word: &str| BTreeSet::from([word.to_owned()]);
    let record = TokenRecord {
        id: presented.id().to_owned(),
        hash: presented.hash(),
        organisation: organisation.clone(),
        holder: "ada".into(),
        roles: [Role::Worker].into(),
        namespaces: ["org.skillhall".parse().expect("a namespace")].into(),
        data_labels: ["PUBLIC".to_owned(), "INTERNAL".to_owned()].into(),
        tenant_risks: words("low"),
        qos_classes: words("P2"),
        adapters: Some(["mcp".parse().expect("an adapter")].into()),
        not_before: then,
        expires_at: Timestamp::from_millis(4_000_000_000_000),
        issued_by: by.clone(),
        issued_at: then,
    };
    let role = RoleRecord {
        organisation: organisation.clone(),
        holder: "ada".into(),
        role: Role::Worker,
        namespace: None,
        granted: true,
        by,
        at: then,
    };
    Credential {
        token: Token { record, revoked: None },
        organisation: Some(OrgRecord { organisation, suspended: false, offboarded: false }),
        roles: vec![role],
    }
}

fn revoked(credential: &mut Credential) {
    let record = &credential.token.record;
    let (id, by, at) = (record.id.clone(), record.issued_by.clone(), record.issued_at);
    credential.token.revoked = Some(TokenRevocation { id, by, reason: "a test".into(), at });
}

pub(super) fn says(decision: &str) -> Result<Verdict, GateError> {
    Ok(Verdict { decision: decision.into(), policy_version: "truth.v1".into(), reason: "a test".into() })
}

fn input(text: &str) -> Input {
    Input::parse(text.as_bytes()).expect("JSON")
}

fn published(answer: &Snapshot) -> &skillhall_core::registry::Published {
    answer.published.as_ref().expect("it is published")
}

fn uncertified(answer: &mut Snapshot) {
    answer.statements.retain(|statement| statement.kind != StatementKind::Certification);
}

fn certifications(answer: &mut Snapshot, edit: fn(&mut String)) {
    let all = answer.statements.iter_mut().filter(|statement| statement.kind == StatementKind::Certification);
    all.for_each(|statement| edit(&mut statement.body));
}

fn degraded(answer: &mut Snapshot) {
    let skill = published(answer).skill.id.clone();
    mark(answer, Target::Adapter { skill, adapter: "mcp".parse().expect("an adapter") }, State::Degraded);
}

fn given_away(answer: &mut Snapshot) {
    answer.namespace.iter_mut().for_each(|namespace| namespace.owner = "rival".parse().expect("a name"));
}

fn highest_tier(answer: &mut Snapshot) {
    answer.namespace.iter_mut().for_each(|namespace| namespace.min_tier = 8);
}

fn each_key(keyring: &mut Keyring, edit: fn(&mut KeyRecord)) {
    keyring.namespaces.values_mut().flat_map(|keys| &mut keys.keys).for_each(edit);
}

fn mark(answer: &mut Snapshot, target: Target, state: State) {
    let at = published(answer).published_at;
    answer.marks.push(StandingEvent {
        id: format!("mark-{}", answer.marks.len()),
        scope: Scope::Global,
        target,
        state,
        issuer: "acme".parse().expect("a name"),
        by: "ada".into(),
        reason: "a test".into(),
        at,
    });
}
