//! The behaviour suite: each case gets an empty registry.

use super::*;
use State::{Active, Banned, Degraded, Revoked};

type Case = fn(&dyn Registry);

const CASES: &[(&str, Case)] = &[
    ("an empty registry knows nothing", empty),
    ("a published version is what was published", publishing),
    ("a published version never changes", immutable),
    ("versions come in order of version, skills in order of name", listing),
    ("a statement is appended once and never changed", statements),
    ("the last event of an issuer counts, and each issuer by itself", standing),
    ("marks are those that concern the call", marks),
    ("an organisation's ban is for its own callers", scopes),
    ("the last record of a namespace, organisation and host counts", records),
    ("only the owner publishes and revokes in a registered namespace", ownership),
    ("only an adapter degrades", degraded),
    ("records are bounded", bounds),
    ("an approval goes from step to step, and is used once", approvals::life),
    ("an approval ends for good, and only open ones are open", approvals::endings),
    ("approvals are bounded", approvals::bounded),
    ("an organisation is offboarded for good", access::offboarding),
    ("the last record of each role counts", access::roles),
    ("a token is issued once, and revoked once", access::tokens),
    ("tokens are bounded", access::bounds),
    ("a commit is applied once", commits),
    ("a commit that does not fit its change is refused", foreign_commit),
    ("the version rises with every change and with nothing else", versions),
    ("many threads lose nothing", threads),
    ("a snapshot is of one moment", one_moment),
];

/// Runs every case on a registry of its own.
pub(in crate::registry) fn behaves(fresh: &dyn Fn() -> Box<dyn Registry>) {
    for (name, case) in CASES {
        println!("{name}");
        case(&*fresh());
    }
}

const REDACT: &str = "org.acme/redact@1.0.0";

fn publish(registry: &dyn Registry, skill: &str, bytes: &str) -> Published {
    let published = published(skill, bytes);
    apply(registry, &Change::Publish(published.clone())).unwrap();
    published
}

fn say(registry: &dyn Registry, name: &str, scope: Scope, target: Target, state: State, issuer: &str) -> StandingEvent {
    let event = event(name, scope, target, state, issuer);
    apply(registry, &Change::Standing(event.clone())).unwrap();
    event
}

fn marked(registry: &dyn Registry, query: &StandingQuery) -> Vec<String> {
    registry.snapshot(query).unwrap().marks.into_iter().map(|mark| mark.id).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "each refused change is made for this one call")]
pub(super) fn refused(registry: &dyn Registry, change: Change) -> String {
    let before = registry.version().unwrap();
    let error = apply(registry, &change).unwrap_err();
    assert!(matches!(error, RegistryError::Conflict(_)), "{error:?}");
    assert_eq!(registry.version().unwrap(), before, "a refused change changed something");
    error.to_string()
}

fn empty(registry: &dyn Registry) {
    let snapshot = registry.snapshot(&query(REDACT)).unwrap();
    let nothing = Snapshot {
        version: 0,
        published: None,
        statements: vec![],
        marks: vec![],
        namespace: None,
        organisation: None,
        host: None,
        approval: None,
        credential: None,
    };
    assert_eq!(snapshot, nothing);
    assert_eq!(registry.version(), Ok(0));
    assert_eq!(registry.commits(0), Ok(vec![]));
    assert_eq!(registry.skills(), Ok(vec![]));
    assert_eq!(registry.versions(&id("org.acme/redact")), Ok(vec![]));
    assert_eq!(registry.namespace(&id("org.acme")), Ok(None));
}

fn publishing(registry: &dyn Registry) {
    let one = publish(registry, REDACT, "one");
    let snapshot = registry.snapshot(&query(REDACT)).unwrap();
    assert_eq!(snapshot.published, Some(one));
    assert_eq!(snapshot.version, 1);
    assert_eq!(registry.snapshot(&query("org.acme/redact@1.0.1")).unwrap().published, None);
    assert_eq!(registry.snapshot(&query("org.acme/redac@1.0.0")).unwrap().published, None);
}

fn immutable(registry: &dyn Registry) {
    let one = publish(registry, REDACT, "one");
    let mut later = one.clone();
    later.published_at = Timestamp::from_millis(1_800_000_000_000);
    later.publisher = id("globex");
    apply(registry, &Change::Publish(later)).expect("the same bytes again change nothing");

    let fields: [fn(&mut Published) -> &mut Digest; 3] =
        [|row| &mut row.manifest_hash, |row| &mut row.component_hash, |row| &mut row.package_hash];
    for field in fields {
        let mut other = one.clone();
        *field(&mut other) = digest("other");
        let stands = *field(&mut one.clone());
        let error = apply(registry, &Change::Publish(other)).unwrap_err();
        let wanted = RegistryError::Immutable { skill: Box::new(id(REDACT)), published: stands, offered: digest("other") };
        assert_eq!(error, wanted);
    }
    let mut other = one.clone();
    other.adapters.clear();
    refused(registry, Change::Publish(other));
    let mut other = one.clone();
    other.provides.clear();
    refused(registry, Change::Publish(other));
    assert_eq!(registry.snapshot(&query(REDACT)).unwrap().published, Some(one));
}

fn listing(registry: &dyn Registry) {
    for skill in [
        "x.b/a@1.0.0",
        "org.acme/redact@1.10.0",
        "org.acme/redact@1.9.0",
        "org.acme/redact@1.10.0-rc.1",
        "org.acme-2/redact@1.0.0",
    ] {
        publish(registry, skill, skill);
    }
    let versions: Vec<_> =
        registry.versions(&id("org.acme/redact")).unwrap().into_iter().map(|row| row.skill.version.to_string()).collect();
    assert_eq!(versions, ["1.9.0", "1.10.0-rc.1", "1.10.0"]);
    assert_eq!(registry.skills().unwrap(), [id("org.acme/redact"), id("org.acme-2/redact"), id("x.b/a")]);
}

fn statements(registry: &dyn Registry) {
    let one = published(REDACT, "one");
    let early = statement("early", StatementKind::Attestation, &one);
    apply(registry, &Change::Statement(early.clone())).unwrap();
    assert_eq!(registry.statements(&one.manifest_hash), Ok(vec![early.clone()]), "a statement may come before its publish");
    assert_eq!(registry.snapshot(&query(REDACT)).unwrap().statements, vec![]);

    publish(registry, REDACT, "one");
    let certified = statement("certified", StatementKind::Certification, &one);
    apply(registry, &Change::Statement(certified.clone())).unwrap();
    apply(registry, &Change::Statement(statement("elsewhere", StatementKind::Certification, &published(REDACT, "two")))).unwrap();
    apply(registry, &Change::Statement(early.clone())).expect("the same statement again changes nothing");
    let late = Statement { at: early.at.plus_millis(1), ..early.clone() };
    apply(registry, &Change::Statement(late)).expect("nor does it if two bring it at once, each at its own time");
    let mut changed = early.clone();
    changed.body.push(' ');
    refused(registry, Change::Statement(changed));
    let mut changed = certified.clone();
    changed.kind = StatementKind::Attestation;
    refused(registry, Change::Statement(changed));
    assert_eq!(registry.snapshot(&query(REDACT)).unwrap().statements, [early, certified]);
}

fn standing(registry: &dyn Registry) {
    publish(registry, REDACT, "one");
    let skill = || Target::Skill(id("org.acme/redact"));
    let query = query(REDACT);
    let first = say(registry, "1", Scope::Global, skill(), Banned, "acme");
    say(registry, "2", Scope::Global, skill(), Banned, "security");
    assert_eq!(marked(registry, &query), ["1", "2"]);
    say(registry, "3", Scope::Global, skill(), Active, "acme");
    assert_eq!(marked(registry, &query), ["2"], "a restore is of the same issuer");
    say(registry, "4", Scope::Global, skill(), Revoked, "acme");
    assert_eq!(marked(registry, &query), ["2", "4"]);
    say(registry, "5", Scope::Global, skill(), Active, "security");
    assert_eq!(marked(registry, &query), ["4"]);
    apply(registry, &Change::Standing(first.clone())).expect("the same event again changes nothing");
    assert_eq!(marked(registry, &query), ["4"], "an event that comes again does not become the last");
    let mut changed = first;
    changed.state = Active;
    refused(registry, Change::Standing(changed));
    let all: Vec<_> = registry.standing_events(&skill()).unwrap().into_iter().map(|event| event.id).collect();
    assert_eq!(all, ["1", "2", "3", "4", "5"]);
}

fn marks(registry: &dyn Registry) {
    let one = publish(registry, REDACT, "one");
    apply(registry, &Change::Statement(statement("certified", StatementKind::Certification, &one))).unwrap();
    apply(registry, &Change::Statement(statement("attested", StatementKind::Attestation, &one))).unwrap();
    let (skill, other_skill) = (id("org.acme/redact"), id("org.acme/redactor"));
    let concern = [
        Target::Hash(one.manifest_hash),
        Target::Hash(one.component_hash),
        Target::Hash(one.package_hash),
        Target::Hash(digest("one adapter")),
        Target::Skill(id("org.acme/redact")),
        Target::Version(id(REDACT)),
        Target::Namespace(id("org.acme")),
        Target::Adapter { skill, adapter: id("mcp") },
        Target::Certification("certified".to_owned()),
        Target::Key(id("acme-2026")),
        Target::Key(id("env:wcp_attest_hmac_key")),
    ];
    let do_not = [
        Target::Hash(digest("other")),
        Target::Skill(id("org.acme/redactor")),
        Target::Version(id("org.acme/redact@1.0.1")),
        Target::Namespace(id("org.acme-2")),
        Target::Adapter { skill: id("org.acme/redact"), adapter: id("http") },
        Target::Adapter { skill: other_skill, adapter: id("mcp") },
        Target::Certification("attested".to_owned()),
        Target::Certification("elsewhere".to_owned()),
    ];
    for (index, target) in do_not.iter().chain(&concern).enumerate() {
        say(registry, &format!("{index:02}"), Scope::Global, target.clone(), Banned, "security");
    }
    let found: Vec<_> = registry.snapshot(&query(REDACT)).unwrap().marks.into_iter().map(|mark| mark.target).collect();
    assert_eq!(found, concern);
}

fn scopes(registry: &dyn Registry) {
    publish(registry, REDACT, "one");
    let namespace = || Target::Namespace(id("org.acme"));
    let own = |organisation: &str| Scope::Organisation(id(organisation));
    say(registry, "own", own("globex"), namespace(), Banned, "globex");
    say(registry, "theirs", own("initech"), namespace(), Banned, "initech");
    say(registry, "their-key", own("initech"), Target::Key(id("k")), Banned, "initech");
    say(registry, "key", own("globex"), Target::Key(id("k")), Banned, "globex");
    assert_eq!(marked(registry, &query(REDACT)), ["own", "key"]);
    say(registry, "all", Scope::Global, namespace(), Banned, "globex");
    say(registry, "restored", own("globex"), namespace(), Active, "globex");
    assert_eq!(marked(registry, &query(REDACT)), ["key", "all"], "each scope stands by itself");
}

fn records(registry: &dyn Registry) {
    let other = namespace("org.acme-2", "globex");
    let first = namespace("org.acme", "acme");
    let mut second = first.clone();
    second.callers.clear();
    for record in [&first, &second, &first, &second, &other] {
        apply(registry, &Change::Namespace(record.clone())).unwrap();
    }
    let organisation = |suspended| OrgRecord { organisation: id("globex"), suspended, offboarded: false };
    apply(registry, &Change::Organisation(organisation(true))).unwrap();
    let host = |revoked| HostRecord { host: id("host-1"), executable: digest("hall"), configuration: digest("toml"), revoked };
    apply(registry, &Change::Host(host(true))).unwrap();
    let snapshot = registry.snapshot(&query(REDACT)).unwrap();
    assert_eq!(snapshot.namespace, Some(second.clone()));
    assert_eq!(snapshot.organisation, Some(organisation(true)));
    assert_eq!(snapshot.host, Some(host(true)));
    assert_eq!(registry.namespace(&id("org.acme")), Ok(Some(second)));

    apply(registry, &Change::Organisation(organisation(false))).unwrap();
    apply(registry, &Change::Host(host(false))).unwrap();
    let snapshot = registry.snapshot(&query(REDACT)).unwrap();
    assert_eq!((snapshot.organisation, snapshot.host), (Some(organisation(false)), Some(host(false))));
    let mut stranger = query("x.nobody/redact@1.0.0");
    (stranger.organisation, stranger.host) = (id("initech"), id("host-2"));
    let snapshot = registry.snapshot(&stranger).unwrap();
    assert_eq!((snapshot.namespace, snapshot.organisation, snapshot.host), (None, None, None));
}

fn ownership(registry: &dyn Registry) {
    apply(registry, &Change::Namespace(namespace("org.acme", "globex"))).unwrap();
    refused(registry, Change::Publish(published(REDACT, "one")));
    for target in [Target::Skill(id("org.acme/redact")), Target::Version(id(REDACT))] {
        refused(registry, Change::Standing(event("1", Scope::Global, target.clone(), Revoked, "acme")));
        refused(registry, Change::Standing(event("1", Scope::Organisation(id("acme")), target, Revoked, "acme")));
    }
    say(registry, "2", Scope::Global, Target::Skill(id("org.acme/redact")), Revoked, "globex");
    say(registry, "3", Scope::Global, Target::Skill(id("org.acme/redact")), Banned, "security");
    apply(registry, &Change::Namespace(namespace("org.acme", "acme"))).unwrap();
    publish(registry, REDACT, "one");
}

fn degraded(registry: &dyn Registry) {
    let skill = || id("org.acme/redact");
    say(registry, "1", Scope::Global, Target::Adapter { skill: skill(), adapter: id("mcp") }, Degraded, "acme");
    for target in [
        Target::Skill(skill()),
        Target::Hash(digest("x")),
        Target::Namespace(id("org.acme")),
        Target::Key(id("k")),
        Target::Version(id(REDACT)),
        Target::Certification("c".to_owned()),
    ] {
        refused(registry, Change::Standing(event("2", Scope::Global, target, Degraded, "acme")));
    }
}

fn bounds(registry: &dyn Registry) {
    let row = published(REDACT, "one");
    let good_statement = statement("s", StatementKind::Attestation, &row);
    let good_event = event("e", Scope::Global, Target::Key(id("k")), Banned, "acme");
    for name in ["", "two words", "line\nbreak", "\"", "\\", "é", &"x".repeat(201)] {
        refused(registry, Change::Statement(Statement { id: name.to_owned(), ..good_statement.clone() }));
        refused(registry, Change::Standing(StandingEvent { id: name.to_owned(), ..good_event.clone() }));
        let target = Target::Certification(name.to_owned());
        refused(registry, Change::Standing(StandingEvent { target, ..good_event.clone() }));
    }
    refused(registry, Change::Statement(Statement { body: "x".repeat((1 << 20) + 1), ..good_statement.clone() }));
    refused(registry, Change::Standing(StandingEvent { reason: "x".repeat(4097), ..good_event.clone() }));
    refused(registry, Change::Standing(StandingEvent { by: "x".repeat(201), ..good_event }));
    let adapters = |count: usize| (0..count).map(|index| (format!("adapters/{index}"), digest("x"))).collect();
    refused(registry, Change::Publish(Published { adapters: adapters(257), ..row.clone() }));
    let long = BTreeMap::from([("x".repeat(201), digest("x"))]);
    refused(registry, Change::Publish(Published { adapters: long, ..row.clone() }));
    refused(registry, Change::Publish(Published { provides: vec![id("cap.x"); 1001], ..row.clone() }));
    refused(registry, Change::Namespace(NamespaceRecord { min_tier: 9, ..namespace("org.acme", "acme") }));
    refused(registry, Change::Namespace(NamespaceRecord { callers: vec![id("x"); 10_001], ..namespace("org.acme", "acme") }));
    apply(registry, &Change::Statement(Statement { body: "x".repeat(1 << 20), ..good_statement })).unwrap();
    apply(registry, &Change::Publish(Published { adapters: adapters(256), ..row })).unwrap();
}

fn commits(registry: &dyn Registry) {
    let one = Change::Publish(published(REDACT, "one"));
    let two = Change::Namespace(namespace("org.acme", "acme"));
    registry.apply(&two, commit(7, &two)).unwrap();
    registry.apply(&one, commit(3, &one)).unwrap();
    for _ in 0..2 {
        registry.apply(&one, commit(3, &one)).expect("the same commit again changes nothing");
    }
    assert_eq!(registry.version(), Ok(2));
    let error = registry.apply(&two, commit(3, &two)).unwrap_err();
    assert!(matches!(error, RegistryError::Conflict(_)), "{error:?}");
    registry.apply(&one, commit(0, &one)).unwrap();
    assert_eq!(registry.commits(0), Ok(vec![commit(3, &one), commit(7, &two)]), "in order of sequence, and only those after");
    assert_eq!(registry.commits(3), Ok(vec![commit(7, &two)]));
    assert_eq!(registry.commits(7), Ok(vec![]));
    assert_eq!(registry.commits(u64::MAX), Ok(vec![]));
}

fn foreign_commit(registry: &dyn Registry) {
    let one = Change::Publish(published(REDACT, "one"));
    let two = Change::Publish(published(REDACT, "two"));
    let error = registry.apply(&one, commit(1, &two)).unwrap_err();
    assert!(matches!(error, RegistryError::Conflict(_)), "{error:?}");
    for sequence in [1 << 53, u64::MAX] {
        let error = registry.apply(&one, commit(sequence, &one));
        assert!(matches!(error, Err(RegistryError::Conflict(_))), "{error:?}");
    }
    assert_eq!(registry.version(), Ok(0));
    assert_eq!(registry.skills(), Ok(vec![]));
}

fn versions(registry: &dyn Registry) {
    let mut last = 0;
    for change in [
        Change::Publish(published(REDACT, "one")),
        Change::Statement(statement("s", StatementKind::Attestation, &published(REDACT, "one"))),
        Change::Standing(event("e", Scope::Global, Target::Key(id("k")), Banned, "acme")),
        Change::Namespace(namespace("org.acme", "acme")),
        Change::Organisation(OrgRecord { organisation: id("globex"), suspended: false, offboarded: false }),
        Change::Host(HostRecord { host: id("host-1"), executable: digest("a"), configuration: digest("b"), revoked: false }),
    ] {
        registry.check(&change).unwrap();
        assert_eq!(registry.version(), Ok(last), "a check changed something");
        apply(registry, &change).unwrap();
        let version = registry.version().unwrap();
        assert!(version > last, "{change:?} did not raise the version");
        assert_eq!(registry.snapshot(&query(REDACT)).unwrap().version, version);
        last = version;
    }
}

fn threads(registry: &dyn Registry) {
    const EACH: u64 = 25;
    let target = || Target::Skill(id("org.acme/redact"));
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            scope.spawn(move || {
                for count in 0..EACH {
                    let sequence = 1 + thread * EACH + count;
                    let event = event(&sequence.to_string(), Scope::Global, target(), Banned, &format!("org-{thread}"));
                    let change = Change::Standing(event.clone());
                    registry.apply(&change, commit(sequence, &change)).unwrap();
                    assert!(registry.standing_events(&target()).unwrap().contains(&event));
                }
            });
        }
    });
    let sequences: Vec<_> = registry.commits(0).unwrap().into_iter().map(|commit| commit.sequence).collect();
    assert_eq!(sequences, (1..=4 * EACH).collect::<Vec<_>>());
    assert_eq!(registry.version(), Ok(4 * EACH));
    assert_eq!(registry.standing_events(&Target::Skill(id("org.acme/redact"))).unwrap().len() as u64, 4 * EACH);
}

/// A writer restores the skill and bans it again, always together with the version; no reader may see another pairing.
fn one_moment(registry: &dyn Registry) {
    const CHANGES: u64 = 60;
    publish(registry, REDACT, "one");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for count in 0..CHANGES {
                let state = if count % 2 == 0 { Banned } else { Active };
                say(registry, &count.to_string(), Scope::Global, Target::Skill(id("org.acme/redact")), state, "acme");
            }
        });
        scope.spawn(|| {
            loop {
                let snapshot = registry.snapshot(&query(REDACT)).unwrap();
                assert_eq!(snapshot.marks.len() as u64, (snapshot.version + 1) % 2, "version {}", snapshot.version);
                if snapshot.version == CHANGES + 1 {
                    break;
                }
            }
        });
    });
}
