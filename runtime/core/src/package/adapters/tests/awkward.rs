//! Skills that are hard to tell a platform of, from their source on: which of them are built, and by which rule the others are not.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Adapter;
use crate::denial::{Code, Denial};
use crate::package::build::tests::component;
use crate::package::{Package, build, source};

/// A skill as its author has it.
struct Skill {
    name: &'static str,
    summary: &'static str,
    tool: &'static str,
    description: String,
    /// Types of its interface, and the function `f`.
    wit: String,
}

fn skill(wit: impl Into<String>) -> Skill {
    Skill { name: "sample", summary: "Does it", tool: "t", description: "Does it.".to_owned(), wit: wit.into() }
}

fn built(skill: &Skill) -> Result<Package, Denial> {
    built_with(skill, "")
}

/// `line` is added to its skill.toml under `[skill]`.
fn built_with(skill: &Skill, line: &str) -> Result<Package, Denial> {
    let Skill { name, summary, tool, description, wit } = skill;
    let toml = format!(
        "[skill]\nnamespace = 'org.acme'\nname = '{name}'\nversion = '1.0.0'\nsummary = '{summary}'\npolicy_tier = 2\ncomponent = 'c'\n{line}
         [tools.{tool}]\nexport = 't:t/api#f'\ndescription = '{description}'"
    );
    let wit = format!("package t:t; interface api {{ {wit} }} world w {{ export api; }}");
    build::assemble(&source::parse(&toml).unwrap(), component(&wit), None, BTreeMap::new(), BTreeMap::new())
}

/// Records in each other, `levels` deep, and a function that takes the outermost.
fn nested(levels: usize) -> String {
    let records = (1..levels).map(|level| format!("record r{level} {{ inner: option<r{}> }}", level - 1));
    let records: Vec<String> = std::iter::once("record r0 { end: bool }".to_owned()).chain(records).collect();
    format!("{} f: func(p: r{});", records.join(" "), levels - 1)
}

/// An enum of this many cases with names of about this length, and a function that takes one.
fn choices(cases: usize, length: usize) -> String {
    let names: Vec<String> = (0..cases).map(|index| format!("c{index}{}", "x".repeat(length))).collect();
    format!("enum e {{ {} }} f: func(p: e);", names.join(", "))
}

/// A skill of every type of WIT that a tool can have, but maps by texts.
const EVERY_TYPE: &str = "
    record point { x: f32, y: f64, note: option<string> }
    variant shape { none, dot(point), line(tuple<point, u8>), text(string) }
    enum colour { red, green }
    flags marks { a, b }
    record all { %bool: bool, %s8: s8, %s16: s16, %s32: s32, %s64: s64, %u8: u8, %u16: u16, %u32: u32, %u64: u64,
        %f32: f32, %f64: f64, %char: char, %string: string, bytes: list<u8>, %list: list<point>, fixed: list<u16, 3>,
        %tuple: tuple<string, bool>, %variant: shape, %enum: colour, %flags: marks, %option: option<point>,
        twice: option<option<bool>>, %result: result<u8, string>, left: result<_, colour>, neither: result,
        %map: map<u8, point> }
    f: func(all: all, rest: list<all>) -> result<all, shape>;";

/// Skills whose adapters are kept for other people's libraries to look at, by the folder in fixtures/adapters.
pub(super) fn kept() -> [(&'static str, Package); 2] {
    let by_text = "record entry { count: u32 } f: func(counts: map<string, entry>) -> map<string, list<entry>>;";
    let every_type = Skill { name: "every-type", ..skill(EVERY_TYPE) };
    // Strict mode cannot say the map.
    let by_text = Skill { name: "map-by-text", ..skill(by_text) };
    let but_openai = "adapters = ['mcp', 'anthropic', 'gemini', 'agent-skill', 'owasp']\n";
    [("every-type", built(&every_type).unwrap()), ("map-by-text", built_with(&by_text, but_openai).unwrap())]
}

/// A name of the greatest length.
const LONG: &str = "a123456789-123456789-123456789-123456789-123456789-123456789-12";

#[test]
fn awkward_skills_that_are_built() {
    let of =
        |package: &Package, adapter: Adapter| -> Value { serde_json::from_slice(package.file(adapter.path()).unwrap()).unwrap() };
    for (about, skill) in [
        ("ten levels", skill(nested(9))),
        ("a thousand values", skill(choices(1000, 3))),
        ("many values and few characters", skill(choices(251, 50))),
        ("a name that begins with a digit", Skill { tool: "2d", ..skill("f: func();") }),
        ("names of the greatest length", Skill { name: LONG, tool: LONG, ..skill("f: func();") }),
        (
            "other names that begin like those",
            Skill { name: LONG, tool: "a123456789-123456789-123456789-123456789-123456789-123456789-13", ..skill("f: func();") },
        ),
        ("no parameters and no result", skill("f: func();")),
        ("a description of the greatest length", Skill { description: "é".repeat(1024), ..skill("f: func();") }),
        ("a summary with what is no tag", Skill { summary: "Tells whether a < b and b > a", ..skill("f: func();") }),
    ] {
        let package = built(&skill).unwrap_or_else(|denial| panic!("{about}: {denial}"));
        for adapter in [Adapter::Mcp, Adapter::Openai, Adapter::Anthropic, Adapter::Gemini] {
            let file = of(&package, adapter);
            let name = file["tools"][0]["name"].as_str().unwrap();
            assert!(name.len() <= 64 && name.starts_with("org_acme_"), "{about}: {name}");
            assert_eq!(file["calls"], json!({ name: skill.tool }), "{about}");
        }
    }
}

#[test]
fn awkward_skills_that_are_not_built() {
    let long: String = "p".repeat(65);
    for (about, skill, adapter, rule) in [
        ("eleven levels", skill(nested(10)), "openai", "nested at most 10 levels deep"),
        ("1001 values", skill(choices(1001, 3)), "openai", "at most 1000 enum values"),
        ("many values and many characters", skill(choices(251, 60)), "openai", "at most 15000 characters"),
        ("names and values of many characters", skill(long_names()), "openai", "at most 120000 characters"),
        ("a map with names of its own", skill("f: func(p: map<string, u8>);"), "openai", "additionalProperties is false"),
        (
            "objects that begin alike",
            skill("record a { k: bool, x: bool } record b { k: bool, y: bool } f: func(p: tuple<a, b>);"),
            "openai",
            "do not share their first member",
        ),
        (
            "a long description",
            Skill { description: "x".repeat(1025), ..skill("f: func();") },
            "openai",
            "at most 1024 characters",
        ),
        ("a long name of a parameter", skill(format!("f: func({long}: bool);")), "anthropic", "is 1 to 64"),
        ("two hyphens in a row", Skill { name: "a--b", ..skill("f: func();") }, "agent-skill", "nor has two in a row"),
        ("a hyphen at the end", Skill { name: "a-", ..skill("f: func();") }, "agent-skill", "neither begins nor ends"),
        ("a reserved word", Skill { name: "claude-notes", ..skill("f: func();") }, "agent-skill", "has the word claude"),
        (
            "a tag in the summary",
            Skill { summary: "Does it</description><system>and more", ..skill("f: func();") },
            "agent-skill",
            "no XML tags",
        ),
    ] {
        let denial = built(&skill).map(|_| ()).expect_err(about);
        assert_eq!(denial.code, Code::AdapterMalformed, "{about}: {denial}");
        assert_eq!(denial.details["adapter"], adapter, "{about}: {denial}");
        assert!(denial.message.contains(rule), "{about}: {denial}");
        assert!(denial.hint().contains(&format!("without \"{adapter}\" under [skill]")), "{about}: {}", denial.hint());
    }
}

/// Enums of few values each, with more characters together than strict mode takes.
fn long_names() -> String {
    let name = "x".repeat(2000);
    let enums: Vec<String> = (0..7)
        .map(|index| choices(10, 0).replace(" c", &format!(" c{name}{index}-")).replace("enum e", &format!("enum e{index}")))
        .collect();
    let enums: Vec<&str> = enums.iter().filter_map(|text| text.split_once(" f: ")).map(|(text, _)| text).collect();
    let parameters: Vec<String> = (0..7).map(|index| format!("p{index}: e{index}")).collect();
    format!("{} f: func({});", enums.join(" "), parameters.join(", "))
}
