//! For each platform: a sound file with one thing changed, and the rule that this breaks.

use serde_json::{Value, json};

use super::golden::redact;
use crate::package::adapters::Adapter;

type Change = fn(&mut Value);

/// Each change of the real skill's adapter is refused by the rule beside it.
fn table(adapter: Adapter, cases: &[(Change, &str)]) {
    let sound = redact().file(adapter.path()).unwrap().to_vec();
    adapter.check(&sound).unwrap();
    let mut common: Vec<(Change, &str)> = cases.to_vec();
    if adapter != Adapter::Owasp {
        common.extend(
            [
                (|file: &mut Value| file["adapter"] = json!("other")) as Change,
                |file| file["format"] = json!("skillhall.adapter.v0"),
                |file| file["component"] = json!("sha256:00"),
                |file| file["skill"] = json!("redact"),
                |file| file["more"] = json!(1),
                |file| file["tools"] = json!([]),
                |file| file["tools"] = json!({}),
                |file| file["tools"][0] = json!("redact"),
                |file| file["tools"][0]["more"] = json!(1),
                |file| file["tools"][0]["description"] = json!(" "),
                |file| file["tools"][0]["name"] = json!("mask text"),
                |file| file["tools"][0]["name"] = json!(""),
                |file| drop(file["tools"][0].as_object_mut().unwrap().remove("name")),
                |file| drop(file.as_object_mut().unwrap().remove("component")),
                |file| drop(file.as_object_mut().unwrap().remove("calls")),
                |file| file["calls"] = json!({}),
                |file| file["calls"]["org_skillhall_redact"] = json!("other"),
                |file| file["calls"]["org_skillhall_redact_other"] = json!("other"),
                |file| {
                    file["tools"][0]["name"] = json!("org_skillhall_other");
                    file["calls"] = json!({ "org_skillhall_other": "other" });
                },
                |file| {
                    let tool = file["tools"][0].clone();
                    file["tools"] = (0..129).map(|_| tool.clone()).collect();
                },
                |file| {
                    let tool = file["tools"][0].clone();
                    file["tools"].as_array_mut().unwrap().push(tool);
                },
            ]
            .into_iter()
            .zip([
                "it is \"",
                "it is \"skillhall.adapter.",
                "it is sha256:",
                "NAMESPACE/NAME@VERSION",
                "no member more",
                "at least one tool",
                "at least one tool",
                "it is an object",
                "no member more",
                "a text that is not empty",
                "a tool's name is 1 to",
                "a text that is not empty",
                "a tool has a name",
                "a member component",
                "a member calls",
                "of one tool of this skill",
                "of one tool of this skill",
                "the names of these tools and no others",
                "of one tool of this skill",
                "at most 128 tools",
                "two tools have this name",
            ]),
        );
    }
    for (index, (change, rule)) in common.into_iter().enumerate() {
        let mut file: Value = serde_json::from_slice(&sound).unwrap();
        change(&mut file);
        let error = adapter.check(file.to_string().as_bytes()).expect_err(&format!("{adapter}, case {index}: {rule}"));
        assert!(error.to_string().contains(rule), "{adapter}, case {index}: {error}");
        assert_eq!(error.adapter, adapter.as_str());
    }
    for (bytes, rule) in [(&b""[..], "no JSON"), (b"{", "no JSON"), (b"[]", "an object"), (br#"{"a":1,"a":1}"#, "no JSON")] {
        assert!(adapter.check(bytes).unwrap_err().rule.contains(rule), "{adapter}: {bytes:?}");
    }
    let large = vec![b' '; 8 * 1024 * 1024 + 1];
    assert!(adapter.check(&large).unwrap_err().rule.contains("larger than"));
}

#[test]
fn mcp() {
    table(
        Adapter::Mcp,
        &[
            (|file| file["tools"][0]["name"] = json!("x".repeat(129)), "a tool's name is 1 to 128"),
            (|file| file["tools"][0]["title"] = json!(""), "a text that is not empty"),
            (|file| file["tools"][0]["inputSchema"] = json!({ "type": "string" }), "its type is \"object\""),
            (|file| file["tools"][0]["inputSchema"] = json!(true), "its type is \"object\""),
            (|file| file["tools"][0]["outputSchema"] = json!({ "type": "array" }), "its type is \"object\""),
            (|file| file["tools"][0]["inputSchema"]["properties"]["text"] = json!({ "type": "text" }), "a schema that compiles"),
            (
                |file| file["tools"][0]["inputSchema"]["properties"]["text"] = json!({ "$ref": "https://a.example/s" }),
                "a schema that compiles",
            ),
            (|file| file["tools"][0]["annotations"]["readOnlyHint"] = json!("yes"), "true or false"),
            (|file| file["tools"][0]["annotations"]["safeHint"] = json!(true), "no member safeHint"),
            (|file| file["tools"][0]["annotations"]["destructiveHint"] = json!(true), "read-only is not destructive"),
        ],
    );
}

#[test]
fn openai() {
    fn text(file: &mut Value) -> &mut Value {
        &mut file["tools"][0]["parameters"]["properties"]["text"]
    }
    table(
        Adapter::Openai,
        &[
            (|file| file["tools"][0]["name"] = json!("x".repeat(65)), "a tool's name is 1 to 64"),
            (|file| file["tools"][0]["name"] = json!("mask.text"), "a tool's name is 1 to 64"),
            (|file| file["tools"][0]["description"] = json!("x".repeat(1025)), "at most 1024 characters"),
            (|file| file["tools"][0]["type"] = json!("custom"), "it is \"function\""),
            (|file| file["tools"][0]["strict"] = json!(false), "it is true"),
            (
                |file| file["tools"][0]["parameters"] = json!({ "anyOf": [{ "type": "object" }] }),
                "the outermost schema is an object",
            ),
            (|file| file["tools"][0]["parameters"]["required"] = json!(["text"]), "every member is required"),
            (|file| file["tools"][0]["parameters"]["required"] = json!(["text", "options", "more"]), "every member is required"),
            (|file| file["tools"][0]["parameters"]["additionalProperties"] = json!(true), "additionalProperties is false"),
            (
                |file| *text(file) = json!({ "type": "object", "additionalProperties": { "type": "string" } }),
                "additionalProperties is false",
            ),
            (|file| *text(file) = json!({ "type": "string", "maxLength": 5 }), "no keyword maxLength"),
            (|file| *text(file) = json!({ "type": "string", "format": "uri" }), "no format \"uri\""),
            (|file| *text(file) = json!({ "allOf": [{ "type": "string" }] }), "no keyword allOf"),
            (|file| *text(file) = json!({}), "a schema has one type"),
            (|file| *text(file) = json!({ "type": ["string", "null"] }), "a schema has one type"),
            (|file| *text(file) = json!({ "type": "array" }), "what its items are"),
            (|file| *text(file) = json!({ "type": "array", "items": true }), "it is an object"),
            (|file| *text(file) = json!({ "anyOf": [] }), "a schema has one type"),
            (|file| *text(file) = json!({ "type": "string", "enum": [] }), "at least one value"),
            (
                |file| *text(file) = json!({ "type": "string", "enum": (0..1001).map(|n| n.to_string()).collect::<Vec<_>>() }),
                "at most 1000 enum values",
            ),
            (
                |file| {
                    *text(file) = json!({ "type": "string", "enum": (0..251).map(|n| format!("{n:060}")).collect::<Vec<_>>() });
                },
                "at most 15000 characters",
            ),
            (
                |file| {
                    let names = |count: usize| {
                        (0..count).map(|n| (format!("p{n}"), json!({ "type": "null" }))).collect::<serde_json::Map<_, _>>()
                    };
                    let names = names(5000);
                    *text(file) = json!({ "type": "object", "required": names.keys().collect::<Vec<_>>(), "properties": names, "additionalProperties": false });
                },
                "at most 5000 members",
            ),
            (
                |file| {
                    let names: serde_json::Map<_, _> =
                        (0..1300).map(|n| (format!("{n:0100}"), json!({ "type": "null" }))).collect();
                    *text(file) = json!({ "type": "object", "required": names.keys().collect::<Vec<_>>(), "properties": names, "additionalProperties": false });
                },
                "at most 120000 characters",
            ),
            (
                |file| {
                    let nest = |inner: Value| json!({ "type": "object", "properties": { "a": inner }, "required": ["a"], "additionalProperties": false });
                    *text(file) = (0..10).fold(json!({ "type": "null" }), |inner, _| nest(inner));
                },
                "at most 10 levels",
            ),
            (
                |file| {
                    let form = |more: &str| json!({ "type": "object", "properties": { "kind": { "type": "null" }, more: { "type": "null" } }, "required": ["kind", more], "additionalProperties": false });
                    *text(file) = json!({ "anyOf": [form("x"), form("y")] });
                },
                "do not share their first member",
            ),
        ],
    );
}

#[test]
fn anthropic() {
    table(
        Adapter::Anthropic,
        &[
            (|file| file["tools"][0]["name"] = json!("x".repeat(65)), "a tool's name is 1 to 64"),
            (|file| file["tools"][0]["name"] = json!("mask.text"), "a tool's name is 1 to 64"),
            (|file| file["tools"][0]["input_schema"] = json!({ "type": "array" }), "its type is \"object\""),
            (|file| file["tools"][0]["input_schema"]["anyOf"] = json!([{ "type": "object" }]), "no anyOf at its top"),
            (|file| file["tools"][0]["input_schema"]["allOf"] = json!([{ "type": "object" }]), "no allOf at its top"),
            (|file| file["tools"][0]["input_schema"]["properties"]["a b"] = json!({}), "the name 'a b' of a parameter"),
            (|file| file["tools"][0]["input_schema"]["properties"]["x".repeat(65)] = json!({}), "of a parameter is 1 to 64"),
            (|file| file["tools"][0]["input_schema"]["properties"]["text"] = json!({ "pattern": "(" }), "a schema that compiles"),
        ],
    );
}

#[test]
fn gemini() {
    fn text(file: &mut Value) -> &mut Value {
        &mut file["tools"][0]["parametersJsonSchema"]["properties"]["text"]
    }
    table(
        Adapter::Gemini,
        &[
            (|file| file["tools"][0]["name"] = json!("x".repeat(129)), "a tool's name is 1 to 128"),
            (|file| file["tools"][0]["name"] = json!("2d"), "begins with a letter"),
            (|file| file["tools"][0]["parametersJsonSchema"] = json!({ "type": "string" }), "its type is \"object\""),
            (|file| *text(file) = json!({ "type": "string", "maxLength": 5 }), "no keyword maxLength"),
            (|file| *text(file) = json!({ "$ref": "#" }), "no keyword $ref"),
            (|file| *text(file) = json!({ "type": "STRING" }), "a schema has one type"),
            (|file| *text(file) = json!({ "type": "string", "anyOf": [] }), "a schema has one type"),
            (|file| *text(file) = json!({ "type": "boolean", "enum": [true] }), "lists texts or numbers"),
            (|file| *text(file) = json!({ "type": "string", "enum": [] }), "lists texts or numbers"),
            (|file| *text(file) = json!({ "type": "array", "prefixItems": [{ "type": "tuple" }] }), "a schema has one type"),
            (|file| *text(file) = json!({ "type": "object", "additionalProperties": { "not": {} } }), "no keyword not"),
            (|file| *text(file) = json!(true), "it is an object"),
            (|file| file["tools"][0]["parametersJsonSchema"]["required"] = json!(["texts"]), "stands under properties"),
            (
                |file| file["tools"][0]["responseJsonSchema"] = json!({ "type": "array", "items": { "const": 1 } }),
                "no keyword const",
            ),
        ],
    );
}

#[test]
fn owasp() {
    table(
        Adapter::Owasp,
        &[
            (|file| drop(file.as_object_mut().unwrap().remove("risk_tier")), "a member risk_tier"),
            (|file| drop(file.as_object_mut().unwrap().remove("permissions")), "a member permissions"),
            (|file| drop(file.as_object_mut().unwrap().remove("content_hash")), "a member content_hash"),
            (|file| file["signature"] = json!("ed25519:00"), "no member signature"),
            (|file| file["name"] = json!(""), "a text that is not empty"),
            (|file| file["description"] = json!(3), "a text that is not empty"),
            (|file| file["version"] = json!("one"), "a semantic version"),
            (|file| file["risk_tier"] = json!("L4"), "one of L0, L1, L2, L3"),
            (|file| file["content_hash"] = json!("md5:00"), "it is sha256:"),
            (|file| file["permissions"]["network"]["deny"] = json!(""), "what is not allowed is denied"),
            (|file| file["permissions"]["network"]["allow"] = json!(["*.example.com"]), "without wildcards"),
            (|file| file["permissions"]["network"]["allow"] = json!("all"), "without wildcards"),
            (|file| file["permissions"]["shell"] = json!(true), "a skill has no shell"),
            (|file| file["permissions"]["files"]["read"] = json!(["/**"]), "without wildcards"),
            (|file| drop(file["permissions"]["files"].as_object_mut().unwrap().remove("write")), "a member write"),
            (|file| file["permissions"]["root"] = json!(true), "no member root"),
            (|file| file["permissions"] = json!([]), "it is an object"),
        ],
    );
}

#[test]
fn agent_skill() {
    let sound = String::from_utf8(redact().file(Adapter::AgentSkill.path()).unwrap().to_vec()).unwrap();
    Adapter::AgentSkill.check(sound.as_bytes()).unwrap();
    let long = "x".repeat(1025);
    for (from, to, rule) in [
        ("---\nname", "name", "front matter between two lines"),
        ("\n---\n", "\n", "front matter between two lines"),
        ("name: \"redact\"\n", "", "the front matter has a name"),
        ("name: \"redact\"", "name: redact", "a text in double quotes"),
        ("name: \"redact\"", "name: \"redact\"\nname: \"redact\"", "comes twice"),
        ("name: \"redact\"", "name: \"Redact\"", "1 to 64 of a-z"),
        ("name: \"redact\"", "name: \"re--dact\"", "nor has two in a row"),
        ("name: \"redact\"", "name: \"redact-\"", "neither begins nor ends"),
        ("name: \"redact\"", "name: \"\"", "1 to 64 of a-z"),
        ("name: \"redact\"", "name: \"my-claude-redact\"", "has the word claude"),
        ("name: \"redact\"", "name: \"anthropic\"", "has the word anthropic"),
        ("description: \"", "description: \"Ends </skill> here. ", "no XML tags"),
        ("description: \"", "description: \"<!-- x --> ", "no XML tags"),
        ("name: \"redact\"", "allowed-tools: \"Bash\"\nname: \"redact\"", "no key allowed-tools"),
        ("name: \"redact\"", "name: \"redact\"\nmore: {}", "a text in double quotes"),
        ("description: \"", &format!("description: \"{long}"), "the description has 1 to 1024"),
        ("compatibility: \"", &format!("compatibility: \"{}", "x".repeat(500)), "the compatibility has 1 to 500"),
        ("license: \"", "license: \"\"\ncompatibility: \"", "comes twice"),
        ("skillhall-component: \"sha256:", "skillhall-component: \"", "it is sha256:"),
        ("  skillhall-component", "skillhall-component", "metadata comes last"),
    ] {
        assert!(sound.contains(from), "{from}");
        let error = Adapter::AgentSkill.check(sound.replacen(from, to, 1).as_bytes()).expect_err(&format!("{from} -> {to}"));
        assert!(error.rule.contains(rule), "{from} -> {to}: {error}");
    }
    let (head, _) = sound.split_once("\n# ").unwrap();
    assert!(Adapter::AgentSkill.check(head.as_bytes()).unwrap_err().rule.contains("how the skill is used"));
    assert!(Adapter::AgentSkill.check(&[0xff]).unwrap_err().rule.contains("UTF-8"));
}
