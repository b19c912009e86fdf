//! The decision by itself: each way round a grant, and other people's lists of spellings.

use std::path::PathBuf;

use serde_json::Value;
use skillhall_core::capability::{Asks, Policy, narrow};

use super::*;

/// A grant as a policy gives it, methods and paths as asked; `None` if no policy can spell the origin so.
fn granted(origin: &str, methods: &str, paths: &str) -> Option<Grant> {
    let list = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let entry = serde_json::json!({ "origin": origin, "methods": list(methods), "paths": list(paths) });
    let asks: Asks = serde_json::from_value(serde_json::json!({ "http": [entry] })).ok()?;
    let policy: Policy = serde_json::from_value(serde_json::json!({ "http": [entry] })).ok()?;
    Some(narrow(&asks, &policy).unwrap().http()[0].clone())
}

fn grant(origin: &str) -> Grant {
    granted(origin, "GET POST", "/v1 /public/").unwrap()
}

fn get<'a>(scheme: &'a str, authority: &'a str, target: &'a str) -> Asked<'a> {
    Asked { method: "GET", scheme, authority, target }
}

fn reason(grants: &[Grant], asked: &Asked<'_>) -> Result<Allowed, Reason> {
    decide(grants, asked).map_err(|unsent| unsent.refusal.unwrap().reason)
}

#[test]
fn what_is_granted_is_allowed_and_taken_apart() {
    let allowed = decide(&[grant("https://api.example.com")], &get("https", "api.example.com", "/v1/a?b=c")).unwrap();
    let expected = Allowed {
        method: Method::Get,
        tls: true,
        host: Host::Name("api.example.com".into()),
        port: 443,
        authority: "api.example.com".into(),
        target: "/v1/a?b=c".into(),
        addresses: Vec::new(),
    };
    assert_eq!(allowed, expected);
    for (origin, scheme, authority, host, port) in [
        ("http://api.example.com", "http", "api.example.com:80", Host::Name("api.example.com".into()), 80),
        ("https://api.example.com:8443", "https", "api.example.com:8443", Host::Name("api.example.com".into()), 8443),
        ("http://127.0.0.1:8080", "http", "127.0.0.1:8080", Host::Address("127.0.0.1".parse().unwrap()), 8080),
        ("http://[::1]", "http", "[::1]:80", Host::Address("::1".parse().unwrap()), 80),
        ("http://[2001:db8::1]:81", "http", "[2001:db8::1]:81", Host::Address("2001:db8::1".parse().unwrap()), 81),
    ] {
        let allowed = decide(&[grant(origin)], &get(scheme, authority, "/public/x")).unwrap();
        assert_eq!((allowed.host, allowed.port), (host, port), "{origin}");
        assert_eq!(allowed.authority, origin.split_once("://").unwrap().1);
    }
}

#[test]
fn another_origin_is_refused() {
    let grants = [grant("https://api.example.com"), grant("http://api.example.com:8080")];
    for (scheme, authority) in [
        ("http", "api.example.com"),
        ("https", "api.example.com:80"),
        ("https", "api.example.com:8080"),
        ("https", "api.example.com:0443"),
        ("https", "api.example.com:"),
        ("https", "api.example.com."),
        ("https", "API.example.com"),
        ("https", "www.api.example.com"),
        ("https", "example.com"),
        ("https", "api.example.com.evil.example"),
        ("https", "api.example.com\\evil.example"),
        ("https", "api%2eexample.com"),
        ("https", "api.example.com%00.evil.example"),
        ("https", "\u{ff41}pi.example.com"),
        ("https", "xn--api-.example.com"),
        ("https", ""),
        ("wss", "api.example.com"),
        ("HTTPS", "api.example.com"),
        ("", "api.example.com"),
        ("https://api.example.com", ""),
    ] {
        assert_eq!(reason(&grants, &get(scheme, authority, "/v1")), Err(Reason::Origin), "{scheme} {authority}");
    }
    for authority in ["user@api.example.com", "user:pass@api.example.com", "api.example.com@evil.example", "@api.example.com"] {
        assert_eq!(reason(&grants, &get("https", authority, "/v1")), Err(Reason::Spelling), "{authority}");
    }
    assert_eq!(reason(&[], &get("https", "api.example.com", "/v1")), Err(Reason::Origin));
}

#[test]
fn a_name_does_not_cover_its_address_nor_an_address_its_name() {
    let name = [grant("http://localhost")];
    let address = [grant("http://127.0.0.1")];
    assert!(reason(&name, &get("http", "localhost", "/v1")).is_ok());
    assert_eq!(reason(&name, &get("http", "127.0.0.1", "/v1")), Err(Reason::Origin));
    assert_eq!(reason(&address, &get("http", "localhost", "/v1")), Err(Reason::Origin));
}

#[test]
fn another_method_or_path_is_refused() {
    let grants = [grant("https://a.example")];
    let ask = |method, target| reason(&grants, &Asked { method, scheme: "https", authority: "a.example", target });
    assert!(ask("POST", "/v1").is_ok());
    for method in ["PUT", "DELETE", "HEAD"] {
        assert_eq!(ask(method, "/v1"), Err(Reason::Method));
    }
    for method in ["CONNECT", "TRACE", "get", "GET ", "PROPFIND", ""] {
        assert_eq!(ask(method, "/v1"), Err(Reason::Method), "{method}");
    }
    for path in ["/v10", "/v", "/", "", "/public", "/V1", "/%76%31", "/?x=/v1"] {
        assert_eq!(ask("GET", path), Err(Reason::Path), "{path}");
    }
    for path in ["/v1/../admin", "//v1", "/v1/%2e%2e/a", "http://a.example/v1", "*", "/v1/\\..", "/v1#x"] {
        assert_eq!(ask("GET", path), Err(Reason::Spelling), "{path}");
    }
    let long = format!("/v1/{}", "a".repeat(target::MAX_BYTES));
    assert_eq!(ask("GET", &long), Err(Reason::Size));
}

#[test]
fn two_grants_for_one_origin_do_not_add_up() {
    let grants = [granted("https://a.example", "GET", "/read").unwrap(), granted("https://a.example", "POST", "/write").unwrap()];
    let ask = |method, target| reason(&grants, &Asked { method, scheme: "https", authority: "a.example", target });
    assert!(ask("GET", "/read/a").is_ok() && ask("POST", "/write/a").is_ok());
    assert_eq!((ask("POST", "/read/a"), ask("GET", "/write/a")), (Err(Reason::Path), Err(Reason::Path)));
}

#[test]
fn a_refusal_says_what_was_asked_and_what_is_granted() {
    let refusal = |asked: &Asked<'_>| *decide(&[grant("https://a.example")], asked).unwrap_err().refusal.unwrap();
    let told = refusal(&get("https", "b.example", "/v1?token=secret"));
    assert_eq!((told.asked.as_str(), told.message.as_str()), ("GET https://b.example/v1", "this origin is not granted"));
    assert!(told.hint.contains("Granted is: GET POST https://a.example under /v1 /public/."), "{}", told.hint);
    let told = refusal(&get("https", "ann:secret@a.example", "/v1"));
    assert_eq!(told.asked, "GET https://…@a.example/v1");
    let told = refusal(&get("https", "A.example.", "/v1"));
    assert_eq!(told.message, "it has to be spelled exactly so: https://a.example");
}

/// A vector file beside the repository; `None` (and one line that says so) if it is not there, which fails under CI.
fn vectors(path: &str) -> Option<Value> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let root = std::env::var_os("SKILLHALL_VECTORS").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let file = root.join("security").join(path);
    if let Ok(bytes) = std::fs::read(&file) {
        return Some(serde_json::from_slice(&bytes).unwrap());
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no vectors at {}", file.display());
    println!("skipped: no vectors at {}", file.display());
    None
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[test]
fn no_spelling_of_an_inner_address_is_reached_by_another_grant() {
    let Some(file) = vectors("ssrf/egress-deny.json") else { return };
    let mut grants = vec![grant("https://a.example"), grant("http://a.example")];
    let spellings = texts(&file["spellings_that_must_be_denied"]);
    assert_eq!(spellings.len(), 44);
    // Where a policy can spell the origin so at all, it means this one and no other.
    let own: Vec<Grant> = spellings.iter().filter_map(|host| granted(&format!("http://{host}"), "GET", "/")).collect();
    assert!(own.len() < 25, "{own:?}");
    grants.extend(own.clone());
    for host in &spellings {
        for (scheme, target) in [("http", "/v1"), ("https", "/v1"), ("ftp", "/v1")] {
            match decide(&grants, &get(scheme, host, target)) {
                Ok(allowed) => {
                    assert!(own.iter().any(|grant| grant.origin == format!("{scheme}://{host}")), "{host}");
                    assert_eq!(allowed.authority, *host);
                }
                Err(unsent) => assert!(unsent.refusal.is_some(), "{host}"),
            }
        }
        assert!(decide(&grants[..2], &get("http", host, "/v1")).is_err(), "{host}");
    }
}

#[test]
fn every_range_of_the_list_is_refused_at_its_ends() {
    use crate::sandbox::address::is_public;
    let Some(file) = vectors("ssrf/egress-deny.json") else { return };
    let mut tried = 0;
    for range in texts(&file["deny_ipv4"]).into_iter().chain(texts(&file["deny_ipv6"])) {
        let (first, prefix) = range.split_once('/').unwrap();
        let prefix: u32 = prefix.parse().unwrap();
        let (first, last): (IpAddr, IpAddr) = match first.parse().unwrap() {
            IpAddr::V4(first) => {
                let last = first.to_bits() | u32::MAX.checked_shr(prefix).unwrap_or(0);
                (first.into(), std::net::Ipv4Addr::from_bits(last).into())
            }
            IpAddr::V6(first) => {
                let last = first.to_bits() | u128::MAX.checked_shr(prefix).unwrap_or(0);
                (first.into(), Ipv6Addr::from_bits(last).into())
            }
        };
        assert!(!is_public(first) && !is_public(last), "{range}");
        tried += 1;
    }
    for single in texts(&file["deny_single"]) {
        assert!(!is_public(single.parse().unwrap()), "{single}");
        tried += 1;
    }
    assert_eq!(tried, 40);
}

/// Each URL that a browser can parse is asked for, as it was written and as it was understood. Allowed is only what spells
/// a granted origin exactly, and then it goes to that origin.
#[test]
fn every_url_of_the_web_platform_tests_gets_a_decision() {
    let Some(file) = vectors("url-wpt/urltestdata.json") else { return };
    let origins = ["http://example.org", "https://example.org", "http://foo", "http://127.0.0.1", "http://[::1]", "https://test"];
    let grants: Vec<Grant> = origins.iter().filter_map(|origin| granted(origin, "GET", "/")).collect();
    assert_eq!(grants.len(), origins.len());
    let text = |case: &Value, member: &str| case[member].as_str().unwrap_or_default().to_owned();
    let (mut cases, mut allowed) = (0, 0);
    for case in file.as_array().unwrap().iter().filter(|case| case.is_object()) {
        cases += 1;
        let (scheme, host) = (text(case, "protocol").trim_end_matches(':').to_owned(), text(case, "host"));
        let target = format!("{}{}", text(case, "pathname"), text(case, "search"));
        let asked = get(&scheme, &host, &target);
        if let Ok(goes) = decide(&grants, &asked) {
            allowed += 1;
            assert!(origins.contains(&format!("{scheme}://{host}").as_str()), "{case}");
            assert_eq!(goes.target, target, "{case}");
        }
        // As it was written, without anybody's parser in between.
        let input = text(case, "input");
        let (scheme, rest) = input.split_once("://").unwrap_or(("http", &input));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        if let Ok(goes) = decide(&grants, &get(scheme, authority, target)) {
            let spelled = format!("{scheme}://{}", goes.authority);
            assert!(origins.contains(&spelled.as_str()) && !authority.contains(['@', '\\', '%']), "{case}");
        }
    }
    assert!(cases >= 860 && allowed >= 50, "{cases} cases, {allowed} allowed");
}
