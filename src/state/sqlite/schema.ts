// The tables of a state file, and the migrations from earlier versions. A file of another program, or of a later
// version, is refused unchanged.

import type { DatabaseSync } from 'node:sqlite'
import { CountersignError } from '../../runtime/errors.ts'
import type { RecordKind } from '../record-store.ts'

/** In the header of the file (sqlite.org/fileformat2.html §1.3.15): "CtSn". */
const APPLICATION = 0x43_74_53_6e

/** The numbers of the kinds of records, in `records` and `usage`. */
export const NUMBERS: Readonly<Record<RecordKind, number>> = {
  anonymous: 0,
  login: 1,
  decisive: 2,
  used: 3,
  public: 6,
}
/** The size of counters and notes of attempts, in `usage`. */
export const ATTEMPTS = 4
/** The size of used proofs. */
export const USES = 5

// A row with its entry in an index, with keys that are hashes (measured).
const COUNTER_BYTES = 250
const NOTE_BYTES = 250
const USE_BYTES = 180
const LOCK_OUT_BYTES = 200

const counted = (table: string, kind: number, bytes: (row: 'NEW' | 'OLD') => string): string => `
  CREATE TRIGGER ${table}_inserted AFTER INSERT ON ${table} BEGIN
    UPDATE usage SET bytes = bytes + ${bytes('NEW')} WHERE kind = ${kind};
  END;
  CREATE TRIGGER ${table}_deleted AFTER DELETE ON ${table} BEGIN
    UPDATE usage SET bytes = bytes - (${bytes('OLD')}) WHERE kind = ${kind};
  END;
`

// The version of a file is the number of these that it has been through; none is ever changed.
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    text TEXT NOT NULL,
    ends INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX records_ends ON records (ends);
  CREATE TABLE memberships (
    name TEXT NOT NULL,
    record INTEGER NOT NULL REFERENCES records ON DELETE CASCADE,
    PRIMARY KEY (name, record)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX memberships_record ON memberships (record);

  CREATE TABLE counters (
    key TEXT PRIMARY KEY,
    clean REAL NOT NULL,
    forget REAL NOT NULL,
    until REAL NOT NULL,
    locked INTEGER NOT NULL,
    ends REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX counters_ends ON counters (ends);
  CREATE TABLE notes (
    key TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    written INTEGER NOT NULL,
    ends INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX notes_ends ON notes (ends);

  CREATE TABLE uses (
    key TEXT PRIMARY KEY,
    ends INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX uses_ends ON uses (ends);
  CREATE TABLE swept_uses (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    until INTEGER NOT NULL
  ) STRICT;
  INSERT INTO swept_uses VALUES (1, -1);
  `,
  // The size of each kind is counted in the transaction that changes it. Earlier records count as those of users who
  // have logged in, since their kind is unknown.
  `
  ALTER TABLE records ADD COLUMN kind INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE records ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
  UPDATE records SET bytes = length(text) + 1000;
  CREATE INDEX records_anonymous ON records (id) WHERE kind = 0;
  CREATE TABLE usage (
    kind INTEGER PRIMARY KEY,
    bytes INTEGER NOT NULL
  ) STRICT;
  INSERT INTO usage VALUES
    (0, 0), (1, (SELECT coalesce(sum(bytes), 0) FROM records)), (2, 0), (3, 0),
    (${ATTEMPTS}, (SELECT count(*) * ${COUNTER_BYTES} FROM counters)
      + (SELECT coalesce(sum(length(text) + ${NOTE_BYTES}), 0) FROM notes)),
    (${USES}, (SELECT count(*) * ${USE_BYTES} FROM uses));
  CREATE TRIGGER records_inserted AFTER INSERT ON records BEGIN
    UPDATE usage SET bytes = bytes + NEW.bytes WHERE kind = NEW.kind;
  END;
  CREATE TRIGGER records_deleted AFTER DELETE ON records BEGIN
    UPDATE usage SET bytes = bytes - OLD.bytes WHERE kind = OLD.kind;
  END;
  CREATE TRIGGER records_resized AFTER UPDATE OF bytes ON records BEGIN
    UPDATE usage SET bytes = bytes + NEW.bytes - OLD.bytes WHERE kind = NEW.kind;
  END;
  ${counted('counters', ATTEMPTS, () => `${COUNTER_BYTES}`)}
  ${counted('notes', ATTEMPTS, (row) => `length(${row}.text) + ${NOTE_BYTES}`)}
  ${counted('uses', USES, () => `${USE_BYTES}`)}
  `,
  `
  CREATE INDEX records_public ON records (id) WHERE kind = 6;
  INSERT INTO usage VALUES (6, 0);
  `,
  // For metrics: how many records the sets have that are counted, in the transaction that changes them; and the lock-outs
  // that last, apart from the counters, whose columns an earlier version writes by their order.
  `
  CREATE TABLE counted_sets (
    name TEXT PRIMARY KEY,
    members INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER memberships_inserted AFTER INSERT ON memberships BEGIN
    UPDATE counted_sets SET members = members + 1 WHERE name = NEW.name;
  END;
  CREATE TRIGGER memberships_deleted AFTER DELETE ON memberships BEGIN
    UPDATE counted_sets SET members = members - 1 WHERE name = OLD.name;
  END;
  CREATE TABLE lockouts (
    key TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    ends REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX lockouts_ends ON lockouts (ends, kind);
  ${counted('lockouts', ATTEMPTS, () => `${LOCK_OUT_BYTES}`)}
  `,
]

/**
 * Migrates a file to this version, inside a transaction.
 *
 * @param migrations default: those of this version
 * @throws CountersignError `configuration-invalid`
 */
export const migrate = (database: DatabaseSync, migrations = MIGRATIONS): void => {
  const version = numberOf(database, 'user_version')
  const application = numberOf(database, 'application_id')
  const isEmpty = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
  if (application !== APPLICATION && !(isEmpty && application === 0)) {
    throw new CountersignError('configuration-invalid', 'it belongs to another program')
  }
  if (version > migrations.length) {
    const message = `a later version of Countersign wrote it (${version}; this one knows ${migrations.length})`
    throw new CountersignError('configuration-invalid', message)
  }
  for (const migration of migrations.slice(version)) database.exec(migration)
  if (version === migrations.length) return
  database.exec(`PRAGMA application_id = ${APPLICATION}`)
  database.exec(`PRAGMA user_version = ${migrations.length}`)
}

const numberOf = (database: DatabaseSync, pragma: 'user_version' | 'application_id'): number =>
  Number(database.prepare(`PRAGMA ${pragma}`).get()?.[pragma])
