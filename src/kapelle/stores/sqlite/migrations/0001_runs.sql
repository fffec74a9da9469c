-- kapelle: 0.1.0
-- Runs with their attempts, journals, calls, output, and the cache of results.
--
-- `seq` stands for a run inside the file only; everybody else knows runs by `id`. Times are microseconds since 1970
-- (UTC). Structured values are JSON as msgspec writes it.

CREATE TABLE runs (
    seq             INTEGER PRIMARY KEY,
    id              TEXT    NOT NULL UNIQUE,
    project         TEXT    NOT NULL,
    flow            TEXT    NOT NULL,
    flow_last_part  TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    state           TEXT    NOT NULL,
    reason          TEXT    NOT NULL,
    entry           BLOB    NOT NULL,
    parameters      BLOB    NOT NULL,
    parameters_text TEXT    NOT NULL,
    tags            BLOB    NOT NULL,
    generation      INTEGER NOT NULL,
    opened_at_us    INTEGER NOT NULL,
    attempt_number  INTEGER NOT NULL,
    attempt_id      TEXT    NOT NULL,
    created_at_us   INTEGER NOT NULL,
    started_at_us   INTEGER,
    ended_at_us     INTEGER,
    result          BLOB,
    failure         BLOB,
    kapelle_version TEXT    NOT NULL,
    started_by      TEXT    NOT NULL,
    previous        BLOB    NOT NULL
) STRICT;

CREATE INDEX runs_by_age ON runs (created_at_us DESC, id DESC);
CREATE INDEX runs_by_project ON runs (project, created_at_us DESC, id DESC);
CREATE INDEX runs_by_flow ON runs (project, flow_last_part, created_at_us DESC, id DESC);
CREATE INDEX runs_by_state ON runs (state, created_at_us DESC, id DESC);
CREATE INDEX runs_by_project_state ON runs (project, state, created_at_us DESC, id DESC);
CREATE INDEX runs_by_name ON runs (name, created_at_us DESC, id DESC);

CREATE TABLE run_tags (
    tag TEXT    NOT NULL,
    run INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    PRIMARY KEY (tag, run)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_tags_by_run ON run_tags (run);

-- How many calls of a generation ended in which way, as its attempts last counted them.
CREATE TABLE tallies (
    run        INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    counts     BLOB    NOT NULL,
    groups     BLOB    NOT NULL,
    PRIMARY KEY (run, generation)
) STRICT, WITHOUT ROWID;

-- The attempts of all generations. The two counters are the bytes of its spools that are kept.
CREATE TABLE attempts (
    run           INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    generation    INTEGER NOT NULL,
    number        INTEGER NOT NULL,
    id            TEXT    NOT NULL,
    began_at_us   INTEGER NOT NULL,
    journal_bytes INTEGER NOT NULL,
    output_bytes  INTEGER NOT NULL,
    PRIMARY KEY (run, generation, number),
    UNIQUE (run, id)
) STRICT, WITHOUT ROWID;

-- Whole lines of an attempt's journal, from byte `at_offset` of its spool; `lines` is compressed.
CREATE TABLE journal_chunks (
    run        INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    at_offset  INTEGER NOT NULL,
    lines      BLOB    NOT NULL,
    PRIMARY KEY (run, generation, attempt, at_offset)
) STRICT, WITHOUT ROWID;

-- Whole lines of output in the order of their arrival; `behind` is the cursor behind them; `lines` is compressed.
CREATE TABLE output_chunks (
    run        INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    behind     INTEGER NOT NULL,
    lines      BLOB    NOT NULL,
    PRIMARY KEY (run, generation, behind)
) STRICT, WITHOUT ROWID;

-- The calls that somebody may look for; `content` is the whole row, the other columns are what it is found by.
CREATE TABLE calls (
    run        INTEGER NOT NULL REFERENCES runs (seq) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    call       INTEGER NOT NULL,
    task       TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    content    BLOB    NOT NULL,
    PRIMARY KEY (run, generation, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE cache_entries (
    project       TEXT    NOT NULL,
    key           TEXT    NOT NULL,
    task          TEXT    NOT NULL,
    made_at_us    INTEGER NOT NULL,
    expires_at_us INTEGER,
    run_id        TEXT    NOT NULL,
    parts         BLOB    NOT NULL,
    value         BLOB    NOT NULL,
    PRIMARY KEY (project, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX cache_entries_by_task ON cache_entries (project, task, made_at_us DESC, key DESC);
