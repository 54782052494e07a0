-- What services answered about known objects, by request; see store/known_replies.
CREATE TABLE known_reply (
    request           TEXT PRIMARY KEY,
    places            TEXT NOT NULL,
    n_bad             INTEGER NOT NULL,
    is_asteroids_only INTEGER NOT NULL CHECK (is_asteroids_only IN (0, 1)),
    fetched_mjd_utc   REAL NOT NULL
) STRICT;
-- The requests that a night's frames need, and whether the answer was there when it was closed.
CREATE TABLE known_request (
    night     TEXT NOT NULL REFERENCES night (id),
    request   TEXT NOT NULL,
    had_reply INTEGER NOT NULL CHECK (had_reply IN (0, 1)),
    PRIMARY KEY (night, request)
) STRICT;
-- Numbers of a night's unnamed objects, given once and kept; see store/object_numbers.
CREATE TABLE object_number (
    night        TEXT NOT NULL REFERENCES night (id),
    number       INTEGER NOT NULL CHECK (number > 0),
    candidate_id TEXT NOT NULL,
    about        TEXT NOT NULL,
    PRIMARY KEY (night, number),
    UNIQUE (night, candidate_id)
) STRICT;
