//! That a limit which does not hold is found. Nothing that is shipped can be made not to hold, so the guests here say what is not so.

use serde_json::json;

use super::super::{Figure, Finding, Unit};
use super::text::guest;
use super::{block_on, doctor};

/// A guest of these limits and this end, that takes 10 pages of memory and gives 7.
fn takes(limits: &str, expect: &str, more: &str) -> Finding {
    let text = format!(
        ";;! tries = \"Something.\"
;;! export = \"run\"
;;! input = {{}}
;;! limits = {limits}
;;! powers = {{}}
;;! expect = {expect}
;;! doctor = false
;;! limit = \"memory\"
{more}
(component
    (core module $m (memory 1) (func (export \"run\") (result i32) (drop (memory.grow (i32.const 9))) (i32.const 7)))
    (core instance $i (instantiate $m))
    (func (export \"run\") (result u32) (canon lift (core func $i \"run\"))))"
    );
    block_on(doctor().examine(&guest("memory-x", &text)))
}

fn wrong(finding: &Finding) -> &str {
    assert!(!finding.held && finding.wrong.len() == 1, "{finding:?}");
    &finding.wrong[0]
}

#[test]
fn a_limit_that_does_not_hold_is_told() {
    let held = takes("{ memory_bytes = 100000 }", "{ failure = \"FAIL_MEMORY\" }", "");
    assert!(held.held && held.came == "FAIL_MEMORY", "{held:?}");
    assert_eq!(held.figure, Some(Figure { used: Some(65_536), allowed: 100_000, unit: Unit::Bytes }));
    let roomy = takes("{ memory_bytes = 1000000 }", "{ failure = \"FAIL_MEMORY\" }", "");
    assert_eq!((roomy.came, roomy.expected), ("its value", "FAIL_MEMORY"));
    assert_eq!(wrong(&roomy), "it came to its end and gave 7");
}

#[test]
fn an_end_that_is_not_the_one_is_told() {
    assert!(takes("{}", "{ value = 7 }", "").held);
    assert_eq!(wrong(&takes("{}", "{ value = 8 }", "")), "it came to its end and gave 7");
    assert!(wrong(&takes("{ memory_bytes = 1 }", "{ value = 7 }", "")).starts_with("it ended with FAIL_MEMORY"));
    assert!(wrong(&takes("{}", "{ refused = \"component\" }", ";;! says = \"x\"")).contains("gave 7"));
    let reason = takes("{ memory_bytes = 1 }", "{ failure = \"FAIL_MEMORY\" }", ";;! says = \"of the moon\"");
    assert!(wrong(&reason).contains("another reason than 'of the moon'"));
    let figure = takes("{}", "{ value = 7 }", ";;! used = { memory_peak_bytes = 1 }");
    assert_eq!(wrong(&figure), "it used 655360 of memory_peak_bytes, not 1");
    assert!(wrong(&takes("{}", "{ value = 7 }", ";;! stdout = \"x\"")).contains("standard output"));
}

#[test]
fn a_guest_that_is_over_its_time_is_told_even_if_it_ends_well() {
    let finding = takes("{}", "{ value = 7 }", "");
    let mut outcome = block_on(doctor().outcome(&doctor().good));
    outcome.end = Ok(json!(7));
    outcome.resources.wall_us.used = outcome.resources.wall_us.allowed + 1_000_000;
    assert!(finding.held);
    let guest = guest(
        "time-x",
        &super::text::source("time-loop-in-call")
            .replace("{ failure = \"FAIL_TIME\" }", "{ value = 7 }")
            .replace(";;! backtrace", ";; backtrace"),
    );
    let wrong = super::super::judge::judge(&guest.plan, &super::super::judge::Came::Ended(Box::new(outcome)), doctor().overrun);
    assert!(wrong.len() == 1 && wrong[0].starts_with("microseconds: "), "{wrong:?}");
}
