//! The strict loader, with the place of each fault, and the analysis of shadowed rules.

use crate::govern::wcp::RuleSet;

#[test]
fn a_fault_is_told_with_its_place() {
    let faults = [
        (r#""match": {"enviroment": "dev"}"#, "unknown field `enviroment`", 24),
        (r#""match": {"env": "production"}"#, "'production' cannot match: env is one of dev, stage, prod, edge", 31),
        (r#""match": {"env": {"in": "dev"}}"#, "invalid type: string \"dev\", expected a list of strings", 31),
        (r#""match": {"env": {"in": ["dev", "qa"]}}"#, "'qa' cannot match", 0),
        (r#""match": {"env": {"in": []}}"#, "matches nothing", 0),
        (r#""match": {"env": {"any": false}}"#, "matches nothing", 0),
        (r#""match": {"env": {}}"#, "an empty condition", 0),
        (r#""match": {"env": null}"#, "invalid type: null, expected a string, {\"in\": [..]} or {\"any\": true}", 0),
        (r#""match": {"env": 5}"#, "invalid type: integer `5`", 0),
        (r#""match": {"env": ["dev"]}"#, "invalid type: sequence", 0),
        (r#""match": {"capability_id": {"eq": "cap.a"}}"#, "unknown field `eq`, expected `in` or `any`", 0),
        (r#""match": {"capability_id": {"in": ["cap.a"], "any": true}}"#, "'any' beside another operator", 0),
        (r#""match": {"capability_id": ""}"#, "is no id", 0),
        (r#""match": {"data_label": "public"}"#, "data_label is one of PUBLIC, INTERNAL, RESTRICTED", 0),
        (r#""match": {"tenant_risk": "LOW"}"#, "tenant_risk is one of low, medium, high", 0),
        (r#""match": {"qos_class": {"in": ["P4"]}}"#, "qos_class is one of P0, P1, P2, P3", 0),
        (r#""match": {"env": "dev", "env": "prod"}"#, "comes twice", 0),
        (r#""match": ["cap.a"]"#, "invalid type: sequence, expected an object", 0),
        (r#""match": {}, "matches": {}"#, "unknown field `matches`", 0),
        (r#""match": {}, "decision": {"required_controls": []}"#, "unknown field `required_controls`", 0),
        (r#""match": {}, "decision": {"required_controls_suggested": ["obs.audit"]}"#, "'obs.audit' is no control id", 0),
        (r#""match": {}, "decision": {"escalation": {"policy_gates": true}}"#, "unknown field `policy_gates`", 0),
        (
            r#""match": {}, "decision": {"escalation": {"policy_gate": "yes"}}"#,
            "invalid type: string \"yes\", expected a boolean",
            0,
        ),
        (r#""match": {}, "decision": {"escalation": {"human_required_if": [{"blast": 1}]}}"#, "unknown field `blast`", 0),
        (r#""match": {}, "decision": {"escalation": {"human_required_if": [{"blast_score_at_least": 101}]}}"#, "0 to 100", 0),
        (r#""match": {}, "decision": {"preconditions": {"must_have_corelation_id": true}}"#, "unknown field", 0),
        (r#""match": {}, "decision": {"preconditions": []}"#, "expected an object", 0),
        (r#""match": {}, "decision": {"candidate_workers_ranked": [{"species": "wrk.a"}]}"#, "unknown field `species`", 0),
    ];
    // Each on line 4 of a rule set of one rule.
    for (line, expected, column) in faults {
        let decision = if line.contains("decision") { "" } else { ", \"decision\": {}" };
        let text = format!("{{\"rules\": [\n {{\n  \"rule_id\": \"r1\",\n  {line}{decision}\n }}\n]}}");
        let error = RuleSet::parse(text.as_bytes()).unwrap_err();
        let (message, at, found) = (error.message, error.line, error.column);
        assert!(message.contains(expected), "{line}: {message}");
        assert_eq!(at, 4, "{line}: {message}");
        assert!(found > 0 && (column == 0 || found == column), "{line}: column {found}");
    }
}

#[test]
fn a_duplicate_rule_id_is_told_where_it_stands() {
    let text = "{\"rules\": [\n{\"rule_id\": \"r1\", \"match\": {}, \"decision\": {}},\n{\"rule_id\": \"r1\", \"match\": {}, \"decision\": {}}]}";
    let error = RuleSet::parse(text.as_bytes()).unwrap_err();
    assert_eq!((error.message.as_str(), error.line, error.column), ("the rule id 'r1' comes twice", 3, 16));
    assert_eq!(error.to_string(), "the rule id 'r1' comes twice at line 3, column 16");
}

#[test]
fn what_is_missing_or_no_rule_set_is_refused() {
    for text in [
        "",
        "[]",
        "{}",
        "{\"rules\": {}}",
        "{\"rules\": [[]]}",
        "{\"rules\": [{\"match\": {}, \"decision\": {}}]}",
        "{\"rules\": [{\"rule_id\": \"r\", \"decision\": {}}]}",
        "{\"rules\": [{\"rule_id\": \"r\", \"match\": {}}]}",
        "{\"rules\": [{\"rule_id\": \"\\u001b[2J\", \"match\": {}, \"decision\": {}}]}",
        "{\"rules\": [], \"rule\": []}",
        "{\"rules\": []} x",
    ] {
        let error = RuleSet::parse(text.as_bytes()).unwrap_err();
        assert!(error.line > 0, "{text}: {error}");
        assert!(!error.message.contains(char::is_control));
    }
    let large = format!("{{\"rules\": [{}]}}", " ".repeat(1 << 20));
    assert!(RuleSet::parse(large.as_bytes()).unwrap_err().message.contains("larger"));
    let many: Vec<String> =
        (0..=2000).map(|n| format!("{{\"rule_id\": \"r{n}\", \"match\": {{}}, \"decision\": {{}}}}")).collect();
    let many = format!("{{\"rules\": [{}]}}", many.join(","));
    assert!(RuleSet::parse(many.as_bytes()).unwrap_err().message.contains("more than 2000 rules"));
}

fn shadowed(matches: &[&str]) -> Vec<(String, Vec<String>)> {
    let rules: Vec<String> = matches
        .iter()
        .enumerate()
        .map(|(index, matching)| format!("{{\"rule_id\": \"r{index}\", \"match\": {matching}, \"decision\": {{}}}}"))
        .collect();
    let set = RuleSet::parse(format!("{{\"rules\": [{}]}}", rules.join(",")).as_bytes()).unwrap();
    set.shadowed().iter().map(|shadowed| (shadowed.rule_id.clone(), shadowed.by.clone())).collect()
}

#[test]
fn shadowed_rules_are_found_also_where_several_rules_cover_one() {
    let named = |id: &str, by: &[&str]| vec![(id.to_owned(), by.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>())];
    assert_eq!(shadowed(&[r#"{"capability_id": "cap.a"}"#, "{}"]), []);
    assert_eq!(shadowed(&["{}", r#"{"capability_id": "cap.a"}"#]), named("r1", &["r0"]));
    assert_eq!(shadowed(&[r#"{"env": {"in": ["dev", "stage", "prod", "edge"]}}"#, "{}"]), named("r1", &["r0"]));
    let halves = [r#"{"env": {"in": ["dev", "stage"]}}"#, r#"{"env": {"in": ["prod", "edge"]}}"#, r#"{"qos_class": "P0"}"#];
    assert_eq!(shadowed(&halves), named("r2", &["r0", "r1"]));
    let lists = [
        r#"{"capability_id": "cap.a"}"#,
        r#"{"capability_id": "cap.b"}"#,
        r#"{"capability_id": "cap.c"}"#,
        r#"{"capability_id": {"in": ["cap.a", "cap.b"]}}"#,
    ];
    assert_eq!(shadowed(&lists), named("r3", &["r0", "r1"]));
    assert_eq!(shadowed(&[r#"{"env": "dev"}"#, r#"{"env": "prod"}"#, r#"{"qos_class": "P0"}"#]), []);
}
