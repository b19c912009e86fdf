CREATE TABLE store (
  -- What a skill keeps for one organisation under one name; it is there from the first write on.
  id INTEGER PRIMARY KEY,
  organisation TEXT NOT NULL,
  skill TEXT NOT NULL,
  name TEXT NOT NULL,
  -- What it holds: the sums over its entries.
  bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0),
  entries INTEGER NOT NULL DEFAULT 0 CHECK (entries >= 0),
  -- The last place that was given to an entry; no place is given twice.
  last INTEGER NOT NULL DEFAULT 0 CHECK (last >= 0),
  UNIQUE (organisation, skill, name)
) STRICT;

CREATE TABLE entry (
  store INTEGER NOT NULL REFERENCES store (id) ON DELETE CASCADE,
  -- The order in which keys are listed: that in which they were added.
  place INTEGER NOT NULL CHECK (place > 0),
  -- UTF-8; as bytes, so that a zero in it ends nothing.
  key BLOB NOT NULL,
  value BLOB NOT NULL,
  UNIQUE (store, key),
  UNIQUE (store, place)
) STRICT;
