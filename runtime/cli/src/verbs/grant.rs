//! `hall grant`: what of its powers a skill is given on this host.

pub(crate) mod flags;
mod secret;

use std::path::Path;

use clap::Args;
use serde_json::json;
use skillhall::hall::{Granted, Hall, Reference, Versions};
use skillhall::sandbox::is_public;
use skillhall_core::capability::{
    Ask, Asks, Policy, clocks, config, env, files, http, keyvalue, narrow, secrets, sockets, tools,
};
use skillhall_core::id::SkillId;

use crate::error::{CommandError, Outcome};
use crate::hall::Place;
use crate::lines::changes;
use crate::printer::{Printer, bad, bold, dim, good, hint};
use crate::verbs::grant::flags::{FilesFlag, HttpFlag, HttpFlags, config_flag, env_flag, keyvalue_flag, tool_flag};
use crate::verbs::grant::secret::{SecretFlag, SecretFlags, warnings};
use crate::verbs::policy::coloured;

/// Give a skill powers on this host, or take them away
#[derive(Args)]
#[command(
    after_help = "Changes [grants] in hall.toml, keeps its comments, records the change, and enrols the host with it.\nA mount or an origin that is named again takes the place of what was granted for it.\n\nExamples:\n  hall grant org.acme/csv-stats --files /in=./data\n  hall grant org.acme/report --files /in=./data --files /out=./reports:write\n  hall grant org.acme/fetch --http https://api.example.com --methods GET --paths /v1/\n  hall grant org.acme/fetch --http http://localhost:8080 --address 127.0.0.1\n  hall grant org.acme/report --socket tcp:192.0.2.1:5432 --socket udp:[2001:db8::1]:53\n  hall grant org.acme/report --env LANG=pl_PL.UTF-8 --config retries=3 --clocks precise\n  hall grant org.acme/fetch --keyvalue cache:10M               # a store of at most 10 MiB\n  hall grant org.acme/fetch --secret API_TOKEN=./token --prefix 'Bearer '   # for the origin and header it asks for\n  hall grant org.acme/report --tool 'org.acme/csv-stats@^1'     # it may call that one\n  hall grant org.acme/csv-stats --asked --files /in=./data     # what the installed version asks for, no more\n  hall grant org.acme/csv-stats --revoke /in\n  hall grant org.acme/report --revoke env:LANG --revoke config:retries --revoke clocks\n  hall grant org.acme/report --revoke sockets:tcp:192.0.2.1:5432\n  hall grant org.acme/fetch --revoke keyvalue:cache            # what it keeps stays\n  hall grant org.acme/fetch --revoke secrets:API_TOKEN\n  hall grant org.acme/report --revoke tools:org.acme/csv-stats\n  hall grant org.acme/csv-stats --none"
)]
pub(crate) struct Arguments {
    /// The skill, in every version
    skill: SkillId,
    /// A folder under one of the skill's mounts; `:write` behind it lets the skill write there
    #[arg(long, value_name = "MOUNT=DIR[:write]")]
    files: Vec<FilesFlag>,
    #[command(flatten)]
    http: HttpFlags,
    #[command(flatten)]
    secret: SecretFlags,
    /// An address that it may open sockets to, over TCP or UDP; never a name, and nothing that lets others in
    #[arg(long = "socket", value_name = "PROTOCOL:IP:PORT")]
    sockets: Vec<sockets::Grant>,
    /// An environment variable; the host's own environment is never seen
    #[arg(long, value_name = "NAME=VALUE", value_parser = env_flag)]
    env: Vec<env::Grant>,
    /// A configuration value: a text, a whole number, true or false
    #[arg(long, value_name = "NAME=VALUE", value_parser = config_flag)]
    config: Vec<config::Grant>,
    /// A store that it keeps things in from call to call; SIZE such as 10M, or with its entries 10M:5000 [default: 1M:1000]
    #[arg(long, value_name = "STORE[:SIZE]", value_parser = keyvalue_flag)]
    keyvalue: Vec<keyvalue::Grant>,
    /// Another skill that it may call, in every version or in a range; the called one has its own powers
    #[arg(long, value_name = "SKILL[@VERSIONS]", value_parser = tool_flag)]
    tool: Vec<tools::Grant>,
    /// How fine its clocks are: precise clocks can measure what other programs do
    #[arg(long, value_name = "RESOLUTION", value_parser = ["precise", "coarse"])]
    clocks: Option<String>,
    /// Exactly what the newest installed version asks for; what only you can name is given with --files, --env, --secret, --config; so is a --socket to an address that is not public
    #[arg(long, conflicts_with_all = ["revoke", "none", "http", "clocks"])]
    asked: bool,
    /// Take away what is granted for a mount or an origin, sockets:PROTOCOL:IP:PORT, env:NAME, secrets:NAME, config:NAME, keyvalue:STORE, tools:SKILL or clocks
    #[arg(long, value_name = "MOUNT|ORIGIN|..")]
    revoke: Vec<String>,
    /// Take everything away
    #[arg(long, conflicts_with_all = ["files", "http", "sockets", "secret", "env", "config", "keyvalue", "tool", "clocks", "asked", "revoke"])]
    none: bool,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    let asks = installed_asks(&hall, &arguments.skill);
    let edit = edit(arguments, asks.as_ref())?;
    let granted = hall.grant(&arguments.skill, |before| edit.apply(before))?;
    show(&granted, asks.as_ref(), printer);
    Ok(())
}

/// What is to be done to a skill's grants.
#[derive(Default)]
struct Edit {
    clear: bool,
    revoke: Vec<String>,
    files: Vec<files::Grant>,
    http: Vec<http::Grant>,
    sockets: Vec<sockets::Grant>,
    env: Vec<env::Grant>,
    secrets: Vec<secrets::Grant>,
    config: Vec<config::Grant>,
    keyvalue: Vec<keyvalue::Grant>,
    tools: Vec<tools::Grant>,
    clocks: Option<clocks::Ask>,
}

impl Edit {
    fn apply(&self, before: &Policy) -> Policy {
        let mut after = if self.clear { Policy::default() } else { before.clone() };
        let revoked = |name: &str| self.revoke.iter().any(|revoked| revoked == name);
        after.files.retain(|grant| !revoked(&grant.mount));
        after.http.retain(|grant| !revoked(&grant.origin));
        after.sockets.retain(|grant| !revoked(&format!("sockets:{}", grant.spelled())));
        after.env.retain(|grant| !revoked(&format!("env:{}", grant.name)));
        after.secrets.retain(|grant| !revoked(&format!("secrets:{}", grant.name)));
        after.config.retain(|grant| !revoked(&format!("config:{}", grant.name)));
        after.keyvalue.retain(|grant| !revoked(&format!("keyvalue:{}", grant.store)));
        after.tools.retain(|grant| !revoked(&format!("tools:{}", grant.skill)));
        if revoked("clocks") {
            after.clocks = None;
        }
        put(&mut after.files, &self.files, |grant| &grant.mount);
        put(&mut after.http, &self.http, |grant| &grant.origin);
        after.sockets.retain(|other| !self.sockets.contains(other));
        after.sockets.extend(self.sockets.iter().cloned());
        put(&mut after.env, &self.env, |grant| &grant.name);
        for grant in &self.secrets {
            // A secret that goes to two origins is granted for each.
            after.secrets.retain(|other| (&other.name, &other.origin) != (&grant.name, &grant.origin));
            after.secrets.push(grant.clone());
        }
        put(&mut after.config, &self.config, |grant| &grant.name);
        put(&mut after.keyvalue, &self.keyvalue, |grant| &grant.store);
        for grant in &self.tools {
            after.tools.retain(|other| other.skill != grant.skill);
            after.tools.push(grant.clone());
        }
        match self.clocks {
            Some(clocks::Ask::Precise) => after.clocks = Some(clocks::Ask::Precise),
            // What everybody has need not be granted.
            Some(clocks::Ask::Coarse) => after.clocks = None,
            None => {}
        }
        after
    }

    fn is_empty(&self) -> bool {
        let Self { clear, revoke, files, http, sockets, env, secrets, config, keyvalue, tools, clocks } = self;
        let values = env.is_empty() && secrets.is_empty() && config.is_empty() && keyvalue.is_empty() && tools.is_empty();
        let lists = files.is_empty() && http.is_empty() && sockets.is_empty() && values;
        lists && !clear && revoke.is_empty() && clocks.is_none()
    }
}

/// Adds the new grants, each in the place of what was granted under its name.
fn put<T: Clone>(grants: &mut Vec<T>, new: &[T], name: impl Fn(&T) -> &String) {
    for grant in new {
        grants.retain(|other| name(other) != name(grant));
        grants.push(grant.clone());
    }
}

fn edit(arguments: &Arguments, asks: Option<&Asks>) -> Outcome<Edit> {
    if arguments.none {
        return Ok(Edit { clear: true, ..Edit::default() });
    }
    if arguments.asked {
        return asked(arguments, asks);
    }
    let files =
        arguments.files.iter().map(|flag| folder(flag, flag.access.unwrap_or(files::Access::Read))).collect::<Outcome<_>>()?;
    let http = arguments.http.0.iter().map(HttpFlag::grant).collect();
    let edit = Edit {
        clear: false,
        revoke: arguments.revoke.clone(),
        files,
        http,
        sockets: arguments.sockets.clone(),
        env: arguments.env.clone(),
        secrets: secrets_of(arguments, asks)?,
        config: arguments.config.clone(),
        keyvalue: arguments.keyvalue.clone(),
        tools: arguments.tool.clone(),
        clocks: arguments
            .clocks
            .as_deref()
            .map(|word| if word == "precise" { clocks::Ask::Precise } else { clocks::Ask::Coarse }),
    };
    if edit.is_empty() {
        let flags = asks.map(flags_of).filter(|flags| !flags.is_empty());
        let advice = match flags {
            Some(flags) => format!("its installed version asks for: hall grant {} {flags}", arguments.skill),
            None => {
                "name what is to be granted: --files, --http, --socket, --secret, --env, --config, --keyvalue, --tool, --clocks, --asked; or taken away: \
                 --revoke, --none"
                    .into()
            }
        };
        return Err(CommandError::usage("there is nothing to grant or to take away", advice));
    }
    Ok(edit)
}

/// The secrets that were named.
fn secrets_of(arguments: &Arguments, asks: Option<&Asks>) -> Outcome<Vec<secrets::Grant>> {
    let each = |flag: &SecretFlag| flag.grants(&arguments.skill, asks);
    Ok(arguments.secret.0.iter().map(each).collect::<Outcome<Vec<_>>>()?.into_iter().flatten().collect())
}

/// Exactly what the installed version asks for.
fn asked(arguments: &Arguments, asks: Option<&Asks>) -> Outcome<Edit> {
    let skill = &arguments.skill;
    let asks = asks.ok_or_else(|| {
        CommandError::usage(
            format!("no version of {skill} is installed that could be asked"),
            "hall list shows what is installed",
        )
    })?;
    let given = |mount: &str| arguments.files.iter().find(|flag| flag.mount == mount);
    let mut edit = Edit { clear: true, ..Edit::default() };
    for ask in asks.files.entries().iter().filter(|ask| !ask.is_of_the_package()) {
        let flag = given(&ask.mount).ok_or_else(|| {
            let message = format!("{skill} asks for {}, and no folder for it is given", ask.line());
            CommandError::usage(message, format!("hall grant {skill} --asked {}", flags_of(asks)))
        })?;
        edit.files.push(folder(flag, flag.access.unwrap_or(ask.access))?);
    }
    if let Some(flag) = arguments.files.iter().find(|flag| !asks.files.entries().iter().any(|ask| ask.mount == flag.mount)) {
        let message = format!("{skill} does not ask for {}", flag.mount);
        return Err(CommandError::usage(message, "leave --asked out to grant more than is asked"));
    }
    edit.http = asks.http.entries().iter().fold(Vec::new(), joined);
    edit.sockets = asked_sockets(skill, asks, &arguments.sockets)?;
    edit.env = values(skill, asks, &asks.env, &arguments.env, |ask| &ask.0, |grant| &grant.name)?;
    edit.secrets = asked_secrets(skill, asks, secrets_of(arguments, Some(asks))?)?;
    edit.config = values(skill, asks, &asks.config, &arguments.config, |ask| &ask.0, |grant| &grant.name)?;
    edit.keyvalue = stores(skill, asks, &arguments.keyvalue)?;
    edit.tools = callees(skill, asks, &arguments.tool)?;
    edit.clocks = asks.clocks;
    let policy = edit.apply(&Policy::default());
    if let Err(denial) = narrow(asks, &policy) {
        // Something of another kind, or a folder for writing that is given for reading only.
        return Err(CommandError::usage(denial.message.clone(), denial.hint().to_owned()));
    }
    if policy.is_empty() {
        return Err(CommandError::usage(format!("{skill} asks for nothing that could be granted"), "it can run as it is"));
    }
    Ok(edit)
}

/// The values that were given: one for each that is asked for, and no other.
fn values<A: Ask, G: Ask + Clone>(
    skill: &SkillId,
    asks: &Asks,
    asked: &[A],
    given: &[G],
    name_of_ask: impl Fn(&A) -> &String,
    name_of_grant: impl Fn(&G) -> &String,
) -> Outcome<Vec<G>> {
    let (mut granted, capability) = (Vec::new(), A::CAPABILITY);
    for ask in asked {
        let value = given.iter().find(|grant| name_of_grant(grant) == name_of_ask(ask)).ok_or_else(|| {
            let message = format!("{skill} asks for {capability}: {}, and no value for it is given", ask.line());
            CommandError::usage(message, format!("hall grant {skill} --asked {}", flags_of(asks)))
        })?;
        granted.push(value.clone());
    }
    if let Some(grant) = given.iter().find(|grant| !asked.iter().any(|ask| name_of_ask(ask) == name_of_grant(grant))) {
        let message = format!("{skill} does not ask for {capability}: {}", grant.line());
        return Err(CommandError::usage(message, "leave --asked out to grant more than is asked"));
    }
    Ok(granted)
}

/// The stores that are asked for: of the size that was given, else of the usual one.
fn stores(skill: &SkillId, asks: &Asks, given: &[keyvalue::Grant]) -> Outcome<Vec<keyvalue::Grant>> {
    if let Some(grant) = given.iter().find(|grant| !asks.keyvalue.iter().any(|ask| ask.0 == grant.store)) {
        let message = format!("{skill} does not ask for keyvalue: {}", grant.store);
        return Err(CommandError::usage(message, "leave --asked out to grant more than is asked"));
    }
    let of = |ask: &keyvalue::Ask| given.iter().find(|grant| grant.store == ask.0).cloned();
    Ok(asks.keyvalue.iter().map(|ask| of(ask).unwrap_or_else(|| keyvalue::Grant::usual(&ask.0))).collect())
}

/// The addresses that are asked for. One that leads into this machine or its network is never taken from what a skill asks:
/// whoever grants names it.
fn asked_sockets(skill: &SkillId, asks: &Asks, given: &[sockets::Grant]) -> Outcome<Vec<sockets::Grant>> {
    let asked = asks.sockets.entries();
    if let Some(grant) = given.iter().find(|grant| !asked.contains(grant)) {
        let message = format!("{skill} does not ask for sockets: {}", grant.line());
        return Err(CommandError::usage(message, "leave --asked out to grant more than is asked"));
    }
    if let Some(ask) = asked.iter().find(|ask| !is_public(ask.address) && !given.contains(ask)) {
        let message =
            format!("{skill} asks for sockets: {}, which is not public; such an address is not granted unseen", ask.line());
        return Err(CommandError::usage(message, format!("hall grant {skill} --asked {}", flags_of(asks))));
    }
    Ok(asked.to_vec())
}

/// The skills that are asked for: in the versions that were given, else in those that are asked for.
fn callees(skill: &SkillId, asks: &Asks, given: &[tools::Grant]) -> Outcome<Vec<tools::Grant>> {
    if let Some(grant) = given.iter().find(|grant| !asks.tools.iter().any(|ask| ask.skill == grant.skill)) {
        let message = format!("{skill} does not ask for tools: {}", grant.skill);
        return Err(CommandError::usage(message, "leave --asked out to grant more than is asked"));
    }
    let of = |ask: &tools::Ask| given.iter().find(|grant| grant.skill == ask.skill).cloned();
    Ok(asks
        .tools
        .iter()
        .map(|ask| of(ask).unwrap_or_else(|| tools::Grant::new(ask.skill.clone(), ask.version.clone())))
        .collect())
}

/// The secrets that were given, if each is asked for just so. That a skill may see one is never taken from what it asks:
/// whoever grants says so.
fn asked_secrets(skill: &SkillId, asks: &Asks, given: Vec<secrets::Grant>) -> Outcome<Vec<secrets::Grant>> {
    let is_asked = |grant: &&secrets::Grant| {
        let same = |ask: &&secrets::Ask| (&ask.name, &ask.origin, &ask.header) == (&grant.name, &grant.origin, &grant.header);
        asks.secrets.iter().find(same).is_some_and(|ask| ask.reveal || !grant.reveal)
    };
    if let Some(grant) = given.iter().find(|grant| !is_asked(grant)) {
        let message = format!("{skill} does not ask for secrets: {}", grant.line());
        return Err(CommandError::usage(message, "leave --asked out to grant more than is asked"));
    }
    let ungranted = |ask: &&secrets::Ask| !given.iter().any(|grant| (&grant.name, &grant.origin) == (&ask.name, &ask.origin));
    if let Some(ask) = asks.secrets.iter().find(ungranted) {
        let message = format!("{skill} asks for secrets: {}, and no file for it is given", ask.line());
        return Err(CommandError::usage(message, format!("hall grant {skill} --asked {}", flags_of(asks))));
    }
    Ok(given)
}

/// Asks for one origin are granted as one entry: hall.toml has one for each origin.
pub(crate) fn joined(mut grants: Vec<http::Grant>, ask: &http::Ask) -> Vec<http::Grant> {
    match grants.iter_mut().find(|grant| grant.origin == ask.origin) {
        Some(grant) => {
            let methods = ask.methods.iter().filter(|method| !grant.methods.contains(method)).copied().collect::<Vec<_>>();
            grant.methods.extend(methods);
            let paths = ask.paths.iter().filter(|path| !grant.paths.contains(path)).cloned().collect::<Vec<_>>();
            grant.paths.extend(paths);
        }
        None => grants.push(http::Grant {
            origin: ask.origin.clone(),
            methods: ask.methods.clone(),
            paths: ask.paths.clone(),
            addresses: Vec::new(),
        }),
    }
    grants
}

/// A folder that is there, by its real path: what is granted is what a look at hall.toml shows.
fn folder(flag: &FilesFlag, access: files::Access) -> Outcome<files::Grant> {
    let wrong = |why: String| CommandError::usage(format!("the folder {}: {why}", flag.folder), "name a folder that is there");
    let path = Path::new(&flag.folder).canonicalize().map_err(|error| wrong(error.to_string()))?;
    if !path.is_dir() {
        return Err(wrong("it is no folder".into()));
    }
    let folder = path.to_str().ok_or_else(|| wrong("its path is no UTF-8".into()))?.to_owned();
    Ok(files::Grant { mount: flag.mount.clone(), folder, access })
}

/// What the newest installed version asks for; of development builds the last.
fn installed_asks(hall: &Hall, skill: &SkillId) -> Option<Asks> {
    let resolved = hall.resolve(&Reference { skill: skill.clone(), versions: Versions::Newest }).ok()?;
    hall.load(&resolved.skill).ok().map(|package| package.manifest().capabilities.clone())
}

/// How `hall grant` spells what is asked.
fn flags_of(asks: &Asks) -> String {
    let denial = narrow(asks, &Policy::default()).err();
    denial.and_then(|denial| denial.details.get("grant")?.as_str().map(str::to_owned)).unwrap_or_default()
}

/// That an address leads into this machine or its network.
fn inside(sockets: &[sockets::Grant]) -> impl Iterator<Item = String> {
    let inside = sockets.iter().filter(|grant| !is_public(grant.address));
    inside.map(|grant| format!("{} is not public: whatever listens there hears this skill", grant.line()))
}

fn show(granted: &Granted, asks: Option<&Asks>, printer: &Printer) {
    let (before, after) = (granted.before.list(), granted.after.list());
    let changed = changes(&granted.old_text, &granted.new_text);
    // What is still missing is told now, not at the next denial.
    let missing = asks.and_then(|asks| narrow(asks, &granted.after).err());
    let warned: Vec<String> = warnings(&granted.after.secrets).into_iter().chain(inside(&granted.after.sockets)).collect();
    let object = json!({
        "skill": granted.skill,
        "before": granted.before,
        "after": granted.after,
        "changed": granted.record.is_some(),
        "record": granted.record,
        "digest": granted.digest,
        "missing": missing.as_ref().map(|denial| denial.details.get("all")),
        "warnings": warned,
    });
    printer.result(&object, || {
        let mut lines = Vec::new();
        match granted.record {
            None => lines.push(format!("{} is granted just that already; nothing was changed", granted.skill)),
            Some(record) => {
                lines.extend(coloured(&changed));
                let what = if after.is_empty() { "is granted nothing now".to_owned() } else { "is granted:".to_owned() };
                lines.push(format!(
                    "{} {} {what} {}",
                    good("✓"),
                    bold(&granted.skill.to_string()),
                    dim(&format!("record {record}"))
                ));
            }
        }
        lines.extend(after.iter().map(|line| format!("  {line}")));
        lines.extend(before.iter().filter(|line| !after.contains(line)).map(|line| format!("  no longer: {line}")));
        lines.extend(warned.iter().map(|warning| format!("  {}: {warning}", bad("warning"))));
        if let Some(denial) = &missing {
            lines.push(format!("  it asks for more: {}", denial.message));
            lines.push(format!("  {}: {}", hint("hint"), denial.hint().replace("NAMESPACE/NAME", &granted.skill.to_string())));
        }
        lines
    });
}
