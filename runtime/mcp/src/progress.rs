//! What is a client told while its call runs? Each gate that was passed, and that the run goes on: if it asked to be told.

use std::time::Duration;

use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RoleServer};
use skillhall::engine::PrepareEvent;
use skillhall::hall::{Observer, Step};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// How often a client is told that a run goes on.
const BEAT: Duration = Duration::from_secs(1);
/// How long a result waits for what was told before it.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Hands the steps of one call on. A client that reads nothing holds up no gate.
pub(crate) struct Told {
    steps: Option<UnboundedSender<String>>,
    teller: Option<JoinHandle<()>>,
}

impl Told {
    /// Tells a client, if it gave a token to be told by.
    pub(crate) fn to(peer: Peer<RoleServer>, token: Option<ProgressToken>) -> Self {
        let Some(token) = token else { return Self::nobody() };
        let (steps, told) = unbounded_channel();
        Self { steps: Some(steps), teller: Some(tokio::spawn(tell(peer, token, told))) }
    }

    /// Tells nobody.
    pub(crate) fn nobody() -> Self {
        Self { steps: None, teller: None }
    }

    /// Tells the last of it: before the result, where the client reads.
    pub(crate) async fn end(mut self) {
        self.steps = None;
        if let Some(mut teller) = self.teller.take()
            && tokio::time::timeout(LAST_WORDS, &mut teller).await.is_err()
        {
            teller.abort();
        }
    }

    fn say(&self, text: String) {
        if let Some(steps) = &self.steps {
            // Nobody who listens any more needs to be told.
            let _ = steps.send(text);
        }
    }
}

impl Observer for Told {
    fn step(&mut self, step: Step<'_>) {
        match step {
            Step::Passed { gate, .. } => match gate.gate() {
                Some(number) => self.say(format!("gate {number}, {gate}, passed")),
                None => self.say(format!("{gate} passed")),
            },
            Step::Code(PrepareEvent::Compiling) => self.say("compiling the component".to_owned()),
            Step::Code(_) => {}
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if let Some(teller) = &self.teller {
            teller.abort();
        }
    }
}

async fn tell(peer: Peer<RoleServer>, token: ProgressToken, mut told: UnboundedReceiver<String>) {
    let mut done = 0.0;
    loop {
        let message = match tokio::time::timeout(BEAT, told.recv()).await {
            Ok(Some(step)) => step,
            Ok(None) => return,
            Err(_) => "running".to_owned(),
        };
        done += 1.0;
        let notification = ProgressNotificationParam::new(token.clone(), done).with_message(message);
        if peer.notify_progress(notification).await.is_err() {
            return;
        }
    }
}
