//! What does an agent ask, and what is it answered?

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ErrorCode, Extensions, Implementation, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, ServerHandler};
use serde_json::Value;
use skillhall::engine::{KillHandle, KillReason};
use skillhall::hall::{Fault, Hall, Offered, Receipt, Refused, Run};
use skillhall_core::denial::{Code, Denial};
use skillhall_core::digest::Digest;
use skillhall_core::govern::call::{Call, Caller, Input};
use skillhall_core::id::{SkillRef, ToolName};
use skillhall_core::ledger::event::EventKind;
use skillhall_core::package::Adapter;
use skillhall_core::package::adapters::wraps_result;

use crate::halls::Halls;
use crate::names;
use crate::progress::Told;
use crate::shares::{Gone, Share, Shares};
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

const INSTRUCTIONS: &str = "Each tool is a skill that the owner of this hall installed. What is listed can be called now; the list is \
    judged anew each time, and so is each call. A call that is refused is a result with isError: its structured content has a code, a \
    stage and a hint. Nothing that can be called here installs, grants or approves anything: ask the owner of the hall.";

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
    fn tools(&self, request: &Extensions) -> Result<Vec<Tool>, Refused> {
        let hall = self.0.halls.now()?;
        let caller = self.caller(&hall, request)?;
        let offered = hall.offered(Adapter::Mcp, caller.as_ref())?;
        let mut tools: Vec<Tool> = offered.into_iter().filter_map(tool).collect();
        tools.sort_by(|one, other| one.name.cmp(&other.name));
        // Two that end up with one name mean nothing.
        let names: Vec<_> = tools.iter().map(|tool| tool.name.clone()).collect();
        tools.retain(|tool| names.iter().filter(|name| **name == tool.name).count() == 1);
        Ok(tools)
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
    async fn turn(&self, request: &Extensions) -> Result<(Share, Share), ErrorData> {
        let many = |_: Gone| ErrorData::new(ErrorCode(-32000), "too many requests at once; send it again later", None);
        let who = match self.1 {
            Callers::Process => String::new(),
            Callers::Each => holder(carried(request)),
        };
        let place = self.0.together.take(&who, 1).map_err(many)?;
        let turn = self.0.turns.wait(&who).await.map_err(many)?;
        Ok((place, turn))
    }

    async fn answer(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let turn = tokio::select! {
            biased;
            () = context.ct.cancelled() => return Err(ErrorData::internal_error("the call was withdrawn", None)),
            turn = self.turn(&context.extensions) => turn?,
        };
        let hall = match self.0.halls.now() {
            Ok(hall) => hall,
            Err(fault) => return Ok(self.fault(&fault)),
        };
        let target = match find(&hall, &request.name) {
            Ok(Some(target)) => target,
            Ok(None) => {
                let name: String = request.name.chars().take(80).flat_map(char::escape_default).collect();
                return Err(ErrorData::invalid_params(format!("there is no tool {name}"), None));
            }
            Err(denial) => return Ok(told::denied(&denial)),
        };
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let result = self.call(&hall, &target, &arguments, context).await;
        drop(turn);
        Ok(match result {
            Ok(result) => result,
            Err(Refused::Denied { denial, .. }) => told::denied(&denial),
            Err(Refused::Fault(fault)) => self.fault(&fault),
        })
    }

    async fn call(
        &self,
        hall: &Hall,
        target: &Target,
        arguments: &Value,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResult, Refused> {
        let caller = self.caller(hall, &context.extensions)?;
        let input = Input::from_value(arguments).map_err(|denial| unread(hall, target, caller.as_ref(), denial))?;
        let (who, key) = (holder(caller.as_ref()), key(target, caller.as_ref(), &input));
        let call = Call::new(target.skill.clone(), input)
            .tool(target.tool.clone())
            .requested(Some(target.skill.id.to_string()))
            .approval(self.0.waiting.by(&who, &key));
        let mut progress = Told::to(context.peer.clone(), context.meta.get_progress_token());
        let receipt = {
            let kill = KillHandle::new();
            let run = hall.run(Run { call, caller, kill: kill.clone(), observer: &mut progress });
            let mut run = std::pin::pin!(run);
            tokio::select! {
                biased;
                receipt = &mut run => receipt,
                () = context.ct.cancelled() => {
                    kill.kill(KillReason::Cancelled("the client withdrew the call".to_owned()));
                    // To its end: the record is closed before the request is.
                    run.await
                }
            }
        };
        progress.end().await;
        let receipt = receipt?;
        self.remember(&who, key, &receipt);
        let output = receipt.output();
        let wraps = target.wraps.unwrap_or_else(|| output.is_some_and(|output| !output.is_object()));
        Ok(told::receipt(&receipt, wraps))
    }

    /// Remembers what a call waits for, so that it is made on the strength of the answer when it comes again; forgets it when it
    /// waits no more.
    fn remember(&self, who: &str, key: Digest, receipt: &Receipt) {
        let awaits = |denial: &&Denial| matches!(denial.code, Code::RequiresHuman | Code::RequiresHumanApproval);
        let approval = receipt.denial().filter(awaits).and_then(|denial| denial.details.get("approval")?.as_str());
        let is_new = self.0.waiting.now(who, key, approval);
        if let Some(approval) = approval.filter(|_| is_new) {
            self.narrate(&format!("{} waits for a person: hall approvals approve {approval}", receipt.skill()));
        }
    }

    fn fault(&self, fault: &Fault) -> CallToolResult {
        self.narrate(&format!("the host's own trouble: {fault}"));
        told::fault()
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let name = Implementation::new("skillhall", env!("CARGO_PKG_VERSION")).with_title("Skillhall");
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(name)
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        if request.is_some_and(|request| request.cursor.is_some()) {
            return Err(ErrorData::invalid_params("the list has one page, and this hall gave no cursor", None));
        }
        let turn = self.turn(&context.extensions).await?;
        let server = self.clone();
        // Reading and judging packages keeps no other request waiting.
        let listed = tokio::task::spawn_blocking(move || server.tools(&context.extensions)).await;
        drop(turn);
        match listed {
            Ok(Ok(tools)) => Ok(ListToolsResult::with_all_items(tools)),
            Ok(Err(Refused::Denied { denial, .. })) => Err(ErrorData::internal_error(denial.code.summary(), None)),
            Ok(Err(Refused::Fault(fault))) => {
                let _ = self.fault(&fault);
                Err(ErrorData::internal_error("the host of the hall had trouble of its own", None))
            }
            Err(_) => Err(ErrorData::internal_error("the list could not be made", None)),
        }
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.answer(request, context).await.map(CallToolResponse::Complete)
    }
}

/// The package's own description under the name that no other tool has.
fn tool(offered: Offered) -> Option<Tool> {
    let mut tool: Tool = serde_json::from_value(offered.description).ok()?;
    tool.name = names::name(&offered.skill.id, &offered.tool).into();
    Some(tool)
}

/// The tool that a name means at this moment: of the newest installed version of its skill. Whether it may be called, the gates say.
fn find(hall: &Hall, name: &str) -> Result<Option<Target>, Denial> {
    for skill in hall.newest()? {
        let package = std::cell::OnceCell::new();
        let package = || package.get_or_init(|| hall.load(&skill).ok()).as_ref();
        let tools = || package().map(|package| package.manifest().tools.keys().cloned().collect()).unwrap_or_default();
        if let Some(tool) = names::tool_of(&skill.id, name, tools) {
            let about = package().and_then(|package| package.manifest().tools.get(&tool));
            let wraps = about.map(|about| wraps_result(&about.output));
            return Ok(Some(Target { skill: skill.clone(), tool, wraps }));
        }
    }
    Ok(None)
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
