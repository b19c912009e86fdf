//! Where does each client keep its list of servers, and in which words?

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::json;
use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::jsonc::{self, Entry};

/// An agent's client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Client {
    /// Claude Code: ~/.claude.json, or .mcp.json in a project
    ClaudeCode,
    /// Claude Desktop: `claude_desktop_config.json`
    ClaudeDesktop,
    /// VS Code: mcp.json of the user, or .vscode/mcp.json in a project
    Vscode,
    /// Cursor: ~/.cursor/mcp.json, or .cursor/mcp.json in a project
    Cursor,
    /// Codex: ~/.codex/config.toml
    Codex,
    /// Gemini CLI: ~/.gemini/settings.json, or .gemini/settings.json in a project
    Gemini,
}

/// The folders of the user, as the environment names them.
pub(super) struct Folders {
    pub(super) home: PathBuf,
    pub(super) config: PathBuf,
    /// What `CODEX_HOME` names, if it is set.
    pub(super) codex: Option<PathBuf>,
}

/// How a client reaches the hall.
pub(super) enum Way {
    /// It starts the command.
    Command { command: String, arguments: Vec<String> },
    /// It sends requests to a server that runs already, with a token that it finds in its environment.
    Http { url: String, token: String },
}

impl Client {
    /// Its file for everything that the user does.
    pub(super) fn of_user(self, folders: &Folders) -> PathBuf {
        match self {
            Self::ClaudeCode => folders.home.join(".claude.json"),
            Self::ClaudeDesktop => folders.config.join("Claude/claude_desktop_config.json"),
            Self::Vscode => folders.config.join("Code/User/mcp.json"),
            Self::Cursor => folders.home.join(".cursor/mcp.json"),
            Self::Codex => folders.codex.clone().unwrap_or_else(|| folders.home.join(".codex")).join("config.toml"),
            Self::Gemini => folders.home.join(".gemini/settings.json"),
        }
    }

    /// Its file in a project's folder, if it reads one there.
    pub(super) fn of_project(self, project: &Path) -> Option<PathBuf> {
        Some(project.join(match self {
            Self::ClaudeCode => ".mcp.json",
            Self::Vscode => ".vscode/mcp.json",
            Self::Cursor => ".cursor/mcp.json",
            Self::Gemini => ".gemini/settings.json",
            Self::ClaudeDesktop | Self::Codex => return None,
        }))
    }

    /// Its file with the hall in it, under this name.
    ///
    /// # Errors
    /// Why the text cannot be edited without a loss.
    pub(super) fn with(self, text: &str, name: &str, way: &Way) -> Result<String, String> {
        match (self, way) {
            (Self::Codex, Way::Command { command, arguments }) => {
                let arguments: Array = arguments.iter().map(String::as_str).collect();
                codex(text, name, [("command", value(command)), ("args", value(arguments))], "url")
            }
            (Self::Codex, Way::Http { url, token }) => {
                codex(text, name, [("url", value(url)), ("bearer_token_env_var", value(token))], "command")
            }
            (_, Way::Command { command, arguments }) => {
                let members: [(&[&str], _); 3] =
                    [(&["type"], json!("stdio")), (&["command"], json!(command)), (&["args"], json!(arguments))];
                let skipped = usize::from(!self.says_the_type());
                let members = members.get(skipped..).unwrap_or_default();
                jsonc::set(text, &Entry { at: [self.servers(), name], members, foreign: &["url", "httpUrl"] })
            }
            (_, Way::Http { url, token }) => {
                // For Gemini `url` was an older transport.
                let (key, other) = if self == Self::Gemini { ("httpUrl", "url") } else { ("url", "httpUrl") };
                let members: [(&[&str], _); 3] = [
                    (&["type"], json!("http")),
                    (&[key], json!(url)),
                    (&["headers", "Authorization"], json!(format!("Bearer {}", self.variable(token)))),
                ];
                let skipped = usize::from(!self.says_the_type());
                let members = members.get(skipped..).unwrap_or_default();
                jsonc::set(text, &Entry { at: [self.servers(), name], members, foreign: &["command", other] })
            }
        }
    }

    /// Whether its file can name a server over HTTP, and the variable of the environment in which the token is.
    pub(super) fn takes_http(self) -> bool {
        self != Self::ClaudeDesktop
    }

    /// The object of servers in its file.
    fn servers(self) -> &'static str {
        if self == Self::Vscode { "servers" } else { "mcpServers" }
    }

    fn says_the_type(self) -> bool {
        matches!(self, Self::ClaudeCode | Self::Vscode)
    }

    /// How its file means a variable of the environment.
    fn variable(self, name: &str) -> String {
        match self {
            Self::Vscode | Self::Cursor => format!("${{env:{name}}}"),
            Self::ClaudeCode | Self::ClaudeDesktop | Self::Codex | Self::Gemini => format!("${{{name}}}"),
        }
    }
}

/// Sets these keys of a server, unless it has the one that only another kind of server has.
fn codex(text: &str, name: &str, entry: [(&str, Item); 2], foreign: &str) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string().trim().to_owned())?;
    let mut all = Table::new();
    all.set_implicit(true);
    let servers = document.entry("mcp_servers").or_insert(Item::Table(all));
    let servers = servers.as_table_like_mut().ok_or("mcp_servers in it is not a table")?;
    if servers.get(name).is_none() {
        servers.insert(name, Item::Table(Table::new()));
    }
    let server = servers.get_mut(name).and_then(Item::as_table_like_mut).ok_or("the server in it is not a table")?;
    if server.contains_key(foreign) {
        return Err(format!("the server {name} in it is another one"));
    }
    let same =
        |there: Option<&Item>, wanted: &Item| there.is_some_and(|there| there.to_string().trim() == wanted.to_string().trim());
    for (key, wanted) in entry {
        if !same(server.get(key), &wanted) {
            server.insert(key, wanted);
        }
    }
    Ok(document.to_string())
}
