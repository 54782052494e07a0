-- A database of schema 4 that was of schema 3 before (v3.sql), with rows in every table, dumped by
-- SQLite. Frozen: it is what lies on the disks of users. Read by src/store/tests/migrations.rs.

PRAGMA foreign_keys = OFF;
BEGIN;
CREATE TABLE attempt (
    night        TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    is_running   INTEGER NOT NULL,
    is_alone     INTEGER NOT NULL,
    n_deaths     INTEGER NOT NULL,
    PRIMARY KEY (night, content_hash)
) STRICT;
INSERT INTO "attempt" VALUES('2026-03-01','aa01',0,0,1);
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
INSERT INTO "candidate" VALUES('2026-03-01','K1',0,1,'22767 Sim',18.2,'{}');
INSERT INTO "candidate" VALUES('2026-03-01','U1',1,0,NULL,NULL,'{}');
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
INSERT INTO "candidate_detection" VALUES('2026-03-01','K1',0,'R1-001.fits',61100.8007,123.4,-5.6,18.2,0.04);
INSERT INTO "candidate_detection" VALUES('2026-03-01','U1',0,'R1-001.fits',61100.8007,0.0,89.9,NULL,NULL);
CREATE TABLE file (
    content_hash       TEXT PRIMARY KEY,
    size_bytes         INTEGER NOT NULL,
    first_seen_mjd_utc REAL NOT NULL
) STRICT;
INSERT INTO "file" VALUES('aa01',8392320,61100.8);
INSERT INTO "file" VALUES('aa02',8392320,61100.81);
INSERT INTO "file" VALUES('bb01',2880,61101.8);
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
INSERT INTO "frame" VALUES('2026-03-01','R1-001.fits','aa01','ok',61100.8007,'V',22.51,2.4,19.8,'{}');
INSERT INTO "frame" VALUES('2026-03-01','R1-002.fits','aa02','rejected',61100.8107,NULL,NULL,NULL,NULL,'{}');
INSERT INTO "frame" VALUES('Nacht 2','R1-001.fits','bb01','failed',NULL,NULL,NULL,NULL,NULL,'{}');
CREATE TABLE master (
    key           TEXT NOT NULL,
    night         TEXT NOT NULL REFERENCES night (id),
    path          TEXT NOT NULL,
    made_from     TEXT NOT NULL,
    taken_mjd_utc REAL NOT NULL,
    payload       TEXT NOT NULL,
    PRIMARY KEY (key, night)
) STRICT;
INSERT INTO "master" VALUES('Flat/cam/V','2026-03-01','products/2026-03-01/masters/flat-0123456789.fits','["aa01","aa02"]',61100.7,'{}');
CREATE TABLE night (
    id             TEXT PRIMARY KEY,
    folder         TEXT NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    opened_mjd_utc REAL NOT NULL,
    closed_mjd_utc REAL,
    report         TEXT
, telescope TEXT NOT NULL DEFAULT '', listing TEXT, request TEXT CHECK (request IN ('close', 'reopen'))) STRICT;
INSERT INTO "night" VALUES('2026-03-01','/raw/2026-03-01','closed',61100.75,61101.25,'{"night":"2026-03-01","version":"0.1.0","instrument":"simulated","masters":[],"frames":[],"candidates":[],"faint":[],"not_done":[]}','',NULL,'close');
INSERT INTO "night" VALUES('Nacht 2','/raw/Nacht 2','open',61101.75,NULL,NULL,'',NULL,NULL);
CREATE TABLE night_file (
    night        TEXT NOT NULL REFERENCES night (id),
    name         TEXT NOT NULL,
    content_hash TEXT NOT NULL REFERENCES file (content_hash),
    size_bytes   INTEGER NOT NULL, stamp TEXT,
    PRIMARY KEY (night, name)
) STRICT;
INSERT INTO "night_file" VALUES('2026-03-01','R1-001.fits','aa01',8392320,NULL);
INSERT INTO "night_file" VALUES('2026-03-01','R1-002.fits','aa02',8392320,NULL);
INSERT INTO "night_file" VALUES('Nacht 2','R1-001.fits','bb01',2880,NULL);
INSERT INTO "night_file" VALUES('Nacht 2','copy of R1-001.fits','aa01',8392320,NULL);
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
, message_id TEXT, night TEXT, next_try_mjd_utc REAL) STRICT;
INSERT INTO "outbox" VALUES(1,'mail/2026-02-28/abc','mail','sent',X'46726F6D3A20610D0A','sent',1,NULL,61100.2,61100.3,'<a@example.org>','2026-02-28',NULL);
INSERT INTO "outbox" VALUES(2,'mail/2026-03-01/def','mail','waits',X'00FF','pending',3,'no route',61101.25,NULL,NULL,NULL,61101.5);
INSERT INTO "outbox" VALUES(3,'mail/2026-01-01/ghi','mail','given up',X'','failed',9,'refused',61041.25,NULL,NULL,NULL,NULL);
CREATE TABLE report_due (
    night TEXT PRIMARY KEY REFERENCES night (id)
) STRICT;
INSERT INTO "report_due" VALUES('2026-03-01');
CREATE TABLE service (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
INSERT INTO "service" VALUES('paused','the dome is wet');
INSERT INTO "service" VALUES('last-backup','61100.5');
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
INSERT INTO "stage_result" VALUES('2026-03-01','aa01','frame',1,'k1','done','products/2026-03-01/calibrated/R1-001-aa01.fits','{}');
INSERT INTO "stage_result" VALUES('2026-03-01','night','night',1,'k2','done','products/2026-03-01/report/report.html','{}');
INSERT INTO "stage_result" VALUES('Nacht 2','bb01','frame',1,'k3','quarantine',NULL,'{"reason":"truncated"}');
CREATE TABLE submission (
    id             INTEGER PRIMARY KEY,
    station        TEXT NOT NULL,
    approved_by    TEXT NOT NULL,
    at_mjd_utc     REAL NOT NULL,
    path           TEXT NOT NULL,
    content_hash   TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO "submission" VALUES(1,'J75','ann',61000.5,'products/x/report/s.psv','ab12');
CREATE TABLE submitted_observation (
    station       TEXT NOT NULL,
    content_hash  TEXT NOT NULL,
    observation   TEXT NOT NULL,
    night         TEXT NOT NULL,
    candidate_id  TEXT NOT NULL,
    submission    INTEGER NOT NULL REFERENCES submission (id),
    PRIMARY KEY (station, content_hash, observation)
) STRICT;
INSERT INTO "submitted_observation" VALUES('J75','ab12','K26 1','2026-03-01','c-17',1);
CREATE TABLE track_name (
    station      TEXT NOT NULL,
    trk_sub      TEXT NOT NULL,
    night        TEXT NOT NULL,
    candidate_id TEXT NOT NULL,
    PRIMARY KEY (station, trk_sub),
    UNIQUE (station, night, candidate_id)
) STRICT;
INSERT INTO "track_name" VALUES('J75','aut0001','2026-03-01','c-17');
CREATE TABLE "verdict" (
    id           INTEGER PRIMARY KEY,
    night        TEXT NOT NULL REFERENCES night (id),
    candidate_id TEXT NOT NULL,
    verdict      TEXT NOT NULL CHECK (verdict IN ('real', 'false', 'unsure', 'undo', 'note')),
    who          TEXT NOT NULL,
    at_mjd_utc   REAL NOT NULL,
    note         TEXT NOT NULL,
    token        TEXT NOT NULL UNIQUE,
    about        TEXT NOT NULL
) STRICT;
INSERT INTO "verdict" VALUES(1,'2026-03-01','U1','unsure','observer',61101.4,'','v2-1','');
INSERT INTO "verdict" VALUES(2,'2026-03-01','U1','real','observer',61101.5,'seen again, "certain"','v2-2','');
INSERT INTO "verdict" VALUES(7,'2026-03-01','gone','false','Ünsal',61101.5,'a candidate of an earlier run','v2-7','');
INSERT INTO "verdict" VALUES(8,'2026-03-01','c-17','unsure','ann',61000.25,'near a star','t-1','{}');
CREATE TABLE wanted_tile (
    release TEXT NOT NULL,
    tile    INTEGER NOT NULL,
    night   TEXT NOT NULL REFERENCES night (id),
    PRIMARY KEY (release, tile, night)
) STRICT;
INSERT INTO "wanted_tile" VALUES('gaia-dr3',17000,'2026-03-01');
CREATE TABLE web_session (
    id_hash           TEXT PRIMARY KEY,
    user              TEXT NOT NULL,
    csrf              TEXT NOT NULL,
    created_mjd_utc   REAL NOT NULL,
    last_used_mjd_utc REAL NOT NULL
) STRICT;
INSERT INTO "web_session" VALUES('00ff','ann','11ee',61000.1,61000.2);
CREATE INDEX night_file_by_content ON night_file (content_hash);
CREATE INDEX outbox_by_state ON outbox (state);
CREATE INDEX master_by_time ON master (key, taken_mjd_utc);
CREATE INDEX verdict_by_night ON verdict (night, candidate_id);
PRAGMA user_version = 4;
COMMIT;
PRAGMA foreign_keys = ON;
