//! A skill that describes the columns of a CSV file. What it offers stands in `wit/csv-stats.wit`.

mod cell;
mod column;
mod file;
mod table;

use std::path::Path;

use bindings::exports::skillhall::csv_stats::api::{DescribeError, Guest, Options, Statistics};

skillhall_sdk::skill! { world: "skill", by: CsvStats }

/// Where the host shows the granted folder.
const FOLDER: &str = "/in";

struct CsvStats;

impl Guest for CsvStats {
    fn describe(path: String, options: Option<Options>) -> Result<Statistics, DescribeError> {
        describe_in(Path::new(FOLDER), &path, options)
    }
}

fn describe_in(folder: &Path, path: &str, options: Option<Options>) -> Result<Statistics, DescribeError> {
    let (delimiter, header, rows) = options.map_or((None, None, None), |given| (given.delimiter, given.header, given.rows));
    let delimiter = delimiter.map_or(Ok(b','), table::delimiter)?;
    let file = file::open(folder, path)?;
    table::describe(file, delimiter, header.unwrap_or(true), rows.unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("csv-stats-{name}-{}", std::process::id()));
            std::fs::create_dir_all(path.join("deep")).expect("a folder is made");
            std::fs::write(path.join("deep/table.csv"), "a;b\n1;x\n2;y\n").expect("a file is written");
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).expect("the folder is removed");
        }
    }

    fn options(delimiter: char, header: bool, rows: u64) -> Options {
        Options { delimiter: Some(delimiter), header: Some(header), rows: Some(rows) }
    }

    #[test]
    fn a_file_below_the_folder_is_described() {
        let folder = Folder::new("described");
        let table = describe_in(&folder.0, "deep/table.csv", Some(options(';', true, 1))).expect("described");
        assert_eq!((table.rows, table.complete, table.columns.len()), (1, false, 2));
        let table = describe_in(&folder.0, "deep/table.csv", Some(options(';', false, 9))).expect("described");
        assert_eq!((table.rows, table.complete), (3, true));
        let table = describe_in(&folder.0, "deep/table.csv", None).expect("described");
        assert_eq!(table.columns.first().map(|column| column.name.as_str()), Some("a;b"));
    }

    #[test]
    fn what_is_no_file_below_the_folder_is_refused() {
        let folder = Folder::new("refused");
        let error = |path: &str| describe_in(&folder.0, path, None).expect_err("refused");
        assert!(matches!(error("none.csv"), DescribeError::NotFound));
        for path in ["", ".", "deep", "..", "../x.csv", "deep/../../x.csv", "/etc/passwd", "deep/./table.csv"] {
            assert!(matches!(error(path), DescribeError::NotReadable), "{path}");
        }
    }

    #[test]
    fn a_delimiter_is_one_sign_of_ascii() {
        let folder = Folder::new("delimiter");
        for sign in ['"', '\n', '\r', 'é', '\u{0}'] {
            let error = describe_in(&folder.0, "deep/table.csv", Some(options(sign, true, 9))).expect_err("refused");
            assert!(matches!(error, DescribeError::DelimiterNotAllowed(given) if given == sign));
        }
        assert!(describe_in(&folder.0, "deep/table.csv", Some(options('\t', true, 9))).is_ok());
    }
}
