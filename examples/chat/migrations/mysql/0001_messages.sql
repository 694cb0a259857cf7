CREATE TABLE messages (
    room VARCHAR(32) NOT NULL,
    -- 1, 2, 3 … in each room, without a gap.
    seq BIGINT NOT NULL,
    -- Chosen by whoever sent it, so that what is sent again is not logged again.
    id VARCHAR(64) NOT NULL,
    nick VARCHAR(24) NOT NULL,
    text VARCHAR(2000) NOT NULL,
    -- Milliseconds since 1970, UTC.
    at BIGINT NOT NULL,
    PRIMARY KEY (room, seq),
    UNIQUE KEY once (id, nick, room)
) ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row, written to find out whether writing is possible.
CREATE TABLE heartbeat (
    at BIGINT NOT NULL
) ENGINE = InnoDB;

INSERT INTO heartbeat (at) VALUES (0);
