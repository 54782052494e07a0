-- Nights, files, frames, stage results, candidates, verdicts, outbox, masters.
-- Times are Modified Julian Dates [d, UTC]; angles degrees (ICRS); payloads JSON.
-- This script is applied once and never edited afterwards; changes are new scripts.

CREATE TABLE night (
    id             TEXT PRIMARY KEY,
    folder         TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    opened_mjd_utc REAL NOT NULL,
    closed_mjd_utc REAL,
    report         TEXT
) STRICT;

-- A file is its content; its names are in night_file.
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

-- One row per science file of a night.
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

-- What a stage made of a subject: the content hash of a frame, or 'night'.
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

-- A history: the newest row counts. Verdicts outlive the candidates of a run.
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

-- What shall leave the house: written with the decision, sent later, once.
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

-- Master frames: the key says what a frame must be like to be calibrated with them.
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
