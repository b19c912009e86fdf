//! Each shape of WIT types in each platform's words, and what becomes of narrowings, names and powers.

use serde_json::{Value, json};

use super::{Adapter, Facts, asking, json as made, manifest, parameter, tool};
use crate::denial::Code;
use crate::package::adapters::{make, wraps_result};
use crate::package::manifest::{Effect, Manifest, Tool};
use crate::package::schema::{self, Validator};
use crate::package::wit::{Case, Field, Type};

fn boxed(ty: Type) -> Box<Type> {
    Box::new(ty)
}

fn field(name: &str, ty: Type) -> Field {
    Field { name: name.to_owned(), ty, docs: None }
}

fn case(name: &str, ty: Option<Type>) -> Case {
    Case { name: name.to_owned(), ty, docs: None }
}

fn object(properties: &Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

#[test]
fn openai_strict() {
    let said = |ty: &Type| parameter(Adapter::Openai, ty).unwrap();
    assert_eq!(said(&Type::Bool), json!({ "type": "boolean" }));
    assert_eq!(said(&Type::U8), json!({ "type": "integer", "minimum": 0, "maximum": 255 }));
    assert_eq!(said(&Type::Option(boxed(Type::String))), json!({ "anyOf": [{ "type": "null" }, { "type": "string" }] }));
    assert_eq!(said(&Type::List(boxed(Type::Bool))), json!({ "type": "array", "items": { "type": "boolean" } }));
    assert_eq!(
        said(&Type::FixedList(boxed(Type::Bool), 3)),
        json!({ "type": "array", "items": { "type": "boolean" }, "minItems": 3, "maxItems": 3 })
    );
    assert_eq!(said(&Type::Enum(vec!["a".into(), "b".into()])), json!({ "type": "string", "enum": ["a", "b"] }));
    let record = Type::Record(vec![
        field("must", Type::Record(vec![field("deep", Type::Option(boxed(Type::Bool)))])),
        field("may", Type::Option(boxed(Type::Bool))),
    ]);
    let nullable = json!({ "anyOf": [{ "type": "null" }, { "type": "boolean" }] });
    let deep = object(&json!({ "deep": nullable }), &["deep"]);
    assert_eq!(
        said(&record),
        object(&json!({ "may": nullable, "must": deep }), &["may", "must"]),
        "options are required, as null"
    );
    let variant = Type::Variant(vec![case("none", None), case("some-of", Some(Type::Bool))]);
    assert_eq!(
        said(&variant),
        json!({ "anyOf": [{ "type": "string", "enum": ["none"] }, object(&json!({ "some-of": { "type": "boolean" } }), &["some-of"])] })
    );
    let result = Type::Result { ok: Some(boxed(Type::Bool)), err: None };
    assert_eq!(
        said(&result),
        json!({ "anyOf": [object(&json!({ "ok": { "type": "boolean" } }), &["ok"]), object(&json!({ "error": { "type": "null" } }), &["error"])] })
    );
    // What strict mode has no word for is told in words.
    let pair = said(&Type::Tuple(vec![Type::Bool, Type::Char]));
    let char = said(&Type::Char);
    assert_eq!(char["description"], "Must hold, too: maxLength: 1; minLength: 1");
    assert_eq!(pair["items"], json!({ "anyOf": [{ "type": "boolean" }, char] }));
    assert_eq!((&pair["minItems"], &pair["maxItems"]), (&json!(2), &json!(2)));
    assert!(pair["description"].as_str().unwrap().contains("prefixItems: [{\"type\":\"boolean\"}"), "{pair}");
    assert_eq!(said(&Type::Tuple(vec![Type::Bool, Type::Bool]))["items"], json!({ "type": "boolean" }));
    assert_eq!(said(&Type::Bytes)["description"], "Must hold, too: contentEncoding: \"base64\"");
    assert!(said(&Type::Flags(vec!["r".into()]))["description"].as_str().unwrap().ends_with("uniqueItems: true"));
    assert_eq!(said(&Type::Map(boxed(Type::Bool), boxed(Type::Bool)))["type"], "array");
    let error = parameter(Adapter::Openai, &Type::Map(boxed(Type::String), boxed(Type::Bool))).unwrap_err();
    assert_eq!((error.tool.as_deref(), error.pointer.as_str()), (Some("org_acme_sample_t"), "/parameters/properties/p"));
    assert!(error.rule.contains("additionalProperties is false"), "{error}");
    assert!(error.advice.as_ref().unwrap().contains("without \"openai\""), "{error:?}");
    let deep = (0..9).fold(Type::Bool, |inner, _| Type::Record(vec![field("a", inner)]));
    assert!(parameter(Adapter::Openai, &deep).is_ok());
    let error = parameter(Adapter::Openai, &Type::Record(vec![field("a", deep)])).unwrap_err();
    assert!(error.rule.contains("at most 10 levels"), "{error}");
}

#[test]
fn gemini_subset() {
    let said = |ty: &Type| parameter(Adapter::Gemini, ty).unwrap();
    let pair = said(&Type::Tuple(vec![Type::Bool, Type::U8]));
    assert_eq!(
        pair,
        json!({ "type": "array", "prefixItems": [{ "type": "boolean" }, { "type": "integer", "minimum": 0, "maximum": 255 }], "minItems": 2, "maxItems": 2 })
    );
    let record = Type::Record(vec![field("a", Type::Option(boxed(Type::Bool)))]);
    assert_eq!(said(&record)["required"], json!([]), "what is optional stays optional");
    let map = said(&Type::Map(boxed(Type::String), boxed(Type::Char)));
    assert_eq!(map["additionalProperties"]["description"], "Must hold, too: maxLength: 1; minLength: 1");
    assert!(said(&Type::Bytes)["description"].as_str().unwrap().contains("pattern: "));
    let bare = Tool { input: schema::derive_input(&[]), ..tool(&Type::Bool, None) };
    let declaration = made(Adapter::Gemini, &manifest("t", bare))["tools"][0].clone();
    assert_eq!(declaration.get("parametersJsonSchema"), None, "a function without parameters has no schema of them");
    assert_eq!(declaration["responseJsonSchema"], json!({ "type": "null" }));
}

#[test]
fn mcp_takes_the_schema_as_it_is() {
    for ty in [Type::Tuple(vec![Type::Bool]), Type::Map(boxed(Type::String), boxed(Type::U64)), Type::Bytes, Type::F32] {
        let input = tool(&ty, None).input;
        let manifest = manifest("t", tool(&ty, Some(&ty)));
        assert_eq!(made(Adapter::Mcp, &manifest)["tools"][0]["inputSchema"], input);
    }
}

#[test]
fn anthropic_has_each_keyword_at_its_type() {
    let said = |ty: &Type| parameter(Adapter::Anthropic, ty).unwrap();
    assert_eq!(said(&Type::Char), json!({ "type": "string", "minLength": 1, "maxLength": 1 }));
    assert_eq!(said(&Type::Flags(vec!["r".into()]))["uniqueItems"], true);
    assert_eq!(said(&Type::Bytes)["contentEncoding"], "base64");
    let pair = said(&Type::Tuple(vec![Type::Bool, Type::U8]));
    assert_eq!(
        pair,
        json!({ "type": "array", "prefixItems": [{ "type": "boolean" }, { "type": "integer", "minimum": 0, "maximum": 255 }], "minItems": 2, "maxItems": 2 })
    );
    let record = Type::Record(vec![field("a", Type::Option(boxed(Type::Bool)))]);
    assert_eq!(said(&record)["required"], json!([]), "what is optional stays optional");
    let map = said(&Type::Map(boxed(Type::String), boxed(Type::Bool)));
    assert_eq!(map["additionalProperties"], json!({ "type": "boolean" }));
    let anthropic = |ty: &Type, narrowing| narrowed(Adapter::Anthropic, ty, narrowing);
    assert_eq!(
        anthropic(&Type::String, json!({ "maxLength": 5, "minLength": 2, "format": "uri", "description": "A text." })),
        json!({ "type": "string", "maxLength": 5, "minLength": 2, "format": "uri", "description": "A text." })
    );
    assert_eq!(anthropic(&Type::Char, json!({ "maxLength": 5 }))["maxLength"], 1, "the stricter one stays");
    let flags = Type::Flags(vec!["r".into()]);
    assert_eq!(anthropic(&flags, json!({ "uniqueItems": false }))["description"], "Must hold, too: uniqueItems: false");
}

#[test]
fn mcp_results_are_objects() {
    let record = Type::Record(vec![field("a", Type::Bool)]);
    for (result, wrapped) in [(Some(&record), false), (Some(&Type::Bool), true), (None, true)] {
        let tool = tool(&Type::Bool, result);
        assert_eq!(wraps_result(&tool.output), wrapped);
        let output = made(Adapter::Mcp, &manifest("t", tool.clone()))["tools"][0]["outputSchema"].clone();
        if !wrapped {
            assert_eq!(output, tool.output);
            continue;
        }
        assert_eq!((&output["$schema"], &output["required"]), (&tool.output["$schema"], &json!(["result"])));
        let value = if result.is_some() { json!(true) } else { json!(null) };
        let validator = Validator::compile(&output).unwrap();
        assert!(validator.validate(&json!({ "result": value })).is_ok() && validator.validate(&value).is_err());
    }
}

#[test]
fn mcp_hints_never_promise_what_is_not_known() {
    let get = "http = [{ origin = 'https://a.example', methods = ['GET'], paths = ['/'] }]";
    let post = get.replace("GET", "POST");
    let sockets = "sockets = [{ protocol = 'tcp', address = '192.0.2.1', port = 1 }]";
    let other = "tools = [{ skill = 'org.acme/other', version = '^1' }]";
    for (capabilities, effects, read_only, open) in [
        ("", &[][..], true, false),
        ("", &[Effect::Read], true, false),
        ("", &[Effect::Read, Effect::Write], false, false),
        (get, &[Effect::External], true, true),
        (&post, &[Effect::External], false, true),
        (sockets, &[Effect::External], false, true),
        (other, &[Effect::External], false, true),
    ] {
        let annotations = made(Adapter::Mcp, &asking(capabilities, effects))["tools"][0]["annotations"].clone();
        let wanted = json!({ "readOnlyHint": read_only, "destructiveHint": !read_only, "idempotentHint": read_only, "openWorldHint": open });
        assert_eq!(annotations, wanted, "{capabilities} {effects:?}");
    }
}

#[test]
fn owasp_states_powers_and_their_risk() {
    let of = |capabilities: &str, effects: &[Effect]| made(Adapter::Owasp, &asking(capabilities, effects));
    let get = "http = [{ origin = 'https://api.example.com:8443', methods = ['GET'], paths = ['/'] }]";
    for (capabilities, effects, tier) in [
        ("", &[][..], "L0"),
        ("files = 'empty'", &[], "L0"),
        ("", &[Effect::Read], "L1"),
        ("files = [{ mount = '/in', access = 'read' }]", &[], "L1"),
        ("env = ['LANG']", &[], "L1"),
        (get, &[], "L2"),
        ("keyvalue = ['cache']", &[], "L2"),
        ("", &[Effect::External], "L2"),
        (&get.replace("GET", "DELETE"), &[], "L3"),
        ("files = [{ mount = '/out', access = 'write' }]", &[], "L3"),
        ("", &[Effect::Write], "L3"),
        ("tools = [{ skill = 'org.acme/other', version = '^1' }]", &[], "L3"),
    ] {
        assert_eq!(of(capabilities, effects)["risk_tier"], tier, "{capabilities} {effects:?}");
    }
    let all = format!(
        "files = [{{ mount = '/in', access = 'read' }}, {{ mount = '/out', access = 'write' }}]\n{get}
         sockets = [{{ protocol = 'tcp', address = '2001:db8::1', port = 1 }}]"
    );
    let permissions = of(&all, &[])["permissions"].clone();
    assert_eq!(permissions["files"], json!({ "read": ["/in", "/out"], "write": ["/out"], "deny_write": [] }));
    assert_eq!(permissions["network"], json!({ "allow": ["2001:db8::1", "api.example.com"], "deny": "*" }));
    let six = of("http = [{ origin = 'https://[2001:db8::2]:1', methods = ['GET'], paths = ['/'] }]", &[]);
    assert_eq!(six["permissions"]["network"]["allow"], json!(["2001:db8::2"]));
    assert_eq!(of("", &[])["permissions"]["files"]["deny_write"], json!(["SOUL.md", "MEMORY.md", "AGENTS.md"]));
}

/// The tool's parameter, narrowed, in the words of a platform.
fn narrowed(adapter: Adapter, ty: &Type, narrowing: Value) -> Value {
    let mut tool = tool(ty, None);
    tool.input = schema::narrow_input(tool.input, &[("p".to_owned(), narrowing)].into()).unwrap();
    let file = made(adapter, &manifest("t", tool));
    let member = match adapter {
        Adapter::Openai => "parameters",
        Adapter::Anthropic => "input_schema",
        _ => "parametersJsonSchema",
    };
    file["tools"][0][member]["properties"]["p"].clone()
}

#[test]
fn narrowings_become_keywords_or_words() {
    let openai = |ty: &Type, narrowing| narrowed(Adapter::Openai, ty, narrowing);
    assert_eq!(
        openai(&Type::String, json!({ "pattern": "^a", "maxLength": 5, "description": "A text.", "title": "T" })),
        json!({ "type": "string", "pattern": "^a", "description": "A text.\n\nMust hold, too: maxLength: 5; title: \"T\"" })
    );
    assert_eq!(
        openai(&Type::U8, json!({ "maximum": 10, "minimum": -5 })),
        json!({ "type": "integer", "minimum": 0, "maximum": 10 }),
        "of two bounds the stricter one"
    );
    let option = Type::Option(boxed(Type::U8));
    assert_eq!(
        openai(&option, json!({ "maximum": 10 })),
        json!({ "anyOf": [{ "type": "null" }, { "type": "integer", "minimum": 0, "maximum": 10 }] })
    );
    assert_eq!(openai(&Type::String, json!({ "format": "uuid" })), json!({ "type": "string", "format": "uuid" }));
    assert!(openai(&Type::String, json!({ "format": "uri" }))["description"].as_str().unwrap().ends_with("format: \"uri\""));
    assert!(openai(&Type::String, json!({ "enum": ["a"] }))["description"].as_str().unwrap().ends_with("enum: [\"a\"]"));
    let two = openai(&Type::Bytes, json!({ "pattern": "^A" }));
    assert!(
        two["pattern"].as_str().unwrap().starts_with("^(?:") && two["description"].as_str().unwrap().contains("pattern: \"^A\"")
    );
    assert_eq!(
        narrowed(Adapter::Gemini, &Type::List(boxed(Type::Bool)), json!({ "maxItems": 3, "items": { "const": true } })),
        json!({ "type": "array", "items": { "type": "boolean" }, "maxItems": 3, "description": "Must hold, too: items: {\"const\":true}" })
    );
}

#[test]
fn names_and_texts_that_a_platform_refuses() {
    let all = Adapter::ALL.into();
    let of = |manifest: &Manifest| make(&all, &Facts::of(manifest)).unwrap_err();
    let long = Tool { description: "x".repeat(1025), ..tool(&Type::Bool, None) };
    let error = of(&manifest("t", long));
    let called = "org_acme_sample_t";
    assert_eq!((error.adapter.as_str(), error.tool.as_deref(), error.pointer.as_str()), ("openai", Some(called), "/description"));
    let denial = error.denial();
    assert_eq!(denial.code, Code::AdapterMalformed);
    assert_eq!((&denial.details["adapter"], &denial.details["tool"]), (&json!("openai"), &json!(called)));
    assert!(denial.message.contains("the adapter openai, tool org_acme_sample_t"), "{}", denial.message);
    assert!(denial.details["rule"].as_str().unwrap().contains("at most 1024 characters"));
    assert!(denial.hint().contains("Change the tool's types, names or description"), "{}", denial.hint());
    let skill = Manifest { name: "a--b".parse().unwrap(), ..manifest("t", tool(&Type::Bool, None)) };
    let error = of(&skill);
    assert_eq!((error.adapter.as_str(), error.tool.as_deref()), ("agent-skill", None));
    assert!(error.denial().hint().contains("Give the skill another name"));
    let input = schema::derive_input(&[("x".repeat(65), Type::Bool)]);
    let error = of(&manifest("t", Tool { input, ..tool(&Type::Bool, None) }));
    assert_eq!((error.adapter.as_str(), error.pointer.as_str()), ("anthropic", "/input_schema/properties"));
}

#[test]
fn a_skill_md_stays_one_whatever_its_texts_hold() {
    let summary = "Ends ---\u{1f600}\u{e9} \"quoted\" \\ -------- here";
    let mut skill = manifest("t", tool(&Type::Bool, None));
    skill.summary = summary.to_owned();
    let name = |index: usize| format!("tool-{index:03}-{}", "x".repeat(50)).parse().unwrap();
    let one = tool(&Type::Bool, None);
    skill.tools = (0..128).map(|index| (name(index), one.clone())).collect();
    let text = String::from_utf8(Adapter::AgentSkill.make(&Facts::of(&skill)).unwrap()).unwrap();
    let parts: Vec<&str> = text.splitn(3, "---").collect();
    assert_eq!(parts[0], "");
    assert!(parts[2].starts_with('\n') && parts[2].contains("# sample"), "the first dashes behind the front matter are its end");
    let line = parts[1].lines().find_map(|line| line.strip_prefix("description: ")).unwrap();
    let description: String = serde_json::from_str(line).unwrap();
    assert!(description.starts_with(summary) && description.ends_with(" more."), "{description}");
    assert!((900..=1024).contains(&description.chars().count()));
}
