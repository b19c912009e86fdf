//! Which requests of the protocol are there, and what answers each?

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams, ClientCapabilities, CreateTaskResult,
    ElicitRequest, ElicitRequestParams, Extensions, GetSkillRequestParams, GetSkillResult, GetTaskParams, GetTaskResult,
    Implementation, InputRequest, InputRequiredResult, JsonObject, ListResourcesResult, ListSkillsResult, ListToolsResult,
    PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult,
    ServerCapabilities, ServerConfig, UpdateTaskParams,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, ServerHandler};
use skillhall::engine::KillHandle;
use skillhall::hall::{Refused, Sheet};
use skillhall_core::clock::Timestamp;
use skillhall_core::denial::Code;
use skillhall_core::random;
use skillhall_core::registry::approval::{Approval, ApprovalState};
use tokio_util::sync::CancellationToken;

use crate::progress::Told;
use crate::server::{Answered, Asked, Awaits, Server};
use crate::sheets;
use crate::tasks::Due;

/// The longest call, in bytes of its arguments, that is kept while it waits for a person.
const KEPT: usize = 64 << 10;
/// The longest id of an approval.
const LONGEST_ID: usize = 64;

const INSTRUCTIONS: &str = "Each tool is a skill that the owner of this hall installed. What is listed can be called now; the list is \
    judged anew each time, and so is each call. A call that is refused is a result with isError: its structured content has a code, a \
    stage and a hint. Nothing that can be called here installs, grants or approves anything: ask the owner of the hall.";

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let name = Implementation::new("skillhall", env!("CARGO_PKG_VERSION")).with_title("Skillhall");
        let capabilities = ServerCapabilities::builder().enable_tools().enable_resources().enable_tasks().enable_skills().build();
        ServerConfig::new(capabilities).with_server_info(name).with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let listed = self.listed(request, context, Server::tools).await?;
        Ok(ListToolsResult::with_all_items(listed))
    }

    async fn list_skills(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListSkillsResult, ErrorData> {
        let listed = self.listed(request, context, Server::sheets).await?;
        Ok(ListSkillsResult::with_all_items(listed.iter().filter_map(sheets::skill).collect()))
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let listed = self.listed(request, context, Server::sheets).await?;
        Ok(ListResourcesResult::with_all_items(listed.iter().filter_map(sheets::resource).collect()))
    }

    async fn get_skill(
        &self,
        request: GetSkillRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetSkillResult, ErrorData> {
        let sheets = self.listed(None, context, Server::sheets).await?;
        let skill = sheets.iter().filter_map(sheets::skill).find(|skill| skill.uri == request.uri);
        skill.map(GetSkillResult::new).ok_or_else(|| ErrorData::invalid_params("there is no such skill", None))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let sheets = self.listed(None, context, Server::sheets).await?;
        let is_meant = |sheet: &&Sheet| sheets::skill(sheet).is_some_and(|skill| skill.uri == request.uri);
        let contents = sheets.iter().find(is_meant).and_then(sheets::contents);
        let contents = contents.ok_or_else(|| {
            ErrorData::resource_not_found("there is no such resource", Some(serde_json::json!({ "uri": request.uri })))
        })?;
        Ok(ReadResourceResponse::Complete(ReadResourceResult::new(vec![contents])))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let who = self.who(&context.extensions);
        let turn = tokio::select! {
            biased;
            () = context.ct.cancelled() => return Err(ErrorData::internal_error("the call was withdrawn", None)),
            turn = self.turn(&who) => turn?,
        };
        let client = context.client_capabilities().unwrap_or_default();
        let is_again = request.request_state.is_some();
        let approval = request.request_state.clone().map(approval_id).transpose()?;
        let kept = (client.supports_tasks() && is_short(&request)).then(|| request.clone());
        let answered = self
            .answer(Asked {
                request,
                extensions: &context.extensions,
                approval,
                progress: Told::to(context.peer.clone(), context.meta.get_progress_token()),
                kill: KillHandle::new(),
                withdrawn: context.ct.clone(),
            })
            .await?;
        drop(turn);
        let Answered { result, awaits } = answered;
        let Some(awaits) = awaits else { return Ok(CallToolResponse::Complete(result)) };
        if let Some(task) = kept.and_then(|call| self.task(&who, call, &awaits)) {
            return Ok(CallToolResponse::Task(task));
        }
        // Once: whoever comes back has shown it to a person, and is told that it still waits.
        let shows = !is_again && shows_pages(&client) && context.protocol_version() >= Some(ProtocolVersion::V_2026_07_28);
        Ok(match awaits.page.as_ref().filter(|_| shows) {
            Some(page) => CallToolResponse::InputRequired(shown(&awaits.approval, page)),
            None => CallToolResponse::Complete(result),
        })
    }

    async fn get_task(&self, request: GetTaskParams, context: RequestContext<RoleServer>) -> Result<GetTaskResult, ErrorData> {
        let (who, id) = (self.who(&context.extensions), request.task_id);
        let place = self.place(&who)?;
        let due = self.tasks().due(&who, &id, self.time()?).ok_or_else(no_task)?;
        let approval = match due {
            Due::Nothing(told) => return Ok(GetTaskResult::new(told)),
            Due::Look(approval) => approval,
        };
        if self.is_answered(approval.clone()).await
            && let Some(begun) = self.tasks().run(&who, &id, self.time()?)
        {
            let (server, who, id, extensions) = (self.clone(), who.clone(), id.clone(), context.extensions.clone());
            // It goes on when this request is over, and has the place that this had.
            drop(tokio::spawn(async move {
                let _place = place;
                let end = server.run_task(&who, &extensions, begun.call, approval, begun.kill).await;
                let now = server.time().unwrap_or(Timestamp::from_millis(0));
                server.tasks().end(&who, &id, end, now);
            }));
        }
        self.tasks().told(&who, &id).map(GetTaskResult::new).ok_or_else(no_task)
    }

    /// Nothing that a client says answers for a person: it is taken note of that it spoke, and of nothing else.
    async fn update_task(&self, request: UpdateTaskParams, context: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        self.tasks().told(&self.who(&context.extensions), &request.task_id).map(drop).ok_or_else(no_task)
    }

    async fn cancel_task(&self, request: CancelTaskParams, context: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        let who = self.who(&context.extensions);
        self.tasks().cancel(&who, &request.task_id, self.time()?).then_some(()).ok_or_else(no_task)
    }
}

impl Server {
    /// A list of one page, made at its turn and on a thread that keeps no other request waiting.
    async fn listed<T: Send + 'static>(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
        list: fn(&Server, &Extensions) -> Result<Vec<T>, Refused>,
    ) -> Result<Vec<T>, ErrorData> {
        if request.is_some_and(|request| request.cursor.is_some()) {
            return Err(ErrorData::invalid_params("the list has one page, and this hall gave no cursor", None));
        }
        let turn = self.turn(&self.who(&context.extensions)).await?;
        let server = self.clone();
        let listed = tokio::task::spawn_blocking(move || list(&server, &context.extensions)).await;
        drop(turn);
        match listed {
            Ok(Ok(listed)) => Ok(listed),
            Ok(Err(Refused::Denied { denial, .. })) => Err(ErrorData::internal_error(denial.code.summary(), None)),
            Ok(Err(Refused::Fault(fault))) => {
                let _ = self.fault(&fault);
                Err(trouble())
            }
            Err(_) => Err(ErrorData::internal_error("the list could not be made", None)),
        }
    }

    /// A task for a call that waits; `None` if there can be none.
    fn task(&self, who: &str, call: CallToolRequestParams, awaits: &Awaits) -> Option<CreateTaskResult> {
        let hall = self.halls().now().ok()?;
        let until = hall.approval(&awaits.approval).ok()?.asked.expires_at;
        let id = random::uuid().ok()?;
        self.tasks().begin(who, id, call, &awaits.approval, hall.now().ok()?, until).map(CreateTaskResult::new)
    }

    /// Whether a person has said something, or will not. Where that cannot be known, not yet.
    async fn is_answered(&self, approval: String) -> bool {
        let server = self.clone();
        let look = move || server.halls().now().map_err(Refused::from).and_then(|hall| hall.approval(&approval));
        match tokio::task::spawn_blocking(look).await {
            Ok(Ok(Approval { state, .. })) => !matches!(state, ApprovalState::Pending),
            Ok(Err(Refused::Denied { denial, .. })) => denial.code == Code::ApprovalUnknown,
            Ok(Err(Refused::Fault(fault))) => {
                let _ = self.fault(&fault);
                false
            }
            Err(_) => false,
        }
    }

    /// The call of a task, at its turn, by whoever asked for the task: all gates judge it, as they did when it was first made.
    async fn run_task(
        &self,
        who: &str,
        extensions: &Extensions,
        request: CallToolRequestParams,
        approval: String,
        kill: KillHandle,
    ) -> Result<JsonObject, JsonObject> {
        let turn = self.turn_of(who).await.map_err(|error| object(&error))?;
        let (progress, withdrawn) = (Told::nobody(), CancellationToken::new());
        let asked = Asked { request, extensions, approval: Some(approval), progress, kill, withdrawn };
        let answered = self.answer(asked).await.map_err(|error| object(&error))?;
        drop(turn);
        Ok(object::<CallToolResult>(&answered.result))
    }

    fn time(&self) -> Result<Timestamp, ErrorData> {
        self.halls().now().ok().and_then(|hall| hall.now().ok()).ok_or_else(trouble)
    }
}

fn object<T: serde::Serialize>(told: &T) -> JsonObject {
    serde_json::to_value(told).ok().and_then(|told| told.as_object().cloned()).unwrap_or_default()
}

fn no_task() -> ErrorData {
    ErrorData::invalid_params("there is no such task", None)
}

fn trouble() -> ErrorData {
    ErrorData::internal_error("the host of the hall had trouble of its own", None)
}

/// What a client brings back is an approval's id and nothing more: whether it counts for this call, gate 10 says.
fn approval_id(state: String) -> Result<String, ErrorData> {
    let is_id = (1..=LONGEST_ID).contains(&state.len()) && state.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_id { Ok(state) } else { Err(ErrorData::invalid_params("the requestState is none that this hall gave", None)) }
}

fn is_short(request: &CallToolRequestParams) -> bool {
    serde_json::to_vec(&request.arguments).is_ok_and(|bytes| bytes.len() <= KEPT)
}

fn shows_pages(client: &ClientCapabilities) -> bool {
    client.elicitation.as_ref().is_some_and(|elicitation| elicitation.url.is_some())
}

/// Sends a person to the page where they answer. What the client says of it afterwards approves nothing.
fn shown(approval: &str, page: &str) -> InputRequiredResult {
    let message = format!(
        "A person who may answer for this hall has to approve the call (approval {approval}). This page is where they do."
    );
    let url =
        ElicitRequestParams::UrlElicitationParams { meta: None, message, url: page.to_owned(), elicitation_id: String::new() };
    let request = InputRequest::Elicitation(ElicitRequest::new(url));
    InputRequiredResult::new(Some([("approval".to_owned(), request)].into()), Some(approval.to_owned()))
}
