-- A database of schema 2 that was of schema 1 before, with rows in every table: one closed and one
-- open night, written by hand. Frozen: it is what lies on the disks of users. Read by
-- src/store/tests/migrations.rs.

PRAGMA foreign_keys = ON;
BEGIN;

CREATE TABLE night (
    id             TEXT PRIMARY KEY,
    folder         TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    opened_mjd_utc REAL NOT NULL,
    closed_mjd_utc REAL,
    report         TEXT
) STRICT;

CREATE TABLE file (
    content_hash       TEXT PRIMARY KEY,
    size_bytes         INTEGER NOT NULL,
    first_seen_mjd_utc REAL NOT NULL
) STRICT;

CREATE TABLE night_file (
    night        TEXT NOT NULL REFERENCES night (id),
    name         TEXT NOT NULL,
    content_hash TEXT NOT NULL REFERENCES file (content_hash),
    size_bytes   INTEGER NOT NULL,
    PRIMARY KEY (night, name)
) STRICT;
CREATE INDEX night_file_by_content ON night_file (content_hash);

CREATE TABLE frame (
    night          TEXT NOT NULL REFERENCES night (id),
    name           TEXT NOT NULL,
    content_hash   TEXT NOT NULL,
    status         TEXT NOT NULL CHECK (status IN ('ok', 'rejected', 'failed')),
    mid_mjd_utc    REAL,
    filter         TEXT,
    zero_point_mag REAL,
    fwhm_arcsec    REAL,
    limiting_mag   REAL,
    record         TEXT NOT NULL,
    PRIMARY KEY (night, name)
) STRICT;

CREATE TABLE stage_result (
    night   TEXT NOT NULL REFERENCES night (id),
    subject TEXT NOT NULL,
    stage   TEXT NOT NULL,
    version INTEGER NOT NULL,
    key     TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('done', 'quarantine')),
    product TEXT,
    payload TEXT NOT NULL,
    PRIMARY KEY (night, subject, stage)
) STRICT;

CREATE TABLE candidate (
    night    TEXT NOT NULL REFERENCES night (id),
    id       TEXT NOT NULL,
    rank     INTEGER NOT NULL,
    is_known INTEGER,
    name     TEXT,
    mag      REAL,
    payload  TEXT NOT NULL,
    PRIMARY KEY (night, id)
) STRICT;

CREATE TABLE candidate_detection (
    night        TEXT NOT NULL,
    candidate_id TEXT NOT NULL,
    number       INTEGER NOT NULL,
    frame        TEXT NOT NULL,
    mid_mjd_utc  REAL NOT NULL,
    ra_deg       REAL NOT NULL,
    dec_deg      REAL NOT NULL,
    mag          REAL,
    mag_err      REAL,
    PRIMARY KEY (night, candidate_id, number),
    FOREIGN KEY (night, candidate_id) REFERENCES candidate (night, id) ON DELETE CASCADE
) STRICT;

CREATE TABLE verdict (
    id           INTEGER PRIMARY KEY,
    night        TEXT NOT NULL REFERENCES night (id),
    candidate_id TEXT NOT NULL,
    verdict      TEXT NOT NULL CHECK (verdict IN ('real', 'false', 'unsure')),
    who          TEXT NOT NULL,
    at_mjd_utc   REAL NOT NULL,
    note         TEXT NOT NULL,
    UNIQUE (night, candidate_id, who, at_mjd_utc)
) STRICT;

CREATE TABLE outbox (
    id              INTEGER PRIMARY KEY,
    key             TEXT NOT NULL UNIQUE,
    kind            TEXT NOT NULL,
    subject         TEXT NOT NULL,
    body            BLOB NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'failed')),
    attempts        INTEGER NOT NULL DEFAULT 0,
    last_error      TEXT,
    created_mjd_utc REAL NOT NULL,
    sent_mjd_utc    REAL
) STRICT;
CREATE INDEX outbox_by_state ON outbox (state);

CREATE TABLE master (
    key           TEXT NOT NULL,
    night         TEXT NOT NULL REFERENCES night (id),
    path          TEXT NOT NULL,
    made_from     TEXT NOT NULL,
    taken_mjd_utc REAL NOT NULL,
    payload       TEXT NOT NULL,
    PRIMARY KEY (key, night)
) STRICT;
CREATE INDEX master_by_time ON master (key, taken_mjd_utc);

INSERT INTO night (id, folder, state, opened_mjd_utc, closed_mjd_utc, report) VALUES
    ('2026-03-01', '/raw/2026-03-01', 'closed', 61100.75, 61101.25,
     '{"night":"2026-03-01","version":"0.1.0","instrument":"simulated","masters":[],"frames":[],"candidates":[],"faint":[],"not_done":[]}'),
    ('Nacht 2', '/raw/Nacht 2', 'open', 61101.75, NULL, NULL);

INSERT INTO file (content_hash, size_bytes, first_seen_mjd_utc) VALUES
    ('aa01', 8392320, 61100.8),
    ('aa02', 8392320, 61100.81),
    ('bb01', 2880, 61101.8);

INSERT INTO night_file (night, name, content_hash, size_bytes) VALUES
    ('2026-03-01', 'R1-001.fits', 'aa01', 8392320),
    ('2026-03-01', 'R1-002.fits', 'aa02', 8392320),
    ('Nacht 2', 'R1-001.fits', 'bb01', 2880),
    ('Nacht 2', 'copy of R1-001.fits', 'aa01', 8392320);

INSERT INTO frame (night, name, content_hash, status, mid_mjd_utc, filter, zero_point_mag,
                   fwhm_arcsec, limiting_mag, record) VALUES
    ('2026-03-01', 'R1-001.fits', 'aa01', 'ok', 61100.8007, 'V', 22.51, 2.4, 19.8, '{}'),
    ('2026-03-01', 'R1-002.fits', 'aa02', 'rejected', 61100.8107, NULL, NULL, NULL, NULL, '{}'),
    ('Nacht 2', 'R1-001.fits', 'bb01', 'failed', NULL, NULL, NULL, NULL, NULL, '{}');

INSERT INTO stage_result (night, subject, stage, version, key, outcome, product, payload) VALUES
    ('2026-03-01', 'aa01', 'frame', 1, 'k1', 'done',
     'products/2026-03-01/calibrated/R1-001-aa01.fits', '{}'),
    ('2026-03-01', 'night', 'night', 1, 'k2', 'done', 'products/2026-03-01/report/report.html', '{}'),
    ('Nacht 2', 'bb01', 'frame', 1, 'k3', 'quarantine', NULL, '{"reason":"truncated"}');

INSERT INTO candidate (night, id, rank, is_known, name, mag, payload) VALUES
    ('2026-03-01', 'K1', 0, 1, '22767 Sim', 18.2, '{}'),
    ('2026-03-01', 'U1', 1, 0, NULL, NULL, '{}');

INSERT INTO candidate_detection (night, candidate_id, number, frame, mid_mjd_utc, ra_deg, dec_deg,
                                 mag, mag_err) VALUES
    ('2026-03-01', 'K1', 0, 'R1-001.fits', 61100.8007, 123.4, -5.6, 18.2, 0.04),
    ('2026-03-01', 'U1', 0, 'R1-001.fits', 61100.8007, 0.0, 89.9, NULL, NULL);

INSERT INTO verdict (id, night, candidate_id, verdict, who, at_mjd_utc, note) VALUES
    (1, '2026-03-01', 'U1', 'unsure', 'observer', 61101.4, ''),
    (2, '2026-03-01', 'U1', 'real', 'observer', 61101.5, 'seen again, "certain"'),
    (7, '2026-03-01', 'gone', 'false', 'Ünsal', 61101.5, 'a candidate of an earlier run');

INSERT INTO outbox (id, key, kind, subject, body, state, attempts, last_error, created_mjd_utc,
                    sent_mjd_utc) VALUES
    (1, 'mail/2026-02-28/abc', 'mail', 'sent', x'46726f6d3a20610d0a', 'sent', 1, NULL, 61100.2, 61100.3),
    (2, 'mail/2026-03-01/def', 'mail', 'waits', x'00ff', 'pending', 3, 'no route', 61101.25, NULL),
    (3, 'mail/2026-01-01/ghi', 'mail', 'given up', x'', 'failed', 9, 'refused', 61041.25, NULL);

INSERT INTO master (key, night, path, made_from, taken_mjd_utc, payload) VALUES
    ('Flat/cam/V', '2026-03-01', 'products/2026-03-01/masters/flat-0123456789.fits', '["aa01","aa02"]',
     61100.7, '{}');

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

UPDATE night SET telescope = 'dome', listing = 'ff00' WHERE id = '2026-02-28';
UPDATE night SET request = 'close' WHERE id = '2026-03-01';
UPDATE outbox SET message_id = '<a@example.org>', night = '2026-02-28' WHERE id = 1;
UPDATE outbox SET next_try_mjd_utc = 61101.5 WHERE id = 2;

INSERT INTO attempt (night, content_hash, is_running, is_alone, n_deaths) VALUES
    ('2026-03-01', 'aa01', 0, 0, 1);

INSERT INTO report_due (night) VALUES ('2026-03-01');

INSERT INTO service (key, value) VALUES ('paused', 'the dome is wet'), ('last-backup', '61100.5');

PRAGMA user_version = 2;
COMMIT;
