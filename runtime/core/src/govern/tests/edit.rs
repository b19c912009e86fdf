//! What is to change changes, and nothing else does.

use serde_json::{Value, json};

use super::*;

const HALL: &str = r#"# The hall of the reports.
[hall]
id = "hall-1"
organisation = "local"
owner = "ada" # who calls
env = "dev"
namespaces = ["x.ada"] # our own

[policy]
version = "local.v1"
rules = "rules.json"

# What skills are given.
[grants."org.acme/report"]
# The figures of the month.
files = [
    { mount = "/in", folder = "/srv/in", access = "read" }, # never to be written
    { mount = "/out", folder = "/srv/out", access = "write" },
]
"#;

fn policy(value: Value) -> Policy {
    serde_json::from_value(value).unwrap()
}

fn skill(text: &str) -> SkillId {
    text.parse().unwrap()
}

fn in_place() -> Value {
    json!({"files": [
        {"mount": "/in", "folder": "/srv/in", "access": "read"},
        {"mount": "/out", "folder": "/srv/out", "access": "write"},
    ]})
}

/// Every line of the one that is not in the other, and the other way round.
fn changed(old: &str, new: &str) -> (Vec<String>, Vec<String>) {
    let beyond = |one: &str, other: &str| {
        let other: Vec<&str> = other.lines().collect();
        one.lines().filter(|line| !other.contains(line)).map(str::to_owned).collect()
    };
    (beyond(old, new), beyond(new, old))
}

#[test]
fn what_is_granted_already_changes_no_byte() {
    assert_eq!(with_grants(HALL, &skill("org.acme/report"), &policy(in_place())).unwrap(), HALL);
    assert_eq!(with_grants(HALL, &skill("org.acme/other"), &Policy::default()).unwrap(), HALL);
    assert_eq!(with_namespace(HALL, &"x.ada".parse().unwrap()).unwrap(), HALL);
}

#[test]
fn a_grant_is_added_and_every_comment_stays() {
    let mut more = in_place();
    more["http"] = json!([{"origin": "https://a.example", "methods": ["GET"], "paths": ["/"], "addresses": ["127.0.0.1"]}]);
    let new = with_grants(HALL, &skill("org.acme/report"), &policy(more.clone())).unwrap();
    let (gone, come) = changed(HALL, &new);
    assert_eq!(gone, Vec::<String>::new());
    assert_eq!(come.len(), 2, "{come:?}");
    assert_eq!(come[0], "http = [");
    assert!(come[1].starts_with("    { origin = \"https://a.example\", methods = [\"GET\"], paths = [\"/\"], "), "{come:?}");
    assert!(come[1].contains("https://a.example") && come[1].contains("127.0.0.1"), "{come:?}");
    assert_eq!(HallConfig::parse(&new).unwrap().grants[&skill("org.acme/report")], policy(more));
}

#[test]
fn another_skill_gets_a_table_of_its_own() {
    let wanted = policy(json!({"files": [{"mount": "/in", "folder": "/srv/\"a\" b", "access": "read"}]}));
    let new = with_grants(HALL, &skill("x.ada/count"), &wanted).unwrap();
    assert_eq!(changed(HALL, &new).0, Vec::<String>::new());
    assert!(new.contains("[grants.\"x.ada/count\"]"), "{new}");
    let bare = HALL.split("# What skills").next().unwrap();
    let first = with_grants(bare, &skill("x.ada/count"), &wanted).unwrap();
    assert!(first.starts_with(bare) && first.contains("[grants.\"x.ada/count\"]"), "{first}");
    assert_eq!(HallConfig::parse(&first).unwrap().grants[&skill("x.ada/count")], wanted);
}

#[test]
fn one_entry_goes_and_the_others_stay_as_they_are_written() {
    let less = policy(json!({"files": [{"mount": "/in", "folder": "/srv/in", "access": "read"}]}));
    let new = with_grants(HALL, &skill("org.acme/report"), &less).unwrap();
    let (gone, come) = changed(HALL, &new);
    assert_eq!(gone, ["    { mount = \"/out\", folder = \"/srv/out\", access = \"write\" },"]);
    assert!(come.is_empty() && new.contains("# never to be written"), "{new}");
    let last = policy(json!({"files": [{"mount": "/out", "folder": "/srv/out", "access": "write"}]}));
    let new = with_grants(HALL, &skill("org.acme/report"), &last).unwrap();
    let gone = "    { mount = \"/in\", folder = \"/srv/in\", access = \"read\" }, # never to be written";
    assert_eq!(changed(HALL, &new), (vec![gone.to_owned()], Vec::new()), "{new}");
    // A comment behind the last entry stays behind it when another follows.
    let commented = HALL.replace("access = \"write\" },\n", "access = \"write\" }, # of the month\n");
    let mut more = in_place();
    let third = json!({"mount": "/more", "folder": "/srv/more", "access": "read"});
    more["files"].as_array_mut().unwrap().push(third);
    let new = with_grants(&commented, &skill("org.acme/report"), &policy(more)).unwrap();
    let come = "    { mount = \"/more\", folder = \"/srv/more\", access = \"read\" },";
    assert_eq!(changed(&commented, &new), (Vec::new(), vec![come.to_owned()]), "{new}");
    let other = policy(json!({"files": [
        {"mount": "/in", "folder": "/srv/in", "access": "write"},
        {"mount": "/out", "folder": "/srv/out", "access": "write"},
    ]}));
    let new = with_grants(HALL, &skill("org.acme/report"), &other).unwrap();
    assert!(new.contains("# The figures of the month.") && HallConfig::parse(&new).is_ok(), "{new}");
}

#[test]
fn nothing_granted_is_nothing_written() {
    let new = with_grants(HALL, &skill("org.acme/report"), &Policy::default()).unwrap();
    assert!(!new.contains("grants"), "{new}");
    assert!(HallConfig::parse(&new).unwrap().grants.is_empty());
    assert!(new.contains("# The hall of the reports.") && new.contains("# who calls"));
}

#[test]
fn a_namespace_is_added_to_the_list() {
    let new = with_namespace(HALL, &"org.acme".parse().unwrap()).unwrap();
    let (gone, come) = changed(HALL, &new);
    assert_eq!((gone.len(), come), (1, vec!["namespaces = [\"x.ada\", \"org.acme\"] # our own".to_owned()]));
}

#[test]
fn other_ways_of_writing_are_changed_rightly_or_not_at_all() {
    let tables = HALL.split("# The figures").next().unwrap().to_owned()
        + "[[grants.\"org.acme/report\".files]]\nmount = \"/in\"\nfolder = \"/srv/in\"\naccess = \"read\"\n";
    let inline = HALL.split("# What skills").next().unwrap().to_owned()
        + "[grants]\n\"org.acme/report\" = { files = [{ mount = \"/in\", folder = \"/srv/in\", access = \"read\" }] }\n";
    let wanted = policy(in_place());
    for text in [tables, inline] {
        HallConfig::parse(&text).unwrap();
        if let Ok(new) = with_grants(&text, &skill("org.acme/report"), &wanted) {
            let grants = HallConfig::parse(&new).unwrap().grants;
            assert!(same_grants(&grants[&skill("org.acme/report")], &wanted), "{new}");
        }
    }
    assert!(with_grants("no toml at all", &skill("org.acme/report"), &wanted).is_err());
}

#[test]
fn what_hall_toml_could_not_hold_is_refused() {
    let mut twice = policy(in_place());
    twice.files.push(twice.files[0].clone());
    assert!(with_grants(HALL, &skill("org.acme/report"), &twice).is_err());
    let mut relative = policy(in_place());
    relative.files[0].folder = "data".into();
    assert!(with_grants(HALL, &skill("org.acme/report"), &relative).is_err());
}
