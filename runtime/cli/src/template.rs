//! Templates of skill projects: one table of files for each language. They are part of the command.

use skillhall_core::id::SkillId;

/// A language in which a skill can be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lang {
    Rust,
}

/// What is known of a language.
struct Template {
    lang: Lang,
    name: &'static str,
    /// What has to be there to build it.
    needs: &'static str,
    /// Path in the project and text. Words in double braces are filled in.
    files: &'static [(&'static str, &'static str)],
}

const TEMPLATES: &[Template] = &[Template {
    lang: Lang::Rust,
    name: "rust",
    needs: "rustup target add wasm32-wasip2",
    files: &[
        ("skill.toml", include_str!("../templates/rust/skill.toml")),
        ("Cargo.toml", include_str!("../templates/rust/Cargo.toml")),
        ("wit/skill.wit", include_str!("../templates/rust/wit/skill.wit")),
        ("src/lib.rs", include_str!("../templates/rust/src/lib.rs")),
        ("README.md", include_str!("../templates/rust/README.md")),
        (".gitignore", include_str!("../templates/rust/gitignore")),
    ],
}];

/// The schema of skill.toml, which the project's skill.toml names for editors.
const SCHEMA: (&str, &str) = (".skillhall/skill.schema.json", include_str!("../schemas/skill.schema.json"));

impl Lang {
    /// Reads a language's name.
    ///
    /// # Errors
    /// If there is no template for it, naming those that there are.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wanted = text.to_ascii_lowercase();
        TEMPLATES.iter().find(|template| template.name == wanted).map(|template| template.lang).ok_or_else(|| {
            let names: Vec<&str> = TEMPLATES.iter().map(|template| template.name).collect();
            format!("there is no template for it; there is one for: {}", names.join(", "))
        })
    }

    fn template(self) -> Option<&'static Template> {
        TEMPLATES.iter().find(|template| template.lang == self)
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        self.template().map_or("", |template| template.name)
    }

    /// What has to be there to build it, as a command.
    pub(crate) fn needs(self) -> &'static str {
        self.template().map_or("", |template| template.needs)
    }

    /// The files of a project, by path, filled in.
    pub(crate) fn files(self, skill: &SkillId, author: &str) -> Vec<(&'static str, String)> {
        let words = Words::of(skill, author);
        let files = self.template().map(|template| template.files).unwrap_or_default();
        let mut filled: Vec<(&str, String)> = files.iter().map(|(path, text)| (*path, words.fill(text))).collect();
        filled.push((SCHEMA.0, SCHEMA.1.to_owned()));
        filled
    }
}

/// What is filled in. A skill's name may be what neither WIT nor Rust takes as a name.
struct Words([(&'static str, String); 9]);

impl Words {
    fn of(skill: &SkillId, author: &str) -> Self {
        let (wit_namespace, wit_name) = (wit_name(skill.namespace.label()), wit_name(skill.name.as_str()));
        let package = if skill.name.as_str().starts_with(|first: char| first.is_ascii_digit()) || is_kept(skill.name.as_str()) {
            format!("skill-{}", skill.name)
        } else {
            skill.name.to_string()
        };
        Self([
            ("{{namespace}}", skill.namespace.to_string()),
            ("{{name}}", skill.name.to_string()),
            // A JSON string is a TOML string.
            ("{{author}}", serde_json::Value::from(author).to_string()),
            ("{{library}}", package.replace('-', "_")),
            ("{{package}}", package),
            ("{{rust_namespace}}", wit_namespace.replace('-', "_")),
            ("{{rust_name}}", wit_name.replace('-', "_")),
            ("{{wit_namespace}}", wit_namespace),
            ("{{wit_name}}", wit_name),
        ])
    }

    fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
    }
}

/// A name in WIT: words joined by hyphens, each beginning with a letter.
fn wit_name(label: &str) -> String {
    let words: Vec<String> = label
        .split('-')
        .filter(|word| !word.is_empty())
        .map(|word| if word.starts_with(|first: char| first.is_ascii_digit()) { format!("n{word}") } else { word.to_owned() })
        .collect();
    let name = words.join("-");
    if is_kept(&name) { format!("{name}-skill") } else { name }
}

/// Words that WIT, Rust or cargo keeps for itself.
fn is_kept(name: &str) -> bool {
    const KEPT: &[&str] = &[
        "abstract",
        "alloc",
        "as",
        "async",
        "await",
        "become",
        "bool",
        "borrow",
        "box",
        "break",
        "char",
        "const",
        "constructor",
        "continue",
        "core",
        "crate",
        "do",
        "dyn",
        "else",
        "enum",
        "error-context",
        "export",
        "extern",
        "f32",
        "f64",
        "false",
        "final",
        "flags",
        "float32",
        "float64",
        "fn",
        "for",
        "from",
        "func",
        "future",
        "gen",
        "if",
        "impl",
        "import",
        "in",
        "include",
        "interface",
        "let",
        "list",
        "loop",
        "macro",
        "match",
        "mod",
        "move",
        "mut",
        "option",
        "override",
        "own",
        "package",
        "priv",
        "proc-macro",
        "pub",
        "record",
        "ref",
        "resource",
        "result",
        "return",
        "s16",
        "s32",
        "s64",
        "s8",
        "self",
        "static",
        "std",
        "stream",
        "string",
        "struct",
        "super",
        "test",
        "trait",
        "true",
        "try",
        "tuple",
        "type",
        "typeof",
        "u16",
        "u32",
        "u64",
        "u8",
        "union",
        "unsafe",
        "unsized",
        "use",
        "variant",
        "virtual",
        "where",
        "while",
        "with",
        "wit-bindgen",
        "world",
        "yield",
    ];
    KEPT.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(skill: &str) -> Vec<(&'static str, String)> {
        Lang::Rust.files(&skill.parse().expect("a skill"), "A \"quoted\" author <a@example.org>")
    }

    #[test]
    fn everything_is_filled_in_and_the_skill_is_read() {
        for skill in ["x.ada/my-skill", "org.acme/2fast", "x.self/type", "x.1-2/a--b", "org.std/record"] {
            let files = files(skill);
            for (path, text) in &files {
                assert!(!text.contains("{{"), "{skill}: {path}: {text}");
            }
            let text = |wanted: &str| &files.iter().find(|(path, _)| *path == wanted).expect("the file is there").1;
            let source = skillhall_core::package::source::parse(text("skill.toml")).expect("a skill.toml");
            assert_eq!(source.reference().id.to_string(), skill);
            assert_eq!(source.authors, ["A \"quoted\" author <a@example.org>"]);
            let wit = std::collections::BTreeMap::from([("skill.wit".to_owned(), text("wit/skill.wit").clone())]);
            skillhall_core::package::wit::Docs::read(&wit).unwrap_or_else(|error| panic!("{skill}: {error}"));
        }
    }

    #[test]
    fn kept_words_are_sorted_and_avoided() {
        assert!(is_kept("abstract") && is_kept("yield") && is_kept("self") && is_kept("proc-macro") && !is_kept("redact"));
        assert_eq!(wit_name("record"), "record-skill");
        assert_eq!(wit_name("2fast-4-u"), "n2fast-n4-u");
    }

    #[test]
    fn an_unknown_language_is_told_with_those_that_there_are() {
        assert_eq!(Lang::parse("Rust"), Ok(Lang::Rust));
        assert!(Lang::parse("python").unwrap_err().contains("rust"));
    }
}
