//! What can be asked, what is refused, and what becomes of it.

mod policies;

use semver::Version;
use serde_json::{Value, json};

use super::*;
use crate::denial::Code;
use crate::json;

fn asks(value: Value) -> Result<Asks, serde_json::Error> {
    serde_json::from_value(value)
}

fn everything() -> Value {
    json!({
        "files": [{"mount": "/in", "access": "read"}, {"mount": "/out/a", "access": "write"}],
        "http": [{"origin": "https://api.example.com", "methods": ["GET", "POST"], "paths": ["/v1/"]}],
        "sockets": [{"protocol": "tcp", "address": "192.0.2.7", "port": 5432}],
        "env": ["LANG"],
        "secrets": [{"name": "API_TOKEN", "for": "https://api.example.com", "header": "authorization"}],
        "keyvalue": ["cache"],
        "config": ["log.level"],
        "clocks": "precise",
        "tools": [{"skill": "org.acme/redact", "version": "^1.2"}],
    })
}

#[test]
fn everything_that_can_be_asked_survives_the_canonical_form() {
    let asks = asks(everything()).unwrap();
    asks.validate().unwrap();
    let bytes = json::canonical(&asks).unwrap();
    assert_eq!(json::parse_as::<Asks>(&bytes).unwrap(), asks);
    assert_eq!(serde_json::to_value(&asks).unwrap(), everything());
    assert_eq!(
        asks.list(),
        [
            "clocks: precise",
            "config: log.level",
            "env: LANG",
            "files: /in (read)",
            "files: /out/a (write)",
            "http: GET POST https://api.example.com under /v1/",
            "keyvalue: cache",
            "secrets: API_TOKEN for https://api.example.com in header authorization",
            "sockets: tcp 192.0.2.7:5432",
            "tools: org.acme/redact ^1.2",
        ]
    );
}

#[test]
fn what_is_declared_is_held_against_what_is_imported() {
    let component = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let used = |asks: &Asks, names: &[&str]| {
        let declared = asks.declared(&component(names)).into_iter().filter(|declared| declared.imported);
        declared.map(|declared| format!("{}: {}", declared.capability, declared.ask)).collect::<Vec<_>>()
    };
    let all = asks(everything()).unwrap();
    assert_eq!(all.declared(&[]).len(), 10);
    assert!(used(&all, &["wasi:cli/exit@0.2.6", "wasi:http/types@0.3.0", "acme:filesystem/types@0.2.0"]).is_empty());
    assert_eq!(used(&all, &["wasi:filesystem/types@0.2.6"]), ["files: /in (read)", "files: /out/a (write)"]);
    assert_eq!(used(&all, &["wasi:cli/environment@0.2.0"]), ["env: LANG"]);
    assert_eq!(used(&all, &["wasi:clocks/wall-clock@0.2.0"]), ["clocks: precise"]);
    assert_eq!(used(&all, &["wasi:config/store@0.2.0-rc.1"]), ["config: log.level"]);
    assert_eq!(used(&all, &["wasi:keyvalue/batch@0.2.0-draft"]), ["keyvalue: cache"]);
    assert_eq!(used(&all, &["wasi:sockets/tcp@0.2.0"]), ["sockets: tcp 192.0.2.7:5432"]);
    assert_eq!(
        used(&all, &["wasi:http/outgoing-handler@0.2.4"]),
        [
            "http: GET POST https://api.example.com under /v1/",
            "secrets: API_TOKEN for https://api.example.com in header authorization"
        ]
    );
    assert_eq!(used(&all, &["skillhall:secrets/reveal@0.1.0"]).len(), 1);
    assert_eq!(used(&all, &["skillhall:tools/call@0.1.0"]), ["tools: org.acme/redact ^1.2"]);
    let empty = asks(json!({"files": "empty"})).unwrap();
    assert_eq!(used(&empty, &["wasi:filesystem/preopens@0.2.6"]), ["files: empty"]);
    assert_eq!(empty.declared(&[])[0], Declared { capability: "files", ask: "empty".into(), imported: false });
}

#[test]
fn nothing_asked_is_an_empty_object() {
    let none = Asks::default();
    assert!(none.is_empty());
    assert_eq!(json::canonical(&none).unwrap(), b"{}");
    assert_eq!(asks(json!({"files": [], "env": []})).unwrap(), none, "an empty list asks for nothing");
    for class in PowerClass::ALL {
        assert!(!none.covers(*class), "{class:?}");
    }
}

#[test]
fn empty_covers_the_class_and_links_it_empty() {
    let asks = asks(json!({"files": "empty", "sockets": "empty", "clocks": "coarse"})).unwrap();
    assert!(!asks.is_empty());
    assert!(asks.covers(PowerClass::Files) && asks.covers(PowerClass::Sockets) && !asks.covers(PowerClass::Http));
    assert_eq!(asks.list(), ["clocks: coarse", "files: empty", "sockets: empty"]);
    let grants = narrow(&asks, &Policy::default()).unwrap();
    assert_eq!(grants.links(PowerClass::Files), Some(Link::Empty));
    assert_eq!(grants.links(PowerClass::Sockets), Some(Link::Empty));
    assert_eq!(grants.links(PowerClass::Http), None);
    assert_eq!(grants.list(), ["files: empty", "sockets: empty"]);
}

#[test]
fn each_real_ask_is_denied_and_named() {
    let all = everything();
    for (capability, value) in all.as_object().unwrap() {
        let mut one = json!({ capability: value });
        if capability == "secrets" {
            one["http"] = all["http"].clone();
        }
        let denial = narrow(&asks(one).unwrap(), &Policy::default()).unwrap_err();
        assert_eq!(denial.code, Code::CapabilityNotGranted);
        let named = if capability == "secrets" { "http" } else { capability };
        assert_eq!(denial.details["capability"], *named);
        assert!(denial.message.contains("this host's policy grants nothing of the kind"), "{}", denial.message);
        assert!(denial.hint().contains(named), "{}", denial.hint());
        let grantable = matches!(
            capability.as_str(),
            "files" | "http" | "sockets" | "env" | "secrets" | "config" | "keyvalue" | "tools" | "clocks"
        );
        assert_eq!(denial.details.contains_key("grant"), grantable, "{capability}");
    }
    let denial = narrow(&asks(all).unwrap(), &Policy::default()).unwrap_err();
    assert_eq!(denial.details["all"].as_array().unwrap().len(), 10);
    assert_eq!(denial.details["asked"], "/in (read)");
}

#[test]
fn a_skill_is_called_in_the_versions_that_ask_and_policy_both_name() {
    let means = |asked: &str, granted: Value, version: &str| {
        let ask = asks(json!({"tools": [{"skill": "org.acme/a", "version": asked}]})).unwrap();
        let grants = narrow(&ask, &policy(json!({"tools": [granted]})).unwrap()).unwrap();
        assert_eq!(grants.links(PowerClass::Tools), Some(Link::Granted));
        grants.tools()[0].means(&Version::parse(version).unwrap())
    };
    let range = |range: &str| json!({"skill": "org.acme/a", "version": range});
    let every = json!({"skill": "org.acme/a"});
    assert!(means("^1", every.clone(), "1.9.0") && !means("^1", every.clone(), "2.0.0"));
    assert!(means("^1", range("<1.5"), "1.4.0") && !means("^1", range("<1.5"), "1.5.0") && !means("^1", range("^2"), "2.0.0"));
    // A pre-release has to be let in by both: `^1` alone lets none in.
    assert!(means(">=1.0.0-beta", range(">=1.0.0-alpha"), "1.0.0-rc.1"));
    assert!(!means(">=1.0.0-beta", range("*"), "1.0.0-rc.1") && !means("*", range(">=1.0.0-alpha"), "1.0.0-rc.1"));

    let ask = asks(json!({"tools": [{"skill": "org.acme/a", "version": "^1"}, {"skill": "org.acme/b", "version": ">=1, <3"}]}));
    let denial = narrow(&ask.unwrap(), &policy(json!({"tools": [every]})).unwrap()).unwrap_err();
    assert_eq!(denial.details["all"], json!(["tools: org.acme/b >=1, <3"]));
    assert_eq!(denial.details["grant"], "--tool 'org.acme/b@>=1, <3'");
    for wrong in
        [json!({"skill": "a"}), json!({"skill": "org.acme/a", "version": "latest"}), json!({"skill": "org.acme/a", "asked": "*"})]
    {
        assert!(policy(json!({"tools": [wrong]})).is_err(), "{wrong}");
    }
    assert!(policy(json!({"tools": [range("1"), range("2")]})).is_err(), "the same skill twice");
    let written = serde_json::to_value(policy(json!({"tools": [every, ]})).unwrap()).unwrap();
    assert_eq!(written, json!({"tools": [{"skill": "org.acme/a"}]}));
}

fn policy(value: Value) -> Result<Policy, serde_json::Error> {
    serde_json::from_value(value)
}

#[test]
fn grants_are_never_wider_than_the_ask_or_the_policy() {
    let folder = |access: &str| policy(json!({"files": [{"mount": "/in", "folder": "/srv", "access": access}]})).unwrap();
    let asked = |access: &str| asks(json!({"files": [{"mount": "/in", "access": access}]})).unwrap();
    let grants = narrow(&asked("read"), &folder("write")).unwrap();
    assert_eq!(grants.files()[0].access, files::Access::Read, "asked less than granted");
    assert_eq!(grants.links(PowerClass::Files), Some(Link::Granted));
    assert_eq!(grants.list(), ["files: /in (read) is /srv"]);
    let denial = narrow(&asked("write"), &folder("read")).unwrap_err();
    assert!(denial.message.contains("grants less: /in to be read only"), "{}", denial.message);
    assert_eq!(denial.details["grant"], "--files /in=FOLDER:write");
    let elsewhere = policy(json!({"files": [{"mount": "/out", "folder": "/srv", "access": "write"}]})).unwrap();
    assert!(narrow(&asked("read"), &elsewhere).is_err());

    let grant = |methods: Value, paths: Value| {
        policy(json!({"http": [{"origin": "https://a.example", "methods": methods, "paths": paths, "addresses": ["10.1.1.1"]}]}))
            .unwrap()
    };
    let ask = asks(json!({"http": [{"origin": "https://a.example", "methods": ["GET"], "paths": ["/v1/a", "/v1/b/"]}]})).unwrap();
    let grants = narrow(&ask, &grant(json!(["GET", "POST"]), json!(["/v1"]))).unwrap();
    assert_eq!(grants.list(), ["http: GET https://a.example under /v1/a /v1/b/ (also at 10.1.1.1)"]);
    for (methods, paths) in [
        (json!(["POST"]), json!(["/"])),
        (json!(["GET"]), json!(["/v1/a"])),
        (json!(["GET"]), json!(["/v1/a/", "/v1/b/"])),
        (json!(["GET"]), json!(["/v"])),
    ] {
        assert_eq!(
            narrow(&ask, &grant(methods.clone(), paths.clone())).unwrap_err().code,
            Code::CapabilityNotGranted,
            "{methods} {paths}"
        );
    }
    let other = policy(json!({"http": [{"origin": "http://a.example", "methods": ["GET"], "paths": ["/"]}]})).unwrap();
    assert!(narrow(&ask, &other).is_err(), "another scheme is another origin");
}

#[test]
fn values_are_granted_by_name_and_not_told() {
    let ask = asks(json!({"env": ["LANG"], "config": ["b", "a"], "clocks": "precise"})).unwrap();
    let values = |names: &[&str]| names.iter().map(|name| json!({"name": name, "value": "canary"})).collect::<Vec<_>>();
    let whole = |clocks: Value| {
        policy(json!({"env": values(&["LANG", "PATH"]), "config": values(&["a", "b", "c"]), "clocks": clocks})).unwrap()
    };
    let grants = narrow(&ask, &whole(json!("precise"))).unwrap();
    assert_eq!((grants.env().len(), grants.config().len(), grants.clocks()), (1, 2, clocks::Ask::Precise));
    assert_eq!(grants.links(PowerClass::Config), Some(Link::Granted));
    assert_eq!(grants.list(), ["env: LANG", "config: b", "config: a", "clocks: precise"]);
    let denial = narrow(&ask, &whole(json!("coarse"))).unwrap_err();
    assert_eq!(denial.details["all"], json!(["clocks: precise"]));
    assert_eq!(denial.details["grant"], "--clocks precise");
    let denial = narrow(&ask, &policy(json!({"env": values(&["lang"])})).unwrap()).unwrap_err();
    assert_eq!(denial.details["grant"], "--env LANG=VALUE --config b=VALUE --config a=VALUE --clocks precise");
    let none = narrow(&asks(json!({"clocks": "coarse"})).unwrap(), &whole(json!("precise"))).unwrap();
    assert_eq!(
        (none.clocks(), none.env().len(), none.config().len()),
        (clocks::Ask::Coarse, 0, 0),
        "asked for less than granted"
    );
    assert!(none.list().is_empty() && none.links(PowerClass::Config).is_none());
}

#[test]
fn a_secret_is_granted_for_the_very_origin_and_header_and_shown_only_if_both_say_so() {
    let secret = |reveal: bool, more: Value| {
        let mut secret = json!({"name": "T", "for": "https://a.example", "header": "authorization", "reveal": reveal});
        secret.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        secret
    };
    let http = json!([{"origin": "https://a.example", "methods": ["GET"], "paths": ["/"]}]);
    let ask = |reveal: bool| asks(json!({"http": http, "secrets": [secret(reveal, json!({}))]})).unwrap();
    let file = json!({"file": "/etc/t", "prefix": "Bearer "});
    let grant = |secret: Value| policy(json!({"http": http, "secrets": [secret]})).unwrap();
    for (asked, granted, linked) in [(false, false, None), (false, true, None), (true, true, Some(Link::Granted))] {
        let grants = narrow(&ask(asked), &grant(secret(granted, file.clone()))).unwrap();
        assert_eq!((grants.secrets()[0].reveal, grants.secrets()[0].prefix.as_str()), (asked, "Bearer "), "{asked} {granted}");
        assert_eq!(grants.links(PowerClass::Secrets), linked, "{asked} {granted}");
        let shown = if asked { ", shown to the skill" } else { "" };
        let line = format!("secrets: T for https://a.example in header authorization{shown} from /etc/t");
        assert_eq!(grants.list()[1], line);
        assert_eq!(ask(asked).covers(PowerClass::Secrets), asked, "an import has to be declared");
    }
    let denial = narrow(&ask(true), &grant(secret(false, file.clone()))).unwrap_err();
    assert!(denial.message.ends_with("grants less: T for https://a.example in header authorization"), "{}", denial.message);
    assert_eq!(denial.details["grant"], "--secret T=FILE --for https://a.example --header authorization --reveal");
    for (key, other) in [("name", "U"), ("for", "https://b.example"), ("for", "http://a.example"), ("header", "x-key")] {
        let mut granted = secret(true, file.clone());
        granted[key] = other.into();
        let denial = narrow(&ask(false), &grant(granted)).unwrap_err();
        assert_eq!(denial.details["capability"], "secrets", "{key} {other}");
        assert!(!denial.to_string().contains("/etc/t"), "whoever calls need not know the file: {denial}");
    }
}

#[test]
fn stores_are_granted_by_name_and_for_whom_is_said_once() {
    let ask = asks(json!({"keyvalue": ["cache", "seen"]})).unwrap();
    let only = policy(json!({"keyvalue": [{"store": "cache", "bytes": 10}, {"store": "other"}]})).unwrap();
    let denial = narrow(&ask, &only).unwrap_err();
    assert_eq!((&denial.details["all"], &denial.details["grant"]), (&json!(["keyvalue: seen"]), &json!("--keyvalue seen")));
    let both = policy(json!({"keyvalue": [{"store": "seen"}, {"store": "cache", "bytes": 10}, {"store": "other"}]})).unwrap();
    let grants = narrow(&ask, &both).unwrap();
    assert_eq!(grants.list(), ["keyvalue: cache (10 bytes, 1000 entries)", "keyvalue: seen (1048576 bytes, 1000 entries)"]);
    assert_eq!((grants.links(PowerClass::Keyvalue), grants.holder()), (Some(Link::Granted), None));
    let (acme, other) = ("acme".parse().unwrap(), "other".parse().unwrap());
    let skill = "org.acme/redact".parse().unwrap();
    let grants = grants.held_by(&acme, &skill).held_by(&other, &skill);
    assert_eq!(grants.holder().map(|holder| &holder.organisation), Some(&acme), "whoever says it first has said it");
}

#[test]
fn a_grant_that_nobody_asks_for_links_nothing() {
    let policy = policy(json!({"files": [{"mount": "/in", "folder": "/srv", "access": "read"}]})).unwrap();
    let grants = narrow(&Asks::default(), &policy).unwrap();
    assert!(grants.files().is_empty() && grants.links(PowerClass::Files).is_none());
}

#[test]
fn a_prefix_covers_whole_segments() {
    for (path, prefix, within) in [
        ("/v1", "/v1", true),
        ("/v1/a", "/v1", true),
        ("/v1/", "/v1/", true),
        ("/v10", "/v1", false),
        ("/v1", "/v1/", false),
        ("/", "/", true),
        ("/a", "/", true),
        ("", "/", false),
    ] {
        assert_eq!(http::is_within(path, prefix), within, "{path} under {prefix}");
    }
}

#[test]
fn a_secret_needs_its_origin_under_http() {
    let lonely = asks(json!({"secrets": [{"name": "T", "for": "https://a.example", "header": "authorization"}]})).unwrap();
    assert!(lonely.validate().unwrap_err().to_string().contains("http does not ask for"));
    assert_eq!(narrow(&lonely, &Policy::default()).unwrap_err().code, Code::CapabilityNotGranted);
}

#[test]
fn refused_asks() {
    let origin = |origin: &str| json!({"http": [{"origin": origin, "methods": ["GET"], "paths": ["/"]}]});
    let path = |path: &str| json!({"http": [{"origin": "https://a.example", "methods": ["GET"], "paths": [path]}]});
    let mount = |mount: &str| json!({"files": [{"mount": mount, "access": "read"}]});
    let header = |header: &str| json!({"secrets": [{"name": "T", "for": "https://a.example", "header": header}]});
    let mut cases = vec![
        json!({"file": "empty"}),
        json!({"files": "none"}),
        json!({"files": true}),
        json!({"files": [{"mount": "/in", "access": "execute"}]}),
        json!({"files": [{"mount": "/in", "access": "read", "follow": true}]}),
        json!({"files": [{"mount": "/in", "access": "read"}, {"mount": "/in", "access": "write"}]}),
        json!({"files": [{"mount": "/in/deep", "access": "read"}, {"mount": "/in", "access": "write"}]}),
        json!({"files": [{"mount": "/assets", "access": "write"}]}),
        json!({"files": [{"mount": "/assets/a", "access": "read"}]}),
        json!({"http": [{"origin": "https://a.example", "methods": [], "paths": ["/"]}]}),
        json!({"http": [{"origin": "https://a.example", "methods": ["get"], "paths": ["/"]}]}),
        json!({"http": [{"origin": "https://a.example", "methods": ["GET", "GET"], "paths": ["/"]}]}),
        json!({"http": [{"origin": "https://a.example", "methods": ["GET"], "paths": []}]}),
        json!({"http": [{"origin": "https://a.example", "methods": ["GET"]}]}),
        json!({"sockets": [{"protocol": "tcp", "address": "db.example", "port": 1}]}),
        json!({"sockets": [{"protocol": "tcp", "address": "192.0.2.1", "port": 0}]}),
        json!({"sockets": [{"protocol": "udp", "address": "224.0.0.1", "port": 5}]}),
        json!({"sockets": [{"protocol": "tcp", "address": "0.0.0.0", "port": 5}]}),
        json!({"sockets": [{"protocol": "tcp", "address": "255.255.255.255", "port": 5}]}),
        json!({"sockets": [{"protocol": "tcp", "address": "::ffff:192.0.2.1", "port": 5}]}),
        json!({"sockets": [{"protocol": "tcp", "address": "::192.0.2.1", "port": 5}]}),
        json!({"sockets": [{"protocol": "tcp", "address": "fe80::1%1", "port": 5}]}),
        json!({"sockets": [{"protocol": "tcp", "address": "::1", "port": 5}, {"protocol": "tcp", "address": "0:0::1", "port": 5}]}),
        json!({"env": ["A", "A"]}),
        json!({"env": ["1A"]}),
        json!({"env": ["A=B"]}),
        json!({"env": [""]}),
        json!({"env": "LANG"}),
        json!({"env": (0..=MAX_ENTRIES).map(|n| format!("N{n}")).collect::<Vec<_>>()}),
        json!({"keyvalue": ["Cache"]}),
        json!({"keyvalue": ["../other"]}),
        json!({"config": ["a b"]}),
        json!({"clocks": "fine"}),
        json!({"tools": [{"skill": "acme/redact", "version": "1"}]}),
        json!({"tools": [{"skill": "org.acme/redact", "version": "latest"}]}),
        json!({"tools": [{"skill": "org.acme/redact", "version": "1"}, {"skill": "org.acme/redact", "version": "2"}]}),
    ];
    cases.extend(
        [
            "api.example.com",
            "ftp://a.example",
            "https://A.example",
            "https://a.example/",
            "https://u@a.example",
            "https://a.example.",
            "https://a.example:443",
            "http://a.example:80",
            "https://a.example:0",
            "https://a.example:+1",
            "https://a.example:065",
            "https://*.example",
            "https://2130706433",
            "https://0x7f.1",
            "https://127.1",
            "https://[::1",
            "https://[0:0::1]",
            "https://",
            "https://a..example",
            "https://-a.example",
            "https://ä.example",
            "https://a.example:70000",
            "https://a.example?b",
        ]
        .map(origin),
    );
    cases.extend(["", "v1", "//", "/a/../b", "/.", "/a?b", "/a#b", "/%2e", "/a b", "/a\\b", "/a\n"].map(path));
    cases.extend(["", "/", "in", "/in/", "//in", "/in/..", "/./in", "/in\0", "/in b", "/a/b/c/d/e/f/g/h/i"].map(mount));
    cases.extend(
        [
            "",
            "Authorization",
            "host",
            "proxy-authorization",
            "content-length",
            "a\r\nb",
            "a b",
            "transfer_encoding",
            "http2-settings",
            "proxy_x",
        ]
        .map(header),
    );
    for case in cases {
        assert!(asks(case.clone()).is_err(), "{case} was read");
    }
}

#[test]
fn accepted_spellings_of_an_origin() {
    for origin in [
        "https://a.example:8443",
        "http://127.0.0.1:8080",
        "https://[2001:db8::1]",
        "https://[2001:db8::1]:8443",
        "http://localhost",
    ] {
        let value = json!({"http": [{"origin": origin, "methods": ["GET"], "paths": ["/"]}]});
        assert!(asks(value).is_ok(), "{origin}");
    }
}

#[test]
fn imports_by_class() {
    use ImportClass::{Base, Power, Unknown};
    let cases = [
        ("wasi:cli/environment@0.2.6", Base),
        ("wasi:cli/terminal-stderr@0.2.0", Base),
        ("wasi:io/streams@0.2.99", Base),
        ("wasi:clocks/wall-clock@0.2.3", Base),
        ("wasi:random/insecure-seed@0.2.1", Base),
        ("wasi:filesystem/types@0.2.6", Power(PowerClass::Files)),
        ("wasi:filesystem/preopens@0.2.0", Power(PowerClass::Files)),
        ("wasi:http/outgoing-handler@0.2.4", Power(PowerClass::Http)),
        ("wasi:sockets/tcp-create-socket@0.2.0", Power(PowerClass::Sockets)),
        ("wasi:keyvalue/store@0.2.0-draft2", Power(PowerClass::Keyvalue)),
        ("wasi:config/store@0.2.0-rc.1", Power(PowerClass::Config)),
        ("skillhall:secrets/reveal@0.1.0", Power(PowerClass::Secrets)),
        ("skillhall:secrets/reveal@0.1.1", Unknown),
        ("skillhall:secrets/reveal", Unknown),
        ("skillhall:secrets/put@0.1.0", Unknown),
        ("skillhall:tools/call@0.1.0", Power(PowerClass::Tools)),
        ("skillhall:tools/call@0.1.1", Unknown),
        ("skillhall:tools/run@0.1.0", Unknown),
        ("wasi:http/incoming-handler@0.2.4", Unknown),
        ("wasi:cli/run@0.2.0", Unknown),
        ("wasi:cli/environment", Unknown),
        ("wasi:cli/environment@0.3.0", Unknown),
        ("wasi:cli/environment@1.2.0", Unknown),
        ("wasi:cli/environment@0.2", Unknown),
        ("wasi:filesystem/types@0.2.0-rc-2023-11-10", Unknown),
        ("wasi:filesystem/types@0.2.6+a", Unknown),
        ("wasi:clocks/timezone@0.2.0", Unknown),
        ("wasi:logging/logging@0.1.0-draft", Base),
        ("wasi:logging/logging@0.2.0", Unknown),
        ("wasi:logging/logging@0.1.0", Unknown),
        ("wasi:config/store@0.2.0", Unknown),
        ("wasi:config/runtime@0.2.0-draft", Unknown),
        ("wasi:keyvalue/store@0.2.0-draft", Power(PowerClass::Keyvalue)),
        ("wasi:keyvalue/atomics@0.2.0-draft2", Power(PowerClass::Keyvalue)),
        ("wasi:keyvalue/batch@0.2.0-draft", Power(PowerClass::Keyvalue)),
        ("wasi:keyvalue/store@0.2.0-draft3", Unknown),
        ("wasi:keyvalue/store@0.2.0", Unknown),
        ("wasi:keyvalue/store@0.1.0", Unknown),
        ("wasi:keyvalue/types@0.1.0", Unknown),
        ("wasi:keyvalue/watcher@0.2.0-draft2", Unknown),
        ("acme:filesystem/types@0.2.6", Unknown),
        ("env", Unknown),
        ("", Unknown),
    ];
    for (interface, class) in cases {
        assert_eq!(imports(interface), class, "{interface}");
    }
}

#[test]
fn a_socket_is_granted_as_it_is_asked_or_not_at_all() {
    let socket = |protocol: &str, address: &str, port: u16| json!({"protocol": protocol, "address": address, "port": port});
    let ask = asks(json!({"sockets": [socket("tcp", "2001:db8::1", 5432)]})).unwrap();
    let policy = |entries: Value| serde_json::from_value::<Policy>(json!({ "sockets": entries })).unwrap();
    for other in [
        json!([]),
        json!([socket("udp", "2001:db8::1", 5432)]),
        json!([socket("tcp", "2001:db8::2", 5432)]),
        json!([socket("tcp", "2001:db8::1", 5433)]),
    ] {
        let denial = narrow(&ask, &policy(other)).unwrap_err();
        assert_eq!(denial.code, Code::CapabilityNotGranted);
        assert_eq!(denial.details["grant"], "--socket tcp:[2001:db8::1]:5432");
        assert!(denial.hint().ends_with("hall grant NAMESPACE/NAME --socket tcp:[2001:db8::1]:5432"));
    }
    // What is granted beyond the ask is not given.
    let grants = narrow(&ask, &policy(json!([socket("tcp", "192.0.2.1", 1), socket("tcp", "2001:DB8:0::1", 5432)]))).unwrap();
    assert_eq!((grants.links(PowerClass::Sockets), grants.sockets().len()), (Some(Link::Granted), 1));
    assert_eq!(grants.list(), ["sockets: tcp [2001:db8::1]:5432"]);
    for text in ["tcp:192.0.2.1:5432", "udp:[2001:db8::1]:53"] {
        assert_eq!(text.parse::<sockets::Ask>().unwrap().spelled(), text);
    }
    for wrong in [
        "",
        "tcp",
        "tcp:",
        "192.0.2.1:5432",
        "tcp:192.0.2.1",
        "TCP:192.0.2.1:1",
        "tcp:[fe80::1%1]:80",
        "tcp:0x7f.1:80",
        "tcp:2130706433:80",
    ] {
        assert!(wrong.parse::<sockets::Ask>().is_err(), "{wrong}");
    }
}

#[test]
fn a_denial_tells_what_is_granted_and_what_is_missing() {
    let asks = asks(json!({"env": ["LANG"], "config": ["level"], "keyvalue": ["cache"]})).unwrap();
    let policy = |value: Value| serde_json::from_value::<Policy>(value).unwrap();
    let denial = narrow(&asks, &policy(json!({"env": [{"name": "LANG", "value": "a secret"}]}))).unwrap_err();
    assert_eq!(denial.details["granted"], json!(["env: LANG"]), "and no value");
    assert_eq!(denial.details["all"], json!(["config: level", "keyvalue: cache"]));
    assert_eq!(denial.details["grant"], "--config level=VALUE --keyvalue cache");
    assert!(!narrow(&asks, &Policy::default()).unwrap_err().details.contains_key("granted"));
}

#[test]
fn the_own_assets_need_no_grant_and_no_grant_takes_their_place() {
    let own = asks(json!({"files": [{"mount": "/assets", "access": "read"}]})).unwrap();
    let grants = narrow(&own, &Policy::default()).unwrap();
    assert!(grants.assets() && grants.has_folders() && grants.files().is_empty());
    assert_eq!(grants.links(PowerClass::Files), Some(Link::Granted));
    assert_eq!(grants.list(), ["files: /assets (read) is the package's own"]);
    // What else is asked has to be granted.
    let both = asks(json!({"files": [{"mount": "/in", "access": "read"}, {"mount": "/assets", "access": "read"}]})).unwrap();
    let denial = narrow(&both, &Policy::default()).unwrap_err();
    assert_eq!(denial.details["all"], json!(["files: /in (read)"]));
    let folder = policy(json!({"files": [{"mount": "/in", "folder": "/srv", "access": "read"}]})).unwrap();
    let grants = narrow(&both, &folder).unwrap();
    assert!(grants.assets() && grants.files().len() == 1);
    let other = asks(json!({"files": [{"mount": "/in", "access": "read"}]})).unwrap();
    assert!(!narrow(&other, &folder).unwrap().assets());
}
