//! A skill that answers SQL questions about CSV. What it offers stands in `wit/sql-over-csv.wit`.

mod answer;
mod ask;
mod load;

use bindings::exports::skillhall::sql_over_csv::api::{Answer, Form, Guest, Options, QueryError, Table};

skillhall_sdk::skill! { world: "skill", by: SqlOverCsv }

/// The most rows that can be asked for.
const MAX_ROWS: u32 = 100_000;

struct SqlOverCsv;

impl Guest for SqlOverCsv {
    fn query(sql: String, tables: Vec<Table>, options: Option<Options>) -> Result<Answer, QueryError> {
        let options = options.unwrap_or(Options { form: None, limit: None, delimiter: None });
        let limit = options.limit.unwrap_or(1000);
        if !(1..=MAX_ROWS).contains(&limit) {
            return Err(QueryError::LimitNotAllowed);
        }
        let delimiter = options.delimiter.unwrap_or(',');
        let mut database = ask::open()?;
        let mut known = Vec::new();
        for table in &tables {
            known.push(load::load(&mut database, table, delimiter)?);
        }
        ask::ask(&mut database, &sql, &known, limit, options.form.unwrap_or(Form::Csv))
    }
}

#[cfg(test)]
mod tests;
