//! The secrets of `hall grant`. `--for`, `--header`, `--prefix` and `--reveal` belong to the `--secret` before them.

use std::path::Path;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};
use skillhall::sandbox::secrets::check;
use skillhall_core::capability::Asks;
use skillhall_core::capability::secrets::{Ask, Grant};
use skillhall_core::id::SkillId;

use crate::error::{CommandError, Outcome};

/// One secret and what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SecretFlag {
    name: String,
    file: String,
    origin: Option<String>,
    header: Option<String>,
    prefix: String,
    reveal: bool,
}

/// All of them, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SecretFlags(pub(crate) Vec<SecretFlag>);

const SECRET: &str = "secret";
const FOR: &str = "for";
const HEADER: &str = "header";
const PREFIX: &str = "prefix";
const REVEAL: &str = "reveal";

impl SecretFlag {
    /// The grants: for the origin and the header that were named, else for those under which the skill asks for the name.
    pub(crate) fn grants(&self, skill: &SkillId, asks: Option<&Asks>) -> Outcome<Vec<Grant>> {
        self.grants_of(&file(&self.name, &self.file)?, skill, asks)
    }

    fn grants_of(&self, file: &str, skill: &SkillId, asks: Option<&Asks>) -> Outcome<Vec<Grant>> {
        let grant = |origin: &str, header: &str| Grant {
            name: self.name.clone(),
            origin: origin.to_owned(),
            header: header.to_owned(),
            file: file.to_owned(),
            prefix: self.prefix.clone(),
            reveal: self.reveal,
        };
        if let (Some(origin), Some(header)) = (&self.origin, &self.header) {
            return Ok(vec![grant(origin, header)]);
        }
        let fits = |ask: &&Ask| {
            ask.name == self.name
                && self.origin.as_ref().is_none_or(|origin| *origin == ask.origin)
                && self.header.as_ref().is_none_or(|header| *header == ask.header)
        };
        let asked: Vec<&Ask> = asks.map(|asks| asks.secrets.iter().filter(fits).collect()).unwrap_or_default();
        if asked.is_empty() {
            let message = format!("no installed version of {skill} asks for the secret {} that way", self.name);
            let hint =
                "say for which origin it is and in which header it goes: --for https://api.example.com --header authorization";
            return Err(CommandError::usage(message, hint));
        }
        Ok(asked.into_iter().map(|ask| grant(&ask.origin, &ask.header)).collect())
    }
}

/// A file from which the secret can be read now, by its real path. What is in it is looked at, and goes nowhere.
fn file(name: &str, file: &str) -> Outcome<String> {
    let wrong = |why: String| {
        CommandError::usage(
            format!("the secret {name} cannot be taken from {file}: {why}"),
            "name a file of your own with the value on one line, which nobody else can read (chmod 600)",
        )
    };
    let path = Path::new(file).canonicalize().map_err(|error| wrong(error.to_string()))?;
    let path = path.to_str().ok_or_else(|| wrong("its path is no UTF-8".into()))?.to_owned();
    check(&path).map_err(wrong)?;
    Ok(path)
}

/// What an operator should know about secrets that are granted: each that goes over the network for everybody to read.
pub(crate) fn warnings(grants: &[Grant]) -> Vec<String> {
    let plain = grants.iter().filter(|grant| grant.origin.starts_with("http://"));
    plain.map(|grant| format!("the secret {} goes to {} without encryption", grant.name, grant.origin)).collect()
}

impl Args for SecretFlags {
    fn augment_args(command: Command) -> Command {
        let flag = |name: &'static str, value: &'static str, help: &'static str| {
            Arg::new(name).long(name).value_name(value).help(help).action(ArgAction::Append)
        };
        let of_secret = |argument: Arg| argument.requires(SECRET);
        command
            .arg(flag(
                SECRET,
                "NAME=FILE",
                "A secret that the host puts into its requests; the file holds the value, and nobody else may read it",
            ))
            .arg(of_secret(flag(FOR, "ORIGIN", "To which origin the secret goes [default: as the installed version asks]")))
            .arg(of_secret(flag(HEADER, "NAME", "In which header [default: as the installed version asks]")))
            .arg(of_secret(flag(PREFIX, "TEXT", "What stands before the value in the header, such as 'Bearer '")))
            .arg(of_secret(
                flag(REVEAL, "", "Let the skill see the value itself, if it asks for that")
                    .num_args(0)
                    .default_missing_value("true"),
            ))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SecretFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        let mut placed: Vec<(usize, &'static str, String)> = Vec::new();
        for name in [SECRET, FOR, HEADER, PREFIX, REVEAL] {
            let (Some(indices), Some(values)) = (matches.indices_of(name), matches.get_many::<String>(name)) else { continue };
            placed.extend(indices.zip(values).map(|(index, value)| (index, name, value.clone())));
        }
        placed.sort();
        for (_, name, value) in placed {
            if name == SECRET {
                let (name, file) = value
                    .split_once('=')
                    .filter(|(name, file)| !name.is_empty() && !file.is_empty())
                    .ok_or_else(|| invalid("a name and a file, such as API_TOKEN=./token"))?;
                self.0.push(SecretFlag { name: name.to_owned(), file: file.to_owned(), ..SecretFlag::default() });
                continue;
            }
            let last =
                self.0.last_mut().ok_or_else(|| invalid(&format!("--{name} belongs behind the --secret that it is for")))?;
            match name {
                FOR => last.origin = Some(value),
                HEADER => last.header = Some(value.to_ascii_lowercase()),
                PREFIX => last.prefix = value,
                _ => last.reveal = true,
            }
        }
        Ok(())
    }
}

fn invalid(message: &str) -> Error {
    Error::raw(ErrorKind::InvalidValue, format!("{message}\n"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn flags(arguments: &[&str]) -> Result<Vec<SecretFlag>, Error> {
        let command = SecretFlags::augment_args(Command::new("grant").no_binary_name(true));
        SecretFlags::from_arg_matches(&command.try_get_matches_from(arguments)?).map(|flags| flags.0)
    }

    #[test]
    fn each_flag_belongs_to_the_secret_before_it() {
        let all = ["--secret", "A=./a", "--for", "https://a.example", "--header", "X-Key", "--reveal", "--secret", "B=./b=c"];
        let more = ["--prefix", "Bearer ", "--secret", "C=c", "--reveal"];
        let flags_of = flags(&[all.as_slice(), &more].concat()).expect("flags");
        let [a, b, c] = flags_of.as_slice() else { panic!("{flags_of:?}") };
        assert_eq!((a.origin.as_deref(), a.header.as_deref(), a.reveal), (Some("https://a.example"), Some("x-key"), true));
        assert_eq!((b.file.as_str(), b.prefix.as_str(), b.reveal, &b.origin), ("./b=c", "Bearer ", false, &None));
        assert!(c.reveal && c.prefix.is_empty());
        for wrong in
            [&["--for", "https://a.example", "--secret", "A=a"][..], &["--reveal"], &["--secret", "A"], &["--secret", "=a"]]
        {
            assert!(flags(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_not_said_is_taken_from_what_is_asked() {
        let secret = |origin: &str, header: &str| json!({"name": "A", "for": origin, "header": header});
        let asks: Asks = serde_json::from_value(json!({
            "secrets": [secret("https://a.example", "authorization"), secret("https://b.example", "x-key")]
        }))
        .expect("asks");
        let skill: SkillId = "org.acme/fetch".parse().expect("a skill");
        let flag = |origin: Option<&str>, header: Option<&str>| SecretFlag {
            name: "A".into(),
            file: "./token".into(),
            origin: origin.map(str::to_owned),
            header: header.map(str::to_owned),
            ..SecretFlag::default()
        };
        let places = |flag: &SecretFlag, asks: Option<&Asks>| {
            let grants = flag.grants_of("/etc/token", &skill, asks).ok()?;
            Some(grants.into_iter().map(|grant| format!("{} {}", grant.origin, grant.header)).collect::<Vec<_>>())
        };
        let both = ["https://a.example authorization", "https://b.example x-key"];
        assert_eq!(places(&flag(None, None), Some(&asks)).as_deref(), Some(&both.map(String::from)[..]));
        for (origin, header, place) in [
            (Some("https://b.example"), None, Some("https://b.example x-key")),
            (None, Some("authorization"), Some("https://a.example authorization")),
            (Some("https://c.example"), None, None),
            (Some("https://c.example"), Some("x"), Some("https://c.example x")),
        ] {
            let found = places(&flag(origin, header), Some(&asks));
            assert_eq!(found, place.map(|place| vec![place.to_owned()]), "{origin:?} {header:?}");
        }
        assert_eq!(places(&flag(None, Some("x")), None), None);
    }
}
