//! The state of a project's files, as far as they are its source.
//!
//! It is looked at again and again, and not announced by the kernel: that is the same on every file system (a folder shared with
//! a virtual machine announces nothing), misses nothing, and costs a look at some hundred files ten times a second.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ignore::WalkBuilder;

use crate::error::{CommandError, Outcome};
use crate::printer::shown;

/// The most files that are watched.
const MOST: usize = 20_000;
/// What is made of the source in every language, ignored by git or not.
const MADE: [&str; 5] = ["dist", "target", "node_modules", "__pycache__", ".git"];

/// When a file was written and how large it is. What is no file has neither.
type Mark = (Option<SystemTime>, u64);

/// The state of the files of a project at a moment.
#[derive(PartialEq, Eq)]
pub(super) struct Tree(BTreeMap<PathBuf, Mark>);

impl Tree {
    /// Looks at a project: at every file in it that git would keep and that is not hidden, and at `also`, whether git keeps it or not.
    ///
    /// # Errors
    /// If there are too many files.
    pub(super) fn look(project: &Path, also: Option<&str>) -> Outcome<Self> {
        let mut walk = WalkBuilder::new(project);
        // Only the project's own .gitignore counts, in a repository or not.
        walk.require_git(false).parents(false).git_global(false).follow_links(false).hidden(true);
        walk.filter_entry(|entry| !entry.file_name().to_str().is_some_and(|name| MADE.contains(&name)));
        let mut files = BTreeMap::new();
        // What went away, or cannot be read, while it was looked at is not there; the build says so if it has to be.
        for entry in walk.build().flatten().filter(|entry| entry.file_type().is_some_and(|kind| !kind.is_dir())) {
            let path = entry.path().strip_prefix(project).unwrap_or(entry.path()).to_owned();
            files.insert(path, mark(entry.path()));
            if files.len() > MOST {
                let message = format!("there are more than {MOST} files in {}", shown(&project.display().to_string()));
                return Err(CommandError::usage(message, "name what is built and downloaded in the project's .gitignore"));
            }
        }
        if let Some(also) = also {
            files.insert(also.into(), mark(&project.join(also)));
        }
        Ok(Self(files))
    }

    /// The files that are another, new or gone, in the order of their names.
    pub(super) fn changed_since(&self, before: &Self) -> Vec<PathBuf> {
        let other = |(path, mark): &(&PathBuf, &Mark)| before.0.get(*path) != Some(*mark);
        let mut changed: Vec<PathBuf> = self.0.iter().filter(other).map(|(path, _)| path.clone()).collect();
        changed.extend(before.0.keys().filter(|path| !self.0.contains_key(*path)).cloned());
        changed.sort();
        changed
    }
}

fn mark(path: &Path) -> Mark {
    path.metadata().map_or((None, 0), |metadata| (metadata.modified().ok(), metadata.len()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn changed(project: &Path, before: &Tree) -> Vec<String> {
        let now = Tree::look(project, Some("out.wasm")).expect("a look");
        now.changed_since(before).iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn what_is_source_is_seen_and_what_is_made_of_it_is_not() {
        let project = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = project.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("written");
        };
        write(".gitignore", "/out.wasm\n*.tmp\n");
        write("src/lib.rs", "one");
        let before = Tree::look(project.path(), Some("out.wasm")).expect("a look");
        for made in ["dist/a", "target/b", "node_modules/c/d.js", "src/__pycache__/e", ".git/HEAD", ".venv/f", "src/g.tmp"] {
            write(made, "made");
        }
        assert_eq!(changed(project.path(), &before), Vec::<String>::new());
        write("src/lib.rs", "other");
        write("wit/skill.wit", "new");
        write("out.wasm", "by hand");
        assert_eq!(changed(project.path(), &before), ["out.wasm", "src/lib.rs", "wit/skill.wit"]);
        fs::remove_file(project.path().join("src/lib.rs")).expect("removed");
        assert_eq!(changed(project.path(), &before), ["out.wasm", "src/lib.rs", "wit/skill.wit"]);
    }

    #[test]
    fn a_project_has_an_end() {
        let project = tempfile::tempdir().expect("a folder");
        for number in 0..=MOST {
            fs::write(project.path().join(number.to_string()), "").expect("written");
        }
        let error = Tree::look(project.path(), None).err().expect("too many");
        assert!(error.message().contains("more than 20000 files"), "{}", error.message());
    }
}
