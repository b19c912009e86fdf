//! The truth table of the gates: of all combinations of what must be so, exactly one lets a call run; and of any two things that
//! are wrong, the first in the order of the gates is told.

mod faults;
mod parts;

use std::collections::BTreeSet;

use skillhall::hall::Receipt;

use faults::{FAULTS, Fault, PRECONDITIONS};
use parts::{Desk, Does};

/// Each of the preconditions is satisfied or not: 2 to the power of 16 calls.
#[test]
fn of_all_combinations_of_preconditions_exactly_one_runs() {
    let desk = Desk::new();
    let (before, mut allowed) = (desk.runs(), Vec::new());
    for combination in 0u32..1 << PRECONDITIONS.len() {
        let wrong: Vec<&Fault> = of(combination).collect();
        let receipt = desk.run(&wrong.iter().map(|fault| fault.does).collect::<Vec<_>>());
        match wrong.first() {
            None => assert!(receipt.output().is_some(), "{:?} {:?}", receipt.denial(), receipt.failure()),
            Some(first) => is_refused(&receipt, first, &wrong).unwrap_or_else(|otherwise| panic!("{otherwise}")),
        }
        if receipt.denial().is_none() {
            allowed.push(combination);
        }
    }
    assert_eq!(allowed, [0]);
    assert_eq!(desk.runs(), before + 1);
    println!("{} combinations, {} allowed", 1 << PRECONDITIONS.len(), allowed.len());
}

/// The preconditions that do not hold in this combination, in the order of the gates. The first two change least often: a changed
/// file is read anew.
fn of(combination: u32) -> impl Iterator<Item = &'static Fault> {
    let all = PRECONDITIONS.len();
    PRECONDITIONS
        .iter()
        .enumerate()
        .filter(move |(at, _)| combination & (1 << ((at + all - 2) % all)) != 0)
        .map(|(_, fault)| fault)
}

/// Whether the receipt tells this fault, and nothing ran; else what it tells.
fn is_refused(receipt: &Receipt, first: &Fault, wrong: &[&Fault]) -> Result<(), String> {
    let names = wrong.iter().map(|fault| format!("{} ({:?})", fault.is, fault.kind)).collect::<Vec<_>>().join(" + ");
    let Some(denial) = receipt.denial() else { return Err(format!("{names}: it ran")) };
    let ledgerless = wrong.iter().any(|fault| matches!(fault.does, Does::NoLedger | Does::EditedLedger));
    if denial.code != first.code || receipt.output().is_some() || receipt.record().is_none() != ledgerless {
        return Err(format!(
            "{names}: {} and not {}, recorded {:?}: {}",
            denial.code,
            first.code,
            receipt.record(),
            denial.message
        ));
    }
    Ok(())
}

#[test]
fn each_fault_alone_and_any_two_are_refused_with_the_code_of_the_first() {
    let desk = Desk::new();
    let before = desk.runs();
    let (mut count, mut otherwise) = (0, Vec::new());
    for (at, first) in FAULTS.iter().enumerate() {
        otherwise.extend(is_refused(&desk.run(&[first.does]), first, &[first]).err());
        for second in FAULTS.get(at + 1..).unwrap_or_default() {
            let receipt = desk.run(&[first.does, second.does]);
            // Which of two things at one gate is looked at first is the gate's own matter.
            let told = receipt.denial().map(|denial| denial.code);
            let told = if first.gate == second.gate && told == Some(second.code) { second } else { first };
            otherwise.extend(is_refused(&receipt, told, &[first, second]).err());
            count += 1;
        }
    }
    assert!(otherwise.is_empty(), "{} of {count} pairs:\n{}", otherwise.len(), otherwise.join("\n"));
    assert_eq!(desk.runs(), before);
    let by_token = desk.run(&[Does::Token(|_| {})]);
    assert!(by_token.output().is_some(), "a good token lets it pass: {:?}", by_token.denial());
    let receipt = desk.run(&[]);
    assert!(receipt.output().is_some(), "after all that, the call runs: {:?}", receipt.denial());
    let gates: BTreeSet<&str> = FAULTS.iter().map(|fault| fault.gate).collect();
    println!("{} faults at {} gates, {count} pairs", FAULTS.len(), gates.len());
}
