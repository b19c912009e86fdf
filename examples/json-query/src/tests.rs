use super::*;

const PEOPLE: &str = r#"{"people":[{"name":"Ada","age":36},{"name":"Grace","age":85},{"name":"Linus","age":54}]}"#;

fn ask(json: &str, filter: &str) -> Result<Vec<String>, QueryError> {
    JsonQuery::query(json.to_owned(), filter.to_owned(), None).map(|answer| answer.results)
}

#[test]
fn filters_pick_reshape_and_compute() {
    for (filter, results) in [
        (".people[0].name", vec![r#""Ada""#]),
        (".people[] | select(.age > 50) | .name", vec![r#""Grace""#, r#""Linus""#]),
        ("[.people[].age] | add / length | floor", vec!["58"]),
        (".people | map({(.name): .age}) | add", vec![r#"{"Ada":36,"Grace":85,"Linus":54}"#]),
        (".people | sort_by(-.age) | first", vec![r#"{"name":"Grace","age":85}"#]),
        (".people | group_by(.age > 50) | map(length)", vec!["[1,2]"]),
        ("reduce .people[] as $p (0; . + $p.age)", vec!["175"]),
        ("def double: . * 2; [limit(3; .people[].age | double)]", vec!["[72,170,108]"]),
        (r#".people[0].name | test("^A") , ascii_upcase"#, vec!["true", r#""ADA""#]),
        (r#"try error("x") catch ."#, vec![r#""x""#]),
        (".none", vec!["null"]),
        ("empty", vec![]),
        (r#"[paths(type == "number")] | length"#, vec!["3"]),
        ("infinite, nan", vec!["1.7976931348623157e308", "null"]),
    ] {
        assert_eq!(ask(PEOPLE, filter).unwrap(), results, "{filter}");
    }
}

#[test]
fn numbers_and_texts_stay_exact() {
    for json in ["123456789012345678901234567890", "1.10", r#""\u0001é👩\"\\\n""#, r#"{"b":1,"a":[{}]}"#] {
        let result = ask(json, ".").unwrap().remove(0);
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&result), read(json), "{result}");
    }
    assert_eq!(ask("123456789012345678901234567890", ". + 1").unwrap(), ["123456789012345678901234567891"]);
}

#[test]
fn what_is_no_json_is_told_with_its_place() {
    for (json, line, column) in
        [("{\"a\": 1,\n  b: 2}", 2, 3), ("", 1, 1), ("[1,2", 1, 4), ("1 2", 1, 3), ("NaN", 1, 1), ("# x\n1", 1, 1)]
    {
        let Err(QueryError::NotJson(fault)) = ask(json, ".") else { panic!("{json}") };
        assert_eq!((fault.line, fault.column), (line, column), "{json}: {}", fault.message);
    }
    let deep = "[".repeat(5000) + &"]".repeat(5000);
    assert!(matches!(ask(&deep, "."), Err(QueryError::NotJson(_))));
}

#[test]
fn what_is_no_filter_is_told_with_its_place() {
    for (filter, line, column) in [
        (".a |\n| .b", 2, 1),
        (".a[", 1, 4),
        ("\"x", 1, 3),
        ("if . then 1", 1, 12),
        ("{a: }", 1, 5),
        ("", 1, 1),
        ("import \"x\" as x; .", 1, 1),
    ] {
        let Err(QueryError::NotAFilter(fault)) = ask("1", filter) else { panic!("{filter}") };
        assert_eq!((fault.line, fault.column), (line, column), "{filter}: {}", fault.message);
    }
    assert!(matches!(ask("1", &"(".repeat(5000)), Err(QueryError::TooDeep(100))));
    for piece in ["-", ".|", "try ", "1,", "1 as $x|", "label $x|", "1+", ".a", "[]?", "?", "def f:"] {
        assert!(matches!(ask("1", &piece.repeat(1000)), Err(QueryError::TooLong(500) | QueryError::TooDeep(_))), "{piece}");
    }
}

/// Without optimisation the frames of the stack are larger than they are in the component.
#[test]
fn a_filter_of_as_many_words_as_may_be_is_read() {
    let filters = [
        ("-", 499),
        (".|", 249),
        ("try ", 499),
        ("1,", 249),
        ("1 as $x|", 99),
        ("label $x|", 124),
        ("1+", 249),
        ("0|[.[]?]|", 55),
    ];
    let read = move || filters.map(|(piece, times)| ask("1", &format!("{}1", piece.repeat(times))).is_ok());
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(read).unwrap();
    assert_eq!(thread.join().unwrap(), [true; 8]);
}

#[test]
fn an_unknown_name_comes_with_a_hint() {
    for (filter, name, column, hint) in [
        (". | Ada", "Ada", 5, "to mean a text, write \"Ada\""),
        ("$x", "$x", 1, "a variable comes from"),
        ("join(\",\"; 2; 3)", "join", 1, "semicolons"),
        ("input", "input", 1, "one document only"),
    ] {
        let Err(QueryError::UnknownName(unknown)) = ask("1", filter) else { panic!("{filter}") };
        assert_eq!((unknown.name.as_str(), unknown.at.column), (name, column));
        assert!(unknown.hint.contains(hint), "{}", unknown.hint);
    }
}

#[test]
fn nothing_but_the_document_is_known() {
    for filter in ["env", "now", "halt", "1 | debug", "stderr", "halt_error"] {
        let Err(QueryError::Failed(message)) = ask("1", filter) else { panic!("{filter}") };
        assert!(message.contains("the document only"), "{message}");
    }
    assert!(matches!(ask("1", "$ENV"), Err(QueryError::UnknownName(_))));
}

#[test]
fn an_error_of_the_filter_is_an_error() {
    assert!(matches!(ask("1", "error(\"no such user\")"), Err(QueryError::Failed(m)) if m.contains("no such user")));
    assert!(matches!(ask("{}", ". + 1"), Err(QueryError::Failed(_))));
    assert!(matches!(ask("{}", "{(1): 2}"), Err(QueryError::NotRepresentable(_))) || ask("{}", "{(1): 2}").is_err());
}

#[test]
fn results_are_bounded() {
    let answer = JsonQuery::query("1".to_owned(), "range(10)".to_owned(), Some(3)).unwrap();
    assert_eq!((answer.results.len(), answer.complete), (3, false));
    let answer = JsonQuery::query("1".to_owned(), "range(3)".to_owned(), Some(3)).unwrap();
    assert_eq!((answer.results.len(), answer.complete), (3, true));
    let answer = JsonQuery::query("1".to_owned(), "repeat(1)".to_owned(), None).unwrap();
    assert_eq!((answer.results.len(), answer.complete), (1000, false));
    assert!(matches!(ask("1", "\"x\" * 4000000"), Err(QueryError::TooLarge(_))));
    assert!(ask("1", "last(limit(300; repeat(1)))").is_ok());
    assert!(matches!(ask("1", "reduce range(300) as $i (1; [.])"), Err(QueryError::NotRepresentable(_))));
}
