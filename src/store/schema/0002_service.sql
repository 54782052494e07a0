-- What the unattended service keeps: telescopes, stamps of files, tries, sending, its own state.

-- Name of the telescope; empty for the only one.
ALTER TABLE night ADD COLUMN telescope TEXT NOT NULL DEFAULT '';
-- Hash of names, sizes and times of the files the night was closed with.
ALTER TABLE night ADD COLUMN listing TEXT;
-- What a person asked for and was not yet done: 'close', 'reopen'.
ALTER TABLE night ADD COLUMN request TEXT CHECK (request IN ('close', 'reopen'));

-- Size, time of change and inode when the content was hashed: equal means not changed.
ALTER TABLE night_file ADD COLUMN stamp TEXT;

-- Frames in work: a row that a dead process left tells which frame may have killed it.
CREATE TABLE attempt (
    night        TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    is_running   INTEGER NOT NULL,
    is_alone     INTEGER NOT NULL,
    n_deaths     INTEGER NOT NULL,
    PRIMARY KEY (night, content_hash)
) STRICT;

-- Nights whose report waits for the clock time of the mail.
CREATE TABLE report_due (
    night TEXT PRIMARY KEY REFERENCES night (id)
) STRICT;

ALTER TABLE outbox ADD COLUMN message_id TEXT;
ALTER TABLE outbox ADD COLUMN night TEXT;
ALTER TABLE outbox ADD COLUMN next_try_mjd_utc REAL;

-- The service's own memory: whether it runs, is paused, when the last backup was made.
CREATE TABLE service (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
