//! What must not be skipped is a type, and a gate type has one door.

use crate::rust::{Token, tokens};
use crate::tree::{File, sources};

/// The gate types, and the file in which each stands.
const GATES: [(&str, &str); 8] = [
    ("Standing", "runtime/core/src/registry/standing.rs"),
    ("VerifiedPackage", "runtime/core/src/trust/verify.rs"),
    ("Grants", "runtime/core/src/capability/narrow.rs"),
    ("Admission", "runtime/core/src/govern/decide.rs"),
    ("Reserved", "runtime/core/src/ledger/reserve.rs"),
    ("RecordedCall", "runtime/core/src/ledger/record.rs"),
    ("Executed", "runtime/host/src/engine/execute.rs"),
    ("Receipt", "runtime/host/src/hall/receipt.rs"),
];

/// Each would be a second door to a gate type.
const DOORS: [&str; 6] = ["Clone", "Copy", "Default", "Deserialize", "From", "TryFrom"];

/// The one file that may hold `unsafe`.
const LOADER: &str = "runtime/host/src/engine/code.rs";

/// What is wrong with a gate type in the file in which it stands.
fn second_doors(name: &str, tokens: &[Token]) -> Vec<String> {
    let Some(at) = tokens.windows(2).position(|pair| pair[0].is("struct") && pair[1].is(name)) else {
        return vec![format!("{name} does not stand here")];
    };
    let mut found = Vec::new();
    let item = tokens[..at].iter().rposition(|token| token.is(";") || token.is("}")).map_or(0, |end| end + 1);
    for derived in tokens[item..at].iter().filter(|token| DOORS.contains(&token.text.as_str())) {
        found.push(format!("{name} derives {}", derived.text));
    }
    match tokens.get(at + 2) {
        Some(token) if token.is("{") => {
            let fields = tokens[at + 2..].iter().take_while(|token| !token.is("}"));
            found.extend(
                fields.filter(|token| token.is("pub")).map(|token| format!("{name} has a public field on line {}", token.line)),
            );
        }
        _ => found.push(format!("{name} is no struct with named, private fields")),
    }
    let inner = tokens.windows(3).enumerate().filter(|(_, part)| part[0].is("mod") && (part[2].is("{") || part[2].is(";")));
    for (i, part) in inner {
        let for_tests =
            i >= 2 && tokens[..i].iter().rev().skip(1).take(4).map(|token| token.text.as_str()).eq([")", "test", "(", "cfg"]);
        if !for_tests {
            found.push(format!("{} is a module inside the file of {name}, and could forge one", part[1].text));
        }
    }
    found
}

/// Implementations of a second door for a gate type, wherever they stand.
fn implemented_doors(tokens: &[Token]) -> Vec<String> {
    let mut found = Vec::new();
    for (i, _) in tokens.iter().enumerate().filter(|(_, token)| token.is("impl")) {
        let head: Vec<&Token> = tokens[i..].iter().take_while(|token| !token.is("{") && !token.is(";")).collect();
        let Some(split) = head.iter().position(|token| token.is("for")) else { continue };
        let door = head[..split].iter().find(|token| DOORS.contains(&token.text.as_str()));
        let gate = head[split..].iter().find(|token| GATES.iter().any(|(name, _)| token.is(name)));
        if let (Some(door), Some(gate)) = (door, gate) {
            found.push(format!("line {}: {} for {}", door.line, door.text, gate.text));
        }
    }
    found
}

fn unsafe_lines(tokens: &[Token]) -> Vec<usize> {
    tokens.iter().filter(|token| token.is("unsafe")).map(|token| token.line).collect()
}

#[test]
fn a_gate_type_has_no_second_door() {
    let sources = sources();
    let mut found = Vec::new();
    for (name, place) in GATES {
        let file = sources.iter().find(|file| file.path == place);
        let wrong = file.map_or_else(|| vec![format!("{name}: no such file")], |file| second_doors(name, &tokens(&file.text())));
        found.extend(wrong.iter().map(|wrong| format!("{place}: {wrong}")));
    }
    for file in sources.iter().filter(|file| file.path.contains("/src/")) {
        found.extend(implemented_doors(&tokens(&file.text())).iter().map(|wrong| format!("{}: {wrong}", file.path)));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn unsafe_stands_in_one_file() {
    let holding: Vec<String> = sources()
        .iter()
        .filter(|file| !unsafe_lines(&tokens(&file.text())).is_empty())
        .map(|file: &File| file.path.clone())
        .collect();
    assert_eq!(holding, [LOADER]);
}

#[test]
fn second_doors_are_found() {
    let doors = |source: &str| second_doors("Grants", &tokens(source)).len();
    assert_eq!(doors("fn a() {} #[derive(Debug)] pub struct Grants { links: Links } #[cfg(test)] mod tests {}"), 0);
    assert_eq!(doors("#[derive(Debug, Clone)] pub struct Grants { links: Links }"), 1);
    assert_eq!(doors("#[derive(serde::Deserialize)] pub struct Grants { links: Links }"), 1);
    assert_eq!(doors("#[derive(Clone)] pub struct Other { a: u8 } #[derive(Debug)] pub struct Grants { links: Links }"), 0);
    assert_eq!(doors("pub struct Grants { pub(crate) links: Links }"), 1);
    assert_eq!(doors("pub struct Grants(Links);"), 1);
    assert_eq!(doors("pub struct Grants { links: Links } mod child;"), 1);
    assert_eq!(doors("pub struct Others { links: Links }"), 1);
    let implemented = |source: &str| implemented_doors(&tokens(source)).len();
    assert_eq!(implemented("impl Clone for Grants { } impl<'de> serde::Deserialize<'de> for crate::x::Receipt {}"), 2);
    assert_eq!(implemented("impl From<Links> for Grants {} impl From<Grants> for Links {} impl Clone for Links {}"), 1);
    assert_eq!(unsafe_lines(&tokens("#![deny(unsafe_code)]\n// unsafe\nunsafe { a() }")), [3]);
}
