//! Whatever is done to them, in whatever order, both stores say the same.

#![cfg(feature = "sqlite")]

use proptest::prelude::*;

use super::*;
use crate::registry::approval::Step;
use crate::registry::sqlite::SqliteRegistry;

fn skill() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("org.acme/redact@1.0.0"), Just("org.acme/redact@2.0.0"), Just("x.bob/redact@1.0.0")]
}

fn organisation() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("acme"), Just("globex"), Just("initech")]
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![
        skill().prop_map(|skill| Target::Version(id(skill))),
        skill().prop_map(|skill| Target::Skill(id::<crate::id::SkillRef>(skill).id)),
        skill().prop_map(|skill| Target::Namespace(id::<crate::id::SkillRef>(skill).id.namespace)),
        skill().prop_map(|skill| Target::Adapter { skill: id::<crate::id::SkillRef>(skill).id, adapter: id("mcp") }),
        "[ab] (manifest|component|package|adapter)".prop_map(|text| Target::Hash(digest(&text))),
        "[a-c]".prop_map(|key| Target::Key(id(&key))),
        "[s-u]".prop_map(Target::Certification),
    ]
}

fn state() -> impl Strategy<Value = State> {
    prop_oneof![Just(State::Active), Just(State::Degraded), Just(State::Revoked), Just(State::Banned)]
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![Just(Scope::Global), organisation().prop_map(|name| Scope::Organisation(id(name)))]
}

fn approval_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        organisation().prop_map(approvals::pending),
        (0..30_i64).prop_map(approvals::approved),
        Just(Step::Expired),
        Just(Step::Used { decision: "d".to_owned() }),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (skill(), "[ab]").prop_map(|(skill, bytes)| Change::Publish(published(skill, &bytes))),
        ("[s-u]", "[ab]", any::<bool>()).prop_map(|(name, bytes, certifies)| {
            let kind = if certifies { StatementKind::Certification } else { StatementKind::Attestation };
            Change::Statement(statement(&name, kind, &published("x.bob/redact@1.0.0", &bytes)))
        }),
        ("[a-z]", scope(), target(), state(), organisation())
            .prop_map(|(name, scope, target, state, issuer)| Change::Standing(event(&name, scope, target, state, issuer))),
        (skill(), organisation()).prop_map(|(skill, owner)| {
            let skill: crate::id::SkillRef = id(skill);
            Change::Namespace(namespace(skill.id.namespace.as_str(), owner))
        }),
        (organisation(), prop_oneof![Just("ann"), Just("gus")], 0..7_usize, any::<bool>(), any::<bool>()).prop_map(
            |(name, holder, role, whole, granted)| {
                let namespace = (!whole).then_some("org.acme");
                Change::Role(access::role(name, holder, crate::registry::access::Role::ALL[role], namespace, granted))
            }
        ),
        ("[vw]", organisation(), 1..3_i64).prop_map(|(name, organisation, days)| access::issue(&name, organisation, days)),
        "[vw]".prop_map(|name| access::revoked(&name)),
        ("[pq]", 0..30_i64, approval_step()).prop_map(|(name, hours, then)| approvals::step(&name, hours, then)),
        (organisation(), any::<bool>()).prop_map(|(name, suspended)| Change::Organisation(OrgRecord {
            organisation: id(name),
            suspended,
            offboarded: false
        })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_stores_say_the_same(changes in proptest::collection::vec((change(), 0..40_u64), 1..40), asked in target()) {
        let folder = tempfile::tempdir().unwrap();
        let lasting = SqliteRegistry::create(&folder.path().join("registry.db")).unwrap();
        let memory = MemoryRegistry::new();
        for (change, sequence) in &changes {
            prop_assert_eq!(memory.check(change), lasting.check(change));
            prop_assert_eq!(memory.apply(change, commit(*sequence, change)), lasting.apply(change, commit(*sequence, change)));
        }
        for skill in ["org.acme/redact@1.0.0", "org.acme/redact@2.0.0", "x.bob/redact@1.0.0"] {
            let query = query(skill);
            prop_assert_eq!(memory.snapshot(&query), lasting.snapshot(&query));
            prop_assert_eq!(memory.versions(&query.skill.id), lasting.versions(&query.skill.id));
            prop_assert_eq!(memory.namespace(&query.skill.id.namespace), lasting.namespace(&query.skill.id.namespace));
        }
        for name in ["p", "q"] {
            prop_assert_eq!(memory.approval(name), lasting.approval(name));
        }
        for name in ["v", "w"] {
            prop_assert_eq!(memory.credential(name), lasting.credential(name));
        }
        prop_assert_eq!(memory.tokens(None), lasting.tokens(None));
        prop_assert_eq!(memory.roles(None), lasting.roles(None));
        prop_assert_eq!(memory.roles(Some(&id("acme"))), lasting.roles(Some(&id("acme"))));
        prop_assert_eq!(memory.tokens(Some(&id("acme"))), lasting.tokens(Some(&id("acme"))));
        prop_assert_eq!(memory.organisations(), lasting.organisations());
        prop_assert_eq!(memory.namespaces(), lasting.namespaces());
        for only_open in [true, false] {
            prop_assert_eq!(memory.approvals(only_open), lasting.approvals(only_open));
        }
        prop_assert_eq!(memory.commits(0), lasting.commits(0));
        prop_assert_eq!(memory.skills(), lasting.skills());
        prop_assert_eq!(memory.version(), lasting.version());
        prop_assert_eq!(memory.standing_events(&asked), lasting.standing_events(&asked));
        prop_assert_eq!(lasting.verify(), Ok(()));
    }
}
