-- burdenwatch, schema 2.

-- Keys that hold across feeds: canonical address, and title with outlet. The first 16 bits of a key stand for the host
-- or the outlet, so that the keys of one poll lie together. Never deleted.
CREATE TABLE near_key (
    key        INTEGER PRIMARY KEY,
    article_id INTEGER NOT NULL REFERENCES article (id)
) STRICT;
-- `article_key` keeps the keys of schema 1, which have no such bits. It is still read and never added to.
