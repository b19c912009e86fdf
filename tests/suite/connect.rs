//! `hall connect`: each client's own file, with what a user keeps in it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value;
use skillhall_tests::command::{Run, command, executable, finish};
use skillhall_tests::world::World;

/// Each client with its file below the user's home, a file as a user keeps it, and the same with the hall in it; `@` stands for the
/// command and `$` for its arguments.
const CLIENTS: [(&str, &str, &str, &str); 6] = [
    (
        "claude-code",
        ".claude.json",
        "{\n  \"numStartups\": 7,\n  \"mcpServers\": {\n    \"other\": {\"type\": \"http\", \"url\": \"https://other.example\"}\n  },\n  \"projects\": {\"/a\": {\"mcpServers\": {}}}\n}\n",
        "{\n  \"numStartups\": 7,\n  \"mcpServers\": {\n    \"other\": {\"type\": \"http\", \"url\": \"https://other.example\"},\n    \"skillhall\": {\n      \"type\": \"stdio\",\n      \"command\": @,\n      \"args\": $\n    }\n  },\n  \"projects\": {\"/a\": {\"mcpServers\": {}}}\n}\n",
    ),
    (
        "claude-desktop",
        ".config/Claude/claude_desktop_config.json",
        "{\n    \"globalShortcut\": \"\"\n}",
        "{\n    \"globalShortcut\": \"\",\n    \"mcpServers\": {\n        \"skillhall\": {\n            \"command\": @,\n            \"args\": $\n        }\n    }\n}",
    ),
    (
        "vscode",
        ".config/Code/User/mcp.json",
        "// Mine.\n{\n\t\"inputs\": [], // none yet\n\t\"servers\": {\n\t\t/* the old one */\n\t\t\"files\": { \"command\": \"files\" },\n\t},\n}\n",
        "// Mine.\n{\n\t\"inputs\": [], // none yet\n\t\"servers\": {\n\t\t/* the old one */\n\t\t\"files\": { \"command\": \"files\" },\n\t\t\"skillhall\": {\n\t\t\t\"type\": \"stdio\",\n\t\t\t\"command\": @,\n\t\t\t\"args\": $\n\t\t},\n\t},\n}\n",
    ),
    (
        "cursor",
        ".cursor/mcp.json",
        "{\"mcpServers\": {\"skillhall\": {\"command\": \"/old/hall\", \"args\": [\"mcp\"], \"env\": {\"LANG\": \"C\"}}}}\n",
        "{\"mcpServers\": {\"skillhall\": {\"command\": @, \"args\": $, \"env\": {\"LANG\": \"C\"}}}}\n",
    ),
    (
        "codex",
        ".codex/config.toml",
        "# Mine.\nmodel = \"large\"   # or small\n\n[mcp_servers.other]\nurl = \"https://other.example\"\n",
        "# Mine.\nmodel = \"large\"   # or small\n\n[mcp_servers.other]\nurl = \"https://other.example\"\n\n[mcp_servers.skillhall]\ncommand = @\nargs = $\n",
    ),
    (
        "gemini",
        ".gemini/settings.json",
        "{\r\n  \"theme\": \"dark\"\r\n}\r\n",
        "{\r\n  \"theme\": \"dark\",\r\n  \"mcpServers\": {\r\n    \"skillhall\": {\r\n      \"command\": @,\r\n      \"args\": $\r\n    }\r\n  }\r\n}\r\n",
    ),
];

fn connect(world: &World, user: &Path, arguments: &[&str]) -> Run {
    let mut connect = command(&world.home(), &[&["connect"], arguments].concat());
    for name in ["XDG_CONFIG_HOME", "CODEX_HOME"] {
        connect.env_remove(name);
    }
    finish(connect.env("HOME", user))
}

fn user(world: &World, name: &str) -> PathBuf {
    let home = world.desk().join(name);
    fs::create_dir_all(&home).expect("a home is made");
    home
}

fn put(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().expect("a folder")).expect("it is made");
    fs::write(file, text).expect("it is written");
}

/// The files of a folder and below it that are not the wanted one.
fn others(folder: &Path, file: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { others(&path, file) } else { vec![path] }).filter(|path| path != file).collect()
}

#[test]
fn every_clients_file_keeps_what_a_user_has_in_it() {
    let world = World::bare();
    let words = [format!("\"{}\"", executable().display()), format!("[\"mcp\", \"--hall\", \"{}\"]", world.home().display())];
    for (client, path, before, after) in CLIENTS {
        let home = user(&world, client);
        let (file, after) = (home.join(path), after.replace('@', &words[0]).replace('$', &words[1]));
        put(&file, before);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("its rights are set");
        let shown = connect(&world, &home, &[client, "--dry-run"]).ends(0);
        assert!(shown.stdout.contains(&words[0]) && shown.stdout.contains("\n+ "), "{shown:?}");
        assert_eq!(fs::read_to_string(&file).expect("a text"), before, "{client}: --dry-run changes nothing");
        let told = connect(&world, &home, &[client, "--json"]).object();
        assert_eq!((&told["changed"], &told["file"]), (&Value::Bool(true), &Value::from(file.display().to_string())));
        assert_eq!(fs::read_to_string(&file).expect("a text"), after, "{client}");
        assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o640);
        let again = connect(&world, &home, &[client, "--json"]).object();
        assert_eq!(again["changed"], false, "{again}");
        assert_eq!(fs::read_to_string(&file).expect("a text"), after, "{client}: twice is once");
        assert!(others(&home, &file).is_empty(), "nothing else is left");
    }
}

#[test]
fn a_file_that_is_not_there_is_made_for_the_user_alone() {
    let world = World::bare();
    for (client, path, ..) in CLIENTS {
        let home = user(&world, client);
        let _ = connect(&world, &home, &[client, "--quiet"]).ends(0);
        let file = home.join(path);
        let text = fs::read_to_string(&file).expect("it is made");
        assert!(text.contains("skillhall") && text.ends_with('\n'), "{text}");
        assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_left_alone() {
    let world = World::bare();
    for (client, path, ..) in CLIENTS {
        let home = user(&world, client);
        let file = home.join(path);
        let broken: &[&[u8]] = match client {
            "codex" => &[b"a = ", b"mcp_servers = 1", b"[mcp_servers.skillhall]\nurl = \"https://elsewhere.example\"", b"\xff"],
            "vscode" => &[b"{", b"{\"servers\": []}", b"{\"servers\": {\"skillhall\": {\"url\": \"u\"}}}", b"{} {}", b"\xff"],
            _ => &[b"{", b"[]", b"{\"mcpServers\": 1}", b"{\"mcpServers\": {}, \"mcpServers\": {}}", b"\xff"],
        };
        for broken in broken {
            fs::create_dir_all(file.parent().expect("a folder")).expect("it is made");
            fs::write(&file, broken).expect("it is written");
            let error = connect(&world, &home, &[client, "--json"]).error(2);
            assert!(error["message"].as_str().is_some_and(|text| text.contains(path)), "{error}");
            assert_eq!(fs::read(&file).expect("it is there"), *broken, "{client}");
            assert!(others(&home, &file).is_empty());
        }
    }
}

#[test]
fn a_project_has_its_own_file_and_a_link_stays_one() {
    let world = World::bare();
    let home = user(&world, "home");
    let project = user(&world, "project");
    let at = project.display().to_string();
    for (client, path) in [
        ("claude-code", ".mcp.json"),
        ("vscode", ".vscode/mcp.json"),
        ("cursor", ".cursor/mcp.json"),
        ("gemini", ".gemini/settings.json"),
    ] {
        let _ = connect(&world, &home, &[client, "--project", &at, "--quiet"]).ends(0);
        assert!(project.join(path).is_file(), "{client}");
    }
    for client in ["codex", "claude-desktop"] {
        connect(&world, &home, &[client, "--project", &at, "--json"]).error(2);
    }
    assert_eq!(fs::read_dir(&home).expect("a home").count(), 0, "the user's own files are not touched");
    let kept = home.join("kept.json");
    fs::write(&kept, "{}").expect("it is written");
    symlink(&kept, home.join(".claude.json")).expect("a link is made");
    let _ = connect(&world, &home, &["claude-code", "--quiet"]).ends(0);
    assert!(home.join(".claude.json").is_symlink());
    assert!(fs::read_to_string(&kept).expect("a text").contains("mcpServers"));
}

#[test]
fn a_client_starts_what_was_written() {
    let world = World::ready();
    let home = user(&world, "home");
    let _ = connect(&world, &home, &["cursor", "--quiet"]).ends(0);
    let text = fs::read_to_string(home.join(".cursor/mcp.json")).expect("it is made");
    let entry = serde_json::from_str::<Value>(&text).expect("it is JSON")["mcpServers"]["skillhall"].clone();
    let mut start = std::process::Command::new(entry["command"].as_str().expect("a command"));
    start.args(entry["args"].as_array().expect("arguments").iter().map(|word| word.as_str().expect("a text")));
    let run = finish(start.env_clear().stdin(std::process::Stdio::null()));
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{run:?}");
}

const URL: &str = "http://127.0.0.1:7700/mcp";

/// As [`CLIENTS`], over HTTP: the file as a user keeps it, and the same with the server in it.
const OVER_HTTP: [(&str, &str, &str, &str); 5] = [
    (
        "claude-code",
        ".claude.json",
        "{\n  \"numStartups\": 7\n}\n",
        "{\n  \"numStartups\": 7,\n  \"mcpServers\": {\n    \"skillhall\": {\n      \"type\": \"http\",\n      \"url\": \"http://127.0.0.1:7700/mcp\",\n      \"headers\": {\n        \"Authorization\": \"Bearer ${SKILLHALL_TOKEN}\"\n      }\n    }\n  }\n}\n",
    ),
    (
        "vscode",
        ".config/Code/User/mcp.json",
        "// Mine.\n{\n\t\"servers\": {\n\t\t/* the old one */\n\t\t\"files\": { \"command\": \"files\" },\n\t},\n}\n",
        "// Mine.\n{\n\t\"servers\": {\n\t\t/* the old one */\n\t\t\"files\": { \"command\": \"files\" },\n\t\t\"skillhall\": {\n\t\t\t\"type\": \"http\",\n\t\t\t\"url\": \"http://127.0.0.1:7700/mcp\",\n\t\t\t\"headers\": {\n\t\t\t\t\"Authorization\": \"Bearer ${env:SKILLHALL_TOKEN}\"\n\t\t\t}\n\t\t},\n\t},\n}\n",
    ),
    (
        "cursor",
        ".cursor/mcp.json",
        "{\"mcpServers\": {\"skillhall\": {\"url\": \"http://127.0.0.1:1/mcp\", \"headers\": {\"X-Mine\": \"1\", \"Authorization\": \"Bearer secret\"}}}}\n",
        "{\"mcpServers\": {\"skillhall\": {\"url\": \"http://127.0.0.1:7700/mcp\", \"headers\": {\"X-Mine\": \"1\", \"Authorization\": \"Bearer ${env:SKILLHALL_TOKEN}\"}}}}\n",
    ),
    (
        "codex",
        ".codex/config.toml",
        "# Mine.\nmodel = \"large\"   # or small\n",
        "# Mine.\nmodel = \"large\"   # or small\n\n[mcp_servers.skillhall]\nurl = \"http://127.0.0.1:7700/mcp\"\nbearer_token_env_var = \"SKILLHALL_TOKEN\"\n",
    ),
    (
        "gemini",
        ".gemini/settings.json",
        "{\r\n  \"theme\": \"dark\"\r\n}\r\n",
        "{\r\n  \"theme\": \"dark\",\r\n  \"mcpServers\": {\r\n    \"skillhall\": {\r\n      \"httpUrl\": \"http://127.0.0.1:7700/mcp\",\r\n      \"headers\": {\r\n        \"Authorization\": \"Bearer ${SKILLHALL_TOKEN}\"\r\n      }\r\n    }\r\n  }\r\n}\r\n",
    ),
];

#[test]
fn over_http_a_file_names_the_address_and_a_variable_and_no_token() {
    let world = World::bare();
    for (client, path, before, after) in OVER_HTTP {
        let home = user(&world, &format!("http-{client}"));
        let file = home.join(path);
        put(&file, before);
        // Whoever writes it has the token at hand, and it stays there.
        let http = |more: &[&str]| {
            let mut connect = command(&world.home(), &[&["connect", client, "--http", "http://127.0.0.1:7700"], more].concat());
            connect.env_remove("XDG_CONFIG_HOME").env_remove("CODEX_HOME").env("SKILLHALL_TOKEN", "the-token-itself");
            finish(connect.env("HOME", &home))
        };
        let shown = http(&["--dry-run"]).ends(0);
        assert!(shown.stdout.contains(URL), "{shown:?}");
        assert_eq!(fs::read_to_string(&file).expect("a text"), before, "{client}: --dry-run changes nothing");
        let told = http(&["--json"]).object();
        assert_eq!((&told["changed"], &told["url"], &told["token_env"]), (&true.into(), &URL.into(), &"SKILLHALL_TOKEN".into()));
        assert_eq!(fs::read_to_string(&file).expect("a text"), after, "{client}");
        assert_eq!(http(&["--json"]).object()["changed"], false, "{client}: twice is once");
        assert_eq!(fs::read_to_string(&file).expect("a text"), after, "{client}");
        assert!(others(&home, &file).is_empty(), "nothing else is left");
        // The one way is not made of the other by half.
        let error = connect(&world, &home, &[client, "--json"]).error(2);
        assert!(error["message"].as_str().is_some_and(|text| text.contains("is another one")), "{error}");
        let named = http(&["--name", "other", "--token-env", "MY_OTHER", "--json"]).object();
        assert_eq!(named["token_env"], "MY_OTHER");
        let text = fs::read_to_string(&file).expect("a text");
        assert!(text.contains("MY_OTHER") && !text.contains("the-token-itself") && !text.contains("secret"), "{text}");
    }
}

#[test]
fn over_http_what_starts_a_command_stays_one() {
    let world = World::bare();
    for (client, path, ..) in OVER_HTTP {
        let home = user(&world, &format!("both-{client}"));
        let _ = connect(&world, &home, &[client, "--quiet"]).ends(0);
        let before = fs::read_to_string(home.join(path)).expect("it is made");
        let error = connect(&world, &home, &[client, "--http", URL, "--json"]).error(2);
        assert!(error["message"].as_str().is_some_and(|text| text.contains("is another one")), "{error}");
        assert_eq!(fs::read_to_string(home.join(path)).expect("it is there"), before);
    }
}

#[test]
fn over_http_no_token_goes_where_it_is_not_safe() {
    let world = World::bare();
    let home = user(&world, "home");
    let refused = |arguments: &[&str]| {
        let run = connect(&world, &home, &[arguments, &["--json"]].concat());
        assert_eq!(fs::read_dir(&home).expect("a home").count(), 0, "{arguments:?}");
        assert_eq!(run.code, 2, "{run:?}");
        run.stderr
    };
    assert!(refused(&["claude-desktop", "--http", URL]).contains("takes no servers over HTTP"));
    assert!(refused(&["cursor", "--http", "http://192.0.2.1:7700/mcp"]).contains("without TLS"));
    assert!(refused(&["cursor", "--http", "http://localhost.example.org/mcp"]).contains("without TLS"));
    for url in ["https://a:secret@hall.example/mcp", "https://hall.example/mcp?token=secret", "https://hall.example/${env:HOME}"]
    {
        refused(&["cursor", "--http", url]);
    }
    for name in ["A}${env:HOME", "1", "A B"] {
        refused(&["cursor", "--http", URL, "--token-env", name]);
    }
    refused(&["cursor", "--token-env", "A"]);
    assert!(refused(&["cursor", "--http", URL, "--token-file", "agent.token"]).contains("brings its own token"));
    // On purpose it can be said.
    let remote = ["cursor", "--http", "http://192.0.2.1:7700/mcp", "--allow-remote", "--quiet"];
    let _ = connect(&world, &home, &remote).ends(0);
    // A hall of this machine is not needed for one elsewhere.
    let mut elsewhere =
        command(&world.desk().join("no-hall"), &["connect", "gemini", "--http", "https://hall.example/mcp", "--quiet"]);
    let _ = finish(elsewhere.env("HOME", &home)).ends(0);
}
