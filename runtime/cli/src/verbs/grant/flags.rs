//! The flags of `hall grant`. `--methods`, `--paths` and `--address` belong to the `--http` before them.

use std::net::IpAddr;
use std::str::FromStr;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};
use skillhall_core::capability::files::Access;
use skillhall_core::capability::http::{Grant, Method};
use skillhall_core::capability::{Ask as _, config, env, keyvalue, tools};

/// `MOUNT=DIR[:write]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilesFlag {
    pub(crate) mount: String,
    pub(crate) folder: String,
    /// As it was said, if it was said.
    pub(crate) access: Option<Access>,
}

impl FromStr for FilesFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mount, rest) = text.split_once('=').ok_or("a mount and a folder, such as /in=./data")?;
        let (folder, access) = match rest.rsplit_once(':') {
            Some((folder, "write")) => (folder, Some(Access::Write)),
            Some((folder, "read")) => (folder, Some(Access::Read)),
            _ => (rest, None),
        };
        if mount.is_empty() || folder.is_empty() {
            return Err("a mount and a folder, such as /in=./data".into());
        }
        Ok(Self { mount: mount.to_owned(), folder: folder.to_owned(), access })
    }
}

/// `NAME=VALUE`, a variable.
pub(crate) fn env_flag(text: &str) -> Result<env::Grant, String> {
    let (name, value) = text.split_once('=').ok_or("a name and a value, such as LANG=C")?;
    let grant = env::Grant { name: name.to_owned(), value: value.to_owned() };
    grant.validate().map_err(|error| error.to_string())?;
    Ok(grant)
}

/// `NAME=VALUE`, a configuration value.
pub(crate) fn config_flag(text: &str) -> Result<config::Grant, String> {
    let (name, value) = text.split_once('=').ok_or("a name and a value, such as retries=3")?;
    let value = match (value, value.parse::<i64>()) {
        ("true", _) => config::Value::Bool(true),
        ("false", _) => config::Value::Bool(false),
        // Only what is written as the number itself is: a guest reads "007" as it was given.
        (text, Ok(number)) if number.to_string() == text => config::Value::Integer(number),
        (text, _) => config::Value::Text(text.to_owned()),
    };
    let grant = config::Grant { name: name.to_owned(), value };
    grant.validate().map_err(|error| error.to_string())?;
    Ok(grant)
}

/// `STORE[:BYTES[:ENTRIES]]`, a store, its bytes and its entries; `K`, `M` and `G` behind the bytes are their multiples by 1024.
pub(crate) fn keyvalue_flag(text: &str) -> Result<keyvalue::Grant, String> {
    let mut parts = text.splitn(3, ':');
    let mut grant = keyvalue::Grant::usual(parts.next().unwrap_or_default());
    if let Some(bytes) = parts.next() {
        grant.bytes = size(bytes).ok_or_else(|| format!("'{bytes}' is no size, such as 65536, 64K or 10M"))?;
    }
    if let Some(entries) = parts.next() {
        grant.entries = digits(entries).ok_or_else(|| format!("'{entries}' is no number of entries"))?;
    }
    grant.validate().map_err(|error| error.to_string())?;
    Ok(grant)
}

/// `SKILL[@VERSIONS]`, a skill that may be called, and in which versions.
pub(crate) fn tool_flag(text: &str) -> Result<tools::Grant, String> {
    let (skill, versions) = text.split_once('@').unwrap_or((text, "*"));
    let skill = skill.parse().map_err(|error| format!("{error}"))?;
    Ok(tools::Grant::new(skill, tools::parse_versions(versions).map_err(|error| error.to_string())?))
}

fn size(text: &str) -> Option<u64> {
    let (number, unit) = match text.strip_suffix(['K', 'M', 'G']) {
        None => (text, 1),
        Some(number) if text.ends_with('K') => (number, 1 << 10),
        Some(number) if text.ends_with('M') => (number, 1 << 20),
        Some(number) => (number, 1 << 30),
    };
    digits(number)?.checked_mul(unit)
}

fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// One origin and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpFlag {
    origin: String,
    methods: Vec<Method>,
    paths: Vec<String>,
    addresses: Vec<IpAddr>,
}

impl HttpFlag {
    /// The grant: `GET` under `/` where nothing else is said.
    pub(crate) fn grant(&self) -> Grant {
        let methods = if self.methods.is_empty() { vec![Method::Get] } else { self.methods.clone() };
        let paths = if self.paths.is_empty() { vec!["/".to_owned()] } else { self.paths.clone() };
        Grant { origin: self.origin.clone(), methods, paths, addresses: self.addresses.clone() }
    }
}

/// All of them, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HttpFlags(pub(crate) Vec<HttpFlag>);

const HTTP: &str = "http";
const METHODS: &str = "methods";
const PATHS: &str = "paths";
const ADDRESS: &str = "address";

impl Args for HttpFlags {
    fn augment_args(command: Command) -> Command {
        let flag = |name: &'static str, value: &'static str, help: &'static str| {
            Arg::new(name).long(name).value_name(value).help(help).action(ArgAction::Append)
        };
        let of_http = |argument: Arg| argument.requires(HTTP).value_delimiter(',');
        command
            .arg(flag(HTTP, "ORIGIN", "An origin that it may send requests to, such as https://api.example.com"))
            .arg(of_http(flag(METHODS, "METHOD,..", "With which methods [default: GET]")))
            .arg(of_http(flag(PATHS, "PREFIX,..", "Under which paths [default: /]")))
            .arg(of_http(flag(ADDRESS, "IP,..", "Addresses that are not public and to which the origin may lead all the same")))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for HttpFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        let mut placed: Vec<(usize, &'static str, String)> = Vec::new();
        for name in [HTTP, METHODS, PATHS, ADDRESS] {
            let (Some(indices), Some(values)) = (matches.indices_of(name), matches.get_many::<String>(name)) else { continue };
            placed.extend(indices.zip(values).map(|(index, value)| (index, name, value.clone())));
        }
        placed.sort();
        for (_, name, value) in placed {
            if name == HTTP {
                self.0.push(HttpFlag { origin: value, methods: Vec::new(), paths: Vec::new(), addresses: Vec::new() });
                continue;
            }
            let last = self.0.last_mut().ok_or_else(|| invalid(&format!("--{name} belongs behind the --http that it is for")))?;
            match name {
                METHODS => last.methods.push(method(&value)?),
                PATHS => last.paths.push(value),
                _ => last
                    .addresses
                    .push(value.parse().map_err(|_| invalid(&format!("'{value}' is no address, such as 127.0.0.1")))?),
            }
        }
        Ok(())
    }
}

fn method(text: &str) -> Result<Method, Error> {
    let name = serde_json::Value::from(text.to_ascii_uppercase());
    serde_json::from_value(name)
        .map_err(|_| invalid(&format!("'{text}' is no method: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")))
}

fn invalid(message: &str) -> Error {
    Error::raw(ErrorKind::InvalidValue, format!("{message}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(arguments: &[&str]) -> Result<Vec<HttpFlag>, Error> {
        let command = HttpFlags::augment_args(Command::new("grant").no_binary_name(true));
        HttpFlags::from_arg_matches(&command.try_get_matches_from(arguments)?).map(|flags| flags.0)
    }

    #[test]
    fn each_flag_belongs_to_the_origin_before_it() {
        let flags = http(&[
            "--http",
            "https://a.example",
            "--methods",
            "GET,post",
            "--paths",
            "/v1/,/v2/",
            "--http",
            "http://b.example",
            "--address",
            "127.0.0.1",
            "--http",
            "https://c.example",
            "--paths",
            "/",
        ])
        .expect("flags");
        assert_eq!(flags.len(), 3);
        assert_eq!((flags[0].methods.len(), flags[0].paths.len(), flags[0].addresses.len()), (2, 2, 0));
        assert_eq!((flags[1].methods.len(), flags[1].paths.len(), flags[1].addresses.len()), (0, 0, 1));
        assert_eq!((flags[1].grant().methods, flags[1].grant().paths), (vec![Method::Get], vec!["/".to_owned()]));
        assert_eq!(flags[2].paths, ["/"]);
        for wrong in [
            ["--methods", "GET", "--http", "https://a.example"].as_slice(),
            &["--http", "https://a.example", "--methods", "FETCH"],
            &["--http", "https://a.example", "--address", "localhost"],
            &["--paths", "/"],
        ] {
            assert!(http(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_value_is_what_it_is_written_as() {
        use config::Value::{Bool, Integer, Text};
        let value = |text: &str| config_flag(text).map(|grant| grant.value);
        assert_eq!(value("a=true"), Ok(Bool(true)));
        assert_eq!(value("a=-7"), Ok(Integer(-7)));
        for text in ["007", "+7", "1.5", "", "a=b", "True"] {
            assert_eq!(value(&format!("a={text}")), Ok(Text(text.into())));
        }
        assert_eq!(env_flag("LANG=a=b").map(|grant| (grant.name, grant.value)), Ok(("LANG".into(), "a=b".into())));
        for wrong in ["", "=", "=x", "1A=x", "A"] {
            assert!(env_flag(wrong).is_err(), "{wrong}");
        }
        assert!(config_flag("a b=x").is_err() && config_flag("a").is_err());
    }

    #[test]
    fn a_store_has_the_usual_size_unless_it_says_another() {
        let flag = |text: &str| keyvalue_flag(text).map(|grant| (grant.store, grant.bytes, grant.entries));
        assert_eq!(flag("cache"), Ok(("cache".into(), 1 << 20, 1000)));
        assert_eq!(flag("cache:65536"), Ok(("cache".into(), 65_536, 1000)));
        assert_eq!(flag("cache:64K"), Ok(("cache".into(), 65_536, 1000)));
        assert_eq!(flag("cache:10M:50000"), Ok(("cache".into(), 10 << 20, 50_000)));
        assert_eq!(flag("cache:1G"), Ok(("cache".into(), 1 << 30, 1000)));
        for wrong in [
            "",
            "Cache",
            ":1",
            "cache:",
            "cache:K",
            "cache:0",
            "cache:+1",
            "cache:1k",
            "cache:2G",
            "cache:1:",
            "cache:1:0",
            "cache:1:1:1",
            "cache:99999999999999999999G",
        ] {
            assert!(flag(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_skill_may_be_called_in_every_version_unless_it_says_which() {
        let flag = |text: &str| tool_flag(text).map(|grant| (grant.skill.to_string(), grant.version.to_string()));
        assert_eq!(flag("org.acme/a"), Ok(("org.acme/a".into(), "*".into())));
        assert_eq!(flag("org.acme/a@1.2"), Ok(("org.acme/a".into(), "^1.2".into())));
        assert_eq!(flag("org.acme/a@>=1, <3"), Ok(("org.acme/a".into(), ">=1, <3".into())));
        for wrong in ["", "acme/a", "org.acme/a@", "org.acme/a@latest", "org.acme/a@1@2"] {
            assert!(flag(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_folder_is_for_reading_unless_it_says_write() {
        let flag = |text: &str| text.parse::<FilesFlag>();
        assert_eq!(flag("/in=./data").map(|flag| (flag.folder, flag.access)), Ok(("./data".into(), None)));
        assert_eq!(flag("/in=./a:b").map(|flag| (flag.folder, flag.access)), Ok(("./a:b".into(), None)));
        assert_eq!(flag("/out=/srv/x:write").map(|flag| (flag.folder, flag.access)), Ok(("/srv/x".into(), Some(Access::Write))));
        for wrong in ["/in", "=x", "/in=", "/in=:write"] {
            assert!(flag(wrong).is_err(), "{wrong}");
        }
    }
}
