//! Organisations, roles and tokens: the same in every store.

use std::collections::BTreeSet;

use super::suite::refused;
use super::*;
use crate::registry::access::{
    Identity, MAX_ROLES, MAX_TOKEN_DAYS, Role, RoleRecord, TokenEvent, TokenRecord, TokenRevocation, roles_in_force,
};

const DAY_MS: i64 = 86_400_000;

fn by() -> Identity {
    Identity { organisation: id("acme"), name: "ada".to_owned() }
}

pub(in crate::registry) fn at(days: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + days * DAY_MS)
}

pub(in crate::registry) fn organisation(name: &str, suspended: bool, offboarded: bool) -> Change {
    Change::Organisation(OrgRecord { organisation: id(name), suspended, offboarded })
}

pub(in crate::registry) fn role(
    organisation: &str,
    holder: &str,
    role: Role,
    namespace: Option<&str>,
    granted: bool,
) -> RoleRecord {
    let namespace = namespace.map(id);
    RoleRecord { organisation: id(organisation), holder: holder.to_owned(), role, namespace, granted, by: by(), at: at(0) }
}

pub(in crate::registry) fn issued(name: &str, organisation: &str, days: i64) -> TokenRecord {
    TokenRecord {
        id: name.to_owned(),
        hash: digest(name),
        organisation: id(organisation),
        holder: "gus".to_owned(),
        roles: [Role::Worker].into(),
        namespaces: [id("org.acme")].into(),
        data_labels: ["PUBLIC".to_owned()].into(),
        tenant_risks: ["low".to_owned()].into(),
        qos_classes: ["P2".to_owned()].into(),
        adapters: None,
        not_before: at(0),
        expires_at: at(days),
        issued_by: by(),
        issued_at: at(0),
    }
}

pub(in crate::registry) fn revoked(name: &str) -> Change {
    let revocation = TokenRevocation { id: name.to_owned(), by: by(), reason: "lost".to_owned(), at: at(1) };
    Change::Token(TokenEvent::Revoked(revocation))
}

pub(in crate::registry) fn issue(name: &str, organisation: &str, days: i64) -> Change {
    Change::Token(TokenEvent::Issued(issued(name, organisation, days)))
}

pub(in crate::registry) fn offboarding(registry: &dyn Registry) {
    apply(registry, &organisation("globex", false, false)).unwrap();
    apply(registry, &organisation("globex", true, false)).unwrap();
    apply(registry, &organisation("globex", false, true)).unwrap();
    for change in [organisation("globex", false, false), organisation("globex", true, true)] {
        assert!(refused(registry, change).contains("for good"));
    }
    apply(registry, &organisation("globex", false, true)).expect("to say it again changes nothing");
    refused(registry, Change::Role(role("globex", "gus", Role::Worker, None, true)));
    refused(registry, issue("t1", "globex", 1));
    refused(registry, Change::Namespace(namespace("org.acme", "acme")));
    refused(registry, Change::Namespace(namespace("org.acme", "globex")));
    apply(registry, &Change::Role(role("globex", "gus", Role::Worker, None, false))).expect("taking is always possible");
    let names = |all: Vec<OrgRecord>| all.into_iter().map(|record| record.organisation.to_string()).collect::<Vec<_>>();
    apply(registry, &organisation("acme", false, false)).unwrap();
    assert_eq!(names(registry.organisations().unwrap()), ["acme", "globex"]);
}

pub(in crate::registry) fn roles(registry: &dyn Registry) {
    refused(registry, Change::Role(role("globex", "gus", Role::Worker, None, true)));
    apply(registry, &organisation("globex", false, false)).unwrap();
    apply(registry, &organisation("acme", false, false)).unwrap();
    let given = [
        role("acme", "cleo", Role::Certifier, None, true),
        role("globex", "gus", Role::Worker, None, true),
        role("globex", "gus", Role::Worker, Some("org.acme"), true),
        role("globex", "gina", Role::Author, None, true),
    ];
    for record in &given {
        apply(registry, &Change::Role(record.clone())).unwrap();
    }
    assert_eq!(registry.roles(None).unwrap(), roles_in_force(given.iter().cloned()));
    assert_eq!(registry.roles(Some(&id("globex"))).unwrap().len(), 3);
    // What is taken for the whole is not taken for the one namespace, and what is given again counts again.
    apply(registry, &Change::Role(role("globex", "gus", Role::Worker, None, false))).unwrap();
    assert_eq!(registry.roles(Some(&id("globex"))).unwrap(), [given[3].clone(), given[2].clone()]);
    apply(registry, &Change::Role(given[1].clone())).unwrap();
    assert_eq!(registry.roles(Some(&id("globex"))).unwrap().len(), 3);
    for name in ["", " gus", "g\nus", &"g".repeat(129)] {
        refused(registry, Change::Role(role("globex", name, Role::Worker, None, true)));
    }
    for count in 0..MAX_ROLES {
        apply(registry, &Change::Role(role("globex", "many", Role::Worker, Some(&format!("org.n{count}")), true))).unwrap();
    }
    refused(registry, Change::Role(role("globex", "many", Role::Author, None, true)));
}

pub(in crate::registry) fn tokens(registry: &dyn Registry) {
    refused(registry, issue("token-1", "globex", 30));
    apply(registry, &organisation("globex", false, false)).unwrap();
    refused(registry, revoked("token-1"));
    apply(registry, &issue("token-1", "globex", 30)).unwrap();
    apply(registry, &issue("token-1", "globex", 30)).expect("the same again changes nothing");
    refused(registry, issue("token-1", "globex", 31));
    apply(registry, &issue("token-2", "globex", 30)).unwrap();
    apply(registry, &Change::Role(role("globex", "gus", Role::Worker, None, true))).unwrap();
    let credential = registry.snapshot(&query("org.acme/redact@1.0.0")).unwrap().credential.expect("it is asked for");
    assert_eq!(credential.token.record, issued("token-1", "globex", 30));
    assert_eq!(credential.organisation.map(|record| record.organisation), Some(id("globex")));
    assert_eq!(credential.roles, [role("globex", "gus", Role::Worker, None, true)]);
    assert_eq!(registry.credential("token-3"), Ok(None));
    apply(registry, &revoked("token-1")).unwrap();
    let first = registry.credential("token-1").unwrap().unwrap().token;
    assert!(matches!(token_event(&revoked("token-1")), TokenEvent::Revoked(ref said) if first.revoked.as_ref() == Some(said)));
    let version = registry.version().unwrap();
    apply(registry, &revoked("token-1")).expect("revoking again changes nothing");
    assert_eq!(registry.version().unwrap(), version + 1, "but the commit is noted");
    assert_eq!(registry.credential("token-1").unwrap().unwrap().token, first);
    let listed = |organisation: Option<&str>| {
        let tokens = registry.tokens(organisation.map(id).as_ref()).unwrap();
        tokens.into_iter().map(|token| (token.record.id.clone(), token.revoked.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(listed(None), [("token-1".to_owned(), true), ("token-2".to_owned(), false)]);
    assert_eq!(listed(Some("globex")).len(), 2);
    assert_eq!(listed(Some("acme")), []);
}

fn token_event(change: &Change) -> TokenEvent {
    match change {
        Change::Token(event) => event.clone(),
        other => panic!("{other:?}"),
    }
}

pub(in crate::registry) fn bounds(registry: &dyn Registry) {
    apply(registry, &organisation("globex", false, false)).unwrap();
    let good = issued("t", "globex", 1);
    let wrong: [fn(&mut TokenRecord); 9] = [
        |token| token.id = String::new(),
        |token| token.id = "two words".to_owned(),
        |token| token.holder = String::new(),
        |token| token.roles = BTreeSet::new(),
        |token| token.expires_at = token.not_before,
        |token| token.expires_at = at(i64::from(MAX_TOKEN_DAYS)).plus_millis(1),
        |token| token.data_labels = ["no word".to_owned()].into(),
        |token| token.qos_classes = (0..257).map(|count| format!("P{count}")).collect(),
        |token| token.namespaces = (0..257).map(|count| id(&format!("org.n{count}"))).collect(),
    ];
    for edit in wrong {
        let mut token = good.clone();
        edit(&mut token);
        refused(registry, Change::Token(TokenEvent::Issued(token)));
    }
    let longest = TokenRecord { expires_at: at(i64::from(MAX_TOKEN_DAYS)), ..good };
    apply(registry, &Change::Token(TokenEvent::Issued(longest))).unwrap();
    let reason = "r".repeat(4097);
    let revocation = TokenRevocation { id: "t".to_owned(), by: by(), reason, at: at(1) };
    refused(registry, Change::Token(TokenEvent::Revoked(revocation)));
}
