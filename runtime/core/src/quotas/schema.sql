CREATE TABLE call (
  -- The calls of the last sixty seconds, numbered in their order without a gap.
  organisation TEXT NOT NULL,
  number INTEGER NOT NULL CHECK (number > 0),
  -- Milliseconds since 1970; no call stands before one with a lower number.
  at INTEGER NOT NULL,
  PRIMARY KEY (organisation, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE day (
  -- What runs used that began on a day and have ended.
  organisation TEXT NOT NULL,
  -- Days since 1970, UTC.
  day INTEGER NOT NULL,
  time_us INTEGER NOT NULL CHECK (time_us >= 0),
  bytes INTEGER NOT NULL CHECK (bytes >= 0),
  PRIMARY KEY (organisation, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
  -- A run that goes on: its decision's id.
  id TEXT PRIMARY KEY,
  organisation TEXT NOT NULL,
  -- Whose run it is: the process that holds the lock of the file of this name.
  process TEXT NOT NULL,
  -- Milliseconds since 1970: when it began, and when it has to end.
  began INTEGER NOT NULL,
  ends INTEGER NOT NULL,
  -- What it holds.
  time_us INTEGER NOT NULL CHECK (time_us >= 0),
  bytes INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_of_organisation ON run (organisation);

CREATE INDEX run_of_process ON run (process);
