-- Tiles of the star catalogue that a night's frames need and that could not be fetched yet; see
-- store/wanted_tiles.
CREATE TABLE wanted_tile (
    release TEXT NOT NULL,
    tile    INTEGER NOT NULL,
    night   TEXT NOT NULL REFERENCES night (id),
    PRIMARY KEY (release, tile, night)
) STRICT;
