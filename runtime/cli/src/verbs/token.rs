//! `hall token`: the credentials of everybody who is not the hall's owner.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use skillhall::hall::{Hall, IssuedToken, TokenPlan};
use skillhall_core::clock::Timestamp;
use skillhall_core::govern::call::{DataLabel, QosClass, TenantRisk};
use skillhall_core::id::{AdapterId, Namespace, OrgId};
use skillhall_core::registry::access::{Role, Token};

use super::role::{parse_holder, parse_role};
use super::run::{parse_label, parse_qos, parse_risk};
use super::standing::{parse_adapter, parse_reason};
use crate::error::{CommandError, Outcome};
use crate::hall::{Place, now};
use crate::printer::{Printer, bad, bold, dim, good, shown};

/// Issue, list, show and revoke tokens
#[derive(Args)]
#[command(
    after_help = "A token is shown once, when it is issued. Present it with --token-file FILE, or name the file in SKILLHALL_TOKEN_FILE.\n\nExamples:\n  hall token issue globex gus --namespace org.acme --out gus.token\n  hall run org.acme/redact --input @call.json --token-file gus.token\n  hall token list\n  hall token revoke 0123456789abcdef --reason 'the laptop was stolen'"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Issue(IssueArguments),
    List(ListArguments),
    Show(ShowArguments),
    Revoke(RevokeArguments),
}

/// Issue a token to somebody who has the roles that it is for
#[derive(Args)]
#[command(
    after_help = "Without --out the token goes to stdout, and nowhere else. Only its SHA-256 is kept.\n\nExamples:\n  hall token issue globex gus --namespace org.acme --out gus.token\n  hall token issue acme cleo --role certifier --namespace org.acme --days 7 --out cleo.token\n  hall token issue globex gus --namespace org.acme --data-label PUBLIC --data-label INTERNAL --adapter mcp > gus.token"
)]
struct IssueArguments {
    /// The organisation
    organisation: OrgId,
    /// Who holds it, by a name in the organisation
    #[arg(value_parser = parse_holder)]
    holder: String,
    /// Which of the holder's roles can be used by it; may be given several times
    #[arg(long, value_name = "ROLE", default_value = "worker", value_parser = parse_role)]
    role: Vec<Role>,
    /// A namespace into which it may call, or in which it may act; may be given several times
    #[arg(long, value_name = "NS")]
    namespace: Vec<Namespace>,
    /// A data label that its holder may state; may be given several times
    #[arg(long, value_name = "LABEL", default_value = "PUBLIC", value_parser = parse_label)]
    data_label: Vec<DataLabel>,
    /// A tenant risk that its holder may state; may be given several times
    #[arg(long, value_name = "RISK", default_value = "low", value_parser = parse_risk)]
    tenant_risk: Vec<TenantRisk>,
    /// A `QoS` class that its holder may state; may be given several times
    #[arg(long, value_name = "CLASS", default_value = "P2", value_parser = parse_qos)]
    qos_class: Vec<QosClass>,
    /// An adapter through which it may come; may be given several times. Without it, through any
    #[arg(long, value_name = "NAME", value_parser = parse_adapter)]
    adapter: Vec<AdapterId>,
    /// For how many days it counts, from now
    #[arg(long, default_value = "30", value_parser = clap::value_parser!(u32).range(1..=365))]
    days: u32,
    /// From when on it counts, instead of at once (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    not_before: Option<Timestamp>,
    /// Write the token into this new file, for your account alone, instead of stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// List the tokens and how they stand; none can be used from what is listed
#[derive(Args)]
#[command(after_help = "Examples:\n  hall token list\n  hall token list globex --json")]
struct ListArguments {
    /// Only of this organisation
    organisation: Option<OrgId>,
}

/// Show what a token is for and how it stands
#[derive(Args)]
#[command(after_help = "Examples:\n  hall token show 0123456789abcdef")]
struct ShowArguments {
    /// Its id: the 16 digits after skh_
    id: String,
}

/// Revoke a token at once and for good
#[derive(Args)]
#[command(after_help = "Examples:\n  hall token revoke 0123456789abcdef --reason 'the laptop was stolen'")]
struct RevokeArguments {
    /// Its id: the 16 digits after skh_
    id: String,
    /// Why, as records and refusals will say
    #[arg(long, short, value_parser = parse_reason)]
    reason: String,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    match &arguments.what {
        What::Issue(arguments) => issue(&hall, arguments, printer),
        What::List(arguments) => {
            let tokens = hall.tokens(arguments.organisation.as_ref())?;
            printer.result(&json!({ "tokens": tokens }), || {
                if tokens.is_empty() { vec!["there is no token".to_owned()] } else { tokens.iter().map(line).collect() }
            });
            Ok(())
        }
        What::Show(arguments) => {
            let token = hall.token(&arguments.id)?;
            printer.result(&json!(token), || described(&token));
            Ok(())
        }
        What::Revoke(arguments) => {
            let revoked = hall.revoke_token(&arguments.id, &arguments.reason)?;
            printer.result(&json!(revoked), || {
                let record =
                    revoked.record.map_or_else(|| "it was revoked before".to_owned(), |record| format!("record {record}"));
                vec![format!("{} revoked {} ({record})", good("✓"), bold(&revoked.token.record.id))]
            });
            Ok(())
        }
    }
}

fn issue(hall: &Hall, arguments: &IssueArguments, printer: &Printer) -> Outcome<()> {
    let plan = TokenPlan {
        organisation: arguments.organisation.clone(),
        holder: arguments.holder.clone(),
        roles: arguments.role.iter().copied().collect(),
        namespaces: arguments.namespace.iter().cloned().collect(),
        data_labels: arguments.data_label.clone(),
        tenant_risks: arguments.tenant_risk.clone(),
        qos_classes: arguments.qos_class.clone(),
        adapters: (!arguments.adapter.is_empty()).then(|| arguments.adapter.iter().cloned().collect()),
        not_before: arguments.not_before,
        days: arguments.days,
    };
    // A file that cannot be made is told before there is a token that nobody holds.
    let file = arguments.out.as_deref().map(|path| Ok::<_, CommandError>((path, new_file(path)?))).transpose()?;
    let issued = match hall.issue_token(&plan) {
        Ok(issued) => issued,
        Err(refused) => {
            if let Some((path, _)) = file {
                let _ = std::fs::remove_file(path);
            }
            return Err(refused.into());
        }
    };
    let mut object = json!({ "token": issued.token, "record": issued.record });
    match (file, object.as_object_mut()) {
        (Some((path, mut file)), Some(members)) => {
            writeln!(file, "{}", issued.text.reveal())
                .and_then(|()| file.sync_all())
                .map_err(|error| unkept(path, &issued, &error))?;
            members.insert("out".into(), path.display().to_string().into());
        }
        (_, Some(members)) => drop(members.insert("text".into(), issued.text.reveal().into())),
        _ => {}
    }
    let until = format!("token {}, until {} (record {})", issued.token.id, issued.token.expires_at, issued.record);
    if let Some(path) = &arguments.out {
        let path = bold(&path.display().to_string());
        printer.result(&object, || vec![format!("{} issued {path} to {}: {until}", good("✓"), shown(&issued.token.holder))]);
    } else {
        printer.result(&object, || vec![issued.text.reveal().to_owned()]);
        printer.note(&dim(&format!("{until}; it is shown this once")));
    }
    Ok(())
}

fn new_file(path: &Path) -> Outcome<std::fs::File> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.map_err(|error| {
        CommandError::usage(format!("{} cannot be made: {error}", path.display()), "name a new file in a folder that is there")
    })
}

fn unkept(path: &Path, issued: &IssuedToken, error: &std::io::Error) -> CommandError {
    let message = format!("the token was issued and cannot be written to {}: {error}", path.display());
    CommandError::usage(message, format!("revoke it and issue another: hall token revoke {}", issued.token.id))
}

fn state(token: &Token) -> String {
    let (now, record) = (now(), &token.record);
    match &token.revoked {
        Some(_) => bad("revoked"),
        None if now >= record.expires_at => dim("expired"),
        None if now < record.not_before => dim("not yet valid"),
        None => good("in its time"),
    }
}

fn line(token: &Token) -> String {
    let record = &token.record;
    let roles: Vec<&str> = record.roles.iter().map(|role| role.as_str()).collect();
    let until = dim(&format!("  until {}", record.expires_at));
    format!(
        "{}  {}  {} of {} ({}){until}",
        bold(&record.id),
        state(token),
        shown(&record.holder),
        record.organisation,
        roles.join(", ")
    )
}

fn described(token: &Token) -> Vec<String> {
    let record = &token.record;
    let list = |words: Vec<String>| if words.is_empty() { "none".to_owned() } else { words.join(", ") };
    let adapters =
        record.adapters.as_ref().map_or_else(|| "any".to_owned(), |all| list(all.iter().map(ToString::to_string).collect()));
    let mut lines = vec![
        format!("{} is {}", bold(&record.id), state(token)),
        format!("  holder      {} of {}", shown(&record.holder), record.organisation),
        format!("  roles       {}", list(record.roles.iter().map(ToString::to_string).collect())),
        format!("  namespaces  {}", list(record.namespaces.iter().map(ToString::to_string).collect())),
        format!(
            "  may state   data {}; tenant risk {}; QoS {}",
            list(record.data_labels.iter().cloned().collect()),
            list(record.tenant_risks.iter().cloned().collect()),
            list(record.qos_classes.iter().cloned().collect())
        ),
        format!("  adapters    {adapters}"),
        format!("  counts      {} to {}", record.not_before, record.expires_at),
        format!("  issued      {} by {}", record.issued_at, shown(&record.issued_by.to_string())),
    ];
    if let Some(revoked) = &token.revoked {
        lines.push(format!("  revoked     {} by {}: {}", revoked.at, shown(&revoked.by.to_string()), shown(&revoked.reason)));
    }
    lines
}
