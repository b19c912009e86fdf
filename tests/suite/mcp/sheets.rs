//! The SKILL.md of each skill, as agents list and read it.

use skillhall_core::digest::Digest;
use skillhall_core::registry::access::Role;
use skillhall_tests::world::token_of;

use super::http::Web;
use super::*;

const SHEET: &str = "skill://org.skillhall/redact/SKILL.md";

#[test]
fn a_skill_is_listed_with_the_digest_of_what_is_read() {
    let world = world(&[redact()]);
    let mut session = Session::begin(&world, Era::Stateless);
    let listed = session.ask("skills/list", json!({}))["result"].clone();
    let skill = &listed["skills"][0];
    assert_eq!((&skill["uri"], &skill["frontmatter"]["name"]), (&json!(SHEET), &json!("redact")), "{listed}");
    assert_eq!((&listed["ttlMs"], &listed["cacheScope"]), (&json!(0), &json!("private")), "{listed}");
    let read = session.ask("resources/read", json!({ "uri": SHEET }))["result"].clone();
    let text = read["contents"][0]["text"].as_str().unwrap_or_else(|| panic!("{read}"));
    let file = json!({ "uri": SHEET, "digest": format!("sha256:{}", Digest::of(text.as_bytes())), "size": text.len() });
    assert_eq!(skill["resources"], json!([file]));
    let packed = redact();
    let packed = packed.file("adapters/agent-skill.md").expect("the package has it");
    assert_eq!(text.as_bytes(), &packed[..], "it is the package's own");
    assert_eq!(session.ask("skills/get", json!({ "uri": SHEET }))["result"]["skill"]["resources"], skill["resources"]);
    let resources = session.ask("resources/list", json!({}))["result"]["resources"].clone();
    assert_eq!((&resources[0]["uri"], &resources[0]["size"]), (&json!(SHEET), &json!(text.len())), "{resources}");
    for uri in ["skill://org.skillhall/redact", "skill://org.skillhall/redact/skill.json", "file:///etc/passwd", "", "skill://"] {
        assert_eq!(session.ask("resources/read", json!({ "uri": uri }))["error"]["code"], -32602, "{uri}");
        assert_eq!(session.ask("skills/get", json!({ "uri": uri }))["error"]["code"], -32602, "{uri}");
    }
    assert_eq!(session.end(), 0);
}

#[test]
fn what_cannot_be_called_cannot_be_read() {
    let world = world(&[redact()]);
    let mut session = Session::begin(&world, Era::Stateless);
    let count = |session: &mut Session| {
        let listed = session.ask("skills/list", json!({}))["result"]["skills"].as_array().map(Vec::len);
        let read = session.ask("resources/read", json!({ "uri": SHEET }));
        assert_eq!(read["result"].is_object(), listed == Some(1), "{read}");
        listed.expect("a list")
    };
    assert_eq!(count(&mut session), 1);
    hall(&world.home(), &["degrade", "org.skillhall/redact", "--adapter", "agent-skill", "--reason", "a test", "--json"])
        .object();
    assert_eq!((count(&mut session), session.names().len()), (0, 1), "each adapter has its own standing");
    let web = Web::begin(&world);
    let token = |holder: &str, namespace: &str| {
        let namespace = namespace.parse().expect("a namespace");
        token_of(&world.open(), holder, Role::Worker, &namespace).reveal().to_owned()
    };
    let elsewhere = token("gus", "org.elsewhere");
    assert_eq!(web.ask(&elsewhere, "skills/list", json!({}))["result"]["skills"], json!([]));
    hall(&world.home(), &["revoke", "org.skillhall/redact", "--reason", "a test", "--json"]).object();
    assert_eq!((count(&mut session), session.names().len()), (0, 0));
    assert_eq!(session.end(), 0);
}
