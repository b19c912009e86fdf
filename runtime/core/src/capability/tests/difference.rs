//! What counts as more, and that a digest names one difference.

use serde_json::{Value, json};

use super::*;

fn side(name: &str, powers: Value) -> Side {
    Side { manifest: Digest::of(name.as_bytes()), powers: serde_json::from_value(powers).unwrap() }
}

fn difference(old: Value, new: Value) -> Difference {
    Difference::between(side("old", old), side("new", new))
}

fn http(methods: &[&str], paths: &[&str]) -> Value {
    json!({"http": [{"origin": "https://a.example", "methods": methods, "paths": paths}]})
}

fn files(mount: &str, access: &str) -> Value {
    json!({"files": [{"mount": mount, "access": access}]})
}

#[test]
fn more_is_told_and_less_is_not() {
    let clocks = json!({"clocks": "precise"});
    let socket = json!({"sockets": [{"protocol": "tcp", "address": "192.0.2.7", "port": 5432}]});
    let tools = |version: &str| json!({"tools": [{"skill": "org.acme/a", "version": version}]});
    let (env, keyvalue, config) = (json!({"env": ["LANG"]}), json!({"keyvalue": ["cache"]}), json!({"config": ["level"]}));
    let secret = |reveal: bool| {
        let mut asks = http(&["GET"], &["/"]);
        asks["secrets"] = json!([{"name": "T", "for": "https://a.example", "header": "authorization", "reveal": reveal}]);
        asks
    };
    for (narrow, wide, told) in [
        (json!({}), files("/in", "read"), "files: /in (read)"),
        (files("/in", "read"), files("/in", "write"), "files: /in (write)"),
        (json!({"files": "empty"}), files("/in", "read"), "files: /in (read)"),
        (json!({}), http(&["GET"], &["/"]), "http: GET https://a.example under /"),
        (http(&["GET"], &["/v1/"]), http(&["GET"], &["/"]), "http: GET https://a.example under /"),
        (http(&["GET"], &["/"]), http(&["GET", "POST"], &["/"]), "http: GET POST https://a.example under /"),
        (json!({}), socket, "sockets: tcp 192.0.2.7:5432"),
        (json!({}), env, "env: LANG"),
        (http(&["GET"], &["/"]), secret(false), "secrets: T for https://a.example in header authorization"),
        (secret(false), secret(true), "secrets: T for https://a.example in header authorization, shown to the skill"),
        (json!({}), keyvalue, "keyvalue: cache"),
        (json!({}), config, "config: level"),
        (json!({}), clocks.clone(), "clocks: precise"),
        (json!({"clocks": "coarse"}), clocks, "clocks: precise"),
        (json!({}), tools("^1"), "tools: org.acme/a ^1"),
        (tools("^1"), tools("^2"), "tools: org.acme/a ^2"),
    ] {
        let more = difference(narrow.clone(), wide.clone());
        assert_eq!((more.increases(), more.added), (true, vec![told.to_owned()]), "{narrow} -> {wide}");
        let less = difference(wide.clone(), narrow.clone());
        assert_eq!(less.removed, [told], "{wide} -> {narrow}");
        assert!(!difference(wide.clone(), wide.clone()).increases(), "{wide}");
    }
}

#[test]
fn what_reaches_nothing_is_no_increase() {
    assert!(
        !difference(json!({}), json!({"files": "empty", "http": "empty", "sockets": "empty", "clocks": "coarse"})).increases()
    );
    assert!(!difference(files("/in", "write"), files("/in", "read")).increases());
    assert!(!difference(http(&["GET", "POST"], &["/"]), http(&["POST"], &["/v1/", "/v2/"])).increases());
}

#[test]
fn another_origin_or_mount_is_more_however_alike() {
    assert!(difference(files("/in", "write"), files("/in/sub", "read")).increases());
    assert!(difference(http(&["GET"], &["/v1"]), http(&["GET"], &["/v"])).increases());
    assert!(difference(http(&["GET"], &["/v1"]), http(&["GET"], &["/v10"])).increases());
    assert!(!difference(http(&["GET"], &["/v1"]), http(&["GET"], &["/v1/a"])).increases());
    let other = json!({"http": [{"origin": "https://a.example:8443", "methods": ["GET"], "paths": ["/"]}]});
    assert!(difference(http(&["GET"], &["/"]), other).increases());
    // A method here and a path there do not make the method on that path.
    let split = json!({"http": [
        {"origin": "https://a.example", "methods": ["GET"], "paths": ["/a/"]},
        {"origin": "https://b.example", "methods": ["POST"], "paths": ["/b/"]},
    ]});
    assert!(difference(split, http(&["POST"], &["/a/"])).increases());
}

#[test]
fn the_digest_names_this_difference_and_no_other() {
    let digest = |old: Side, new: Side| Difference::between(old, new).digest().unwrap();
    let (none, read, write) = (json!({}), files("/in", "read"), files("/in", "write"));
    let first = digest(side("1", none.clone()), side("2", read.clone()));
    assert_eq!(first, digest(side("1", none.clone()), side("2", read.clone())));
    let others = [
        digest(side("1", none.clone()), side("3", read.clone())),
        digest(side("0", none.clone()), side("2", read.clone())),
        digest(side("1", none.clone()), side("2", write)),
        digest(side("2", read), side("1", none)),
    ];
    assert!(others.iter().all(|other| *other != first));
}

#[test]
fn a_secret_that_is_no_longer_shown_is_no_more_than_before() {
    let asks = |reveal: bool, header: &str| {
        let mut asks = http(&["GET"], &["/"]);
        asks["secrets"] = json!([{"name": "T", "for": "https://a.example", "header": header, "reveal": reveal}]);
        asks
    };
    assert!(!difference(asks(true, "authorization"), asks(false, "authorization")).increases());
    assert!(difference(asks(true, "authorization"), asks(false, "x-key")).increases());
}
