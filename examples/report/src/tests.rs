use super::*;
use bindings::exports::skillhall::report::api::Trouble;
use skillhall_sdk::tools::{CallError, Refusal};

const STATISTICS: &str = r#"{"rows":1204,"complete":true,"columns":[
 {"name":"city <b>","kind":"text","count":1200,"missing":4,"distinct":3,"more-distinct":false,"numbers":null,"texts":{"shortest":4,"longest":9},
  "frequent":[{"value":"Rome, \"the\" city","count":700},{"value":"Oslo","count":400},{"value":"Bern","count":100}]},
 {"name":"age","kind":"integer","count":1204,"missing":0,"distinct":60,"more-distinct":false,
  "numbers":{"min":18,"max":99,"mean":41.256,"standard-deviation":9.1,"median":40},"texts":null,"frequent":[]}]}"#;

fn request(notes: Option<&str>) -> Request {
    Request {
        path: "people.csv".to_owned(),
        title: "People & <places>".to_owned(),
        notes: notes.map(str::to_owned),
        delimiter: None,
    }
}

/// What the three skills would say, and what they were asked.
fn answer(asked: &mut Vec<(String, serde_json::Value)>) -> impl FnMut(&str, &str, &str) -> Result<String, CallError> + '_ {
    |skill, tool, input| {
        asked.push((format!("{skill} {tool}"), serde_json::from_str(input).unwrap()));
        Ok(match tool {
            "describe" => STATISTICS.to_owned(),
            "draw" => r#"{"svg":"<svg>drawn</svg>\n","series":[],"points":3,"skipped":0}"#.to_owned(),
            _ => r#"{"html":"<p>noted</p>\n","headings":[]}"#.to_owned(),
        })
    }
}

#[test]
fn a_report_is_what_three_skills_say() {
    let mut asked = Vec::new();
    let page = write(&request(Some("*noted*")), &mut answer(&mut asked)).unwrap();
    assert_eq!((page.rows, page.columns, page.charts), (1204, 2, 2));
    assert_eq!(
        page.calls,
        ["org.skillhall/csv-stats", "org.skillhall/chart", "org.skillhall/chart", "org.skillhall/markdown-to-html"]
    );
    for part in [
        "<title>People &amp; &lt;places&gt;</title>",
        "<b>1\u{202f}204</b>rows",
        "<th>city &lt;b&gt;</th>",
        "<td>41.26</td>",
        "<svg>drawn</svg>",
        "<p>noted</p>",
        "default-src 'none'",
    ] {
        assert!(page.html.contains(part), "{part}\n{}", page.html);
    }
    assert!(!page.html.contains("<b>\"") && !page.html.contains("<script"));
    let csv: Vec<_> = asked.iter().filter_map(|(_, input)| input["csv"].as_str()).collect();
    assert_eq!(
        csv,
        ["value,rows\n\"Rome, \"\"the\"\" city\",700\n\"Oslo\",400\n\"Bern\",100\n", "column,missing\n\"city <b>\",4\n"]
    );
    assert_eq!(asked.last().map(|(_, input)| input["options"]["images"].clone()), Some(false.into()));
}

#[test]
fn without_notes_nobody_is_asked_for_them() {
    let mut asked = Vec::new();
    let page = write(&request(Some(" \n")), &mut answer(&mut asked)).unwrap();
    assert!(page.calls.iter().all(|skill| !skill.contains("markdown")) && !page.html.contains("class=\"notes\""));
}

#[test]
fn trouble_of_others_is_told_with_a_hint() {
    let fails = |error: CallError| write(&request(None), &mut |_, _, _| Err(error.clone())).unwrap_err();
    let told = |error| match error {
        ReportError::Refused(Trouble { message, hint, .. }) | ReportError::NotReached(Trouble { message, hint, .. }) => {
            (message, hint)
        }
        ReportError::NotUnderstood(message) => (message, String::new()),
    };
    assert!(
        matches!(fails(CallError::Skill("\"not-found\"".into())), ReportError::Refused(trouble) if trouble.message == "\"not-found\"" && trouble.skill.ends_with("csv-stats"))
    );
    let denied = CallError::Denied {
        code: "DENY_CAPABILITY_NOT_GRANTED".into(),
        message: "files: /in".into(),
        hint: "hall grant ..".into(),
    };
    assert_eq!(told(fails(denied)), ("DENY_CAPABILITY_NOT_GRANTED: files: /in".into(), "hall grant ..".into()));
    assert!(told(fails(CallError::Refused(Refusal::Unavailable))).1.contains("--tool org.skillhall/csv-stats@^1"));
    assert!(matches!(
        fails(CallError::Failed { code: "FAIL_TIME".into(), message: "too long".into() }),
        ReportError::NotReached(_)
    ));
    let odd = write(&request(None), &mut |_, _, _| Ok("{}".to_owned())).unwrap_err();
    assert!(matches!(odd, ReportError::NotUnderstood(message) if message.contains("rows")));
}

#[test]
fn values_that_are_equally_frequent_have_no_chart() {
    let column = r#"{"name":"c","kind":"text","count":9,"missing":0,"distinct":2,"more-distinct":false,"numbers":null,"frequent":[{"value":"a","count":5},{"value":"b","count":5}]}"#;
    let table = format!(r#"{{"rows":10,"columns":[{column}]}}"#);
    let page = write(&request(None), &mut |_, _, _| Ok(table.clone())).unwrap();
    assert_eq!((page.charts, page.calls.len()), (0, 1));
}

#[test]
fn charts_are_bounded() {
    let column = r#"{"name":"c","kind":"text","count":9,"missing":1,"distinct":2,"more-distinct":true,"numbers":null,"frequent":[{"value":"a","count":5},{"value":"b","count":4}]}"#;
    let many = format!(r#"{{"rows":10,"columns":[{}]}}"#, [column; 30].join(","));
    let mut drawn = 0;
    let page = write(&request(None), &mut |_, tool, _| {
        drawn += usize::from(tool == "draw");
        Ok(if tool == "draw" { r#"{"svg":"<svg/>"}"#.to_owned() } else { many.clone() })
    });
    assert_eq!((page.unwrap().charts, drawn), (8, MAX_CHARTS));
}
