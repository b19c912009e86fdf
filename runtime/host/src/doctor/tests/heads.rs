//! What stands in a head is whole and known, or it is refused.

use super::super::guest::Plan;
use super::text::expand;

const HEAD: &str = ";;! tries = \"Nothing.\"
;;! export = \"run\"
;;! input = {}
;;! limits = { time_ms = 50 }
;;! powers = {}
;;! expect = \"done\"
;;! doctor = false
";

#[test]
fn a_whole_head_is_read() {
    let plan = Plan::read("time-x", HEAD).unwrap();
    assert_eq!((plan.limits.time_ms, plan.limits.host_calls, plan.doctor), (50, 100_000, false));
    assert!(Plan::read("time-x", &format!("{HEAD};;! limit = \"time\"\n;;! runs = 3\n")).is_ok());
}

#[test]
fn a_head_that_is_not_whole_is_refused() {
    for (index, line) in HEAD.lines().enumerate() {
        let without: Vec<&str> = HEAD.lines().filter(|other| *other != line).collect();
        assert!(Plan::read("time-x", &without.join("\n")).is_err(), "without line {index}");
    }
    assert!(Plan::read("time-x", "(component)").is_err());
}

#[test]
fn a_head_that_says_what_nobody_knows_is_refused() {
    for (from, to) in [
        ("expect = \"done\"", "expect = \"gone\""),
        ("expect = \"done\"", "expect = { failure = \"FAIL_SOMEHOW\" }"),
        ("expect = \"done\"", "expect = { refused = \"component\" }"),
        ("expect = \"done\"", "expect = { failure = \"FAIL_LINK\" }"),
        ("time_ms = 50", "time = 50"),
        ("powers = {}", "powers = { teleport = \"empty\" }"),
        ("Nothing.", "Nothing"),
        ("doctor = false", "doctor = false\n;;! other = 1"),
        ("doctor = false", "doctor = false\n;;! runs = 0"),
        (
            "powers = {}\n;;! expect = \"done\"\n;;! doctor = false",
            "powers = { http = [{ origin = \"http://a.example\", methods = [\"GET\"], paths = [\"/\"] }] }\n;;! expect = \"done\"\n;;! doctor = true",
        ),
    ] {
        let head = HEAD.replace(from, to);
        assert_ne!(head, HEAD);
        assert!(Plan::read("time-x", &head).is_err(), "{to}");
    }
    for name in ["x", "loop-in-call", "", "Time-x"] {
        assert!(Plan::read(name, HEAD).is_err(), "{name}");
    }
}

#[test]
fn what_is_repeated_is_written_out() {
    assert_eq!(expand("a(;*3;)b{i}(;* ;)c(;* 2 ;)d(;* ;)").unwrap(), "ab0b1b2cdd");
    assert_eq!(expand("a (; b ;)").unwrap(), "a (; b ;)");
    for text in ["(;*", "(;* x ;)a(;* ;)", "(;* 3 ;)a"] {
        assert!(expand(text).is_err(), "{text}");
    }
}
