//! Which calls wait for a person?

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use skillhall_core::digest::Digest;

/// Of how many calls of one caller it is remembered.
const EACH: usize = 64;
/// Of how many callers.
const CALLERS: usize = 256;

/// Calls that wait for a person, and the approvals that they wait for. Each caller's are their own: however many one makes, another's
/// are not forgotten. One that is forgotten is asked anew.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<HashMap<String, VecDeque<(Digest, String)>>>);

impl Waiting {
    /// The approval that this very call waits for, if it came before. Whether it counts, gate 10 says.
    pub(crate) fn by(&self, who: &str, call: &Digest) -> Option<String> {
        let callers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        callers.get(who)?.iter().find(|(known, _)| known == call).map(|(_, approval)| approval.clone())
    }

    /// Keeps which approval a call waits for, or that it waits no more. Gives whether that is new.
    pub(crate) fn now(&self, who: &str, call: Digest, approval: Option<&str>) -> bool {
        let mut callers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut calls = callers.remove(who).unwrap_or_default();
        let is_known = calls.iter().any(|(known, awaited)| *known == call && Some(awaited.as_str()) == approval);
        calls.retain(|(known, _)| *known != call);
        if let Some(approval) = approval {
            if calls.len() == EACH {
                calls.pop_front();
            }
            calls.push_back((call, approval.to_owned()));
        }
        // Names come from the registry, so this many are an organisation's doing, not a stranger's.
        if !calls.is_empty() && callers.len() < CALLERS {
            callers.insert(who.to_owned(), calls);
        }
        !is_known && approval.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(number: usize) -> Digest {
        Digest::of(&number.to_le_bytes())
    }

    #[test]
    fn a_call_is_remembered_until_it_waits_no_more() {
        let waiting = Waiting::default();
        assert!(waiting.now("one", call(1), Some("a")));
        assert!(!waiting.now("one", call(1), Some("a")), "it was told before");
        assert_eq!(waiting.by("one", &call(1)).as_deref(), Some("a"));
        assert_eq!(waiting.by("other", &call(1)), None);
        assert!(waiting.now("one", call(1), Some("b")), "another approval is news");
        assert_eq!(waiting.by("one", &call(1)).as_deref(), Some("b"));
        assert!(!waiting.now("one", call(1), None));
        assert_eq!(waiting.by("one", &call(1)), None);
        assert!(waiting.0.lock().unwrap().is_empty());
    }

    #[test]
    fn one_who_asks_often_pushes_out_their_own_alone() {
        let waiting = Waiting::default();
        waiting.now("other", call(0), Some("kept"));
        for number in 0..=EACH {
            waiting.now("one", call(number), Some("a"));
        }
        assert_eq!(waiting.by("one", &call(0)), None);
        assert_eq!(waiting.by("one", &call(EACH)).as_deref(), Some("a"));
        assert_eq!(waiting.by("other", &call(0)).as_deref(), Some("kept"));
        for number in 0..CALLERS {
            waiting.now(&number.to_string(), call(0), Some("a"));
        }
        assert_eq!(waiting.0.lock().unwrap().len(), CALLERS);
        assert_eq!(waiting.by("other", &call(0)).as_deref(), Some("kept"));
    }
}
