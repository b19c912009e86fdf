//! Rows in and out. What is read is the text that the commit's digest covers; the columns beside it only find it.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Params, Row};
use serde::de::DeserializeOwned;

use super::unreachable;
use crate::digest::Digest;
use crate::id::{HostId, Namespace, OrgId, SkillId, SkillRef};
use crate::json::{canonical, parse_as};
use crate::registry::access::{RoleRecord, Token, TokenEvent, roles_in_force};
use crate::registry::approval::{Approval, ApprovalEvent, MAX_LISTED};
use crate::registry::model::{
    Change, Commit, HostRecord, NamespaceRecord, OrgRecord, Published, RegistryError, Scope, StandingEvent, Statement, Target,
};
use crate::registry::rules::Rows;

/// A table, and the name its records have in the canonical JSON of a [`Change`].
#[derive(Clone, Copy)]
struct Table {
    name: &'static str,
    tag: &'static str,
}

const SKILL_VERSION: Table = Table { name: "skill_version", tag: "publish" };
const STATEMENT: Table = Table { name: "statement", tag: "statement" };
const STANDING_EVENT: Table = Table { name: "standing_event", tag: "standing" };
const NAMESPACE_EVENT: Table = Table { name: "namespace_event", tag: "namespace" };
const ORGANISATION_EVENT: Table = Table { name: "organisation_event", tag: "organisation" };
const HOST_EVENT: Table = Table { name: "host_event", tag: "host" };
const APPROVAL_EVENT: Table = Table { name: "approval_event", tag: "approval" };
const ROLE_EVENT: Table = Table { name: "role_event", tag: "role" };
const TOKEN_EVENT: Table = Table { name: "token_event", tag: "token" };
const TABLES: [Table; 9] = [
    SKILL_VERSION,
    STATEMENT,
    STANDING_EVENT,
    NAMESPACE_EVENT,
    ORGANISATION_EVENT,
    HOST_EVENT,
    APPROVAL_EVENT,
    ROLE_EVENT,
    TOKEN_EVENT,
];

/// Whether the approval of the question `q` is open, when no time is looked at.
const OPEN: &str = "NOT EXISTS (SELECT 1 FROM approval_event l WHERE l.approval = q.approval \
                    AND l.kind NOT IN ('pending', 'approved'))";

/// Notes a commit; gives the registry's new version.
pub(super) fn note(connection: &Connection, commit: Commit, appended: bool) -> Result<i64, RegistryError> {
    const SQL: &str = "INSERT INTO commits (version, sequence, digest, appended) \
                       SELECT coalesce(max(version), 0) + 1, ?1, ?2, ?3 FROM commits RETURNING version";
    let sequence = i64::try_from(commit.sequence).map_err(unreachable)?;
    let mut insert = connection.prepare_cached(SQL).map_err(unreachable)?;
    insert.query_row((sequence, commit.digest.as_bytes(), appended), |row| row.get(0)).map_err(unreachable)
}

/// Appends the row of a change, under the commit that was just noted.
pub(super) fn append(connection: &Connection, version: i64, change: &Change) -> Result<(), RegistryError> {
    let (table, record) = match change {
        Change::Publish(record) => (SKILL_VERSION, canonical(record)),
        Change::Statement(record) => (STATEMENT, canonical(record)),
        Change::Standing(record) => (STANDING_EVENT, canonical(record)),
        Change::Namespace(record) => (NAMESPACE_EVENT, canonical(record)),
        Change::Organisation(record) => (ORGANISATION_EVENT, canonical(record)),
        Change::Host(record) => (HOST_EVENT, canonical(record)),
        Change::Approval(record) => (APPROVAL_EVENT, canonical(record)),
        Change::Role(record) => (ROLE_EVENT, canonical(record)),
        Change::Token(record) => (TOKEN_EVENT, canonical(record)),
    };
    let record = String::from_utf8(record.map_err(unreachable)?).map_err(unreachable)?;
    let sql = format!("INSERT INTO {} (made_by, record) VALUES (?1, ?2)", table.name);
    let mut insert = connection.prepare_cached(&sql).map_err(unreachable)?;
    insert.execute((version, record)).map_err(unreachable)?;
    Ok(())
}

/// Reads inside one transaction.
pub(super) struct Reader<'transaction> {
    connection: &'transaction Connection,
}

impl<'transaction> Reader<'transaction> {
    pub(super) fn new(connection: &'transaction Connection) -> Self {
        Self { connection }
    }

    pub(super) fn connection(&self) -> &Connection {
        self.connection
    }

    pub(super) fn commits(&self, after: u64) -> Result<Vec<Commit>, RegistryError> {
        const SQL: &str = "SELECT sequence, digest FROM commits WHERE sequence > ?1 ORDER BY sequence";
        let Ok(after) = i64::try_from(after) else { return Ok(Vec::new()) };
        self.each(SQL, [after], read_commit)
    }

    pub(super) fn versions(&self, skill: &SkillId) -> Result<Vec<Published>, RegistryError> {
        let mut versions: Vec<Published> = self.records(SKILL_VERSION, "t.id = ?1", [skill.to_string()])?;
        versions.sort_by(|one, other| one.skill.version.cmp(&other.skill.version));
        Ok(versions)
    }

    pub(super) fn skills(&self) -> Result<Vec<SkillId>, RegistryError> {
        let mut skills = self.each("SELECT DISTINCT id FROM skill_version", [], |row| {
            let id: String = row.get(0).map_err(unreachable)?;
            id.parse::<SkillId>().map_err(unreachable)
        })?;
        skills.sort_unstable();
        Ok(skills)
    }

    pub(super) fn standing_events(&self, target: &Target) -> Result<Vec<StandingEvent>, RegistryError> {
        self.records(STANDING_EVENT, "t.target = ?1", [json(target)?])
    }

    /// The newest approvals, oldest first.
    pub(super) fn approvals(&self, only_open: bool) -> Result<Vec<Approval>, RegistryError> {
        let newest = format!(
            "t.approval IN (SELECT q.approval FROM approval_event q WHERE q.kind = 'pending' AND (?1 = 0 OR {OPEN}) \
             ORDER BY q.made_by DESC LIMIT {MAX_LISTED})"
        );
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut steps: Vec<Vec<ApprovalEvent>> = Vec::new();
        for event in self.records::<ApprovalEvent>(APPROVAL_EVENT, &newest, [only_open])? {
            let place = *places.entry(event.approval.clone()).or_insert(steps.len());
            match steps.get_mut(place) {
                Some(events) => events.push(event),
                None => steps.push(vec![event]),
            }
        }
        Ok(steps.iter().filter_map(|events| Approval::from_events(events)).collect())
    }

    /// The newest tokens, oldest first.
    pub(super) fn tokens(&self, organisation: Option<&OrgId>) -> Result<Vec<Token>, RegistryError> {
        let newest = format!(
            "t.token IN (SELECT q.token FROM token_event q WHERE q.organisation IS NOT NULL AND (?1 IS NULL OR q.organisation = ?1) \
             ORDER BY q.made_by DESC LIMIT {MAX_LISTED})"
        );
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut events: Vec<Vec<TokenEvent>> = Vec::new();
        for event in self.records::<TokenEvent>(TOKEN_EVENT, &newest, [organisation.map(OrgId::as_str)])? {
            let place = *places.entry(event.id().to_owned()).or_insert(events.len());
            match events.get_mut(place) {
                Some(events) => events.push(event),
                None => events.push(vec![event]),
            }
        }
        Ok(events.iter().filter_map(|events| Token::from_events(events)).collect())
    }

    /// The roles that are given now.
    pub(super) fn roles(&self, organisation: Option<&OrgId>) -> Result<Vec<RoleRecord>, RegistryError> {
        let last = "t.made_by IN (SELECT max(made_by) FROM role_event WHERE ?1 IS NULL OR organisation = ?1 \
                    GROUP BY organisation, holder, role, namespace)";
        Ok(roles_in_force(self.records::<RoleRecord>(ROLE_EVENT, last, [organisation.map(OrgId::as_str)])?))
    }

    pub(super) fn organisations(&self) -> Result<Vec<OrgRecord>, RegistryError> {
        let last = "t.made_by IN (SELECT max(made_by) FROM organisation_event GROUP BY organisation)";
        let mut all: Vec<OrgRecord> = self.records(ORGANISATION_EVENT, last, [])?;
        all.sort_by(|one, other| one.organisation.cmp(&other.organisation));
        Ok(all)
    }

    pub(super) fn namespaces(&self) -> Result<Vec<NamespaceRecord>, RegistryError> {
        let last = "t.made_by IN (SELECT max(made_by) FROM namespace_event GROUP BY namespace)";
        let mut all: Vec<NamespaceRecord> = self.records(NAMESPACE_EVENT, last, [])?;
        all.sort_by(|one, other| one.namespace.cmp(&other.namespace));
        Ok(all)
    }

    /// Every row against its commit, and every commit against its row.
    pub(super) fn verify(&self) -> Result<(), RegistryError> {
        let (commits, last, appended) = self
            .connection
            .query_row("SELECT count(*), coalesce(max(version), 0), total(appended) FROM commits", [], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, f64>(2)?))
            })
            .map_err(unreachable)?;
        if commits != last {
            return Err(unreachable(format_args!("{commits} commits are there of {last}")));
        }
        for table in TABLES {
            self.records::<serde_json::Value>(table, "true", [])?;
        }
        let rows = TABLES.map(|table| format!("SELECT made_by FROM {}", table.name)).join(" UNION ALL ");
        let sql = format!("SELECT count(DISTINCT made_by), count(*) FROM ({rows})");
        let (distinct, rows) =
            self.connection.query_row(&sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))).map_err(unreachable)?;
        #[expect(clippy::cast_precision_loss, reason = "a count of rows is far below 2^52")]
        let whole = distinct == rows && rows as f64 == appended;
        if whole { Ok(()) } else { Err(unreachable(format_args!("{rows} rows are there for {appended} commits"))) }
    }

    fn last<T: DeserializeOwned>(&self, table: Table, filter: &str, name: &str) -> Result<Option<T>, RegistryError> {
        let filter = format!("{filter} ORDER BY t.made_by DESC LIMIT 1");
        Ok(self.ordered(table, &filter, [name])?.pop())
    }

    fn records<T: DeserializeOwned>(&self, table: Table, filter: &str, params: impl Params) -> Result<Vec<T>, RegistryError> {
        self.ordered(table, &format!("{filter} ORDER BY t.made_by"), params)
    }

    fn ordered<T: DeserializeOwned>(&self, table: Table, filter: &str, params: impl Params) -> Result<Vec<T>, RegistryError> {
        let name = table.name;
        let sql = format!(
            "SELECT t.made_by, t.record, c.digest FROM {name} t LEFT JOIN commits c ON c.version = t.made_by WHERE {filter}"
        );
        self.each(&sql, params, |row| read_record(table, row))
    }

    fn each<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T, RegistryError>,
    ) -> Result<Vec<T>, RegistryError> {
        let mut query = self.connection.prepare_cached(sql).map_err(unreachable)?;
        let mut rows = query.query(params).map_err(unreachable)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(unreachable)? {
            out.push(read(row)?);
        }
        Ok(out)
    }
}

impl Rows for Reader<'_> {
    fn version(&self) -> Result<u64, RegistryError> {
        let mut query = self.connection.prepare_cached("SELECT coalesce(max(version), 0) FROM commits").map_err(unreachable)?;
        let version: i64 = query.query_row([], |row| row.get(0)).map_err(unreachable)?;
        u64::try_from(version).map_err(unreachable)
    }

    fn commit(&self, sequence: u64) -> Result<Option<Commit>, RegistryError> {
        let Ok(sequence) = i64::try_from(sequence) else { return Ok(None) };
        let mut query =
            self.connection.prepare_cached("SELECT sequence, digest FROM commits WHERE sequence = ?1").map_err(unreachable)?;
        query.query_row([sequence], |row| Ok(read_commit(row))).optional().map_err(unreachable)?.transpose()
    }

    fn published(&self, skill: &SkillRef) -> Result<Option<Published>, RegistryError> {
        self.last(SKILL_VERSION, "t.skill = ?1", &skill.to_string())
    }

    fn statement(&self, id: &str) -> Result<Option<Statement>, RegistryError> {
        self.last(STATEMENT, "t.id = ?1", id)
    }

    fn statements(&self, manifest: &Digest) -> Result<Vec<Statement>, RegistryError> {
        self.records(STATEMENT, "t.manifest_hash = ?1", [manifest.to_string()])
    }

    fn standing_event(&self, id: &str) -> Result<Option<StandingEvent>, RegistryError> {
        self.last(STANDING_EVENT, "t.id = ?1", id)
    }

    fn last_events(&self, targets: &[Target], organisation: &OrgId) -> Result<Vec<StandingEvent>, RegistryError> {
        // The second range is every target of the form {"key":"..."}: ';' follows ':'.
        const FILTER: &str = "t.made_by IN (\
            SELECT max(made_by) FROM standing_event WHERE target IN (SELECT value FROM json_each(?1)) AND scope IN (?2, ?3) \
            GROUP BY target, scope, issuer \
            UNION ALL \
            SELECT max(made_by) FROM standing_event WHERE target >= '{\"key\":' AND target < '{\"key\";' AND scope IN (?2, ?3) \
            GROUP BY target, scope, issuer)";
        let targets = targets.iter().map(json).collect::<Result<Vec<_>, _>>()?;
        let (global, own) = (json(&Scope::Global)?, json(&Scope::Organisation(organisation.clone()))?);
        self.records(STANDING_EVENT, FILTER, (json(&targets)?, global, own))
    }

    fn namespace(&self, namespace: &Namespace) -> Result<Option<NamespaceRecord>, RegistryError> {
        self.last(NAMESPACE_EVENT, "t.namespace = ?1", namespace.as_str())
    }

    fn organisation(&self, organisation: &OrgId) -> Result<Option<OrgRecord>, RegistryError> {
        self.last(ORGANISATION_EVENT, "t.organisation = ?1", organisation.as_str())
    }

    fn host(&self, host: &HostId) -> Result<Option<HostRecord>, RegistryError> {
        self.last(HOST_EVENT, "t.host = ?1", host.as_str())
    }

    fn approval_events(&self, id: &str) -> Result<Vec<ApprovalEvent>, RegistryError> {
        self.records(APPROVAL_EVENT, "t.approval = ?1", [id])
    }

    fn token_events(&self, id: &str) -> Result<Vec<TokenEvent>, RegistryError> {
        self.records(TOKEN_EVENT, "t.token = ?1", [id])
    }

    fn roles_of(&self, organisation: &OrgId, holder: &str) -> Result<Vec<RoleRecord>, RegistryError> {
        let last = "t.made_by IN (SELECT max(made_by) FROM role_event WHERE organisation = ?1 AND holder = ?2 \
                    GROUP BY role, namespace)";
        Ok(roles_in_force(self.records::<RoleRecord>(ROLE_EVENT, last, [organisation.as_str(), holder])?))
    }

    fn open_approvals(&self, organisation: &OrgId) -> Result<u64, RegistryError> {
        let sql = format!("SELECT count(*) FROM approval_event q WHERE q.kind = 'pending' AND q.organisation = ?1 AND {OPEN}");
        let mut query = self.connection.prepare_cached(&sql).map_err(unreachable)?;
        let count: i64 = query.query_row([organisation.as_str()], |row| row.get(0)).map_err(unreachable)?;
        u64::try_from(count).map_err(unreachable)
    }
}

fn read_record<T: DeserializeOwned>(table: Table, row: &Row<'_>) -> Result<T, RegistryError> {
    let place: i64 = row.get(0).map_err(unreachable)?;
    let wrong = |what: &str| unreachable(format_args!("row {place} of {} {what}", table.name));
    let record = row.get_ref(1).map_err(unreachable)?.as_str().map_err(|_| wrong("is no text"))?;
    let digest: Option<[u8; 32]> = row.get(2).map_err(|_| wrong("has a commit without a digest"))?;
    let committed = Digest::from_bytes(digest.ok_or_else(|| wrong("has no commit"))?);
    if Digest::of(format!("{{\"{}\":{record}}}", table.tag).as_bytes()) != committed {
        return Err(wrong("is not what was committed"));
    }
    parse_as(record.as_bytes()).map_err(|error| wrong(&format!("cannot be read: {error}")))
}

fn read_commit(row: &Row<'_>) -> Result<Commit, RegistryError> {
    let sequence: i64 = row.get(0).map_err(unreachable)?;
    let digest: [u8; 32] = row.get(1).map_err(unreachable)?;
    Ok(Commit { sequence: u64::try_from(sequence).map_err(unreachable)?, digest: Digest::from_bytes(digest) })
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, RegistryError> {
    String::from_utf8(canonical(value).map_err(unreachable)?).map_err(unreachable)
}
