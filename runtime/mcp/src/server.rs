//! What does an agent ask, and what is it answered?

use std::sync::Arc;
use std::time::Duration;

use rmcp::ErrorData;
use rmcp::model::{CallToolRequestParams, CallToolResult, ErrorCode, Extensions, Tool};
use serde_json::Value;
use skillhall::engine::{KillHandle, KillReason};
use skillhall::hall::{Fault, Hall, Offered, Receipt, Refused, Run, Sheet};
use skillhall_core::denial::{Code, Denial};
use skillhall_core::digest::Digest;
use skillhall_core::govern::call::{Call, Caller, Input};
use skillhall_core::id::{SkillRef, ToolName};
use skillhall_core::ledger::event::EventKind;
use skillhall_core::package::Adapter;
use skillhall_core::package::adapters::{names, wraps_result};
use tokio_util::sync::CancellationToken;

use crate::halls::Halls;
use crate::progress::Told;
use crate::shares::{Gone, Share, Shares};
use crate::tasks::Tasks;
use crate::told;
use crate::waiting::Waiting;

/// The longest message that is read, in bytes: an input of the largest size, with room for how JSON writes it.
pub(crate) const LONGEST: usize = 8 << 20;
/// For how long a call that runs may go on after its client has gone, or the server was told to end.
pub(crate) const GRACE: Duration = Duration::from_secs(1);
/// How many requests are worked on at once: of all callers, and of one.
const AT_ONCE: (usize, usize) = (32, 8);
/// How many requests may be there, those that wait for their turn counted: of all callers, and of one.
const TOGETHER: (usize, usize) = (128, 32);

/// A hall as an MCP server. Clones serve the same hall.
#[derive(Clone)]
pub struct Server(Arc<Shared>, Callers);

/// Whose requests these are.
#[derive(Clone, Copy)]
enum Callers {
    /// Of whoever the hall was opened for.
    Process,
    /// Each of the one that its request carries: without one, of nobody.
    Each,
}

struct Shared {
    halls: Arc<Halls>,
    narrate: Box<dyn Fn(&str) + Send + Sync>,
    turns: Shares,
    together: Shares,
    waiting: Waiting,
    tasks: Tasks,
}

/// A call, and how it is followed.
pub(crate) struct Asked<'a> {
    pub(crate) request: CallToolRequestParams,
    pub(crate) extensions: &'a Extensions,
    /// The approval on whose strength it is made, if it names one.
    pub(crate) approval: Option<String>,
    pub(crate) progress: Told,
    pub(crate) kill: KillHandle,
    /// When it is withdrawn.
    pub(crate) withdrawn: CancellationToken,
}

/// What a call came to.
pub(crate) struct Answered {
    pub(crate) result: CallToolResult,
    pub(crate) awaits: Option<Awaits>,
}

/// For what a call waits.
pub(crate) struct Awaits {
    pub(crate) approval: String,
    /// Where a person answers, if the hall has a page for that.
    pub(crate) page: Option<String>,
}

impl From<CallToolResult> for Answered {
    fn from(result: CallToolResult) -> Self {
        Self { result, awaits: None }
    }
}

/// A tool, as a call means it.
struct Target {
    skill: SkillRef,
    tool: ToolName,
    /// Whether its result stands under `result`; not known of a package that cannot be read.
    wraps: Option<bool>,
}

impl Server {
    /// Serves a hall. It has to be opened with [`Config::adapter`](skillhall::hall::Config::adapter) `mcp`. `narrate` is told, a line
    /// each, what the person who runs it should know; it is never to be shown to an agent.
    #[must_use]
    pub fn new(halls: Arc<Halls>, narrate: impl Fn(&str) + Send + Sync + 'static) -> Self {
        let shared = Shared {
            halls,
            narrate: Box::new(narrate),
            turns: Shares::new(AT_ONCE.0, AT_ONCE.1),
            together: Shares::new(TOGETHER.0, TOGETHER.1),
            waiting: Waiting::default(),
            tasks: Tasks::default(),
        };
        Self(Arc::new(shared), Callers::Process)
    }

    /// The same, for requests that say each by themselves whose they are. None of them is the hall's owner's.
    pub(crate) fn for_each(&self) -> Self {
        Self(self.0.clone(), Callers::Each)
    }

    /// Whose request this is: never of the process, where each request has its own.
    fn caller(&self, hall: &Hall, request: &Extensions) -> Result<Option<Caller>, Fault> {
        match self.1 {
            Callers::Process => hall.caller(),
            Callers::Each => Ok(carried(request).cloned()),
        }
    }

    /// What its caller could call now, by the names that agents use.
    ///
    /// # Errors
    /// `DENY_REGISTRY_UNREACHABLE`; faults of the hall.
    pub(crate) fn tools(&self, request: &Extensions) -> Result<Vec<Tool>, Refused> {
        let hall = self.0.halls.now()?;
        let caller = self.caller(&hall, request)?;
        let offered = hall.offered(Adapter::Mcp, caller.as_ref())?;
        let mut tools: Vec<Tool> = offered.into_iter().filter_map(|offered| tool(&hall, offered)).collect();
        tools.sort_by(|one, other| one.name.cmp(&other.name));
        // Two that end up with one name mean nothing.
        let names: Vec<_> = tools.iter().map(|tool| tool.name.clone()).collect();
        tools.retain(|tool| names.iter().filter(|name| **name == tool.name).count() == 1);
        Ok(tools)
    }

    /// What its caller can read now of the skills that they could call.
    ///
    /// # Errors
    /// As [`Server::tools`].
    pub(crate) fn sheets(&self, request: &Extensions) -> Result<Vec<Sheet>, Refused> {
        let hall = self.0.halls.now()?;
        let caller = self.caller(&hall, request)?;
        Ok(hall.sheets(Adapter::Mcp, caller.as_ref())?)
    }

    pub(crate) fn halls(&self) -> &Halls {
        &self.0.halls
    }

    /// Tells the person who runs the server.
    pub(crate) fn narrate(&self, line: &str) {
        (self.0.narrate)(line);
    }

    /// A place among the requests that are worked on. Whoever comes when there are too many already is sent away; whoever has too many
    /// of their own waits for those alone.
    pub(crate) async fn turn(&self, who: &str) -> Result<(Share, Share), ErrorData> {
        let place = self.place(who)?;
        Ok((place, self.0.turns.wait(who).await.map_err(many)?))
    }

    /// A place alone, for what is answered at once or waits for its turn later.
    pub(crate) fn place(&self, who: &str) -> Result<Share, ErrorData> {
        self.0.together.take(who, 1).map_err(many)
    }

    /// A turn for whoever has a place.
    pub(crate) async fn turn_of(&self, who: &str) -> Result<Share, ErrorData> {
        self.0.turns.wait(who).await.map_err(many)
    }

    /// Whose share a request takes.
    pub(crate) fn who(&self, request: &Extensions) -> String {
        match self.1 {
            Callers::Process => String::new(),
            Callers::Each => holder(carried(request)),
        }
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.0.tasks
    }

    /// Makes a call, at its turn.
    ///
    /// # Errors
    /// What the protocol has for a call that means no tool.
    pub(crate) async fn answer(&self, asked: Asked<'_>) -> Result<Answered, ErrorData> {
        let hall = match self.0.halls.now() {
            Ok(hall) => hall,
            Err(fault) => return Ok(self.fault(&fault).into()),
        };
        let target = match find(&hall, &asked.request.name) {
            Ok(Some(target)) => target,
            Ok(None) => {
                let name: String = asked.request.name.chars().take(80).flat_map(char::escape_default).collect();
                return Err(ErrorData::invalid_params(format!("there is no tool {name}"), None));
            }
            Err(denial) => return Ok(told::denied(&denial).into()),
        };
        Ok(match self.call(&hall, &target, asked).await {
            Ok(answered) => answered,
            Err(Refused::Denied { denial, .. }) => told::denied(&denial).into(),
            Err(Refused::Fault(fault)) => self.fault(&fault).into(),
        })
    }

    async fn call(&self, hall: &Hall, target: &Target, asked: Asked<'_>) -> Result<Answered, Refused> {
        let caller = self.caller(hall, asked.extensions)?;
        let arguments = Value::Object(asked.request.arguments.unwrap_or_default());
        let input = Input::from_value(&arguments).map_err(|denial| unread(hall, target, caller.as_ref(), denial))?;
        let (who, key) = (holder(caller.as_ref()), key(target, caller.as_ref(), &input));
        let call = Call::new(target.skill.clone(), input).tool(target.tool.clone()).requested(Some(target.skill.id.to_string()));
        let mut progress = asked.progress;
        let remembered = if asked.approval.is_none() { self.0.waiting.by(&who, &key) } else { None };
        let again = remembered.is_some().then(|| call.clone());
        let approval = asked.approval.or(remembered);
        let (kill, withdrawn) = (&asked.kill, &asked.withdrawn);
        let mut receipt = followed(hall, call.approval(approval), caller.clone(), kill, withdrawn, &mut progress).await;
        // What was asked before the policy changed, or the skill, is no answer to this call: which then is one like any other.
        let is_stale = |denial: &Denial| denial.code == Code::ApprovalMismatch;
        if let Some(call) = again.filter(|_| receipt.as_ref().is_ok_and(|receipt| receipt.denial().is_some_and(is_stale))) {
            receipt = followed(hall, call, caller, kill, withdrawn, &mut progress).await;
        }
        progress.end().await;
        let receipt = receipt?;
        let output = receipt.output();
        let wraps = target.wraps.unwrap_or_else(|| output.is_some_and(|output| !output.is_object()));
        let awaits =
            self.remember(&who, key, &receipt).map(|approval| Awaits { page: hall.config().approvals.page(&approval), approval });
        Ok(Answered { result: told::receipt(&receipt, wraps), awaits })
    }

    /// Remembers what a call waits for, so that it is made on the strength of the answer when it comes again; forgets it when it
    /// waits no more. Gives the approval.
    fn remember(&self, who: &str, key: Digest, receipt: &Receipt) -> Option<String> {
        let awaits = |denial: &&Denial| matches!(denial.code, Code::RequiresHuman | Code::RequiresHumanApproval);
        let approval = receipt.denial().filter(awaits).and_then(|denial| denial.details.get("approval")?.as_str());
        let is_new = self.0.waiting.now(who, key, approval);
        if let Some(approval) = approval.filter(|_| is_new) {
            self.narrate(&format!("{} waits for a person: hall approvals approve {approval}", receipt.skill()));
        }
        approval.map(str::to_owned)
    }

    pub(crate) fn fault(&self, fault: &Fault) -> CallToolResult {
        self.narrate(&format!("the host's own trouble: {fault}"));
        told::fault()
    }
}

/// A run to its end, also when the call is withdrawn meanwhile: the record is closed before the request is.
async fn followed(
    hall: &Hall,
    call: Call,
    caller: Option<Caller>,
    kill: &KillHandle,
    withdrawn: &CancellationToken,
    progress: &mut Told,
) -> Result<Receipt, Fault> {
    let run = hall.run(Run { call, caller, kill: kill.clone(), observer: progress });
    let mut run = std::pin::pin!(run);
    tokio::select! {
        biased;
        receipt = &mut run => receipt,
        () = withdrawn.cancelled() => {
            kill.kill(KillReason::Cancelled("the client withdrew the call".to_owned()));
            run.await
        }
    }
}

/// The package's own description, under the name that no other tool has, or that the hall's owner gave it.
fn tool(hall: &Hall, offered: Offered) -> Option<Tool> {
    let mut tool: Tool = serde_json::from_value(offered.description).ok()?;
    if let Some(name) = hall.config().mcp.name_of(&offered.skill.id, &offered.tool) {
        tool.name = name.to_owned().into();
    }
    tool.output_schema = tool.output_schema.map(|promised| Arc::new(told::schema(Arc::unwrap_or_clone(promised))));
    Some(tool)
}

/// The tool that a name means at this moment: of the newest installed version of its skill. Whether it may be called, the gates say.
fn find(hall: &Hall, name: &str) -> Result<Option<Target>, Denial> {
    // A name that the owner gave is no tool's own: hall.toml would not be read.
    let given = hall.config().mcp.names.get(name);
    for skill in hall.newest()? {
        let package = std::cell::OnceCell::new();
        let package = || package.get_or_init(|| hall.load(&skill).ok()).as_ref();
        let tools = || package().map(|package| package.manifest().tools.keys().cloned().collect()).unwrap_or_default();
        let tool = match given {
            Some(given) => (given.skill == skill.id).then(|| given.tool.clone()),
            None => names::tool_of(&skill.id, name, tools),
        };
        if let Some(tool) = tool {
            let about = package().and_then(|package| package.manifest().tools.get(&tool));
            let wraps = about.map(|about| wraps_result(&about.output));
            return Ok(Some(Target { skill: skill.clone(), tool, wraps }));
        }
    }
    Ok(None)
}

fn many(_: Gone) -> ErrorData {
    ErrorData::new(ErrorCode(-32000), "too many requests at once; send it again later", None)
}

/// Whom a request carries.
fn carried(request: &Extensions) -> Option<&Caller> {
    request.get::<http::request::Parts>().and_then(|parts| parts.extensions.get::<Caller>())
}

/// Whose share something takes: that of the one who holds the token, by however many tokens.
pub(crate) fn holder(caller: Option<&Caller>) -> String {
    caller.map(|caller| caller.identity().to_string()).unwrap_or_default()
}

/// Which call this is, for whom: the same again is the same key.
fn key(target: &Target, caller: Option<&Caller>, input: &Input) -> Digest {
    let who = holder(caller);
    let input = skillhall_core::json::sorted(input.value().clone());
    Digest::of(format!("{who}\n{}\n{}\n{input}", target.skill, target.tool).as_bytes())
}

/// An input that no gate could read is a call that was denied, and stands in the ledger as one.
fn unread(hall: &Hall, target: &Target, caller: Option<&Caller>, denial: Denial) -> Refused {
    let now = match hall.now() {
        Ok(now) => now,
        Err(unknown) => return unknown.into(),
    };
    let mut event = hall.event(EventKind::SkillDeny, now);
    (event.skill, event.version) = (Some(target.skill.id.clone()), Some(target.skill.version.clone()));
    event.caller = caller.map(|caller| caller.name.clone());
    event.organisation = caller.map(|caller| caller.organisation.clone());
    hall.deny(&event, denial)
}
