//! A host that embeds Skillhall: lets callers over HTTP run the skills that are installed in a hall.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router, body::Bytes, routing::post};
use serde_json::json;
use skillhall::hall::{Config, Hall, Receipt, Reference, Refused};
use skillhall_core::denial::{Code, Denial};
use skillhall_core::digest::Digest;
use skillhall_core::failure::FailureCode;
use skillhall_core::govern::call::{Authority, Call, Caller, Input, MAX_INPUT_BYTES};
use skillhall_core::ledger::EventKind;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// How long calls may go on after SIGTERM, and how long their answers may take to go out then.
const DRAIN: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(2);

struct Service {
    hall: Hall,
    /// Callers by the digest of their token, so that no comparison tells how much of a token was right.
    callers: BTreeMap<Digest, Caller>,
}

fn main() -> anyhow::Result<()> {
    skillhall::worker::enter();
    serve()
}

#[tokio::main]
async fn serve() -> anyhow::Result<()> {
    let setting = |name: &str| std::env::var(name).with_context(|| format!("the environment variable {name} is not set"));
    let hall = Hall::open(Config::at(setting("EMBED_HALL")?).adapter("http"))?;
    if std::env::args().nth(1).as_deref() == Some("enroll") {
        hall.enroll()?;
        return Ok(());
    }
    let callers = callers(&setting("EMBED_TOKENS")?)?;
    let listener = TcpListener::bind(setting("EMBED_LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".into())).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    writeln!(std::io::stdout(), "listening on {}", listener.local_addr()?)?;
    let service = Arc::new(Service { hall, callers });
    let routes = Router::new()
        .route("/skills/{namespace}/{name}/{tool}", post(run))
        .layer(DefaultBodyLimit::max(MAX_INPUT_BYTES))
        .with_state(service.clone());
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let server = tokio::spawn(axum::serve(listener, routes).with_graceful_shutdown(stopped).into_future());
    terminate.recv().await;
    drop(stop);
    let drained = service.hall.shutdown(DRAIN).await;
    let _ = tokio::time::timeout(ANSWER, server).await;
    writeln!(std::io::stdout(), "{} calls finished, {} were stopped", drained.finished, drained.stopped)?;
    Ok(())
}

/// Reads the file of tokens, which only its owner may read: in each line a token, an organisation and a name.
fn callers(path: &str) -> anyhow::Result<BTreeMap<Digest, Caller>> {
    let mode = std::fs::metadata(path).context("the file of tokens")?.permissions().mode();
    ensure!(mode & 0o077 == 0, "others could read the tokens: chmod 600 {path}");
    let mut callers = BTreeMap::new();
    for line in std::fs::read_to_string(path)?.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let &[token, organisation, name] = words.as_slice() else { anyhow::bail!("a line is: TOKEN ORGANISATION NAME") };
        ensure!(token.len() >= 32, "a token has at least 32 characters");
        let caller = Caller {
            organisation: organisation.parse()?,
            name: name.to_owned(),
            adapter: "http".parse()?,
            authority: Authority::Program,
        };
        ensure!(callers.insert(Digest::of(token.as_bytes()), caller).is_none(), "a token stands there twice");
    }
    Ok(callers)
}

type Named = Path<(String, String, String)>;

async fn run(State(service): State<Arc<Service>>, Path(named): Named, headers: HeaderMap, body: Bytes) -> Response {
    let hall = &service.hall;
    let token = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let caller = token.and_then(|token| service.callers.get(&Digest::of(token.as_bytes())));
    let call = match caller {
        Some(_) => call(hall, &named, &body),
        None => Err(Denial::new(Code::Unauthenticated, "the request bears no token of a caller")),
    };
    let receipt = match call {
        Ok(call) => hall.execute_for(caller.cloned(), call).await,
        Err(denial) => return refused(hall, caller, &denial),
    };
    match receipt {
        Ok(receipt) => (status(&receipt), Json(json!(receipt))).into_response(),
        Err(fault) => {
            let _ = writeln!(std::io::stderr(), "fault: {fault}");
            (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "fault": "the host failed; its log says why" }))).into_response()
        }
    }
}

/// What is asked for: a tool of the version that the name means here, `redact` or `redact@^1`.
fn call(hall: &Hall, (namespace, name, tool): &(String, String, String), body: &[u8]) -> Result<Call, Denial> {
    let unknown = |error: &dyn std::fmt::Display| Denial::new(Code::SkillUnknown, error.to_string());
    let reference: Reference = format!("{namespace}/{name}").parse().map_err(|error| unknown(&error))?;
    let tool = tool.parse().map_err(|error| Denial::new(Code::ToolUnknown, format!("{error}")))?;
    let resolved = hall.resolve(&reference)?;
    Ok(Call::new(resolved.skill, Input::parse(body)?).tool(tool).requested(Some(resolved.requested)))
}

/// A refusal before there was a call; it is recorded like any other.
fn refused(hall: &Hall, caller: Option<&Caller>, denial: &Denial) -> Response {
    let record = hall.now().ok().and_then(|now| {
        let mut event = hall.event(EventKind::SkillDeny, now);
        event.organisation = caller.map(|caller| caller.organisation.clone());
        event.caller = caller.map(|caller| caller.name.clone());
        if let Refused::Denied { record, .. } = hall.deny(&event, denial.clone()) { record } else { None }
    });
    let told = json!({ "code": denial.code.as_str(), "stage": denial.stage(), "message": denial.message, "hint": denial.hint() });
    (status_of(denial.code), Json(json!({ "decision": "DENY", "denial": told, "record": record }))).into_response()
}

fn status(receipt: &Receipt) -> StatusCode {
    match (receipt.denial(), receipt.failure().map(|failure| failure.code)) {
        (Some(denial), _) => status_of(denial.code),
        (None, None) => StatusCode::OK,
        (None, Some(FailureCode::Skill)) => StatusCode::UNPROCESSABLE_ENTITY,
        (None, Some(FailureCode::Time)) => StatusCode::GATEWAY_TIMEOUT,
        (None, Some(FailureCode::Killed | FailureCode::Cancelled)) => StatusCode::SERVICE_UNAVAILABLE,
        (None, Some(_)) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn status_of(code: Code) -> StatusCode {
    match code {
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::SkillUnknown | Code::NotInstalled | Code::ToolUnknown => StatusCode::NOT_FOUND,
        Code::RequiresHumanApproval => StatusCode::CONFLICT,
        Code::InputSchema => StatusCode::UNPROCESSABLE_ENTITY,
        Code::QuotaExceeded => StatusCode::TOO_MANY_REQUESTS,
        Code::HostDraining | Code::TimeUnknown | Code::RegistryUnreachable | Code::LedgerUnavailable | Code::QuotaUnavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ => StatusCode::FORBIDDEN,
    }
}
