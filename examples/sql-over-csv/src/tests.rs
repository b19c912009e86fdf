use super::*;

const SALES: &str = "region,month,amount\nnorth,2026-01,120\nsouth,2026-01,80\nnorth,2026-02,150\nsouth,2026-02,\n";
const PEOPLE: &str = "region,lead\nnorth,\"Ada, L.\"\nsouth,Grace\n";

fn table(name: &str, csv: &str) -> Table {
    Table { name: name.to_owned(), csv: csv.to_owned() }
}

fn asked(sql: &str, form: Form) -> Result<Answer, QueryError> {
    let options = Options { form: Some(form), limit: None, delimiter: None };
    SqlOverCsv::query(sql.to_owned(), vec![table("sales", SALES), table("people", PEOPLE)], Some(options))
}

fn csv(sql: &str) -> String {
    asked(sql, Form::Csv).unwrap_or_else(|error| panic!("{sql}: {error:?}")).text
}

#[test]
fn queries_are_answered() {
    for (sql, expected) in [
        ("SELECT count(*) AS n FROM sales", "n\n4\n"),
        (
            "SELECT region, sum(amount) AS total FROM sales GROUP BY region ORDER BY total DESC",
            "region,total\nnorth,270\nsouth,80\n",
        ),
        (
            "SELECT lead, month FROM people JOIN sales USING (region) WHERE amount > 100 ORDER BY month",
            "lead,month\n\"Ada, L.\",2026-01\n\"Ada, L.\",2026-02\n",
        ),
        (
            "SELECT month, amount - lag(amount) OVER (ORDER BY month) AS more FROM sales WHERE region = 'north'",
            "month,more\n2026-01,\n2026-02,30\n",
        ),
        (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4) SELECT group_concat(i, '') AS s FROM n",
            "s\n1234\n",
        ),
        (
            "SELECT amount IS NULL AS empty, typeof(amount) AS kind FROM sales WHERE month = '2026-02' AND region = 'south'",
            "empty,kind\n1,null\n",
        ),
        ("SELECT '{\"a\": [1, 2]}' ->> '$.a[1]' AS second, date('2026-01-31', '+1 month') AS day", "second,day\n2,2026-03-03\n"),
        ("SELECT x'00ff' AS bytes, NULL AS n, 1.5 AS half", "bytes,n,half\n00ff,,1.5\n"),
        ("SELECT lead FROM people ORDER BY lead LIMIT 1;", "lead\n\"Ada, L.\"\n"),
        ("SELECT NULL AS n", "n\n\"\"\n"),
    ] {
        assert_eq!(csv(sql), expected, "{sql}");
    }
}

#[test]
fn answers_come_in_three_forms() {
    let sql = "SELECT lead || '|' AS lead, amount FROM people JOIN sales USING (region) ORDER BY amount NULLS FIRST LIMIT 2";
    assert_eq!(asked(sql, Form::Csv).unwrap().text, "lead,amount\nGrace|,\nGrace|,80\n");
    assert_eq!(
        asked(sql, Form::Json).unwrap().text,
        "[\n{\"lead\":\"Grace|\",\"amount\":null},\n{\"lead\":\"Grace|\",\"amount\":80}\n]"
    );
    assert_eq!(
        asked(sql, Form::Markdown).unwrap().text,
        "| lead | amount |\n| --- | --- |\n| Grace\\| |  |\n| Grace\\| | 80 |\n"
    );
    let none = asked("SELECT * FROM people WHERE 0", Form::Json).unwrap();
    assert_eq!((none.text.as_str(), none.rows, none.columns.len()), ("[]", 0, 2));
}

#[test]
fn columns_have_the_kind_of_their_cells() {
    let given = "i,r,t,zip,e,I,\n1,1,1,007,,x,y\n-2,2.5,n/a,123,,x,y\n";
    let sql = "SELECT typeof(i) AS a, typeof(r) AS b, typeof(t) AS c, typeof(zip) AS d, typeof(e) AS e, \"I_2\", column_7 FROM t LIMIT 1";
    let answer = SqlOverCsv::query(sql.to_owned(), vec![table("t", given)], None).unwrap();
    assert_eq!(answer.text, "a,b,c,d,e,I_2,column_7\ninteger,real,text,text,null,x,y\n");
    let options = Options { form: None, limit: None, delimiter: Some(';') };
    let answer =
        SqlOverCsv::query("SELECT sum(b) AS s FROM t".to_owned(), vec![table("t", "\u{feff}a;b\n1;2\n3;4\n")], Some(options))
            .unwrap();
    assert_eq!(answer.text, "s\n6\n");
}

#[test]
fn only_one_query_that_reads_is_answered() {
    for sql in [
        "DELETE FROM sales",
        "INSERT INTO sales VALUES (1, 2, 3)",
        "DROP TABLE sales",
        "CREATE TABLE t (a)",
        "ATTACH '/etc/passwd' AS p",
        "ATTACH ':memory:' AS p",
        "PRAGMA hard_heap_limit = 0",
        "PRAGMA table_info(sales)",
        "SELECT * FROM pragma_table_info('sales')",
        "SELECT load_extension('x')",
        "VACUUM INTO '/tmp/x'",
        "BEGIN",
        "EXPLAIN DELETE FROM sales",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE sales",
        "SELECT ?",
        "",
        "-- nothing",
    ] {
        let error = asked(sql, Form::Csv).map(|answer| answer.text).unwrap_err();
        assert!(matches!(&error, QueryError::NotAQuery(_) | QueryError::NotSql(_) | QueryError::Failed(_)), "{sql}: {error:?}");
        if !sql.contains("load_extension") && !sql.contains("pragma_") {
            assert!(matches!(&error, QueryError::NotAQuery(_)), "{sql}: {error:?}");
        }
    }
}

#[test]
fn what_is_wrong_is_told_with_place_and_hint() {
    let fault = |sql: &str| match asked(sql, Form::Csv) {
        Err(QueryError::NotSql(fault)) => fault,
        other => panic!("{sql}: {:?}", other.map(|answer| answer.text)),
    };
    let wrong = fault("SELECT region,\n  amuont FROM sales");
    assert_eq!((wrong.line, wrong.column), (Some(2), Some(3)));
    assert!(wrong.message.contains("amuont") && wrong.hint.contains("sales (region, month, amount)"), "{wrong:?}");
    assert!(fault("SELECT * FROM sale").hint.contains("people (region, lead)"));
    assert!(fault("SELECT * FROM sales WHERE region = \"north\"").hint.contains("'single quotes'"));
    assert_eq!(fault("SELEC 1").message, "near \"SELEC\": syntax error");
    assert!(fault("SELECT median_of(1)").hint.contains("SQLite"));
}

#[test]
fn bad_tables_are_told() {
    let bad = |name: &str, csv: &str| match SqlOverCsv::query("SELECT 1".to_owned(), vec![table(name, csv)], None) {
        Err(QueryError::BadTable(bad)) => bad.message,
        other => panic!("{name}: {:?}", other.map(|answer| answer.text)),
    };
    assert!(bad("t", "").contains("empty"));
    assert_eq!(bad("t", "a,b\n1,2\n3\n"), "row 3 has 1 cells, and the first row has 2");
    for name in ["", "1a", "a b", "a\"b", "sqlite_master", "a;b", &"x".repeat(61)] {
        assert!(bad(name, "a\n1\n").contains("name"), "{name}");
    }
    assert!(bad("t", &["a"; 501].join(",")).contains("more columns"));
    let twice = SqlOverCsv::query("SELECT 1".to_owned(), vec![table("t", "a\n1\n"), table("T", "a\n1\n")], None);
    assert!(matches!(twice, Err(QueryError::BadTable(bad)) if bad.message.contains("already exists")));
    let options = |limit, delimiter| Some(Options { form: None, limit, delimiter });
    let with = |options| SqlOverCsv::query("SELECT 1".to_owned(), vec![table("t", "a\n1\n")], options);
    assert!(matches!(with(options(None, Some('\n'))), Err(QueryError::DelimiterNotAllowed('\n'))));
    assert!(matches!(with(options(Some(0), None)), Err(QueryError::LimitNotAllowed)));
}

#[test]
fn work_memory_and_answers_are_bounded() {
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    assert!(matches!(asked(endless, Form::Csv), Err(QueryError::TooMuchWork)));
    let large = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200) SELECT randomblob(1000000) AS b FROM n ORDER BY b";
    assert!(matches!(asked(large, Form::Csv), Err(QueryError::TooMuchMemory(_) | QueryError::TooLarge(_))));
    assert!(matches!(asked("SELECT zeroblob(100000000)", Form::Csv), Err(QueryError::Failed(_))));
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    let answer = asked(rows, Form::Csv).unwrap();
    assert_eq!((answer.rows, answer.complete), (1000, false));
    let wide = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT hex(zeroblob(100000)) FROM n";
    assert!(matches!(asked(wide, Form::Csv), Err(QueryError::TooLarge(_))));
    let deep = format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(asked(&deep, Form::Csv).is_err());
    assert!(asked(&format!("SELECT 1{}", "+1".repeat(5000)), Form::Csv).is_err());
}
