//! Two decisions side by side, but for what is each implementation's own: ids, times and message texts.

use serde_json::{Map, Value, json};

/// Members of a decision, and of its deny reason and its events, that are each implementation's own.
const OWN: [&str; 4] = ["decision_id", "timestamp", "message", "deny_message"];

/// One place at which two decisions differ. What is absent is shown as `null`.
#[derive(Debug, PartialEq)]
pub(super) struct Difference {
    /// Where, as a JSON pointer.
    pub(super) at: String,
    pub(super) expected: Value,
    pub(super) found: Value,
}

impl Difference {
    pub(super) fn to_json(&self) -> Value {
        json!({ "at": self.at, "expected": self.expected, "found": self.found })
    }
}

/// Every place at which `found` is not as expected. An own member has to be there as a text that says something.
pub(super) fn differences(expected: &Value, found: &Value) -> Vec<Difference> {
    let mut all = Vec::new();
    compare(String::new(), expected, Some(found), &mut all);
    all
}

fn compare(at: String, expected: &Value, found: Option<&Value>, all: &mut Vec<Difference>) {
    match (expected, found) {
        (Value::Object(expected), Some(Value::Object(found))) => members(&at, expected, found, all),
        (Value::Array(expected), Some(Value::Array(found))) if expected.len() == found.len() => {
            for (index, (expected, found)) in expected.iter().zip(found).enumerate() {
                compare(format!("{at}/{index}"), expected, Some(found), all);
            }
        }
        (expected, Some(found)) if same(expected, found) => {}
        (expected, found) => {
            all.push(Difference { at, expected: expected.clone(), found: found.cloned().unwrap_or_default() });
        }
    }
}

fn members(at: &str, expected: &Map<String, Value>, found: &Map<String, Value>, all: &mut Vec<Difference>) {
    for (key, value) in expected {
        let at = format!("{at}/{key}");
        let is_own = OWN.contains(&key.as_str()) && value.is_string();
        match found.get(key) {
            Some(Value::String(text)) if is_own && !text.is_empty() => {}
            found => compare(at, value, found, all),
        }
    }
    for (key, value) in found.iter().filter(|(key, _)| !expected.contains_key(*key)) {
        all.push(Difference { at: format!("{at}/{key}"), expected: Value::Null, found: value.clone() });
    }
}

/// Numbers by their value: `1` and `1.0` are one number to JSON.
fn same(expected: &Value, found: &Value) -> bool {
    expected == found || expected.as_f64().is_some_and(|expected| found.as_f64() == Some(expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(expected: &Value, found: &Value) -> Vec<String> {
        differences(expected, found).into_iter().map(|difference| difference.at).collect()
    }

    #[test]
    fn only_what_is_each_ones_own_may_differ() {
        let expected = json!({ "decision_id": "<uuid4>", "denied": true, "deny": { "code": "A", "message": "one" }, "events": [{ "timestamp": "<ts>", "id": "x" }], "score": 1.0 });
        let found = json!({ "decision_id": "77", "denied": true, "deny": { "code": "A", "message": "two" }, "events": [{ "timestamp": "now", "id": "x" }], "score": 1 });
        assert_eq!(places(&expected, &found), [""; 0]);
        let other = json!({ "decision_id": "", "denied": false, "deny": { "code": "B", "message": "two", "more": 1 }, "events": [], "score": 2 });
        assert_eq!(places(&expected, &other), ["/decision_id", "/denied", "/deny/code", "/deny/more", "/events", "/score"]);
        assert_eq!(places(&expected, &json!([])), [""]);
        assert_eq!(places(&json!({ "a": 1 }), &json!({})), ["/a"]);
        assert_eq!(places(&json!({ "message": "x" }), &json!({ "message": 5 })), ["/message"]);
    }
}
