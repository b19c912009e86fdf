//! Edits of JSON that people wrote: comments, order and spaces stay as they are.

use std::ops::Range;

use serde_json::{Map, Value};

/// How deep a file may be nested.
const DEEPEST: usize = 64;

/// A value, and where in the text it stands.
pub(super) struct Node {
    span: Range<usize>,
    kind: Kind,
}

enum Kind {
    Object(Vec<Member>),
    Array(Vec<Node>),
    Other(Value),
}

struct Member {
    name: String,
    node: Node,
    /// Where the comma behind it ends, if there is one.
    comma: Option<usize>,
}

impl Node {
    /// The value without its comments.
    fn value(&self) -> Value {
        match &self.kind {
            Kind::Object(members) => {
                Value::Object(members.iter().map(|member| (member.name.clone(), member.node.value())).collect::<Map<_, _>>())
            }
            Kind::Array(items) => items.iter().map(Self::value).collect(),
            Kind::Other(value) => value.clone(),
        }
    }
}

/// What is put into a file.
pub(super) struct Entry<'a> {
    /// The name of the object of servers, and the server's in it.
    pub(super) at: [&'a str; 2],
    /// The members of the server, each by its path below it.
    pub(super) members: &'a [(&'a [&'a str], Value)],
    /// Members that only a server has that is reached in another way.
    pub(super) foreign: &'a [&'a str],
}

/// Puts a server into a text that is an object. Of one that stands there already only the members are set that the entry has. What
/// stands in the text otherwise stays as it is, byte for byte.
///
/// # Errors
/// Why the text cannot be edited without a loss.
pub(super) fn set(text: &str, entry: &Entry<'_>) -> Result<String, String> {
    let [outer, inner] = entry.at;
    let is_new = text.trim().is_empty();
    let text = if is_new { "{}" } else { text };
    let mut wanted = parse(text)?.value();
    let there = wanted.get(outer).and_then(|all| all.get(inner));
    if there.is_some_and(|there| entry.foreign.iter().any(|member| there.get(member).is_some())) {
        return Err(format!("the server {inner} in it is another one"));
    }
    // Names of headers are the same in any case, and of two of them nobody knows which is sent.
    let headers = there.and_then(|there| there.get("headers")).and_then(Value::as_object);
    let sets = |name: &str| entry.members.iter().filter_map(|(path, _)| path.last()).find(|own| own.eq_ignore_ascii_case(name));
    if let Some((name, _)) = headers.into_iter().flatten().find(|(name, _)| sets(name).is_some_and(|own| *own != name.as_str())) {
        return Err(format!("the server {inner} in it has a header {} already", name.escape_default()));
    }
    // Member by member, so that they stand in this order.
    let mut new = if there.is_some() { text.to_owned() } else { edit(text, &[outer, inner], &Value::Object(Map::new()))? };
    for (below, value) in entry.members {
        let path = [&[outer, inner], *below].concat();
        new = edit(&new, &path, value)?;
        *member(&mut wanted, &path).ok_or("it is not an object")? = value.clone();
    }
    // Held against what was meant, whatever the editing did.
    if parse(&new)?.value() != wanted {
        return Err("it could not be edited without a loss".to_owned());
    }
    Ok(if is_new { format!("{new}\n") } else { new })
}

/// The member at a path, made where it is missing; `None` if something above it is no object.
fn member<'a>(value: &'a mut Value, path: &[&str]) -> Option<&'a mut Value> {
    path.iter()
        .try_fold(value, |above, name| Some(above.as_object_mut()?.entry(*name).or_insert_with(|| Value::Object(Map::new()))))
}

fn edit(text: &str, path: &[&str], value: &Value) -> Result<String, String> {
    let root = parse(text)?;
    let Kind::Object(members) = &root.kind else { return Err("it is not an object".to_owned()) };
    let style = Style::of(text, members);
    let mut node = &root;
    for (above, name) in path.iter().enumerate() {
        let Kind::Object(members) = &node.kind else {
            return Err(format!("{} in it is not an object", path.get(..above).unwrap_or_default().join(".")));
        };
        let Some(found) = members.iter().find(|member| member.name == *name) else {
            let below = path.get(above + 1..).unwrap_or_default();
            let value = below.iter().rev().fold(value.clone(), |value, name| serde_json::json!({ *name: value }));
            return Ok(insert(text, node, members, &style.member(name, &value, above + 1), &style, above + 1));
        };
        node = &found.node;
    }
    if node.value() == *value {
        return Ok(text.to_owned());
    }
    Ok(replaced(text, node.span.clone(), &style.value(value, path.len())))
}

/// Puts a member behind the last one of an object.
fn insert(text: &str, object: &Node, members: &[Member], entry: &str, style: &Style, depth: usize) -> String {
    let (line, inside, outside) = (style.newline, style.indent.repeat(depth), style.indent.repeat(depth.saturating_sub(1)));
    match members.last() {
        Some(Member { comma: Some(at), .. }) => replaced(text, *at..*at, &format!("{line}{inside}{entry},")),
        Some(last) => {
            let at = last.node.span.end;
            replaced(text, at..at, &format!(",{line}{inside}{entry}"))
        }
        // Behind the brace; a comment inside stays behind the new member.
        None => {
            let at = object.span.start + 1;
            let rest = text.get(at..object.span.end.saturating_sub(1)).unwrap_or_default();
            let end = if rest.contains('\n') { String::new() } else { format!("{line}{outside}") };
            replaced(text, at..at, &format!("{line}{inside}{entry}{end}"))
        }
    }
}

fn replaced(text: &str, span: Range<usize>, by: &str) -> String {
    let mut new = text.to_owned();
    new.replace_range(span, by);
    new
}

/// How the file is written.
struct Style {
    indent: String,
    newline: &'static str,
}

impl Style {
    fn of(text: &str, members: &[Member]) -> Self {
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        // What stands before the first line that is not flush.
        let indented = text.lines().find(|line| line.starts_with([' ', '\t']) && !line.trim().is_empty());
        let indent =
            indented.filter(|_| !members.is_empty()).map(|line| line.chars().take_while(|c| " \t".contains(*c)).collect());
        let indent = indent.filter(|indent: &String| indent.len() <= 8).unwrap_or_else(|| "  ".to_owned());
        Self { indent, newline }
    }

    fn member(&self, name: &str, value: &Value, depth: usize) -> String {
        format!("{}: {}", Value::from(name), self.value(value, depth))
    }

    fn value(&self, value: &Value, depth: usize) -> String {
        match value {
            Value::Object(members) if !members.is_empty() => {
                let inside = self.indent.repeat(depth + 1);
                let lines: Vec<String> =
                    members.iter().map(|(name, value)| format!("{inside}{}", self.member(name, value, depth + 1))).collect();
                let (line, outside) = (self.newline, self.indent.repeat(depth));
                format!("{{{line}{}{line}{outside}}}", lines.join(&format!(",{line}")))
            }
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(Value::to_string).collect();
                format!("[{}]", items.join(", "))
            }
            other => other.to_string(),
        }
    }
}

/// Reads JSON with comments and commas behind the last member, as editors write it. A name that stands twice in one object is an
/// error: clients differ in which of the two they read.
fn parse(text: &str) -> Result<Node, String> {
    let mut reader = Reader { text, at: if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 } };
    let root = reader.value(0)?;
    reader.space()?;
    if reader.at == text.len() { Ok(root) } else { Err(reader.fault("something stands behind the end")) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn fault(&self, what: &str) -> String {
        let line = self.text.get(..self.at).unwrap_or_default().matches('\n').count() + 1;
        format!("line {line}: {what}")
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let takes = self.peek() == Some(wanted);
        if takes {
            self.at += wanted.len_utf8();
        }
        takes
    }

    /// Passes over spaces and comments.
    fn space(&mut self) -> Result<(), String> {
        loop {
            let rest = self.rest();
            let spaces = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            self.at += spaces;
            let rest = self.rest();
            if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if let Some(comment) = rest.strip_prefix("/*") {
                let end = comment.find("*/").ok_or_else(|| self.fault("a comment has no end"))?;
                self.at += end + 4;
            } else {
                return Ok(());
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, String> {
        if depth > DEEPEST {
            return Err(self.fault("it is nested too deeply"));
        }
        self.space()?;
        let start = self.at;
        let kind = match self.peek() {
            Some('{') => self.object(depth)?,
            Some('[') => self.array(depth)?,
            Some('"') => Kind::Other(Value::String(self.string()?)),
            _ => Kind::Other(self.word()?),
        };
        Ok(Node { span: start..self.at, kind })
    }

    fn object(&mut self, depth: usize) -> Result<Kind, String> {
        self.at += 1;
        let mut members: Vec<Member> = Vec::new();
        loop {
            self.space()?;
            if self.take('}') {
                return Ok(Kind::Object(members));
            }
            if members.last().is_some_and(|member| member.comma.is_none()) {
                return Err(self.fault("a comma or a closing brace is missing"));
            }
            let name = self.string()?;
            if members.iter().any(|member| member.name == name) {
                return Err(self.fault(&format!("{} stands twice in one object", Value::from(name))));
            }
            self.space()?;
            if !self.take(':') {
                return Err(self.fault("a colon is missing"));
            }
            let node = self.value(depth + 1)?;
            self.space()?;
            let comma = self.take(',').then_some(self.at);
            members.push(Member { name, node, comma });
        }
    }

    fn array(&mut self, depth: usize) -> Result<Kind, String> {
        self.at += 1;
        let (mut items, mut goes_on) = (Vec::new(), true);
        loop {
            self.space()?;
            if self.take(']') {
                return Ok(Kind::Array(items));
            }
            if !goes_on {
                return Err(self.fault("a comma or a closing bracket is missing"));
            }
            items.push(self.value(depth + 1)?);
            self.space()?;
            goes_on = self.take(',');
        }
    }

    fn string(&mut self) -> Result<String, String> {
        let rest = self.rest();
        let mut escaped = false;
        let end = rest.char_indices().skip(1).find(|(_, c)| {
            let is_end = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            is_end
        });
        let text = end.and_then(|(end, _)| rest.get(..=end)).filter(|text| text.starts_with('"'));
        let read = text.and_then(|text| Some((serde_json::from_str(text).ok()?, text.len())));
        let (string, length) = read.ok_or_else(|| self.fault("a text in double quotes is missing, or is broken"))?;
        self.at += length;
        Ok(string)
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<Value, String> {
        let rest = self.rest();
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(rest.len());
        let value = rest.get(..length).and_then(|word| serde_json::from_str(word).ok());
        let value = value.ok_or_else(|| self.fault("a value is missing, or is broken"))?;
        self.at += length;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PATH: [&str; 2] = ["servers", "hall"];

    fn put(text: &str) -> Result<String, String> {
        set(text, &Entry { at: PATH, members: &[(&["command"], json!("hall"))], foreign: &["url"] })
    }

    #[test]
    fn the_rest_stays_as_it_is() {
        let cases = [
            ("", "{\n  \"servers\": {\n    \"hall\": {\n      \"command\": \"hall\"\n    }\n  }\n}\n"),
            ("{}", "{\n  \"servers\": {\n    \"hall\": {\n      \"command\": \"hall\"\n    }\n  }\n}"),
            (
                "{\n\t\"a\": 1, // one\n\t\"servers\": { /* mine */ },\n}\n",
                "{\n\t\"a\": 1, // one\n\t\"servers\": {\n\t\t\"hall\": {\n\t\t\t\"command\": \"hall\"\n\t\t}\n\t /* mine */ },\n}\n",
            ),
            (
                "{\n    \"servers\": {\n        \"b\": {}, // last\n    }\n}",
                "{\n    \"servers\": {\n        \"b\": {},\n        \"hall\": {\n            \"command\": \"hall\"\n        }, // last\n    }\n}",
            ),
            (
                "{ \"servers\": { \"hall\": { \"command\": \"old\", /* own */ \"env\": {} }, \"z\": 1.50 } }",
                "{ \"servers\": { \"hall\": { \"command\": \"hall\", /* own */ \"env\": {} }, \"z\": 1.50 } }",
            ),
        ];
        for (before, after) in cases {
            assert_eq!(put(before).as_deref(), Ok(after), "{before}");
            assert_eq!(put(after).as_deref(), Ok(after), "again: {before}");
        }
        assert!(put("{\"servers\": {\"hall\": {\"url\": \"https://elsewhere.example\"}}}").is_err());
    }

    #[test]
    fn members_of_members_are_set_and_their_neighbours_stay() {
        let put = |text: &str| {
            let members: [(&[&str], Value); 2] = [(&["url"], json!("u")), (&["headers", "Authorization"], json!("Bearer ${T}"))];
            set(text, &Entry { at: PATH, members: &members, foreign: &["command"] })
        };
        for (before, after) in [
            (
                "{}",
                "{\n  \"servers\": {\n    \"hall\": {\n      \"url\": \"u\",\n      \"headers\": {\n        \"Authorization\": \"Bearer ${T}\"\n      }\n    }\n  }\n}",
            ),
            (
                "{\"servers\": {\"hall\": {\"url\": \"u\", \"headers\": {\"X\": \"1\", \"Authorization\": \"Bearer secret\"}}}}",
                "{\"servers\": {\"hall\": {\"url\": \"u\", \"headers\": {\"X\": \"1\", \"Authorization\": \"Bearer ${T}\"}}}}",
            ),
        ] {
            assert_eq!(put(before).as_deref(), Ok(after), "{before}");
            assert_eq!(put(after).as_deref(), Ok(after), "again: {before}");
        }
        for other in [
            "{\"servers\": {\"hall\": {\"command\": \"c\"}}}",
            "{\"servers\": {\"hall\": {\"headers\": {\"authorization\": \"a\"}}}}",
            "{\"servers\": {\"hall\": {\"headers\": []}}}",
        ] {
            assert!(put(other).is_err(), "{other}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_edited() {
        let deep = format!("{{\"a\": {}", "[".repeat(100));
        for broken in [
            "{",
            "[]",
            "3",
            "{\"servers\": []}",
            "{\"servers\": 1}",
            "{a: 1}",
            "{\"a\": 1 \"b\": 2}",
            "{\"a\": }",
            "{\"a\" 1}",
            "{} x",
            "{\"a\": 1, \"a\": 2}",
            "{ /* ",
            "{\"a\": \"\\q\"}",
            "{\"a\": 'b'}",
            "{\"a\": 01}",
            "{,}",
            "{\"a\": [1 2]}",
            &deep,
        ] {
            assert!(put(broken).is_err(), "{broken}");
        }
    }
}
