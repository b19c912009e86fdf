//! What a case grants, in the notations that there are already: that of `hall grant` (a text), and that of hall.toml (a table).
//! Folders are copied, so that no case changes the project; the values of secrets stand in the case and go into files.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use serde_json::{Map, Value, json};
use skillhall_core::capability::{Asks, Policy, clocks, keyvalue, sockets, tools};
use skillhall_core::store;

use super::file::Root;
use crate::verbs::grant::flags::{FilesFlag, config_flag, env_flag, keyvalue_flag, tool_flag};
use crate::verbs::grant::joined;

/// The most bytes of a file, of all files, and the most files and folders that a case is given.
const MAX_FILE: u64 = 64 << 20;
const MAX_BYTES: u64 = 64 << 20;
const MAX_ENTRIES: usize = 4096;
const MAX_DEPTH: usize = 32;

/// What a case grants, looked at and not yet laid out.
#[derive(Default)]
pub(super) struct Granting {
    table: Map<String, Value>,
    asked: bool,
}

impl Granting {
    /// # Errors
    /// If it could not be put into hall.toml so, or names a folder that is not there.
    pub(super) fn read(table: &Map<String, Value>, root: &Root) -> Result<Self, String> {
        let mut table = table.clone();
        let asked = match table.remove("asked") {
            None => false,
            Some(Value::Bool(asked)) => asked,
            Some(_) => return Err("asked is true or false".into()),
        };
        for (capability, entries) in &mut table {
            if let Value::Array(entries) = entries {
                for entry in entries {
                    spelled_out(capability, entry)?;
                }
            }
        }
        let granting = Self { table, asked };
        granting.policy(&mut Looking(root))?;
        Ok(granting)
    }

    /// The grants, laid out in a folder of their own, and those that the skill asks for if the case says so.
    ///
    /// # Errors
    /// If a folder cannot be copied.
    pub(super) fn lay_out(&self, root: &Root, scratch: &Path, asks: &Asks) -> Result<Policy, String> {
        let mut policy = self.policy(&mut Laying { root, scratch, laid: 0 })?;
        if self.asked {
            add_asked(&mut policy, asks);
        }
        Ok(policy)
    }

    fn policy(&self, place: &mut dyn Place) -> Result<Policy, String> {
        let mut table = self.table.clone();
        for (name, from, to) in [("files", "folder", "folder"), ("secrets", "value", "file")] {
            let Some(Value::Array(entries)) = table.get_mut(name) else { continue };
            for entry in entries.iter_mut().filter_map(Value::as_object_mut) {
                let missing = || format!("each entry of {name} has a text '{from}'");
                let text = entry.remove(from).and_then(|value| value.as_str().map(str::to_owned)).ok_or_else(missing)?;
                let path = if name == "files" {
                    place.folder(&text)?
                } else {
                    let secret = entry.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
                    place.secret(&secret, &text)?
                };
                if entry.insert(to.to_owned(), path.into()).is_some() {
                    return Err(format!("an entry of {name} has '{from}' in a case, and no '{to}'"));
                }
            }
        }
        serde_json::from_value(Value::Object(table)).map_err(|error| error.to_string())
    }
}

/// What `hall grant` takes as one text, as the table that hall.toml has for it; what a table leaves out, filled in.
fn spelled_out(capability: &str, entry: &mut Value) -> Result<(), String> {
    if let Value::Object(members) = entry {
        let usual = match capability {
            "files" => vec![("access", json!("read"))],
            "http" => vec![("methods", json!(["GET"])), ("paths", json!(["/"]))],
            _ => Vec::new(),
        };
        for (name, value) in usual {
            members.entry(name).or_insert(value);
        }
        return Ok(());
    }
    let Value::String(text) = &*entry else { return Ok(()) };
    let written = |value: Result<Value, serde_json::Error>| value.map_err(|error| error.to_string());
    *entry = match capability {
        "files" => {
            let FilesFlag { mount, folder, access } = text.parse()?;
            let access = access.map_or("read", |access| access.as_str());
            json!({ "mount": mount, "folder": folder, "access": access })
        }
        "http" => json!({ "origin": text, "methods": ["GET"], "paths": ["/"] }),
        "sockets" => written(serde_json::to_value(text.parse::<sockets::Grant>().map_err(|error| error.to_string())?))?,
        "env" => written(serde_json::to_value(env_flag(text)?))?,
        "config" => written(serde_json::to_value(config_flag(text)?))?,
        "keyvalue" => written(serde_json::to_value(keyvalue_flag(text)?))?,
        "tools" => written(serde_json::to_value(tool_flag(text)?))?,
        _ => return Ok(()),
    };
    Ok(())
}

/// What the skill asks for and nobody has to name, where the case does not say otherwise: as `hall grant --asked` gives it.
fn add_asked(policy: &mut Policy, asks: &Asks) {
    if policy.http.is_empty() {
        policy.http = asks.http.entries().iter().fold(Vec::new(), joined);
    }
    if policy.sockets.is_empty() {
        policy.sockets = asks.sockets.entries().to_vec();
    }
    for ask in &asks.keyvalue {
        if !policy.keyvalue.iter().any(|grant| grant.store == ask.0) {
            policy.keyvalue.push(keyvalue::Grant::usual(&ask.0));
        }
    }
    for ask in &asks.tools {
        if !policy.tools.iter().any(|grant| grant.skill == ask.skill) {
            policy.tools.push(tools::Grant::new(ask.skill.clone(), ask.version.clone()));
        }
    }
    if asks.clocks == Some(clocks::Ask::Precise) {
        policy.clocks = asks.clocks;
    }
}

/// Where folders and secrets come to lie.
trait Place {
    /// The host's path of a folder of the project.
    fn folder(&mut self, folder: &str) -> Result<String, String>;
    /// The host's file with the value of a secret.
    fn secret(&mut self, name: &str, value: &str) -> Result<String, String>;
}

/// Lays nothing out: only whether it could be.
struct Looking<'a>(&'a Root);

impl Place for Looking<'_> {
    fn folder(&mut self, folder: &str) -> Result<String, String> {
        let metadata = self.0.dir.metadata(self.0.path(folder)).map_err(|error| format!("the folder {folder}: {error}"))?;
        if metadata.is_dir() { Ok("/looked-at".into()) } else { Err(format!("{folder} is no folder")) }
    }

    fn secret(&mut self, name: &str, _: &str) -> Result<String, String> {
        Ok(format!("/looked-at/{name}"))
    }
}

/// Copies folders and writes secrets.
struct Laying<'a> {
    root: &'a Root,
    scratch: &'a Path,
    laid: usize,
}

impl Laying<'_> {
    fn next(&mut self) -> PathBuf {
        self.laid += 1;
        self.scratch.join(format!("folder-{}", self.laid))
    }
}

fn text_of(path: &Path) -> Result<String, String> {
    path.to_str().map(str::to_owned).ok_or_else(|| "the folder for temporary files has a path that is no UTF-8".into())
}

impl Place for Laying<'_> {
    fn folder(&mut self, folder: &str) -> Result<String, String> {
        let to = self.next();
        let told = |error: std::io::Error| format!("the folder {folder} cannot be copied: {error}");
        let from = self.root.dir.open_dir(self.root.path(folder)).map_err(told)?;
        Copy { bytes: 0, entries: 0 }.folder(&from, &to, 0).map_err(told)?;
        text_of(&to)
    }

    fn secret(&mut self, name: &str, value: &str) -> Result<String, String> {
        // In a folder of its own: none that the skill is given.
        let folder = self.scratch.join("secrets");
        let file = folder.join(name);
        let told = |error: std::io::Error| format!("the secret {name} cannot be laid out: {error}");
        fs::create_dir_all(&folder).map_err(told)?;
        match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file) {
            Ok(mut file) => file.write_all(value.as_bytes()).map_err(told)?,
            // A secret that goes to two origins has one value.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                if fs::read(&file).map_err(told)? != value.as_bytes() {
                    return Err(format!("the secret {name} has two values"));
                }
            }
            Err(error) => return Err(told(error)),
        }
        text_of(&file)
    }
}

/// A copy of files and folders, and of nothing else.
struct Copy {
    bytes: u64,
    entries: usize,
}

impl Copy {
    fn folder(&mut self, from: &Dir, to: &Path, depth: usize) -> std::io::Result<()> {
        fs::create_dir(to)?;
        for entry in from.entries()? {
            let entry = entry?;
            let (name, kind) = (entry.file_name(), entry.file_type()?);
            self.entries += 1;
            if self.entries > MAX_ENTRIES || depth > MAX_DEPTH {
                return Err(std::io::Error::other(format!(
                    "it holds more than {MAX_ENTRIES} files, or is deeper than {MAX_DEPTH}"
                )));
            }
            let path = to.join(&name);
            if kind.is_dir() {
                self.folder(&entry.open_dir()?, &path, depth + 1)?;
            } else if kind.is_file() {
                let name = name.to_str().ok_or_else(|| std::io::Error::other("a name is no UTF-8"))?;
                let bytes = store::read(from, name, MAX_FILE)?;
                self.bytes = self.bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                if self.bytes > MAX_BYTES {
                    return Err(std::io::Error::other(format!("it holds more than {MAX_BYTES} bytes")));
                }
                fs::write(&path, bytes)?;
            } else {
                return Err(std::io::Error::other(format!("{} is neither file nor folder", name.to_string_lossy())));
            }
        }
        Ok(())
    }
}
