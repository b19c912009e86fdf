//! Where does each client keep its list of servers, and in which words?

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::json;

use super::jsonc;

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
    pub(super) fn with(self, text: &str, name: &str, command: &str, arguments: &[String]) -> Result<String, String> {
        let entry = [("type", json!("stdio")), ("command", json!(command)), ("args", json!(arguments))];
        let untyped = entry.get(1..).unwrap_or_default();
        match self {
            Self::Codex => codex(text, name, command, arguments),
            Self::ClaudeCode => jsonc::set(text, ["mcpServers", name], &entry),
            Self::Vscode => jsonc::set(text, ["servers", name], &entry),
            Self::ClaudeDesktop | Self::Cursor | Self::Gemini => jsonc::set(text, ["mcpServers", name], untyped),
        }
    }
}

fn codex(text: &str, name: &str, command: &str, arguments: &[String]) -> Result<String, String> {
    use toml_edit::{Array, DocumentMut, Item, Table, value};
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string().trim().to_owned())?;
    let mut all = Table::new();
    all.set_implicit(true);
    let servers = document.entry("mcp_servers").or_insert(Item::Table(all));
    let servers = servers.as_table_like_mut().ok_or("mcp_servers in it is not a table")?;
    if servers.get(name).is_none() {
        servers.insert(name, Item::Table(Table::new()));
    }
    let server = servers.get_mut(name).and_then(Item::as_table_like_mut).ok_or("the server in it is not a table")?;
    if server.contains_key("url") {
        return Err(format!("the server {name} in it is another one"));
    }
    let arguments: Array = arguments.iter().map(String::as_str).collect();
    let same =
        |there: Option<&Item>, wanted: &Item| there.is_some_and(|there| there.to_string().trim() == wanted.to_string().trim());
    for (key, wanted) in [("command", value(command)), ("args", value(arguments))] {
        if !same(server.get(key), &wanted) {
            server.insert(key, wanted);
        }
    }
    Ok(document.to_string())
}
