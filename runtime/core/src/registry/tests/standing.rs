//! Gates 1 and 5.

use super::*;
use crate::denial::{Code, Denial};
use crate::id::{Namespace, SkillId};
use crate::registry::access::{Credential, Role, Token};
use crate::registry::standing::{Standing, consult, marks_verdict};

const REDACT: &str = "org.acme/redact@1.0.0";

/// A registry that answers what it was told to, or not at all.
struct Told(Result<Snapshot, RegistryError>);

impl Registry for Told {
    fn snapshot(&self, _: &StandingQuery) -> Result<Snapshot, RegistryError> {
        self.0.clone()
    }
    fn version(&self) -> Result<u64, RegistryError> {
        Err(gone())
    }
    fn check(&self, _: &Change) -> Result<(), RegistryError> {
        Err(gone())
    }
    fn apply(&self, _: &Change, _: Commit) -> Result<(), RegistryError> {
        Err(gone())
    }
    fn commits(&self, _: u64) -> Result<Vec<Commit>, RegistryError> {
        Err(gone())
    }
    fn versions(&self, _: &SkillId) -> Result<Vec<Published>, RegistryError> {
        Err(gone())
    }
    fn skills(&self) -> Result<Vec<SkillId>, RegistryError> {
        Err(gone())
    }
    fn statements(&self, _: &Digest) -> Result<Vec<Statement>, RegistryError> {
        Err(gone())
    }
    fn standing_events(&self, _: &Target) -> Result<Vec<StandingEvent>, RegistryError> {
        Err(gone())
    }
    fn namespace(&self, _: &Namespace) -> Result<Option<NamespaceRecord>, RegistryError> {
        Err(gone())
    }
}

fn gone() -> RegistryError {
    RegistryError::Unreachable("gone".to_owned())
}

fn whole() -> Snapshot {
    let row = published(REDACT, "one");
    Snapshot {
        version: 9,
        statements: vec![statement("a", StatementKind::Attestation, &row), statement("c", StatementKind::Certification, &row)],
        published: Some(row),
        marks: vec![],
        namespace: Some(namespace("org.acme", "acme")),
        organisation: Some(OrgRecord { organisation: id("globex"), suspended: false, offboarded: false }),
        host: Some(HostRecord { host: id("host-1"), executable: digest("a"), configuration: digest("b"), revoked: false }),
        approval: None,
        credential: None,
    }
}

fn ask(snapshot: Snapshot) -> Result<Standing, Denial> {
    consult(&Told(Ok(snapshot)), query(REDACT))
}

#[test]
fn a_standing_holds_what_the_registry_said() {
    let said = whole();
    let standing = ask(said.clone()).unwrap();
    assert_eq!(standing.query(), &query(REDACT));
    assert_eq!(standing.version(), 9);
    assert_eq!(Some(standing.published()), said.published.as_ref());
    assert_eq!(standing.statements(), said.statements);
    assert_eq!(standing.certifications().map(|statement| statement.id.as_str()).collect::<Vec<_>>(), ["c"]);
    assert_eq!(standing.namespace(), said.namespace.as_ref());
    assert_eq!(standing.organisation(), said.organisation.as_ref());
    assert_eq!(standing.host(), said.host.as_ref());
    assert_eq!(standing.marks(), []);
    assert_eq!(marks_verdict(&standing, &[&id("k")]), Ok(()));
}

#[test]
fn a_registry_that_does_not_answer_denies() {
    for error in [gone(), RegistryError::Conflict("odd".to_owned())] {
        let denial = consult(&Told(Err(error)), query(REDACT)).unwrap_err();
        assert_eq!(denial.code, Code::RegistryUnreachable);
    }
}

/// A token of gus's, and the role of somebody.
fn held(token: &str, holder: &str) -> Credential {
    let token = Token { record: access::issued(token, "globex", 30), revoked: None };
    let roles = vec![access::role("globex", holder, Role::Worker, None, true)];
    Credential { token, organisation: Some(OrgRecord { organisation: id("globex"), suspended: false, offboarded: false }), roles }
}

#[test]
fn an_answer_with_the_token_that_was_presented_is_taken() {
    let standing = ask(Snapshot { credential: Some(held("token-1", "gus")), ..whole() }).unwrap();
    assert_eq!(standing.credential(), Some(&held("token-1", "gus")));
}

#[test]
fn an_answer_about_something_else_denies() {
    let strange: [fn(&mut Snapshot); 8] = [
        |answer| answer.published = Some(published("org.acme/redact@1.0.1", "one")),
        |answer| answer.statements.push(statement("x", StatementKind::Certification, &published(REDACT, "two"))),
        |answer| answer.namespace = Some(namespace("org.other", "acme")),
        |answer| answer.organisation = Some(OrgRecord { organisation: id("acme"), suspended: false, offboarded: false }),
        |answer| answer.host.as_mut().unwrap().host = id("host-2"),
        |answer| answer.published = None,
        |answer| answer.credential = Some(held("token-2", "gus")),
        |answer| answer.credential = Some(held("token-1", "eve")),
    ];
    for (index, change) in strange.into_iter().enumerate() {
        let mut answer = whole();
        change(&mut answer);
        let denial = ask(answer).unwrap_err();
        assert_eq!(denial.code, Code::RegistryUnreachable, "case {index}");
    }
}

#[test]
fn an_unknown_skill_is_denied_with_the_nearest_names() {
    let registry = MemoryRegistry::new();
    for skill in ["org.acme/redact@1.0.0", "org.acme/redact@1.1.0", "org.acme/reduce@1.0.0", "x.bob/translate@1.0.0"] {
        apply(&registry, &Change::Publish(published(skill, skill))).unwrap();
    }
    let nearest = |skill: &str| {
        let denial = consult(&registry, query(skill)).unwrap_err();
        assert_eq!(denial.code, Code::SkillUnknown);
        serde_json::to_string(&denial.details.get("nearest")).unwrap()
    };
    assert_eq!(nearest("org.acme/redcat@1.0.0"), r#"["org.acme/redact","org.acme/reduce"]"#);
    assert_eq!(nearest("org.acme/redact@3.0.0"), r#"["org.acme/redact@1.1.0","org.acme/redact@1.0.0"]"#);
    assert_eq!(nearest("org.elsewhere/translate@1.0.0"), r#"["x.bob/translate"]"#);
    assert_eq!(nearest("org.none/nothing-like-it@1.0.0"), "null");

    let mut answer = whole();
    (answer.published, answer.statements) = (None, vec![]);
    assert_eq!(ask(answer).unwrap_err().code, Code::SkillUnknown, "also if the registry goes before the names are asked for");
}

fn verdict(marks: Vec<StandingEvent>, key: &str) -> Option<Code> {
    let standing = ask(Snapshot { marks, ..whole() }).unwrap();
    marks_verdict(&standing, &[&id("used"), &id(key)]).err().map(|denial| denial.code)
}

fn mark(target: Target, state: State) -> StandingEvent {
    event("e", Scope::Global, target, state, "security")
}

fn targets() -> Vec<(Target, Code, Code)> {
    let adapter = |skill: &str, adapter: &str| Target::Adapter { skill: id(skill), adapter: id(adapter) };
    vec![
        (Target::Hash(digest("one manifest")), Code::BannedHash, Code::BannedHash),
        (Target::Hash(digest("one component")), Code::BannedHash, Code::BannedHash),
        (Target::Hash(digest("one package")), Code::BannedHash, Code::BannedHash),
        (Target::Hash(digest("one adapter")), Code::BannedHash, Code::BannedHash),
        (Target::Skill(id("org.acme/redact")), Code::SkillBanned, Code::SkillRevoked),
        (Target::Version(id(REDACT)), Code::SkillBanned, Code::SkillRevoked),
        (Target::Namespace(id("org.acme")), Code::NamespaceBanned, Code::NamespaceBanned),
        (Target::Key(id("used")), Code::KeyBanned, Code::KeyBanned),
        (Target::Key(id("also")), Code::KeyBanned, Code::KeyBanned),
        (adapter("org.acme/redact", "mcp"), Code::AdapterDegraded, Code::AdapterDegraded),
    ]
}

#[test]
fn every_mark_that_concerns_the_call_denies() {
    for (target, banned, revoked) in targets() {
        for (state, code) in [(State::Banned, banned), (State::Revoked, revoked), (State::Degraded, revoked)] {
            assert_eq!(verdict(vec![mark(target.clone(), state)], "also"), Some(code), "{target:?} {state:?}");
        }
        assert_eq!(verdict(vec![mark(target, State::Active)], "also"), None);
    }
}

#[test]
fn a_mark_about_something_else_does_not_deny() {
    let adapter = |skill: &str, adapter: &str| Target::Adapter { skill: id(skill), adapter: id(adapter) };
    for target in [
        Target::Hash(digest("two")),
        Target::Skill(id("org.acme/other")),
        Target::Version(id("org.acme/redact@1.0.1")),
        Target::Namespace(id("org.other")),
        Target::Key(id("unused")),
        adapter("org.acme/redact", "http"),
        adapter("org.acme/other", "mcp"),
        Target::Certification("c".to_owned()),
    ] {
        assert_eq!(verdict(vec![mark(target.clone(), State::Banned)], "also"), None, "{target:?}");
    }
    let scope = |organisation: &str| Scope::Organisation(id(organisation));
    let scoped = |organisation| event("e", scope(organisation), Target::Skill(id("org.acme/redact")), State::Banned, "security");
    assert_eq!(verdict(vec![scoped("initech")], "also"), None);
    assert_eq!(verdict(vec![scoped("globex")], "also"), Some(Code::SkillBanned));
}

#[test]
fn of_several_marks_the_worst_is_told() {
    let order =
        [Code::BannedHash, Code::SkillBanned, Code::NamespaceBanned, Code::KeyBanned, Code::SkillRevoked, Code::AdapterDegraded];
    let mut marks = vec![mark(Target::Version(id(REDACT)), State::Revoked)];
    marks.extend(targets().into_iter().map(|(target, ..)| mark(target, State::Banned)));
    marks.reverse();
    for code in order {
        assert_eq!(verdict(marks.clone(), "also"), Some(code));
        marks.retain(|mark| verdict(vec![mark.clone()], "also") != Some(code));
    }
    assert_eq!(marks, []);
}

#[test]
fn the_denial_says_who_when_and_why() {
    let first = event("first", Scope::Organisation(id("globex")), Target::Skill(id("org.acme/redact")), State::Banned, "globex");
    let second = event("second", Scope::Global, Target::Version(id(REDACT)), State::Banned, "security");
    let standing = ask(Snapshot { marks: vec![first.clone(), second], ..whole() }).unwrap();
    let denial = marks_verdict(&standing, &[]).unwrap_err();
    for part in ["org.acme/redact", "banned", "callers of globex", "by globex (ada)", "2026-09-2", "because of first"] {
        assert!(denial.message.contains(part), "{part:?} is not in {:?}", denial.message);
    }
    assert_eq!(denial.details["event"], "first");
    assert_eq!(denial.details["reason"], first.reason);
    assert_eq!(denial.details["by"], "ada");
    assert_eq!(denial.details["issuer"], "globex");
    assert_eq!(denial.details["organisation"], "globex");
    assert_eq!(denial.details["state"], "banned");
    assert_eq!(denial.details["at"], first.at.to_string());
    assert_eq!(denial.details["others"], 1);
}

#[test]
fn a_certification_that_is_marked_in_any_form_is_revoked() {
    let target = || Target::Certification("c".to_owned());
    for state in [State::Degraded, State::Revoked, State::Banned] {
        let standing = ask(Snapshot { marks: vec![mark(target(), state)], ..whole() }).unwrap();
        assert!(standing.certification_revoked("c"));
        assert!(!standing.certification_revoked("d"));
    }
    let standing = ask(Snapshot { marks: vec![mark(target(), State::Active)], ..whole() }).unwrap();
    assert!(!standing.certification_revoked("c"));
    let elsewhere = event("e", Scope::Organisation(id("initech")), target(), State::Revoked, "initech");
    let standing = ask(Snapshot { marks: vec![elsewhere], ..whole() }).unwrap();
    assert!(!standing.certification_revoked("c"));
}
