//! What does the page look like?

use std::fmt::Write as _;

use crate::ask::{Column, Table};

/// The whole page. The charts and the notes come from skills that made them safe; everything else is escaped here.
pub(crate) fn page(title: &str, path: &str, table: &Table, charts: &[String], notes: &str) -> String {
    let (title, path) = (escaped(title), escaped(path));
    let missing: u64 = table.columns.iter().map(|column| column.missing).sum();
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <header><h1>{title}</h1><p>{path}</p></header>\n<section class=\"facts\">"
    );
    for (number, name) in [(table.rows, "rows"), (table.columns.len() as u64, "columns"), (missing, "missing cells")] {
        let _ = write!(html, "<div><b>{}</b>{name}</div>", grouped(number));
    }
    html.push_str("</section>\n");
    if !notes.is_empty() {
        let _ = writeln!(html, "<section class=\"notes\">\n{notes}</section>");
    }
    html.push_str(
        "<section>\n<h2>Columns</h2>\n<div class=\"wide\"><table>\n<tr><th>column</th><th>kind</th><th>cells</th><th>missing</th><th>different</th>\
         <th>least</th><th>median</th><th>mean</th><th>greatest</th></tr>\n",
    );
    for column in &table.columns {
        html.push_str(&row(column));
    }
    html.push_str("</table></div>\n</section>\n");
    if !charts.is_empty() {
        html.push_str("<section>\n<h2>Charts</h2>\n<div class=\"charts\">\n");
        for chart in charts {
            let _ = writeln!(html, "<figure>{}</figure>", chart.trim());
        }
        html.push_str("</div>\n</section>\n");
    }
    html.push_str("<footer>Written by org.skillhall/report with csv-stats, chart and markdown-to-html.</footer>\n</main>\n</body>\n</html>\n");
    html
}

fn row(column: &Column) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), short);
    let numbers = column.numbers.as_ref();
    let cells = [
        grouped(column.count),
        grouped(column.missing),
        format!("{}{}", grouped(u64::from(column.distinct)), if column.more_distinct { "+" } else { "" }),
        number(numbers.map(|numbers| numbers.min)),
        number(numbers.and_then(|numbers| numbers.median)),
        number(numbers.map(|numbers| numbers.mean)),
        number(numbers.map(|numbers| numbers.max)),
    ];
    let cells = cells.join("</td><td>");
    format!("<tr><th>{}</th><td class=\"kind\">{}</td><td>{cells}</td></tr>\n", escaped(&column.name), escaped(&column.kind))
}

/// A number with at most two digits behind the point.
fn short(number: f64) -> String {
    if number.abs() >= 1e12 || (number.abs() < 1e-2 && number != 0.0) {
        return format!("{number:.2e}");
    }
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A count with a thin blank between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == first {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

fn escaped(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).fold(String::new(), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
        out
    })
}

const STYLE: &str = "\
body { font: 16px/1.55 system-ui, sans-serif; margin: 0; background: #f1f5f9; color: #0f172a; }
main { max-width: 76rem; margin: 0 auto; padding: 2.5rem 1.5rem; }
header h1 { font-size: 2.2rem; line-height: 1.2; margin: 0; }
header p { margin: .3rem 0 1.6rem; color: #64748b; font-family: ui-monospace, monospace; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .8rem; }
.facts { display: flex; flex-wrap: wrap; gap: 1rem; }
.facts div { flex: 1; min-width: 9rem; background: #fff; border-radius: 10px; padding: 1rem 1.3rem; color: #64748b; box-shadow: 0 1px 3px #0f172a1a; }
.facts b { display: block; font-size: 1.9rem; line-height: 1.2; color: #2563eb; }
.notes, .wide, figure { background: #fff; border-radius: 10px; box-shadow: 0 1px 3px #0f172a1a; }
.notes { margin-top: 1.6rem; padding: .4rem 1.5rem .8rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .55rem .9rem; text-align: right; border-bottom: 1px solid #e2e8f0; white-space: nowrap; }
tr:last-child th, tr:last-child td { border-bottom: 0; }
th:first-child, th:nth-child(2), .kind { text-align: left; }
tr:first-child th { color: #64748b; font-weight: 500; font-size: .85rem; }
.kind { color: #64748b; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); gap: 1rem; }
figure { margin: 0; padding: .3rem; }
figure svg { display: block; width: 100%; height: auto; }
footer { margin-top: 2.5rem; color: #94a3b8; font-size: .85rem; }
";
