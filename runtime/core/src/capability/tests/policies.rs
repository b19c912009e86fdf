//! What a policy can say.

use super::*;

#[test]
fn a_policy_names_what_this_host_can_grant_and_nothing_else() {
    assert_eq!(policy(json!({})).unwrap(), Policy::default());
    let file = |mount: &str, folder: &str, access: &str| json!({"mount": mount, "folder": folder, "access": access});
    let origin = |origin: &str| json!({"origin": origin, "methods": ["GET"], "paths": ["/"]});
    let secret =
        |name: &str, origin: &str, header: &str, file: &str| json!({"name": name, "for": origin, "header": header, "file": file});
    let good = policy(json!({
        "files": [file("/in", "/srv/data", "read"), file("/out", "/srv/out", "write")],
        "http": [{"origin": "http://localhost:8080", "methods": ["GET"], "paths": ["/"], "addresses": ["127.0.0.1", "::1"]}],
        "env": [{"name": "LANG", "value": "pl_PL.UTF-8"}],
        "secrets": [secret("T", "https://a.example", "authorization", "/etc/t"), secret("T", "https://b.example", "x-key", "/etc/t")],
        "config": [{"name": "log.level", "value": "debug"}, {"name": "deep", "value": true}, {"name": "retries", "value": -3}],
        "keyvalue": [{"store": "cache"}, {"store": "big", "bytes": 1 << 30, "entries": 1_000_000}],
        "clocks": "precise",
    }));
    let good = good.unwrap();
    assert_eq!(
        good.list(),
        [
            "files: /in (read) is /srv/data",
            "files: /out (write) is /srv/out",
            "http: GET http://localhost:8080 under / (also at 127.0.0.1 ::1)",
            "env: LANG",
            "secrets: T for https://a.example in header authorization from /etc/t",
            "secrets: T for https://b.example in header x-key from /etc/t",
            "config: log.level",
            "config: deep",
            "config: retries",
            "keyvalue: cache (1048576 bytes, 1000 entries)",
            "keyvalue: big (1073741824 bytes, 1000000 entries)",
            "clocks: precise",
        ]
    );
    assert_eq!(policy(serde_json::to_value(&good).unwrap()).unwrap(), good);
    for refused in [
        json!({"files": "empty"}),
        json!({"keyvalue": ["cache"]}),
        json!({"keyvalue": [{"store": "Cache"}]}),
        json!({"keyvalue": [{"store": "cache", "bytes": 0}]}),
        json!({"keyvalue": [{"store": "cache", "bytes": (1 << 30) + 1}]}),
        json!({"keyvalue": [{"store": "cache", "entries": 0}]}),
        json!({"keyvalue": [{"store": "cache", "entries": 1_000_001}]}),
        json!({"keyvalue": [{"store": "cache", "ttl": 1}]}),
        json!({"keyvalue": [{"store": "cache"}, {"store": "cache", "bytes": 1}]}),
        json!({"env": ["LANG"]}),
        json!({"env": [{"name": "LANG"}]}),
        json!({"env": [{"name": "1A", "value": ""}]}),
        json!({"env": [{"name": "A", "value": "a\u{0}b"}]}),
        json!({"env": [{"name": "A", "value": "a".repeat(4097)}]}),
        json!({"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}),
        json!({"config": [{"name": "a b", "value": "1"}]}),
        json!({"config": [{"name": "a", "value": 1.5}]}),
        json!({"config": [{"name": "a", "value": null}]}),
        json!({"config": [{"name": "a", "value": ["1"]}]}),
        json!({"config": [{"name": "a", "value": "a".repeat(16 * 1024 + 1)}]}),
        json!({"config": [{"name": "a", "value": 1}, {"name": "a", "value": 2}]}),
        json!({"clocks": "fine"}),
        json!({"secrets": [{"name": "T", "for": "https://a.example", "header": "x", "value": "v"}]}),
        json!({"secrets": [{"name": "T", "for": "https://a.example", "header": "x"}]}),
        json!({"secrets": [secret("T", "https://a.example", "x", "t")]}),
        json!({"secrets": [secret("T", "https://a.example", "x", "/etc/../t")]}),
        json!({"secrets": [secret("T", "https://a.example", "x", "/etc/t\n")]}),
        json!({"secrets": [secret("T", "https://a.example/", "x", "/etc/t")]}),
        json!({"secrets": [secret("1T", "https://a.example", "x", "/etc/t")]}),
        json!({"secrets": [secret("T", "https://a.example", "transfer_encoding", "/etc/t")]}),
        json!({"secrets": [secret("T", "https://a.example", "x", "/a"), secret("U", "https://a.example", "x", "/b")]}),
        json!({"secrets": [secret("T", "https://a.example", "a-b", "/a"), secret("U", "https://a.example", "a_b", "/b")]}),
        json!({"secrets": [secret("T", "https://a.example", "x", "/a"), secret("T", "https://a.example", "y", "/a")]}),
        json!({"secrets": [secret("T", "https://a.example", "x", "/a"), secret("T", "https://b.example", "x", "/b")]}),
        json!({"secrets": [{"name": "T", "for": "https://a.example", "header": "x", "file": "/t", "prefix": " Bearer"}]}),
        json!({"secrets": [{"name": "T", "for": "https://a.example", "header": "x", "file": "/t", "prefix": "a\r\nb: "}]}),
        json!({"secrets": [{"name": "T", "for": "https://a.example", "header": "x", "file": "/t", "prefix": "a".repeat(65)}]}),
        json!({"sockets": "empty"}),
        json!({"sockets": [{"protocol": "tcp", "address": "db.example", "port": 5432}]}),
        json!({"sockets": [{"protocol": "tcp", "address": "::ffff:192.0.2.7", "port": 5432}]}),
        json!({"sockets": [{"protocol": "tcp", "address": "192.0.2.7", "port": 5432, "listen": true}]}),
        json!({"tools": [{"skill": "other", "version": "^1.2"}]}),
        json!({"files": [{"mount": "/in", "folder": "/srv"}]}),
        json!({"files": [file("in", "/srv", "read")]}),
        json!({"files": [file("/assets", "/srv", "read")]}),
        json!({"files": [file("/in", "srv", "read")]}),
        json!({"files": [file("/in", "/", "read")]}),
        json!({"files": [file("/in", "/srv/../etc", "read")]}),
        json!({"files": [file("/in", "/srv/", "read")]}),
        json!({"files": [file("/in", "/srv/./a", "read")]}),
        json!({"files": [file("/in", "/srv\u{0}a", "read")]}),
        json!({"files": [file("/in", "", "read")]}),
        json!({"files": [file("/in", "/a", "read"), file("/in", "/b", "read")]}),
        json!({"files": [file("/in", "/srv", "read"), file("/out", "/srv/out", "write")]}),
        json!({"http": [origin("https://a.example"), origin("https://a.example")]}),
        json!({"http": [origin("https://a.example/")]}),
        json!({"http": [{"origin": "https://a.example", "methods": ["GET"], "paths": ["/"], "addresses": ["localhost"]}]}),
        json!({"http": [{"origin": "https://a.example", "methods": ["GET"], "paths": ["/"], "addresses": ["10.0.0.0/8"]}]}),
    ] {
        assert!(policy(refused.clone()).is_err(), "{refused} was read");
    }
}
