//! What becomes of a call that waits for a person? A task, as the extension `io.modelcontextprotocol/tasks` has it: a handle that its
//! caller asks by.
//!
//! A task that waits holds no turn and no thread. It is looked at when its caller asks, and it runs when its caller asks after the
//! answer: a client that has gone away sets nothing in motion. It is kept in memory alone; the approval stands in the registry, so that
//! after a restart the same call finds it again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rmcp::model::{CallToolRequestParams, DetailedTask, JsonObject, Task, TaskPayload, TaskStatus};
use skillhall::engine::{KillHandle, KillReason};
use skillhall_core::clock::Timestamp;

/// How many tasks one caller may have.
const EACH: usize = 16;
/// How many callers may have some.
const CALLERS: usize = 256;
/// For how long the end of a task can be asked for, in milliseconds, and how long a call may take that was answered at the last moment.
const KEPT_MS: i64 = 15 * 60 * 1000;
/// How many bytes the results that are kept for one caller may have together.
const RESULTS: usize = 8 << 20;
/// How often its caller is to ask, in milliseconds.
const POLL_MS: u64 = 2_000;

/// The tasks of all callers.
#[derive(Default)]
pub(crate) struct Tasks(Mutex<HashMap<String, Vec<Entry>>>);

struct Entry {
    id: String,
    created: Timestamp,
    updated: Timestamp,
    until: Timestamp,
    state: State,
    /// How many bytes its result has.
    size: usize,
}

enum State {
    Waits { call: Box<CallToolRequestParams>, approval: String },
    Runs { kill: KillHandle, is_cancelled: bool },
    Ended(TaskPayload),
}

/// What a task needs done before it can be told how it stands.
pub(crate) enum Due {
    /// Nothing.
    Nothing(DetailedTask),
    /// To be seen whether this approval has been answered.
    Look(String),
}

/// A call that was waiting and is now to be made, by whoever was given this.
pub(crate) struct Begun {
    pub(crate) call: CallToolRequestParams,
    pub(crate) kill: KillHandle,
}

impl Tasks {
    /// A task for a call that waits for an approval until then; `None` if its caller has too many.
    pub(crate) fn begin(
        &self,
        who: &str,
        id: String,
        call: CallToolRequestParams,
        approval: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Option<Task> {
        let mut callers = self.lock();
        forget(&mut callers, now);
        if callers.len() >= CALLERS && !callers.contains_key(who) {
            return None;
        }
        let tasks = callers.entry(who.to_owned()).or_default();
        if tasks.len() >= EACH {
            let ended = tasks.iter().position(|task| matches!(task.state, State::Ended(_)))?;
            tasks.remove(ended);
        }
        let state = State::Waits { call: Box::new(call), approval: approval.to_owned() };
        let task = Entry { id, created: now, updated: now, until: until.plus_millis(KEPT_MS), state, size: 0 };
        let told = task.told().task;
        tasks.push(task);
        Some(told)
    }

    /// What is to be done before this caller's task can be told; `None` if they have none of that id.
    pub(crate) fn due(&self, who: &str, id: &str, now: Timestamp) -> Option<Due> {
        let mut callers = self.lock();
        forget(&mut callers, now);
        let task = find(&mut callers, who, id)?;
        Some(match &task.state {
            State::Waits { approval, .. } => Due::Look(approval.clone()),
            _ => Due::Nothing(task.told()),
        })
    }

    /// How a caller's task stands.
    pub(crate) fn told(&self, who: &str, id: &str) -> Option<DetailedTask> {
        find(&mut self.lock(), who, id).map(|task| task.told())
    }

    /// Takes the call of a task that waits, to be made now, and once.
    pub(crate) fn run(&self, who: &str, id: &str, now: Timestamp) -> Option<Begun> {
        let mut callers = self.lock();
        let task = find(&mut callers, who, id)?;
        if !matches!(task.state, State::Waits { .. }) {
            return None;
        }
        let kill = KillHandle::new();
        task.updated = now;
        match std::mem::replace(&mut task.state, State::Runs { kill: kill.clone(), is_cancelled: false }) {
            State::Waits { call, .. } => Some(Begun { call: *call, kill }),
            State::Runs { .. } | State::Ended(_) => None,
        }
    }

    /// The end of a task's call.
    pub(crate) fn end(&self, who: &str, id: &str, end: Result<JsonObject, JsonObject>, now: Timestamp) {
        let size = end.as_ref().ok().and_then(|result| serde_json::to_vec(result).ok()).map_or(0, |bytes| bytes.len());
        let mut callers = self.lock();
        let Some(task) = find(&mut callers, who, id) else { return };
        task.size = size;
        let is_cancelled = matches!(task.state, State::Runs { is_cancelled: true, .. });
        task.state = State::Ended(match end {
            _ if is_cancelled => TaskPayload::Cancelled,
            Ok(result) => TaskPayload::Completed { result },
            Err(error) => TaskPayload::Failed { error },
        });
        task.updated = now;
        task.until = now.plus_millis(KEPT_MS);
        // The oldest results go first, and the newest stays, however long it is.
        let Some(tasks) = callers.get_mut(who) else { return };
        let mut all: usize = tasks.iter().map(|task| task.size).sum();
        tasks.retain(|task| {
            let goes = all > RESULTS && task.id != id && matches!(task.state, State::Ended(_));
            all -= if goes { task.size } else { 0 };
            !goes
        });
    }

    /// Withdraws a caller's task: one that waits never runs, one that runs is stopped. Whether there is one.
    pub(crate) fn cancel(&self, who: &str, id: &str, now: Timestamp) -> bool {
        let mut callers = self.lock();
        let Some(task) = find(&mut callers, who, id) else { return false };
        match &mut task.state {
            State::Waits { .. } => {
                task.state = State::Ended(TaskPayload::Cancelled);
                (task.updated, task.until) = (now, now.plus_millis(KEPT_MS));
            }
            State::Runs { kill, is_cancelled } => {
                *is_cancelled = true;
                kill.kill(KillReason::Cancelled("the client withdrew the task".to_owned()));
            }
            State::Ended(_) => {}
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Entry>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn told(&self) -> DetailedTask {
        let (payload, message) = match &self.state {
            State::Waits { approval, .. } => {
                let waits = format!(
                    "A person has been asked (approval {approval}), and nothing that you can call answers for them. Tell your user the id, \
                     and that it is for the owner of the hall."
                );
                (TaskPayload::Working, Some(waits))
            }
            State::Runs { .. } => (TaskPayload::Working, Some("It was answered; the call runs.".to_owned())),
            State::Ended(payload) => (payload.clone(), None),
        };
        let ttl = self.until.millis().saturating_sub(self.created.millis());
        let mut task = Task::new(&*self.id, TaskStatus::Working, self.created.to_string(), self.updated.to_string())
            .with_ttl_ms(u64::try_from(ttl).unwrap_or(0))
            .with_poll_interval_ms(POLL_MS);
        task.status_message = message;
        DetailedTask::new(task, payload)
    }
}

fn find<'a>(callers: &'a mut HashMap<String, Vec<Entry>>, who: &str, id: &str) -> Option<&'a mut Entry> {
    callers.get_mut(who)?.iter_mut().find(|task| task.id == id)
}

/// Those whose time is over; one that runs has its own end.
fn forget(callers: &mut HashMap<String, Vec<Entry>>, now: Timestamp) {
    callers.retain(|_, tasks| {
        tasks.retain(|task| task.until > now || matches!(task.state, State::Runs { .. }));
        !tasks.is_empty()
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_millis(0)
    }

    fn begin(tasks: &Tasks, who: &str, id: &str) -> Option<Task> {
        let call = CallToolRequestParams::new("tool");
        tasks.begin(who, id.to_owned(), call, "approval", now(), now().plus_millis(1000))
    }

    fn status(tasks: &Tasks, who: &str, id: &str) -> Option<TaskStatus> {
        tasks.told(who, id).map(|task| task.status())
    }

    #[test]
    fn a_task_is_its_callers_and_runs_once() {
        let tasks = Tasks::default();
        let begun = begin(&tasks, "one", "a").unwrap();
        assert_eq!((begun.status, begun.ttl_ms), (TaskStatus::Working, Some(901_000)));
        assert!(matches!(tasks.due("one", "a", now()), Some(Due::Look(approval)) if approval == "approval"));
        for (who, id) in [("other", "a"), ("one", "b"), ("", "a")] {
            assert!(tasks.due(who, id, now()).is_none() && !tasks.cancel(who, id, now()) && tasks.run(who, id, now()).is_none());
        }
        assert!(tasks.run("one", "a", now()).is_some());
        assert!(tasks.run("one", "a", now()).is_none(), "it was begun");
        tasks.end("one", "a", Ok(JsonObject::new()), now());
        assert!(tasks.run("one", "a", now()).is_none(), "it has ended");
        assert_eq!(status(&tasks, "one", "a"), Some(TaskStatus::Completed));
        assert!(tasks.cancel("one", "a", now()));
        assert_eq!(status(&tasks, "one", "a"), Some(TaskStatus::Completed), "an end stays");
    }

    #[test]
    fn what_is_withdrawn_never_runs_or_is_stopped() {
        let tasks = Tasks::default();
        begin(&tasks, "one", "a").unwrap();
        assert!(tasks.cancel("one", "a", now()));
        assert!(tasks.run("one", "a", now()).is_none());
        assert_eq!(status(&tasks, "one", "a"), Some(TaskStatus::Cancelled));
        begin(&tasks, "one", "b").unwrap();
        let begun = tasks.run("one", "b", now()).unwrap();
        assert!(tasks.cancel("one", "b", now()));
        assert!(begun.kill.reason().is_some());
        assert_eq!(status(&tasks, "one", "b"), Some(TaskStatus::Working), "until its record is closed");
        tasks.end("one", "b", Ok(JsonObject::new()), now());
        assert_eq!(status(&tasks, "one", "b"), Some(TaskStatus::Cancelled));
    }

    #[test]
    fn results_are_kept_up_to_a_bound_and_the_newest_always() {
        let tasks = Tasks::default();
        let long = |length| Ok([("a".to_owned(), "x".repeat(length).into())].into_iter().collect());
        for id in ["a", "b", "c"] {
            begin(&tasks, "one", id).unwrap();
            tasks.run("one", id, now()).unwrap();
        }
        tasks.end("one", "a", long(RESULTS / 2), now());
        tasks.end("one", "b", long(RESULTS / 4), now());
        assert_eq!(status(&tasks, "one", "a"), Some(TaskStatus::Completed));
        tasks.end("one", "c", long(RESULTS * 2), now());
        assert_eq!((status(&tasks, "one", "a"), status(&tasks, "one", "b")), (None, None));
        assert_eq!(status(&tasks, "one", "c"), Some(TaskStatus::Completed));
    }

    #[test]
    fn one_has_so_many_and_time_ends_them() {
        let tasks = Tasks::default();
        for number in 0..EACH {
            begin(&tasks, "one", &number.to_string()).unwrap();
        }
        assert!(begin(&tasks, "one", "more").is_none());
        assert!(begin(&tasks, "other", "a").is_some());
        tasks.cancel("one", "3", now());
        assert!(begin(&tasks, "one", "more").is_some(), "what has ended makes room");
        assert!(status(&tasks, "one", "3").is_none());
        tasks.run("one", "4", now()).unwrap();
        let later = now().plus_millis(1000 + KEPT_MS);
        assert!(tasks.due("one", "5", later).is_none());
        assert!(tasks.due("one", "4", later).is_some(), "what runs has its own end");
    }
}
