//! Adapters as files in a folder of the user's: all of them or none, and nobody else's lost.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use skillhall_core::id::SkillName;
use skillhall_core::package::Adapter;
use skillhall_core::store;

use crate::error::{CommandError, Outcome};

/// The largest file that is compared with what would be written.
const MAX: u64 = 8 << 20;

/// What has become of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// There was none.
    New,
    /// It said something else.
    Changed,
    /// It says this already.
    Same,
}

impl State {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Same => "same",
        }
    }
}

/// An adapter that stands in the folder now.
pub(super) struct Laid {
    pub(super) adapter: Adapter,
    pub(super) file: PathBuf,
    pub(super) state: State,
}

/// Writes the adapters of a skill into a folder, which is made if it is not there.
///
/// # Errors
/// Of usage, if a file is in the way and nothing was written; a fault, if the disk fails.
pub(super) fn lay(folder: &Path, skill: &SkillName, files: &[(Adapter, Arc<[u8]>)], overwrite: bool) -> Outcome<Vec<Laid>> {
    let fault =
        |error: io::Error| CommandError::Fault(anyhow::Error::new(error).context(format!("writing {}", folder.display())));
    std::fs::create_dir_all(folder).map_err(fault)?;
    // Nothing outside of it can be reached from here on, whatever links are in it.
    let dir = Dir::open_ambient_dir(folder, ambient_authority()).map_err(fault)?;
    let mut laid = Vec::new();
    let mut in_the_way = Vec::new();
    for (adapter, bytes) in files {
        let name = name(*adapter, skill);
        let file = folder.join(&name);
        match look(&dir, &name, bytes) {
            Some(State::Changed) if !overwrite => in_the_way.push(file.display().to_string()),
            Some(state) => laid.push(Laid { adapter: *adapter, file, state }),
            None => {
                let message = format!("{} or its folder is a link or no file", file.display());
                return Err(CommandError::usage(message, "nothing was written; choose another folder"));
            }
        }
    }
    if !in_the_way.is_empty() {
        let message = format!("there already is, and says something else: {}", in_the_way.join(", "));
        return Err(CommandError::usage(message, "nothing was written; look at them, then name --overwrite or another folder"));
    }
    for (Laid { adapter, state, .. }, (_, bytes)) in laid.iter().zip(files) {
        if *state != State::Same {
            write(&dir, &name(*adapter, skill), bytes).map_err(fault)?;
        }
    }
    Ok(laid)
}

/// An adapter's file: an agent looks for SKILL.md in a folder of the skill's name.
fn name(adapter: Adapter, skill: &SkillName) -> String {
    match adapter {
        Adapter::AgentSkill => format!("{skill}/SKILL.md"),
        Adapter::Mcp | Adapter::Openai | Adapter::Anthropic | Adapter::Gemini | Adapter::Owasp => {
            format!("{skill}.{adapter}.json")
        }
    }
}

/// What would become of a file; `None` if its place is taken by something that is not written over.
fn look(dir: &Dir, name: &str, bytes: &[u8]) -> Option<State> {
    if let Some((parent, _)) = name.split_once('/') {
        match dir.symlink_metadata(parent) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Some(State::New),
            Ok(about) if about.is_dir() => {}
            _ => return None,
        }
    }
    match dir.symlink_metadata(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(State::New),
        Ok(about) if about.is_file() => {
            let same = store::read(dir, name, MAX).is_ok_and(|there| there == bytes);
            Some(if same { State::Same } else { State::Changed })
        }
        _ => None,
    }
}

fn write(dir: &Dir, name: &str, bytes: &[u8]) -> io::Result<()> {
    let Some((parent, file)) = name.split_once('/') else { return store::write(dir, name, bytes, 0o644) };
    if dir.symlink_metadata(parent).is_err() {
        dir.create_dir(parent)?;
    }
    store::write(&dir.open_dir(parent)?, file, bytes, 0o644)
}
