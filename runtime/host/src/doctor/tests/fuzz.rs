//! Components that nobody wrote: random programs, and guests with random changes of their bytes. Each is loaded and, if it loads, run;
//! nothing panics, no limit is exceeded, and both engines give the same. The seed is fixed: what is found once is found again.

use std::fmt::Write as _;
use std::time::Duration;

use skillhall_core::failure::{Failure, FailureCode};

use super::super::guest::Guest;
use super::super::judge::{Came, beyond};
use super::{block_on, doctor, text};
use crate::engine::Outcome;

const SEED: u64 = 0x5EED_0F5C_1117_A11E;
const PROGRAMS: u32 = 300;
const CHANGED: u32 = 1_500;

/// xorshift64* (Vigna, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % bound
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// A guest without a file, within limits that end it soon.
fn guest(component: Vec<u8>, fuel: bool) -> Guest {
    let fuel = if fuel { ", fuel = 200000" } else { "" };
    let head = format!(
        ";;! tries = \"Whatever comes.\"\n;;! export = \"run\"\n;;! input = {{}}\n;;! powers = {{}}\n;;! expect = \"done\"\n;;! doctor = false\n\
         ;;! limits = {{ time_ms = 40, memory_bytes = 8388608{fuel} }}\n"
    );
    Guest::new("trap-unforeseen", &head, component.into()).unwrap()
}

/// Loads and runs it; `None` if it does not load.
pub(super) fn play(guest: &Guest, what: &str) -> Option<Outcome> {
    let mut wrong = Vec::new();
    match block_on(doctor().play(guest, &mut wrong)).unwrap_or_else(|fault| panic!("{what}: {fault}")) {
        Came::Refused(_) => None,
        Came::Ended(outcome) => {
            // Whatever else runs on this machine takes time from it.
            wrong.extend(beyond(&guest.plan.limits, &outcome, Duration::from_secs(2)));
            if let Err(failure) = &outcome.end {
                assert!(!failure.message.contains("panicked"), "{what}: {failure:?}");
            }
            assert!(wrong.is_empty(), "{what}: {wrong:?}");
            Some(*outcome)
        }
    }
}

#[test]
fn random_programs_end_within_their_limits_and_alike_in_both_engines() {
    let mut random = Random(SEED);
    let (mut values, mut traps) = (0, 0);
    for number in 0..PROGRAMS {
        let program = program(&mut random);
        let what = format!("program {number}:\n{program}");
        let component = wat::parse_str(&program).unwrap_or_else(|error| panic!("{what}\n{error}"));
        let run = |fuel| play(&guest(component.clone(), fuel), &what).unwrap_or_else(|| panic!("{what}\nit does not load"));
        let (counted, plain) = (run(true).end, run(false).end);
        let stopped = |failure: &Failure| failure.code.is_limit();
        if counted.as_ref().is_err_and(stopped) || plain.as_ref().is_err_and(stopped) {
            continue;
        }
        match (counted, plain) {
            (Ok(one), Ok(other)) => {
                values += 1;
                assert_eq!(one, other, "{what}");
            }
            (Err(one), Err(other)) => {
                traps += 1;
                assert_eq!((one.code, other.code), (FailureCode::Trap, FailureCode::Trap), "{what}");
            }
            (one, other) => panic!("{what}\n{one:?}\n{other:?}"),
        }
    }
    println!("{PROGRAMS} programs: {values} gave a value, {traps} trapped, the others were stopped");
    assert!(values > 20 && traps > 50, "{values} {traps}");
}

#[test]
fn changed_guests_do_no_more_than_the_ones_they_were() {
    let corpus: Vec<(String, Vec<u8>)> = text::names()
        .into_iter()
        .filter(|name| !name.starts_with("compile-") && !name.starts_with("feature-"))
        .map(|name| (name.clone(), text::read(&name).unwrap().component.to_vec()))
        .filter(|(_, component)| (8..16 << 10).contains(&component.len()))
        .collect();
    let mut random = Random(SEED);
    let mut loaded = 0;
    for number in 0..CHANGED {
        let (name, component) = random.one(&corpus);
        let changed = change(&mut random, component.clone(), &corpus);
        let what = format!("{name} with change {number}");
        loaded += u32::from(play(&guest(changed, number % 2 == 0), &what).is_some());
    }
    println!("{CHANGED} changed guests: {loaded} of them still loaded");
    assert!(loaded > CHANGED / 20, "{loaded}");
}

/// One or two changes: a bit, a byte, some bytes out, in, doubled, or from another guest, or an end.
fn change(random: &mut Random, mut bytes: Vec<u8>, corpus: &[(String, Vec<u8>)]) -> Vec<u8> {
    for _ in 0..=random.below(2) {
        // The header stays mostly as it is, or nothing would be looked at behind it.
        let from = if random.below(10) == 0 { 0 } else { 8.min(bytes.len().saturating_sub(1)) };
        if bytes.len() <= from + 1 {
            return bytes;
        }
        let at = from + random.below(bytes.len() - from);
        let end = bytes.len().min(at + 1 + random.below(16));
        match random.below(7) {
            0 | 1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = *random.one(&[0, 1, 0x7f, 0x80, 0xff, 0x40, 0x0b, 0x60]),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            5 => {
                let (_, other) = random.one(corpus);
                let start = random.below(other.len());
                let part = other[start..other.len().min(start + 16)].to_vec();
                bytes.splice(at..end, part);
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

/// A valid component of three functions that call each other, with memory, table and globals.
fn program(random: &mut Random) -> String {
    let mut functions = String::new();
    for name in 0..3 {
        let body: String = (0..=random.below(4)).map(|_| statement(random, 2)).collect();
        let result = expression(random, 3);
        write!(functions, "(func $f{name} (type $t) (local i32 i64) {body} {result})\n        ").unwrap();
    }
    format!(
        "(component
    (core module $m
        (type $t (func (param i32 i32) (result i32)))
        (memory 1 3)
        (table 4 funcref)
        (global $g (mut i32) (i32.const 7))
        (elem (i32.const 0) $f0 $f1 $f2)
        {functions}(func (export \"run\") (result i32) (call $f0 (i32.const {}) (i32.const {}))))
    (core instance $i (instantiate $m))
    (func (export \"run\") (result u32) (canon lift (core func $i \"run\"))))",
        random.below(100),
        random.next() >> 32
    )
}

/// An expression of the type i32.
fn expression(random: &mut Random, depth: u32) -> String {
    if depth == 0 {
        return match random.below(4) {
            0 => format!("(i32.const {})", random.below(70_000)),
            1 => format!("(i32.const {})", *random.one(&[0_i64, 1, -1, i64::from(i32::MIN), i64::from(i32::MAX), 65_536])),
            2 => "(global.get $g)".to_owned(),
            _ => format!("(local.get {})", random.below(3)),
        };
    }
    let (one, two, three) = (expression(random, depth - 1), expression(random, depth - 1), expression(random, depth - 1));
    match random.below(16) {
        0..=3 => {
            let name = random.one(&["add", "sub", "mul", "and", "or", "xor", "shl", "shr_u", "rotl", "lt_s", "ge_u", "eq"]);
            format!("(i32.{name} {one} {two})")
        }
        4 => format!("(i32.{} {one} {two})", random.one(&["div_u", "div_s", "rem_u", "rem_s"])),
        5 => format!("(i32.{} {one})", random.one(&["clz", "ctz", "popcnt", "eqz", "extend8_s", "extend16_s"])),
        6 => format!("(i32.load offset={} (i32.and {one} (i32.const 0xffff)))", random.below(2) * 60_000),
        7 => format!("(i32.load8_u (i32.shr_u {one} (i32.const {})))", 12 + random.below(8)),
        8 => format!("(if (result i32) {one} (then {two}) (else {three}))"),
        9 => format!("(block (result i32) (drop (br_if 0 {one} {two})) {three})"),
        10 => format!("(select {one} {two} {three})"),
        11 => format!("(call $f{} {one} (i32.const 0))", 1 + random.below(2)),
        12 => format!("(call_indirect (type $t) {one} {two} (i32.and {three} (i32.const 3)))"),
        13 => format!("(memory.grow (i32.and {one} (i32.const 1)))"),
        14 => format!("(i32.wrap_i64 (i64.mul (i64.extend_i32_s {one}) (i64.rotl (local.get 3) (i64.extend_i32_u {two}))))"),
        _ => {
            let swizzled = format!("(i8x16.swizzle (i32x4.splat {two}) (i32x4.splat {three}))");
            format!("(i32x4.extract_lane {} (i32x4.add (i32x4.splat {one}) {swizzled}))", random.below(4))
        }
    }
}

fn statement(random: &mut Random, depth: u32) -> String {
    let (one, two) = (expression(random, depth), expression(random, depth));
    match random.below(8) {
        0 | 1 => format!("(local.set {} {one})", random.below(3)),
        2 => format!("(global.set $g {one})"),
        3 => format!("(i32.store (i32.and {one} (i32.const 0xfffc)) {two})"),
        4 => format!("(local.set 3 (i64.add (local.get 3) (i64.extend_i32_u {one})))"),
        5 => format!("(memory.fill (i32.and {one} (i32.const 0xff)) {two} (i32.const {}))", random.below(40_000)),
        6 => format!(
            "(local.set 2 (i32.const {})) (loop (global.set $g (i32.add (global.get $g) {one})) \
             (br_if 0 (local.tee 2 (i32.sub (local.get 2) (i32.const 1)))))",
            1 + random.below(50)
        ),
        _ => format!("(block (block (block (br_table 0 1 2 {one})) (global.set $g {two})) (drop {one}))"),
    }
}
