//! `hall connect`: writes the hall into the configuration of an agent's client.

mod address;
mod clients;
mod jsonc;

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use skillhall_core::random;

use self::address::{Address, address, variable};
use self::clients::{Client, Folders, Way};
use crate::error::{CommandError, Outcome};
use crate::hall::{Place, user_folders};
use crate::printer::{Printer, dim, good};

/// The largest configuration that is edited: some clients keep much in theirs.
const MAX_BYTES: u64 = 64 << 20;
/// How many lines are shown around what changes.
const AROUND: usize = 2;

/// Write this hall into the configuration of an agent's client, which then starts `hall mcp` by itself or reaches it over HTTP
#[derive(Args)]
#[command(
    after_help = "What else stands in the file stays as it is, comments too; a file that cannot be read is refused. The client lists the\nhall's tools after it is started again.\n\nWith --http the client sends requests to a hall mcp --http that runs already. No token is ever written: the file names the variable\nof the client's environment in which it is.\n\nExamples:\n  hall connect claude-code --dry-run\n  hall connect vscode --project .\n  hall connect codex --token-file ~/agent.token\n  hall connect vscode --http http://127.0.0.1:7700/mcp --token-env AGENT_TOKEN"
)]
pub(crate) struct Arguments {
    /// Which client
    client: Client,
    /// Write into this project's folder and not for all that the user does
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".")]
    project: Option<PathBuf>,
    /// By which name the client knows the hall
    #[arg(long, default_value = "skillhall", value_parser = name)]
    name: String,
    /// Reach the hall over HTTP at this address, where hall mcp --http runs
    #[arg(long, value_name = "URL", value_parser = address)]
    http: Option<Address>,
    /// The variable of the client's environment in which it finds its token
    #[arg(long, value_name = "NAME", requires = "http", default_value = "SKILLHALL_TOKEN", value_parser = variable)]
    token_env: String,
    /// Let the address be one of another machine without TLS, on a network that is trusted
    #[arg(long, requires = "http")]
    allow_remote: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

fn name(text: &str) -> Result<String, String> {
    let is_name =
        !text.is_empty() && text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_name { Ok(text.to_owned()) } else { Err("1 to 32 letters, digits, '-' and '_'".to_owned()) }
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let way = match &arguments.http {
        None => {
            // A hall that is not there is told now and not by the client.
            drop(place.open()?);
            let command = std::env::current_exe().map_err(|error| CommandError::Fault(error.into()))?;
            Way::Command { command: text_of(&command)?, arguments: started(place)? }
        }
        Some(address) => over_http(arguments, address, place)?,
    };
    let (home, config, codex) = user_folders()?;
    let folders = Folders { home, config, codex };
    let file = match &arguments.project {
        None => arguments.client.of_user(&folders),
        Some(project) => {
            let project = std::path::absolute(project).map_err(|error| fault(project, &error))?;
            arguments
                .client
                .of_project(&project)
                .ok_or_else(|| CommandError::usage("this client keeps no servers in a project", "leave --project out"))?
        }
    };
    // What a link leads to is edited, and the link stays.
    let file = file.canonicalize().unwrap_or(file);
    let old = read(&file)?;
    let new = arguments.client.with(&old, &arguments.name, &way);
    let new = new.map_err(|why| {
        CommandError::usage(
            format!("{} cannot be edited: {why}", file.display()),
            "mend the file, then connect again; nothing was changed",
        )
    })?;
    let (changes, difference) = (old != new, difference(&old, &new));
    if changes && !arguments.dry_run {
        write(&file, &new).map_err(|error| fault(&file, &error))?;
    }
    let object = json!({
        "client": clap::ValueEnum::to_possible_value(&arguments.client).map(|value| value.get_name().to_owned()),
        "file": file.display().to_string(),
        "name": arguments.name,
        "url": arguments.http.as_ref().map(|address| &address.url),
        "token_env": arguments.http.as_ref().map(|_| &arguments.token_env),
        "changed": changes && !arguments.dry_run,
        "dry_run": arguments.dry_run,
        "difference": difference,
    });
    printer.result(&object, || {
        let file = file.display();
        match (changes, arguments.dry_run) {
            (false, _) => vec![format!("{} {file} names this hall already", good("✓"))],
            (true, true) => [vec![format!("{file} would change:")], difference, vec![dim("nothing was changed")]].concat(),
            (true, false) => vec![format!("{} {file} names this hall as {}; start the client again", good("✓"), arguments.name)],
        }
    });
    if arguments.http.is_some() {
        printer
            .note(&dim(&format!("the client finds its token in {} of its environment (hall token issue)", arguments.token_env)));
    }
    Ok(())
}

/// The way over HTTP, where the client has it and the token is safe on it.
fn over_http(arguments: &Arguments, address: &Address, place: &Place) -> Outcome<Way> {
    if !arguments.client.takes_http() {
        let hint =
            "leave --http out, and it starts the hall by itself; or add the address as a connector in the client's settings";
        return Err(CommandError::usage("this client takes no servers over HTTP from its file", hint));
    }
    if place.token_file().is_some() {
        let hint =
            "leave out --token-file and SKILLHALL_TOKEN_FILE; --token-env names the variable in which the client finds its token";
        return Err(CommandError::usage("over HTTP the client brings its own token, and none is written into its file", hint));
    }
    if address.is_open && !arguments.allow_remote {
        let message = format!("{} is reached without TLS, and the client would send its token there unencrypted", address.url);
        return Err(CommandError::usage(message, "name an https:// address, or say --allow-remote (docs/mcp.md)"));
    }
    Ok(Way::Http { url: address.url.clone(), token: arguments.token_env.clone() })
}

/// The arguments with which the client starts the command: the hall and the token by their whole paths, since a client starts it
/// anywhere and with an environment of its own.
fn started(place: &Place) -> Outcome<Vec<String>> {
    let mut arguments = vec!["mcp".to_owned()];
    let whole = |path: &Path| std::path::absolute(path).map_err(|error| fault(path, &error)).and_then(|path| text_of(&path));
    arguments.extend(["--hall".to_owned(), whole(&place.path()?)?]);
    if let Some(token) = place.token_file() {
        arguments.extend(["--token-file".to_owned(), whole(token)?]);
    }
    Ok(arguments)
}

fn text_of(path: &Path) -> Outcome<String> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| {
        CommandError::usage(format!("{} is no UTF-8", path.display()), "a client's configuration holds text; use another path")
    })
}

fn fault(path: &Path, error: &io::Error) -> CommandError {
    CommandError::Fault(anyhow::anyhow!("{}: {error}", path.display()))
}

/// The file's text; none is an empty one.
fn read(file: &Path) -> Outcome<String> {
    let open = match std::fs::File::open(file) {
        Ok(open) => open,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(fault(file, &error)),
    };
    if !open.metadata().map_err(|error| fault(file, &error))?.is_file() {
        return Err(CommandError::usage(format!("{} is no file", file.display()), "look what stands in its place"));
    }
    let mut bytes = Vec::new();
    open.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| fault(file, &error))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_BYTES) {
        return Err(CommandError::usage(format!("{} is larger than {MAX_BYTES} bytes", file.display()), "nothing was changed"));
    }
    String::from_utf8(bytes)
        .map_err(|_| CommandError::usage(format!("{} is no UTF-8", file.display()), "mend the file; nothing was changed"))
}

/// Writes the file whole or not at all, under the rights that it had; a new one is for the user alone.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    std::fs::create_dir_all(folder)?;
    let mode = std::fs::metadata(file).map_or(0o600, |about| about.permissions().mode() & 0o7777);
    let aside = folder.join(format!(".{}.skillhall", random::uuid().map_err(io::Error::other)?));
    let written = (|| {
        let mut new = std::fs::OpenOptions::new().write(true).create_new(true).open(&aside)?;
        new.set_permissions(std::fs::Permissions::from_mode(mode))?;
        new.write_all(text.as_bytes())?;
        new.sync_all()?;
        std::fs::rename(&aside, file)
    })();
    if written.is_err() {
        // It may never have been made.
        let _ = std::fs::remove_file(&aside);
    }
    written
}

/// The lines that go and come, with some around them. An edit is in one place.
fn difference(old: &str, new: &str) -> Vec<String> {
    if old == new {
        return Vec::new();
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let same = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
    let rest = old.iter().rev().zip(new.iter().rev()).take_while(|(one, other)| one == other).count();
    let rest = rest.min(old.len().min(new.len()).saturating_sub(same));
    let marked = |mark: char, lines: &[&str], skip: usize, end: usize| -> Vec<String> {
        let wanted = lines.len().saturating_sub(skip + end);
        lines.iter().skip(skip).take(wanted).map(|line| format!("{mark} {line}")).collect()
    };
    let before = marked(' ', &old, same.saturating_sub(AROUND), old.len().saturating_sub(same));
    let after: Vec<String> =
        old.iter().skip(old.len().saturating_sub(rest)).take(AROUND).map(|line| format!("  {line}")).collect();
    [before, marked('-', &old, same, rest), marked('+', &new, same, rest), after].concat()
}
