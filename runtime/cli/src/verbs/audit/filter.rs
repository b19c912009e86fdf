//! Which records are meant: the flags that `list` and `export` share.

use clap::Args;
use skillhall::hall::Hall;
use skillhall_core::clock::Timestamp;
use skillhall_core::denial::Code;
use skillhall_core::digest::Digest;
use skillhall_core::id::{OrgId, SkillId, SkillRef};
use skillhall_core::ledger::EventKind;
use skillhall_core::ledger::read::Filter;

use crate::error::Outcome;

#[derive(Args)]
pub(super) struct Flags {
    /// Only this kind of event, such as skill.execute
    #[arg(long, value_name = "KIND", value_parser = parse_kind)]
    event: Option<EventKind>,
    /// Only records of callers of this organisation
    #[arg(long, value_name = "ORG")]
    org: Option<OrgId>,
    /// Only records of this caller
    #[arg(long, value_name = "NAME")]
    caller: Option<String>,
    /// Only records about this skill, in every version or in one
    #[arg(long, value_name = "NS/NAME[@VERSION]", value_parser = parse_skill)]
    skill: Option<Skill>,
    /// Only records about what has this SHA-256: a manifest, component, package, adapter, input or output
    #[arg(long, value_name = "SHA256")]
    digest: Option<Digest>,
    /// Only denials with this code
    #[arg(long, value_name = "CODE", value_parser = parse_code)]
    code: Option<Code>,
    /// Only records from this time on (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    since: Option<Timestamp>,
    /// Only records before this time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    until: Option<Timestamp>,
}

#[derive(Clone)]
struct Skill {
    id: SkillId,
    exact: Option<SkillRef>,
}

impl Flags {
    pub(super) fn filter(&self, hall: &Hall) -> Outcome<Filter> {
        Ok(Filter {
            kind: self.event,
            organisation: self.org.clone(),
            caller: self.caller.clone(),
            skill: self.skill.as_ref().map(|skill| skill.id.clone()),
            version: self.skill.as_ref().and_then(|skill| skill.exact.as_ref()).map(|exact| exact.version.clone()),
            digests: self.digest.map(|digest| hall.meant_by(digest)).transpose()?,
            code: self.code,
            since: self.since,
            until: self.until,
            ..Filter::default()
        })
    }
}

fn parse_kind(text: &str) -> Result<EventKind, String> {
    let known = EventKind::ALL.iter().copied().find(|kind| kind.as_str() == text);
    known.ok_or_else(|| {
        format!("the kinds are: {}", EventKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", "))
    })
}

fn parse_code(text: &str) -> Result<Code, String> {
    Code::parse(text).ok_or_else(|| "there is no such code; `hall explain` lists them".into())
}

fn parse_skill(text: &str) -> Result<Skill, String> {
    if text.contains('@') {
        let skill: SkillRef = text.parse().map_err(|error| format!("{error}"))?;
        return Ok(Skill { id: skill.id.clone(), exact: Some(skill) });
    }
    text.parse().map(|id| Skill { id, exact: None }).map_err(|error| format!("{error}"))
}
