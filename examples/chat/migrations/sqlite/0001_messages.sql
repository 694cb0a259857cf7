CREATE TABLE messages (
    room TEXT NOT NULL,
    -- 1, 2, 3 … in each room, without a gap.
    seq INTEGER NOT NULL,
    -- Chosen by whoever sent it, so that what is sent again is not logged again.
    id TEXT NOT NULL,
    nick TEXT NOT NULL,
    text TEXT NOT NULL,
    -- Milliseconds since 1970, UTC.
    at INTEGER NOT NULL,
    PRIMARY KEY (room, seq),
    UNIQUE (id, nick, room)
) STRICT;

-- One row, written to find out whether writing is possible.
CREATE TABLE heartbeat (
    at INTEGER NOT NULL
) STRICT;

INSERT INTO heartbeat (at) VALUES (0);
