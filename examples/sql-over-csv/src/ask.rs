//! What may be asked, and what is told where that fails?

use rusqlite::config::DbConfig;
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::ffi::ErrorCode;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Batch, Connection, Error};

use crate::answer;
use crate::bindings::exports::skillhall::sql_over_csv::api::{Answer, Fault, Form, QueryError};
use crate::load::Known;

/// The most bytes of memory that the database takes.
const MAX_MEMORY: u64 = 128 << 20;

/// The steps of its machine after which it is asked whether to go on, and how often it may.
const STEPS: i32 = 100_000;
const TIMES: u32 = 800;

/// An empty database in memory, with bounds for all that a query can be made large by.
pub(crate) fn open() -> Result<Connection, QueryError> {
    let prepare = || {
        let database = Connection::open_in_memory()?;
        database.execute_batch(&format!(
            "PRAGMA hard_heap_limit = {MAX_MEMORY}; PRAGMA temp_store = MEMORY; PRAGMA journal_mode = OFF;"
        ))?;
        // A name in double quotes that is not known is a mistake, and no text.
        database.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        database.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        for (limit, most) in [
            (Limit::SQLITE_LIMIT_LENGTH, 4 << 20),
            (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
            (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 50),
            (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200),
            (Limit::SQLITE_LIMIT_ATTACHED, 0),
        ] {
            database.set_limit(limit, most)?;
        }
        Ok(database)
    };
    prepare().map_err(|error| told(error, "", &[]))
}

/// Answers one query. Whatever is not reading is refused before it runs.
pub(crate) fn ask(database: &mut Connection, sql: &str, known: &[Known], limit: u32, form: Form) -> Result<Answer, QueryError> {
    let failed = |error| told(error, sql, known);
    let mut left = TIMES;
    let go_on = move || {
        left = left.saturating_sub(1);
        left == 0
    };
    database.progress_handler(STEPS, Some(go_on)).map_err(failed)?;
    database.authorizer(Some(reads_only)).map_err(failed)?;
    // Before it runs, an error is one of the SQL.
    let wrong = |error| match failed(error) {
        QueryError::Failed(message) => QueryError::NotSql(fault(message, None, sql, known)),
        other => other,
    };
    let mut batch = Batch::new(database, sql);
    let Some(mut query) = batch.next().map_err(wrong)? else {
        return Err(QueryError::NotAQuery("nothing: there is no statement in it".to_owned()));
    };
    if query.parameter_count() > 0 {
        return Err(QueryError::NotAQuery("wait for parameters, and none can be given: write the values into it".to_owned()));
    }
    if query.column_count() == 0 {
        return Err(QueryError::NotAQuery("something else than give rows".to_owned()));
    }
    let answer = answer::write(&mut query, limit, form, &failed)?;
    drop(query);
    match batch.next() {
        Ok(None) => Ok(answer),
        _ => Err(QueryError::NotAQuery("more than one thing: only one statement can be answered".to_owned())),
    }
}

fn reads_only(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Function { function_name } if !function_name.eq_ignore_ascii_case("load_extension") => Authorization::Allow,
        _ => Authorization::Deny,
    }
}

/// What an error of the database means for whoever asks.
pub(crate) fn told(error: Error, sql: &str, known: &[Known]) -> QueryError {
    match error.sqlite_error_code() {
        Some(ErrorCode::AuthorizationForStatementDenied) => {
            return QueryError::NotAQuery("change something, or reach what is not its tables".to_owned());
        }
        Some(ErrorCode::OperationInterrupted) => return QueryError::TooMuchWork,
        Some(ErrorCode::OutOfMemory) => return QueryError::TooMuchMemory(MAX_MEMORY),
        _ => {}
    }
    match error {
        Error::SqlInputError { msg, offset, .. } => QueryError::NotSql(fault(msg, usize::try_from(offset).ok(), sql, known)),
        Error::SqliteFailure(_, Some(message)) => QueryError::Failed(message),
        error => QueryError::Failed(error.to_string()),
    }
}

fn fault(message: String, offset: Option<usize>, sql: &str, known: &[Known]) -> Fault {
    let before = offset.and_then(|offset| sql.get(..offset));
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let line = before.map(|before| number(before.matches('\n').count() + 1));
    let column = before.map(|before| number(before.rsplit('\n').next().unwrap_or_default().chars().count() + 1));
    let hint = if message.starts_with("no such table") || message.starts_with("no such column") {
        let tables: Vec<String> = known.iter().map(|table| format!("{} ({})", table.name, table.columns.join(", "))).collect();
        let hint =
            format!("there are: {}. A text stands in 'single quotes', a name with blanks in \"double\" ones", tables.join("; "));
        hint.chars().take(1000).collect()
    } else if message.starts_with("no such function") {
        "the functions are those of SQLite".to_owned()
    } else {
        "the language is SQLite's SELECT".to_owned()
    };
    Fault { message, line, column, hint }
}
