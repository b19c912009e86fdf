//! Whatever is given, taken, issued and revoked in whatever order, a token is worth what a simple model says.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::digest::Digest;
use crate::registry::access::{MAX_TOKEN_DAYS, TokenEvent, TokenRevocation};
use crate::registry::memory::MemoryRegistry;
use crate::registry::token::TokenText;
use crate::registry::{Change, Commit, OrgRecord, Registry};

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Numbers that look random, the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn some<T: Clone + Ord>(&mut self, of: &[T]) -> BTreeSet<T> {
        of.iter().filter(|_| self.below(2) == 0).cloned().collect()
    }
}

const ORGANISATIONS: [&str; 2] = ["acme", "globex"];
const HOLDERS: [&str; 2] = ["ann", "bob"];
const NAMESPACES: [&str; 2] = ["org.acme", "org.globex"];

/// What there is, in the plainest words.
#[derive(Default)]
struct Model {
    suspended: BTreeSet<&'static str>,
    offboarded: BTreeSet<&'static str>,
    roles: BTreeSet<(String, String, Role, Option<String>)>,
    tokens: Vec<Known>,
}

struct Known {
    text: TokenText,
    organisation: String,
    holder: String,
    roles: BTreeSet<Role>,
    namespaces: BTreeSet<String>,
    from: i64,
    until: i64,
    revoked: bool,
}

impl Model {
    fn permits(&self, token: &Known, action: Action, namespace: Option<&str>, now: i64) -> bool {
        let organisation = token.organisation.as_str();
        let stands = !token.revoked
            && token.from <= now
            && now < token.until
            && !self.suspended.contains(organisation)
            && !self.offboarded.contains(organisation);
        let of_the_hall = [Role::Certifier, Role::Operator, Role::Approver];
        let has = |role: &Role| {
            let given = |namespace: Option<&str>| {
                let key = (token.organisation.clone(), token.holder.clone(), *role, namespace.map(str::to_owned));
                self.roles.contains(&key)
            };
            let whole = given(None) || namespace.is_some_and(|namespace| given(Some(namespace)));
            whole && token.roles.contains(role) && (organisation == "acme" || !of_the_hall.contains(role))
        };
        stands && action.roles().iter().any(has) && namespace.is_none_or(|namespace| token.namespaces.contains(namespace))
    }
}

struct World {
    registry: MemoryRegistry,
    sequence: u64,
    model: Model,
    now: i64,
}

impl World {
    fn new() -> Self {
        let mut world = Self { registry: MemoryRegistry::new(), sequence: 0, model: Model::default(), now: 1_790_000_000_000 };
        for name in ORGANISATIONS {
            let record = OrgRecord { organisation: id(name), suspended: false, offboarded: false };
            assert!(world.apply(&Change::Organisation(record)));
        }
        world
    }

    fn apply(&mut self, change: &Change) -> bool {
        self.sequence += 1;
        self.registry.apply(change, Commit { sequence: self.sequence, digest: change.digest().unwrap() }).is_ok()
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    fn by() -> Identity {
        Identity { organisation: id("acme"), name: "ada".to_owned() }
    }

    fn step(&mut self, draw: &mut Draw) {
        match draw.below(16) {
            0..=8 => self.role(draw, true),
            9 => self.role(draw, false),
            10..=11 => self.issue(draw),
            12 => self.revoke(draw),
            13 => self.now += 86_400_000 * i64::try_from(draw.below(4)).unwrap(),
            14 => self.organisation(draw, false),
            _ => {
                if draw.below(8) == 0 {
                    self.organisation(draw, true);
                }
            }
        }
    }

    fn role(&mut self, draw: &mut Draw, granted: bool) {
        let (organisation, holder, role) = (*draw.one(&ORGANISATIONS), *draw.one(&HOLDERS), *draw.one(&Role::ALL));
        let namespace = if draw.below(3) == 0 { Some(*draw.one(&NAMESPACES)) } else { None };
        let record = RoleRecord {
            organisation: id(organisation),
            holder: holder.to_owned(),
            role,
            namespace: namespace.map(id),
            granted,
            by: Self::by(),
            at: self.at(),
        };
        let taken = self.apply(&Change::Role(record));
        assert_eq!(taken, !granted || !self.model.offboarded.contains(organisation), "nobody joins what is offboarded");
        let key = (organisation.to_owned(), holder.to_owned(), role, namespace.map(str::to_owned));
        match (granted, taken) {
            (true, true) => {
                self.model.roles.insert(key);
            }
            (false, true) => {
                self.model.roles.remove(&key);
            }
            (_, false) => {}
        }
    }

    fn issue(&mut self, draw: &mut Draw) {
        let (organisation, holder) = (*draw.one(&ORGANISATIONS), *draw.one(&HOLDERS));
        let mut roles = draw.some(&Role::ALL);
        roles.insert(*draw.one(&Role::ALL));
        let (text, namespaces) = (TokenText::generate().unwrap(), draw.some(&NAMESPACES));
        let day = 86_400_000;
        let from = self.now + day * i64::try_from(draw.below(5)).unwrap();
        let until = from + day * i64::try_from(1 + draw.below(30)).unwrap();
        let record = TokenRecord {
            id: text.id().to_owned(),
            hash: text.presented().hash(),
            organisation: id(organisation),
            holder: holder.to_owned(),
            roles: roles.clone(),
            namespaces: namespaces.iter().map(|name| id(name)).collect(),
            data_labels: BTreeSet::new(),
            tenant_risks: BTreeSet::new(),
            qos_classes: BTreeSet::new(),
            adapters: None,
            not_before: Timestamp::from_millis(from),
            expires_at: Timestamp::from_millis(until),
            issued_by: Self::by(),
            issued_at: self.at(),
        };
        if self.apply(&Change::Token(TokenEvent::Issued(record))) {
            let namespaces = namespaces.into_iter().map(str::to_owned).collect();
            let (organisation, holder) = (organisation.to_owned(), holder.to_owned());
            self.model.tokens.push(Known { text, organisation, holder, roles, namespaces, from, until, revoked: false });
        } else {
            assert!(self.model.offboarded.contains(organisation), "nothing else stands against a token");
        }
    }

    fn revoke(&mut self, draw: &mut Draw) {
        if self.model.tokens.is_empty() {
            return;
        }
        let at = draw.below(self.model.tokens.len());
        let id = self.model.tokens[at].text.id().to_owned();
        let revoked = TokenRevocation { id, by: Self::by(), reason: "a test".to_owned(), at: self.at() };
        assert!(self.apply(&Change::Token(TokenEvent::Revoked(revoked))));
        self.model.tokens[at].revoked = true;
    }

    fn organisation(&mut self, draw: &mut Draw, offboarded: bool) {
        let (organisation, suspended) = (*draw.one(&ORGANISATIONS), draw.below(4) == 0);
        let taken = self.apply(&Change::Organisation(OrgRecord { organisation: id(organisation), suspended, offboarded }));
        let gone = self.model.offboarded.contains(organisation);
        assert!(taken || gone, "what is not offboarded can be changed");
        if gone {
            return;
        }
        if suspended {
            self.model.suspended.insert(organisation);
        } else {
            self.model.suspended.remove(organisation);
        }
        if offboarded {
            self.model.offboarded.insert(organisation);
        }
    }

    /// Whether registry and model agree on some token, action and namespace. Gives what they say.
    fn agree(&self, draw: &mut Draw) -> Option<bool> {
        let token = self.model.tokens.get(draw.below(self.model.tokens.len().max(1)))?;
        let action = *draw.one(Action::ALL);
        let namespace = if draw.below(2) == 0 { Some(*draw.one(&NAMESPACES)) } else { None };
        // Whoever only looks needs no namespace.
        let asked = namespace.filter(|_| action != Action::Look);
        let credential = self.registry.credential(token.text.id()).unwrap();
        let presented = token.text.presented();
        let said = holds(credential.as_ref(), &presented, self.at())
            .and_then(|()| may(credential.as_ref().unwrap(), action, asked.map(id).as_ref(), &id("acme")));
        assert_eq!(said.is_ok(), self.model.permits(token, action, asked, self.now), "{action:?} {namespace:?}: {said:?}");
        let forged = TokenText::parse(&format!("skh_{}_{}", token.text.id(), "0".repeat(64))).unwrap();
        let forged = holds(credential.as_ref(), &forged.presented(), self.at()).unwrap_err();
        assert_eq!(forged.code, Code::TokenUnknown);
        Some(said.is_ok())
    }
}

#[test]
fn a_thousand_sequences_of_changes_leave_what_a_simple_model_says() {
    let mut said: BTreeMap<bool, u32> = BTreeMap::new();
    for seed in 1..=1000 {
        let (mut world, mut draw) = (World::new(), Draw(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15)));
        for _ in 0..40 {
            world.step(&mut draw);
            for _ in 0..3 {
                if let Some(is_permitted) = world.agree(&mut draw) {
                    *said.entry(is_permitted).or_default() += 1;
                }
            }
        }
    }
    println!("permitted {}, denied {}", said[&true], said[&false]);
    assert!(said[&true] > 2_000 && said[&false] > 2_000, "the draws reach both: {said:?}");
}

#[test]
fn every_action_takes_a_role_and_says_what_it_is() {
    let names: BTreeSet<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
    assert_eq!(names.len(), Action::ALL.len());
    for action in Action::ALL {
        assert!(!action.roles().is_empty() && action.summary().ends_with('.'), "{action:?}");
    }
    let used: BTreeSet<Role> =
        Action::ALL.iter().filter(|action| **action != Action::Look).flat_map(|a| a.roles()).copied().collect();
    assert_eq!(used, Role::ALL.into_iter().collect(), "a role that nothing takes is worth nothing");
}

/// docs/governance.md shows the table as it is.
#[test]
fn the_table_of_actions_is_the_documented_one() {
    let document = include_str!("../../../../../docs/governance.md");
    for action in Action::ALL {
        let roles: Vec<&str> = action.roles().iter().map(|role| role.as_str()).collect();
        let roles = if *action == Action::Look { "any".to_owned() } else { roles.join(", ") };
        let row = format!("| `{}` | {} | {roles} |", action.as_str(), action.summary().trim_end_matches('.'));
        assert!(document.contains(&row), "docs/governance.md lacks the row\n{row}");
    }
}

fn wide() -> Credential {
    let hall: OrgId = id("globex");
    let (at, by) = (Timestamp::from_millis(1_790_000_000_000), World::by());
    let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
    let record = TokenRecord {
        id: "0123456789abcdef".to_owned(),
        hash: Digest::of(b"a token"),
        organisation: hall.clone(),
        holder: "ann".to_owned(),
        roles: [Role::OrgAdmin, Role::Worker].into(),
        namespaces: [id("org.acme")].into(),
        data_labels: words(&["PUBLIC"]),
        tenant_risks: words(&["low"]),
        qos_classes: words(&["P2"]),
        adapters: Some([id("mcp")].into()),
        not_before: at,
        expires_at: at.plus_millis(86_400_000 * i64::from(MAX_TOKEN_DAYS)),
        issued_by: by.clone(),
        issued_at: at,
    };
    let role = |role| RoleRecord {
        organisation: hall.clone(),
        holder: "ann".to_owned(),
        role,
        namespace: None,
        granted: true,
        by: by.clone(),
        at,
    };
    let organisation = Some(OrgRecord { organisation: hall.clone(), suspended: false, offboarded: false });
    let token = crate::registry::access::Token { record, revoked: None };
    Credential { token, organisation, roles: vec![role(Role::OrgAdmin), role(Role::Worker)] }
}

type Widen = fn(&mut TokenRecord);

#[test]
fn a_token_that_is_wider_in_anything_is_an_escalation() {
    let own = wide();
    let hall = id("acme");
    assert_eq!(no_wider(&own, &own.token.record, &hall), Ok(()));
    let wider: [(&str, Widen); 9] = [
        ("roles", |given| {
            given.roles.insert(Role::Author);
        }),
        ("roles", |given| given.roles = [Role::Operator].into()),
        ("namespaces", |given| {
            given.namespaces.insert(id("org.globex"));
        }),
        ("data_labels", |given| {
            given.data_labels.insert("RESTRICTED".to_owned());
        }),
        ("tenant_risks", |given| {
            given.tenant_risks.insert("high".to_owned());
        }),
        ("qos_classes", |given| {
            given.qos_classes.insert("P0".to_owned());
        }),
        ("adapters", |given| given.adapters = None),
        ("not_before", |given| given.not_before = given.not_before.plus_millis(-1)),
        ("expires_at", |given| given.expires_at = given.expires_at.plus_millis(1)),
    ];
    for (field, widen) in wider {
        let mut given = own.token.record.clone();
        widen(&mut given);
        let denial = no_wider(&own, &given, &hall).unwrap_err();
        assert_eq!((denial.code, &denial.details["field"]), (Code::Escalation, &serde_json::json!(field)));
    }
}

#[test]
fn a_tokens_text_is_read_strictly_and_never_shown_by_accident() {
    let text = TokenText::generate().unwrap();
    let shown = text.reveal().to_owned();
    assert!(shown.starts_with("skh_") && shown.len() == 4 + 16 + 1 + 64);
    assert_eq!(TokenText::parse(&format!("{shown}\n")).unwrap().presented(), text.presented());
    let secret = &shown[21..];
    for debug in [format!("{text:?}"), format!("{:?}", text.presented())] {
        assert!(!debug.contains(secret) && !debug.contains(&text.presented().hash().to_string()), "{debug}");
    }
    let upper = format!("skh_{}_{}", text.id(), "A".repeat(64));
    for none in
        ["", "skh_", &shown[1..], &shown[..84], &format!("{shown}0"), &format!(" {shown}"), &upper, &shown.replace('_', "-")]
    {
        assert!(TokenText::parse(none).is_err(), "{none}");
    }
}
