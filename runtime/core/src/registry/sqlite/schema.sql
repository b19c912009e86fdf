CREATE TABLE commits (
  -- Ties each change to the intent in the ledger that announced it; the registry's version is the last row's.
  version INTEGER PRIMARY KEY,
  sequence INTEGER NOT NULL UNIQUE CHECK (sequence >= 0),
  -- SHA-256 of the change's canonical JSON.
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  -- 1 if the change appended a row, 0 if it said what stood already.
  appended INTEGER NOT NULL CHECK (appended IN (0, 1))
) STRICT;

CREATE TABLE skill_version (
  -- A published version.
  made_by INTEGER PRIMARY KEY REFERENCES commits (version),
  -- Canonical JSON, which the commit's digest covers; every other column is drawn from it.
  record TEXT NOT NULL CHECK (json_valid(record)),
  skill TEXT GENERATED ALWAYS AS (record ->> '$.skill') VIRTUAL NOT NULL UNIQUE,
  id TEXT GENERATED ALWAYS AS (substr(record ->> '$.skill', 1, instr(record ->> '$.skill', '@') - 1)) VIRTUAL NOT NULL
) STRICT;

CREATE TABLE statement (
  -- A signed statement about a manifest hash.
  made_by INTEGER PRIMARY KEY REFERENCES commits (version),
  -- Canonical JSON, which the commit's digest covers; every other column is drawn from it.
  record TEXT NOT NULL CHECK (json_valid(record)),
  id TEXT GENERATED ALWAYS AS (record ->> '$.id') VIRTUAL NOT NULL UNIQUE,
  manifest_hash TEXT GENERATED ALWAYS AS (record ->> '$.manifest_hash') VIRTUAL NOT NULL
) STRICT;

CREATE TABLE standing_event (
  -- A change of standing.
  made_by INTEGER PRIMARY KEY REFERENCES commits (version),
  -- Canonical JSON, which the commit's digest covers; every other column is drawn from it.
  record TEXT NOT NULL CHECK (json_valid(record)),
  id TEXT GENERATED ALWAYS AS (record ->> '$.id') VIRTUAL NOT NULL UNIQUE,
  target TEXT GENERATED ALWAYS AS (record -> '$.target') VIRTUAL NOT NULL,
  scope TEXT GENERATED ALWAYS AS (record -> '$.scope') VIRTUAL NOT NULL,
  issuer TEXT GENERATED ALWAYS AS (record ->> '$.issuer') VIRTUAL NOT NULL
) STRICT;

CREATE TABLE namespace_event (
  -- A namespace is registered or changed; the last row counts.
  made_by INTEGER PRIMARY KEY REFERENCES commits (version),
  -- Canonical JSON, which the commit's digest covers; every other column is drawn from it.
  record TEXT NOT NULL CHECK (json_valid(record)),
  namespace TEXT GENERATED ALWAYS AS (record ->> '$.namespace') VIRTUAL NOT NULL
) STRICT;

CREATE TABLE organisation_event (
  -- An organisation is registered, suspended or reinstated; the last row counts.
  made_by INTEGER PRIMARY KEY REFERENCES commits (version),
  -- Canonical JSON, which the commit's digest covers; every other column is drawn from it.
  record TEXT NOT NULL CHECK (json_valid(record)),
  organisation TEXT GENERATED ALWAYS AS (record ->> '$.organisation') VIRTUAL NOT NULL
) STRICT;

CREATE TABLE host_event (
  -- A host is enrolled or revoked; the last row counts.
  made_by INTEGER PRIMARY KEY REFERENCES commits (version),
  -- Canonical JSON, which the commit's digest covers; every other column is drawn from it.
  record TEXT NOT NULL CHECK (json_valid(record)),
  host TEXT GENERATED ALWAYS AS (record ->> '$.host') VIRTUAL NOT NULL
) STRICT;

CREATE TABLE approval_event (
  -- A step in the life of an approval.
  made_by INTEGER PRIMARY KEY REFERENCES commits (version),
  -- Canonical JSON, which the commit's digest covers; every other column is drawn from it.
  record TEXT NOT NULL CHECK (json_valid(record)),
  approval TEXT GENERATED ALWAYS AS (record ->> '$.approval') VIRTUAL NOT NULL,
  kind TEXT GENERATED ALWAYS AS (record ->> '$.step.kind') VIRTUAL NOT NULL,
  organisation TEXT GENERATED ALWAYS AS (record ->> '$.step.organisation') VIRTUAL
) STRICT;

CREATE TABLE role_event (
  -- A role is given or taken; the last row of each holder, role and namespace counts.
  made_by INTEGER PRIMARY KEY REFERENCES commits (version),
  -- Canonical JSON, which the commit's digest covers; every other column is drawn from it.
  record TEXT NOT NULL CHECK (json_valid(record)),
  organisation TEXT GENERATED ALWAYS AS (record ->> '$.organisation') VIRTUAL NOT NULL,
  holder TEXT GENERATED ALWAYS AS (record ->> '$.holder') VIRTUAL NOT NULL,
  role TEXT GENERATED ALWAYS AS (record ->> '$.role') VIRTUAL NOT NULL,
  namespace TEXT GENERATED ALWAYS AS (coalesce(record ->> '$.namespace', '')) VIRTUAL NOT NULL
) STRICT;

CREATE TABLE token_event (
  -- A token is issued or revoked.
  made_by INTEGER PRIMARY KEY REFERENCES commits (version),
  -- Canonical JSON, which the commit's digest covers; every other column is drawn from it.
  record TEXT NOT NULL CHECK (json_valid(record)),
  token TEXT GENERATED ALWAYS AS (coalesce(record ->> '$.issued.id', record ->> '$.revoked.id')) VIRTUAL NOT NULL,
  organisation TEXT GENERATED ALWAYS AS (record ->> '$.issued.organisation') VIRTUAL
) STRICT;

CREATE INDEX skill_version_by_id ON skill_version (id);

CREATE INDEX statement_by_manifest ON statement (manifest_hash);

CREATE INDEX standing_event_by_target ON standing_event (target, scope, issuer);

CREATE INDEX namespace_event_by_name ON namespace_event (namespace);

CREATE INDEX organisation_event_by_name ON organisation_event (organisation);

CREATE INDEX host_event_by_name ON host_event (host);

CREATE INDEX approval_event_by_approval ON approval_event (approval, kind);

CREATE INDEX approval_event_by_organisation ON approval_event (kind, organisation);

CREATE INDEX role_event_by_holder ON role_event (organisation, holder, role, namespace);

CREATE INDEX token_event_by_token ON token_event (token);

CREATE INDEX token_event_by_organisation ON token_event (organisation);

CREATE TRIGGER commits_no_update BEFORE UPDATE ON commits BEGIN
  SELECT RAISE(ABORT, 'a row of commits never changes');
END;

CREATE TRIGGER commits_no_delete BEFORE DELETE ON commits BEGIN
  SELECT RAISE(ABORT, 'a row of commits never changes');
END;

CREATE TRIGGER commits_only_append BEFORE INSERT ON commits
WHEN NEW.version IS NOT (SELECT coalesce(max(version), 0) + 1 FROM commits)
  OR EXISTS (SELECT 1 FROM commits WHERE sequence = NEW.sequence)
BEGIN
  SELECT RAISE(ABORT, 'a row of commits is only appended');
END;

CREATE TRIGGER skill_version_no_update BEFORE UPDATE ON skill_version BEGIN
  SELECT RAISE(ABORT, 'a row of skill_version never changes');
END;

CREATE TRIGGER skill_version_no_delete BEFORE DELETE ON skill_version BEGIN
  SELECT RAISE(ABORT, 'a row of skill_version never changes');
END;

CREATE TRIGGER skill_version_only_append BEFORE INSERT ON skill_version
WHEN NEW.made_by IS NOT (SELECT max(version) FROM commits)
  OR EXISTS (SELECT 1 FROM skill_version WHERE made_by = NEW.made_by OR skill = NEW.skill)
BEGIN
  SELECT RAISE(ABORT, 'a row of skill_version is only appended, under the last commit');
END;

CREATE TRIGGER statement_no_update BEFORE UPDATE ON statement BEGIN
  SELECT RAISE(ABORT, 'a row of statement never changes');
END;

CREATE TRIGGER statement_no_delete BEFORE DELETE ON statement BEGIN
  SELECT RAISE(ABORT, 'a row of statement never changes');
END;

CREATE TRIGGER statement_only_append BEFORE INSERT ON statement
WHEN NEW.made_by IS NOT (SELECT max(version) FROM commits)
  OR EXISTS (SELECT 1 FROM statement WHERE made_by = NEW.made_by OR id = NEW.id)
BEGIN
  SELECT RAISE(ABORT, 'a row of statement is only appended, under the last commit');
END;

CREATE TRIGGER standing_event_no_update BEFORE UPDATE ON standing_event BEGIN
  SELECT RAISE(ABORT, 'a row of standing_event never changes');
END;

CREATE TRIGGER standing_event_no_delete BEFORE DELETE ON standing_event BEGIN
  SELECT RAISE(ABORT, 'a row of standing_event never changes');
END;

CREATE TRIGGER standing_event_only_append BEFORE INSERT ON standing_event
WHEN NEW.made_by IS NOT (SELECT max(version) FROM commits)
  OR EXISTS (SELECT 1 FROM standing_event WHERE made_by = NEW.made_by OR id = NEW.id)
BEGIN
  SELECT RAISE(ABORT, 'a row of standing_event is only appended, under the last commit');
END;

CREATE TRIGGER namespace_event_no_update BEFORE UPDATE ON namespace_event BEGIN
  SELECT RAISE(ABORT, 'a row of namespace_event never changes');
END;

CREATE TRIGGER namespace_event_no_delete BEFORE DELETE ON namespace_event BEGIN
  SELECT RAISE(ABORT, 'a row of namespace_event never changes');
END;

CREATE TRIGGER namespace_event_only_append BEFORE INSERT ON namespace_event
WHEN NEW.made_by IS NOT (SELECT max(version) FROM commits)
  OR EXISTS (SELECT 1 FROM namespace_event WHERE made_by = NEW.made_by)
BEGIN
  SELECT RAISE(ABORT, 'a row of namespace_event is only appended, under the last commit');
END;

CREATE TRIGGER organisation_event_no_update BEFORE UPDATE ON organisation_event BEGIN
  SELECT RAISE(ABORT, 'a row of organisation_event never changes');
END;

CREATE TRIGGER organisation_event_no_delete BEFORE DELETE ON organisation_event BEGIN
  SELECT RAISE(ABORT, 'a row of organisation_event never changes');
END;

CREATE TRIGGER organisation_event_only_append BEFORE INSERT ON organisation_event
WHEN NEW.made_by IS NOT (SELECT max(version) FROM commits)
  OR EXISTS (SELECT 1 FROM organisation_event WHERE made_by = NEW.made_by)
BEGIN
  SELECT RAISE(ABORT, 'a row of organisation_event is only appended, under the last commit');
END;

CREATE TRIGGER host_event_no_update BEFORE UPDATE ON host_event BEGIN
  SELECT RAISE(ABORT, 'a row of host_event never changes');
END;

CREATE TRIGGER host_event_no_delete BEFORE DELETE ON host_event BEGIN
  SELECT RAISE(ABORT, 'a row of host_event never changes');
END;

CREATE TRIGGER host_event_only_append BEFORE INSERT ON host_event
WHEN NEW.made_by IS NOT (SELECT max(version) FROM commits)
  OR EXISTS (SELECT 1 FROM host_event WHERE made_by = NEW.made_by)
BEGIN
  SELECT RAISE(ABORT, 'a row of host_event is only appended, under the last commit');
END;

CREATE TRIGGER approval_event_no_update BEFORE UPDATE ON approval_event BEGIN
  SELECT RAISE(ABORT, 'a row of approval_event never changes');
END;

CREATE TRIGGER approval_event_no_delete BEFORE DELETE ON approval_event BEGIN
  SELECT RAISE(ABORT, 'a row of approval_event never changes');
END;

CREATE TRIGGER approval_event_only_append BEFORE INSERT ON approval_event
WHEN NEW.made_by IS NOT (SELECT max(version) FROM commits)
  OR EXISTS (SELECT 1 FROM approval_event WHERE made_by = NEW.made_by)
BEGIN
  SELECT RAISE(ABORT, 'a row of approval_event is only appended, under the last commit');
END;

CREATE TRIGGER role_event_no_update BEFORE UPDATE ON role_event BEGIN
  SELECT RAISE(ABORT, 'a row of role_event never changes');
END;

CREATE TRIGGER role_event_no_delete BEFORE DELETE ON role_event BEGIN
  SELECT RAISE(ABORT, 'a row of role_event never changes');
END;

CREATE TRIGGER role_event_only_append BEFORE INSERT ON role_event
WHEN NEW.made_by IS NOT (SELECT max(version) FROM commits)
  OR EXISTS (SELECT 1 FROM role_event WHERE made_by = NEW.made_by)
BEGIN
  SELECT RAISE(ABORT, 'a row of role_event is only appended, under the last commit');
END;

CREATE TRIGGER token_event_no_update BEFORE UPDATE ON token_event BEGIN
  SELECT RAISE(ABORT, 'a row of token_event never changes');
END;

CREATE TRIGGER token_event_no_delete BEFORE DELETE ON token_event BEGIN
  SELECT RAISE(ABORT, 'a row of token_event never changes');
END;

CREATE TRIGGER token_event_only_append BEFORE INSERT ON token_event
WHEN NEW.made_by IS NOT (SELECT max(version) FROM commits)
  OR EXISTS (SELECT 1 FROM token_event WHERE made_by = NEW.made_by)
BEGIN
  SELECT RAISE(ABORT, 'a row of token_event is only appended, under the last commit');
END;
