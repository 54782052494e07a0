-- What people judge, what goes to the Minor Planet Center, who is logged in.

-- A history; see store/verdicts. `token` names one act of judging, so that sending it twice changes
-- nothing; `about` is a snapshot (JSON) of what was judged: detections, features, ratings.
CREATE TABLE verdict_history (
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
INSERT INTO verdict_history (id, night, candidate_id, verdict, who, at_mjd_utc, note, token, about)
    SELECT id, night, candidate_id, verdict, who, at_mjd_utc, note, 'v2-' || id, '' FROM verdict;
DROP TABLE verdict;
ALTER TABLE verdict_history RENAME TO verdict;
CREATE INDEX verdict_by_night ON verdict (night, candidate_id);

-- Provisional names given to the Minor Planet Center: never two objects under one.
CREATE TABLE track_name (
    station      TEXT NOT NULL,
    trk_sub      TEXT NOT NULL,
    night        TEXT NOT NULL,
    candidate_id TEXT NOT NULL,
    PRIMARY KEY (station, trk_sub),
    UNIQUE (station, night, candidate_id)
) STRICT;

-- A batch of observations that a person said yes to.
CREATE TABLE submission (
    id             INTEGER PRIMARY KEY,
    station        TEXT NOT NULL,
    approved_by    TEXT NOT NULL,
    at_mjd_utc     REAL NOT NULL,
    path           TEXT NOT NULL,
    content_hash   TEXT NOT NULL UNIQUE
) STRICT;

-- What was written once and must never be written again.
CREATE TABLE submitted_observation (
    station       TEXT NOT NULL,
    content_hash  TEXT NOT NULL,
    observation   TEXT NOT NULL,
    night         TEXT NOT NULL,
    candidate_id  TEXT NOT NULL,
    submission    INTEGER NOT NULL REFERENCES submission (id),
    PRIMARY KEY (station, content_hash, observation)
) STRICT;

-- People logged in on the web page: hashes of what their browsers hold.
CREATE TABLE web_session (
    id_hash           TEXT PRIMARY KEY,
    user              TEXT NOT NULL,
    csrf              TEXT NOT NULL,
    created_mjd_utc   REAL NOT NULL,
    last_used_mjd_utc REAL NOT NULL
) STRICT;
