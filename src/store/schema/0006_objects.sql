-- Objects seen in several nights; see store/night_objects. A key is given once and kept; an object
-- whose other nights are gone keeps its row, so that it gets its key again.
CREATE TABLE night_object (
    id           INTEGER PRIMARY KEY,
    key          TEXT NOT NULL UNIQUE,
    chance       REAL NOT NULL,
    chi2_reduced REAL NOT NULL
) STRICT;
CREATE TABLE night_object_member (
    night        TEXT NOT NULL REFERENCES night (id),
    candidate_id TEXT NOT NULL,
    object       INTEGER NOT NULL REFERENCES night_object (id),
    PRIMARY KEY (night, candidate_id)
) STRICT;
CREATE INDEX night_object_member_by_object ON night_object_member (object);
