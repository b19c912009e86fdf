//! Templates of skill projects: one table of files for each language. They are part of the command.

use skillhall_core::id::SkillId;

/// A language in which a skill can be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lang {
    Rust,
    Python,
    JavaScript,
    C,
}

/// What is known of a language.
struct Template {
    lang: Lang,
    name: &'static str,
    /// What has to be there to build it.
    needs: &'static str,
    /// Path in the project and text. Words in double braces are filled in.
    files: &'static [(&'static str, &'static str)],
    /// Files that are laid out as they are.
    shared: &'static [(&'static str, &'static str)],
}

const TEMPLATES: &[Template] = &[
    Template {
        lang: Lang::Rust,
        name: "rust",
        needs: "needed once: rustup target add wasm32-wasip2",
        files: &[
            ("skill.toml", include_str!("../templates/rust/skill.toml")),
            ("Cargo.toml", include_str!("../templates/rust/Cargo.toml")),
            ("wit/skill.wit", include_str!("../templates/rust/wit/skill.wit")),
            ("src/lib.rs", include_str!("../templates/rust/src/lib.rs")),
            ("cases/count.toml", include_str!("../templates/cases/count.toml")),
            ("README.md", include_str!("../templates/rust/README.md")),
            (".gitignore", include_str!("../templates/rust/gitignore")),
        ],
        shared: &[],
    },
    Template {
        lang: Lang::Python,
        name: "python",
        needs: "needed: Python 3.11 or newer with its module venv; the rest comes from PyPI, pinned",
        files: &[
            ("skill.toml", include_str!("../templates/python/skill.toml")),
            ("build.py", include_str!("../templates/python/build.py")),
            ("requirements.txt", include_str!("../templates/python/requirements.txt")),
            ("requirements-build.txt", include_str!("../templates/python/requirements-build.txt")),
            ("wit/skill.wit", include_str!("../templates/python/wit/skill.wit")),
            ("src/app.py", include_str!("../templates/python/src/app.py")),
            ("src/skillhall/__init__.py", include_str!("../../../sdk/python/skillhall/__init__.py")),
            ("src/skillhall/config.py", include_str!("../../../sdk/python/skillhall/config.py")),
            ("src/skillhall/http.py", include_str!("../../../sdk/python/skillhall/http.py")),
            ("src/skillhall/log.py", include_str!("../../../sdk/python/skillhall/log.py")),
            ("src/skillhall/secrets.py", include_str!("../../../sdk/python/skillhall/secrets.py")),
            ("src/skillhall/tools.py", include_str!("../../../sdk/python/skillhall/tools.py")),
            ("tests/__init__.py", include_str!("../templates/python/tests/__init__.py")),
            ("tests/test_app.py", include_str!("../templates/python/tests/test_app.py")),
            ("cases/count.toml", include_str!("../templates/cases/count.toml")),
            ("README.md", include_str!("../templates/python/README.md")),
            (".gitignore", include_str!("../templates/python/gitignore")),
        ],
        shared: INTERFACES,
    },
    Template {
        lang: Lang::JavaScript,
        name: "javascript",
        needs: "needed: Node.js 20 or newer with npm; the rest comes from npm, pinned",
        files: &[
            ("skill.toml", include_str!("../templates/javascript/skill.toml")),
            ("build.mjs", include_str!("../templates/javascript/build.mjs")),
            ("package.json", include_str!("../templates/javascript/package.json")),
            ("package-lock.json", include_str!("../templates/javascript/package-lock.json")),
            ("wit/skill.wit", include_str!("../templates/javascript/wit/skill.wit")),
            ("src/skill.js", include_str!("../templates/javascript/src/skill.js")),
            ("src/skillhall/index.js", include_str!("../../../sdk/javascript/skillhall/index.js")),
            ("src/skillhall/config.js", include_str!("../../../sdk/javascript/skillhall/config.js")),
            ("src/skillhall/http.js", include_str!("../../../sdk/javascript/skillhall/http.js")),
            ("src/skillhall/log.js", include_str!("../../../sdk/javascript/skillhall/log.js")),
            ("src/skillhall/secrets.js", include_str!("../../../sdk/javascript/skillhall/secrets.js")),
            ("src/skillhall/tools.js", include_str!("../../../sdk/javascript/skillhall/tools.js")),
            ("test/skill.test.js", include_str!("../templates/javascript/test/skill.test.js")),
            ("cases/count.toml", include_str!("../templates/cases/count.toml")),
            ("README.md", include_str!("../templates/javascript/README.md")),
            (".gitignore", include_str!("../templates/javascript/gitignore")),
        ],
        shared: INTERFACES,
    },
    Template {
        lang: Lang::C,
        name: "c",
        needs: "needed: Python 3.9 or newer with its module venv, by which zig comes from PyPI, pinned; or the WASI SDK",
        files: &[
            ("skill.toml", include_str!("../templates/c/skill.toml")),
            ("build.sh", include_str!("../templates/c/build.sh")),
            ("requirements-build.txt", include_str!("../templates/c/requirements-build.txt")),
            ("wit/skill.wit", include_str!("../templates/c/wit/skill.wit")),
            ("src/skill.c", include_str!("../templates/c/src/skill.c")),
            ("src/skillhall/config.h", include_str!("../../../sdk/c/skillhall/config.h")),
            ("src/skillhall/http.h", include_str!("../../../sdk/c/skillhall/http.h")),
            ("src/skillhall/log.h", include_str!("../../../sdk/c/skillhall/log.h")),
            ("src/skillhall/secrets.h", include_str!("../../../sdk/c/skillhall/secrets.h")),
            ("src/skillhall/text.h", include_str!("../../../sdk/c/skillhall/text.h")),
            ("src/skillhall/tools.h", include_str!("../../../sdk/c/skillhall/tools.h")),
            ("cases/count.toml", include_str!("../templates/cases/count.toml")),
            ("README.md", include_str!("../templates/c/README.md")),
            (".gitignore", include_str!("../templates/c/gitignore")),
        ],
        shared: INTERFACES,
    },
];

/// What a host can link, for languages whose tools make their types from WIT. A world that imports none of it gets none of it.
const INTERFACES: &[(&str, &str)] = &[
    ("wit/deps/clocks.wit", include_str!("../../../sdk/wit/clocks.wit")),
    ("wit/deps/config.wit", include_str!("../../../sdk/wit/config.wit")),
    ("wit/deps/http.wit", include_str!("../../../sdk/wit/http.wit")),
    ("wit/deps/io.wit", include_str!("../../../sdk/wit/io.wit")),
    ("wit/deps/logging.wit", include_str!("../../../sdk/wit/logging.wit")),
    ("wit/deps/secrets.wit", include_str!("../../../wit/secrets/0.1.0/secrets.wit")),
    ("wit/deps/tools.wit", include_str!("../../../wit/tools/0.1.0/tools.wit")),
];

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

    /// What has to be there to build it, as a remark.
    pub(crate) fn needs(self) -> &'static str {
        self.template().map_or("", |template| template.needs)
    }

    /// The files of a project, by path, filled in.
    pub(crate) fn files(self, skill: &SkillId, author: &str) -> Vec<(&'static str, String)> {
        let words = Words::of(skill, author);
        let (files, shared) = self.template().map(|template| (template.files, template.shared)).unwrap_or_default();
        let mut filled: Vec<(&str, String)> = files.iter().map(|(path, text)| (*path, words.fill(text))).collect();
        filled.extend(shared.iter().map(|(path, text)| (*path, (*text).to_owned())));
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

    fn files(lang: Lang, skill: &str) -> Vec<(&'static str, String)> {
        lang.files(&skill.parse().expect("a skill"), "A \"quoted\" author <a@example.org>")
    }

    #[test]
    fn everything_is_filled_in_and_the_skill_is_read() {
        let skills = ["x.ada/my-skill", "org.acme/2fast", "x.self/type", "x.1-2/a--b", "org.std/record"];
        for (lang, skill) in TEMPLATES.iter().flat_map(|template| skills.map(|skill| (template.lang, skill))) {
            let files = files(lang, skill);
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
    fn what_is_fetched_for_a_build_is_pinned_by_digest_and_names_no_place() {
        let text = |lang: Lang, wanted: &str| {
            let files = files(lang, "x.ada/my-skill");
            files.into_iter().find(|(path, _)| *path == wanted).expect("the file is there").1
        };
        let lock: serde_json::Value = serde_json::from_str(&text(Lang::JavaScript, "package-lock.json")).expect("a lock");
        let packages = lock["packages"].as_object().expect("packages");
        assert!(packages.len() > 40);
        for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
            assert!(package["integrity"].as_str().is_some_and(|digest| digest.starts_with("sha512-")), "{name}");
            assert!(package.get("resolved").is_none(), "{name}");
        }
        let wanted: serde_json::Value = serde_json::from_str(&text(Lang::JavaScript, "package.json")).expect("a package");
        assert_eq!(packages[""]["devDependencies"], wanted["devDependencies"]);
        let tools = text(Lang::Python, "requirements-build.txt");
        assert!(tools.contains("componentize-py==") && tools.contains("--hash=sha256:") && !tools.contains("://"), "{tools}");
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
        assert_eq!(Lang::parse("JavaScript"), Ok(Lang::JavaScript));
        assert!(Lang::parse("cobol").unwrap_err().ends_with("rust, python, javascript, c"));
    }
}
