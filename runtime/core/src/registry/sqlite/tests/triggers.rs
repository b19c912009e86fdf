//! Rows never change, whoever writes to the file.

use super::*;

const TABLES: [&str; 9] = [
    "skill_version",
    "statement",
    "standing_event",
    "namespace_event",
    "organisation_event",
    "host_event",
    "approval_event",
    "role_event",
    "token_event",
];

/// For each trigger, statements that it alone stops.
fn attempts() -> Vec<(String, String)> {
    let mut attempts = Vec::new();
    let mut attempt = |trigger: String, sql: String| attempts.push((trigger, sql));
    for table in TABLES {
        for verb in ["UPDATE", "UPDATE OR IGNORE", "UPDATE OR REPLACE"] {
            attempt(format!("{table}_no_update"), format!("{verb} {table} SET record = json_set(record, '$.reason', 'x')"));
        }
        attempt(format!("{table}_no_delete"), format!("DELETE FROM {table}"));
        attempt(
            format!("{table}_only_append"),
            format!("REPLACE INTO {table} (made_by, record) SELECT made_by, record FROM {table}"),
        );
        attempt(
            format!("{table}_only_append"),
            format!("INSERT INTO {table} (made_by, record) SELECT -7, record FROM host_event"),
        );
    }
    let replace =
        "REPLACE INTO skill_version (made_by, record) SELECT 9, json_set(record, '$.publisher', 'x') FROM skill_version";
    attempt("skill_version_only_append".to_owned(), replace.to_owned());
    for table in ["statement", "standing_event"] {
        let sql = format!("REPLACE INTO {table} (made_by, record) SELECT 9, json_set(record, '$.at', 'x') FROM {table}");
        attempt(format!("{table}_only_append"), sql);
    }
    attempt("commits_no_update".to_owned(), "UPDATE commits SET sequence = sequence + 100".to_owned());
    attempt("commits_no_delete".to_owned(), "DELETE FROM commits".to_owned());
    for columns in ["version, 77", "version + 1, sequence", "version + 2, 77", "-1, 77"] {
        let sql = format!("REPLACE INTO commits SELECT {columns}, digest, appended FROM commits WHERE version = 9");
        attempt("commits_only_append".to_owned(), sql);
    }
    attempts
}

#[test]
fn every_trigger_refuses_what_it_alone_stops() {
    let (_folder, path, registry) = filled();
    let before = registry.snapshot(&query(REDACT)).unwrap();
    let mut raw = raw(&path);
    let attempts = attempts();
    for (trigger, sql) in &attempts {
        let error = raw.execute(sql, []).expect_err(sql).to_string();
        assert!(error.contains("never changes") || error.contains("only appended"), "{sql}: {error}");
        let transaction = raw.transaction().unwrap();
        transaction.execute(&format!("DROP TRIGGER {trigger}"), []).unwrap();
        if let Err(error) = transaction.execute(sql, []) {
            // A record of another table has not the members that the columns are drawn from.
            assert!(error.to_string().contains("NOT NULL"), "{sql} is stopped by more than {trigger}: {error}");
        }
        transaction.rollback().unwrap();
    }
    let mut query_triggers = raw.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").unwrap();
    let triggers: Vec<String> = query_triggers.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(triggers.len(), 30);
    for trigger in triggers {
        assert!(attempts.iter().any(|(tried, _)| *tried == trigger), "nothing tries {trigger}");
    }
    assert_eq!(registry.snapshot(&query(REDACT)), Ok(before));
    assert_eq!(registry.verify(), Ok(()));
}

/// Drops a trigger, does something, and puts the trigger back as if nothing had been.
fn behind_the_back(path: &Path, trigger: &str, sql: &str) {
    let raw = raw(path);
    let created: String = raw.query_row("SELECT sql FROM sqlite_schema WHERE name = ?1", [trigger], |row| row.get(0)).unwrap();
    raw.execute(&format!("DROP TRIGGER {trigger}"), []).unwrap();
    raw.execute(sql, []).unwrap();
    raw.execute(&created, []).unwrap();
}

#[test]
fn an_altered_schema_is_noticed_at_the_next_call() {
    let (_folder, path, registry) = filled();
    for sql in [
        "DROP TRIGGER standing_event_no_delete",
        "DROP INDEX host_event_by_name",
        "CREATE TRIGGER more AFTER INSERT ON commits BEGIN DELETE FROM commits; END",
        "CREATE VIEW more AS SELECT 1",
    ] {
        let raw = raw(&path);
        let name = sql.split(' ').nth(2).unwrap();
        let created = raw.query_row("SELECT sql FROM sqlite_schema WHERE name = ?1", [name], |row| row.get::<_, String>(0));
        raw.execute_batch(sql).unwrap();
        assert!(why(registry.snapshot(&query(REDACT))).contains("altered"), "{sql}");
        assert!(why(SqliteRegistry::open(&path).map(drop)).contains("altered"), "{sql}");
        match created {
            Ok(created) => raw.execute_batch(&created).unwrap(),
            Err(_) => raw.execute_batch(&format!("DROP {} {name}", sql.split(' ').nth(1).unwrap())).unwrap(),
        }
        registry.snapshot(&query(REDACT)).expect("the schema is ours again");
    }
}

#[test]
fn a_row_that_was_rewritten_is_noticed_when_it_is_read() {
    for table in TABLES {
        let (_folder, path, registry) = filled();
        let sql = format!("UPDATE {table} SET record = record || ' '");
        behind_the_back(&path, &format!("{table}_no_update"), &sql);
        assert!(why(registry.snapshot(&query(REDACT))).contains("is not what was committed"), "{table}");
        assert!(why(registry.verify()).contains("is not what was committed"), "{table}");
    }
    let (_folder, path, registry) = filled();
    behind_the_back(&path, "commits_no_delete", "DELETE FROM commits WHERE version = 3");
    assert!(why(registry.snapshot(&query(REDACT))).contains("has no commit"));
}

#[test]
fn a_row_or_commit_that_was_removed_is_found_by_verify() {
    for table in TABLES.into_iter().chain(["commits"]) {
        let (_folder, path, registry) = filled();
        assert_eq!(registry.verify(), Ok(()));
        behind_the_back(&path, &format!("{table}_no_delete"), &format!("DELETE FROM {table}"));
        why(registry.verify());
    }
}
