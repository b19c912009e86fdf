//! What a worker is told when it is started: its arguments.

use std::ffi::OsString;

use super::compile::CompileLimits;

/// The first argument of a worker. Nobody types it.
pub(super) const MARK: &str = "--skillhall-worker";

/// What a worker is started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) role: Role,
    /// The process that started it, without which it ends.
    pub(super) parent: u32,
    pub(super) limits: CompileLimits,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Compiles the component on its standard input.
    Compile {
        /// Whether the code counts fuel.
        fuel: bool,
    },
    /// Runs guests of one skill.
    Guest {
        /// Whether their code counts fuel.
        fuel: bool,
    },
    /// Tries what it must not be able to do, with these locks on.
    Probe(Layer),
}

/// Which of a worker's locks are on: all, wherever it works; one alone only to see what that one holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// All of them, as wherever a worker works.
    All,
    /// Only the resource limits.
    Limits,
    /// Only Landlock.
    Landlock,
    /// Only seccomp.
    Seccomp,
    /// Those of a worker that runs guests without folders.
    Guest,
    /// Those of a worker that runs guests with a folder that they may read.
    GuestWithFolder,
}

const ROLES: [(&str, Role); 10] = [
    ("compile", Role::Compile { fuel: false }),
    ("compile-with-fuel", Role::Compile { fuel: true }),
    ("guest", Role::Guest { fuel: false }),
    ("guest-with-fuel", Role::Guest { fuel: true }),
    ("probe", Role::Probe(Layer::All)),
    ("probe-limits", Role::Probe(Layer::Limits)),
    ("probe-landlock", Role::Probe(Layer::Landlock)),
    ("probe-seccomp", Role::Probe(Layer::Seccomp)),
    ("probe-guest", Role::Probe(Layer::Guest)),
    ("probe-guest-with-folder", Role::Probe(Layer::GuestWithFolder)),
];

impl Task {
    /// The arguments, the mark first.
    pub(super) fn arguments(&self) -> [String; 5] {
        let name = ROLES.iter().find(|(_, role)| *role == self.role).map_or("", |(name, _)| name);
        let CompileLimits { time_ms, memory_bytes } = self.limits;
        [MARK.to_owned(), name.to_owned(), self.parent.to_string(), time_ms.to_string(), memory_bytes.to_string()]
    }

    /// Reads the arguments behind the mark; nothing that is not exactly a task.
    pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut arguments = arguments.into_iter().map(|argument| argument.into_string().ok());
        let mut next = || arguments.next()?;
        let name = next()?;
        let (_, role) = ROLES.into_iter().find(|(known, _)| *known == name)?;
        let parent = next()?.parse().ok()?;
        let limits = CompileLimits { time_ms: next()?.parse().ok()?, memory_bytes: next()?.parse().ok()? };
        arguments.next().is_none().then_some(Self { role, parent, limits })
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_task_arrives_as_it_was_given_and_nothing_else_does() {
        for (_, role) in ROLES {
            let task = Task { role, parent: 7, limits: CompileLimits { time_ms: 1, memory_bytes: u64::MAX } };
            let arguments = task.arguments().map(OsString::from);
            assert_eq!(arguments[0], MARK);
            assert_eq!(Task::parse(arguments[1..].to_vec()), Some(task));
            assert_eq!(Task::parse(arguments[1..4].to_vec()), None);
            let more = [&arguments[1..], &["x".into()]].concat();
            assert_eq!(Task::parse(more), None);
        }
        assert_eq!(Task::parse(["", "1", "1", "1"].map(OsString::from)), None);
        assert_eq!(Task::parse(["compile", "-1", "1", "1"].map(OsString::from)), None);
    }
}
