-- burdenwatch, schema 1. Times (`_at`, `until_at`) are Unix milliseconds, UTC.
-- Hashes are the first eight bytes of a SHA-256, kept as a signed integer.

-- A feed the configuration names, or once named, and how its polling goes.
CREATE TABLE feed (
    id               INTEGER PRIMARY KEY,
    name             TEXT    NOT NULL UNIQUE,
    url              TEXT    NOT NULL,          -- as configured
    active           INTEGER NOT NULL DEFAULT 1,-- configured and enabled
    title            TEXT,
    next_poll_at     INTEGER NOT NULL,
    next_why         TEXT    NOT NULL,
    last_poll_at     INTEGER,
    last_ok_at       INTEGER,                   -- last readable answer, 304 included
    last_new_at      INTEGER,                   -- last poll that brought a new article
    first_ok_at      INTEGER,                   -- the baseline poll
    last_full_at     INTEGER,                   -- last 200
    last_status      INTEGER,
    polls            INTEGER NOT NULL DEFAULT 0,
    not_modified     INTEGER NOT NULL DEFAULT 0,
    failures         INTEGER NOT NULL DEFAULT 0,-- in a row
    failing_since_at INTEGER,
    failure_kind     TEXT,
    failure          TEXT,                      -- for a person
    etag             TEXT,
    last_modified    TEXT,
    ttl_minutes      INTEGER,
    skip_hours       TEXT    NOT NULL DEFAULT '[]',
    skip_days        TEXT    NOT NULL DEFAULT '[]',
    moved_url        TEXT,                      -- adopted permanent redirect
    moving_url       TEXT,                      -- a permanent redirect seen, not yet adopted
    moving_since_at  INTEGER,
    moving_run       TEXT,
    rhythm           TEXT    NOT NULL DEFAULT '{}',
    entries          INTEGER NOT NULL DEFAULT 0,-- in the last document
    flaws            TEXT    NOT NULL DEFAULT '[]',
    gaps             INTEGER NOT NULL DEFAULT 0,-- times entries may have been missed
    gap_at           INTEGER,
    baseline         INTEGER NOT NULL DEFAULT 0,-- articles taken in at the first poll
    told             TEXT    NOT NULL DEFAULT ''-- what the operator was last mailed about it
) STRICT;
CREATE INDEX feed_due ON feed (next_poll_at) WHERE active = 1;

-- A domain that asked to be left alone.
CREATE TABLE hold (
    domain   TEXT    PRIMARY KEY,
    until_at INTEGER NOT NULL,
    why      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- Articles that matched nothing: title and summary, compressed, one row a poll.
CREATE TABLE batch (
    id      INTEGER PRIMARY KEY,
    feed_id INTEGER NOT NULL REFERENCES feed (id),
    at      INTEGER NOT NULL,
    body    BLOB    NOT NULL
) STRICT;
CREATE INDEX batch_age ON batch (at);

-- One article, however many feeds show it.
CREATE TABLE article (
    id           INTEGER PRIMARY KEY,
    feed_id      INTEGER NOT NULL REFERENCES feed (id),  -- where it was first seen
    seen_at      INTEGER NOT NULL,
    published_at INTEGER,                                -- as the feed claims
    text_hash    INTEGER NOT NULL,
    path_hash    INTEGER NOT NULL,
    batch_id     INTEGER,                                -- NULL: matched, or the text is gone
    place        INTEGER NOT NULL DEFAULT 0              -- in the batch
) STRICT;

-- An entry of a feed: the article it is. The key is a hash of the entry's id in this feed.
CREATE TABLE sighting (
    feed_id    INTEGER NOT NULL REFERENCES feed (id),
    key        INTEGER NOT NULL,
    article_id INTEGER NOT NULL REFERENCES article (id),
    text_hash  INTEGER NOT NULL,
    PRIMARY KEY (feed_id, key)
) STRICT, WITHOUT ROWID;

-- Keys that hold across feeds: canonical address, and title with source. Never deleted.
CREATE TABLE article_key (
    key        INTEGER PRIMARY KEY,
    article_id INTEGER NOT NULL REFERENCES article (id)
) STRICT;

-- The text of a matched article, as last revised.
CREATE TABLE article_text (
    article_id   INTEGER PRIMARY KEY REFERENCES article (id),
    title        TEXT NOT NULL,
    summary      TEXT NOT NULL,
    body         TEXT NOT NULL,
    link         TEXT,
    source       TEXT NOT NULL,
    authors      TEXT NOT NULL,
    lang         TEXT,
    claimed_date TEXT,
    wire         TEXT,
    official     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE VIRTUAL TABLE article_fts USING fts5 (
    title, summary, body, content = 'article_text', content_rowid = 'article_id', tokenize = 'trigram remove_diacritics 1'
);

-- Outlets that carry a matched article.
CREATE TABLE appearance (
    article_id INTEGER NOT NULL REFERENCES article (id),
    feed_id    INTEGER NOT NULL REFERENCES feed (id),
    source     TEXT    NOT NULL,
    link       TEXT,
    seen_at    INTEGER NOT NULL,
    PRIMARY KEY (article_id, feed_id, source)
) STRICT, WITHOUT ROWID;

-- Earlier wordings of a matched article.
CREATE TABLE revision (
    id         INTEGER PRIMARY KEY,
    article_id INTEGER NOT NULL REFERENCES article (id),
    at         INTEGER NOT NULL,
    title      TEXT    NOT NULL,
    summary    TEXT    NOT NULL,
    changed    TEXT                                   -- what is materially new in the wording that followed
) STRICT;
CREATE INDEX revision_article ON revision (article_id);

-- An article that a rule flagged. `seq` grows in commit order: digests select by it.
CREATE TABLE match (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    article_id  INTEGER NOT NULL UNIQUE REFERENCES article (id),
    at          INTEGER NOT NULL,
    level       TEXT    NOT NULL CHECK (level IN ('alert', 'digest')),
    score       INTEGER NOT NULL,
    disposition TEXT    NOT NULL CHECK (disposition IN ('fresh', 'late', 'baseline')),
    rule_set    TEXT    NOT NULL
) STRICT;
CREATE INDEX match_at ON match (at);

-- The rules that fired on it, vetoed ones too, with their evidence as JSON.
CREATE TABLE match_rule (
    article_id INTEGER NOT NULL REFERENCES article (id),
    rule_id    TEXT    NOT NULL,
    topic      TEXT    NOT NULL,
    level      TEXT    NOT NULL,
    score      INTEGER NOT NULL,
    counts     INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    evidence   TEXT    NOT NULL,
    PRIMARY KEY (article_id, rule_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX match_rule_rule ON match_rule (rule_id, at);

-- Copies of one text.
CREATE TABLE story (
    id        INTEGER PRIMARY KEY,
    opened_at INTEGER NOT NULL,
    last_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX story_last ON story (last_at);
CREATE TABLE story_member (
    article_id INTEGER PRIMARY KEY REFERENCES article (id),
    story_id   INTEGER NOT NULL REFERENCES story (id),
    at         INTEGER NOT NULL,
    print      TEXT    NOT NULL,
    evidence   TEXT                                   -- NULL for the first member
) STRICT;
CREATE INDEX story_member_story ON story_member (story_id, article_id);

-- Who is mailed, and from which match on.
CREATE TABLE subscription (
    name          TEXT    PRIMARY KEY,
    created_at    INTEGER NOT NULL,
    from_seq      INTEGER NOT NULL,
    next_number   INTEGER NOT NULL DEFAULT 1,
    digest_at     INTEGER,                            -- when the last one was composed
    digest_article INTEGER NOT NULL DEFAULT 0,        -- the newest article then
    slot          TEXT                                -- the newest slot dealt with, a local date
) STRICT, WITHOUT ROWID;

-- What a subscription is to be told at once about a story; revision 0 is the first alert.
CREATE TABLE alert (
    id           INTEGER PRIMARY KEY,
    subscription TEXT    NOT NULL,
    story_id     INTEGER NOT NULL REFERENCES story (id),
    revision     INTEGER NOT NULL,
    article_id   INTEGER NOT NULL REFERENCES article (id),
    changed      TEXT,
    created_at   INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('waiting', 'mailed', 'rolled', 'muted', 'folded')),
    mailed_at    INTEGER,
    dedup_key    TEXT,                                -- of the mail it went into
    UNIQUE (subscription, story_id, revision)
) STRICT;
CREATE INDEX alert_due ON alert (due_at) WHERE state = 'waiting';
CREATE INDEX alert_mail ON alert (dedup_key);

-- A digest as composed. `slot` is NULL when it was asked for by hand.
CREATE TABLE digest (
    id           INTEGER PRIMARY KEY,
    subscription TEXT    NOT NULL,
    number       INTEGER NOT NULL,
    slot         TEXT,
    at           INTEGER NOT NULL,
    since_at     INTEGER,
    stories      INTEGER NOT NULL,
    articles     INTEGER NOT NULL,
    subject      TEXT    NOT NULL,
    body_text    TEXT    NOT NULL,
    body_html    TEXT    NOT NULL,
    UNIQUE (subscription, number),
    UNIQUE (subscription, slot)
) STRICT;
-- A match is in one digest of a subscription.
CREATE TABLE digest_item (
    subscription TEXT    NOT NULL,
    article_id   INTEGER NOT NULL REFERENCES article (id),
    digest_id    INTEGER NOT NULL REFERENCES digest (id),
    PRIMARY KEY (subscription, article_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX digest_item_digest ON digest_item (digest_id);

-- One mail to one recipient, its bytes frozen.
CREATE TABLE outbox (
    id           INTEGER PRIMARY KEY,
    dedup_key    TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    subscription TEXT    NOT NULL,
    sender       TEXT    NOT NULL,
    recipient    TEXT    NOT NULL,
    message_id   TEXT    NOT NULL UNIQUE,
    subject      TEXT    NOT NULL,
    mime         BLOB    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'deferred', 'failed', 'uncertain')),
    attempts     INTEGER NOT NULL DEFAULT 0,
    created_at   INTEGER NOT NULL,
    next_at      INTEGER NOT NULL,
    lease_owner  TEXT,
    lease_until_at INTEGER,
    last_code    INTEGER,
    last_reply   TEXT,
    done_at      INTEGER,
    UNIQUE (dedup_key, recipient)
) STRICT;
CREATE INDEX outbox_due ON outbox (next_at) WHERE state IN ('queued', 'deferred', 'uncertain', 'sending');
CREATE INDEX outbox_state ON outbox (state);
CREATE TABLE outbox_try (
    outbox_id INTEGER NOT NULL REFERENCES outbox (id),
    at        INTEGER NOT NULL,
    outcome   TEXT    NOT NULL,
    code      INTEGER,
    reply     TEXT    NOT NULL
) STRICT;
CREATE INDEX outbox_try_mail ON outbox_try (outbox_id);

-- A recipient the server refused, and since when nothing is sent to it.
CREATE TABLE recipient (
    address          TEXT    PRIMARY KEY,
    refusals         INTEGER NOT NULL,
    first_refused_at INTEGER NOT NULL,
    last_refused_at  INTEGER NOT NULL,
    suspended_at     INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE mute (
    id         INTEGER PRIMARY KEY,
    kind       TEXT    NOT NULL CHECK (kind IN ('rule', 'story', 'source')),
    what       TEXT    NOT NULL,
    until_at   INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE label (
    article_id INTEGER PRIMARY KEY REFERENCES article (id),
    relevant   INTEGER NOT NULL,
    note       TEXT    NOT NULL DEFAULT '',
    at         INTEGER NOT NULL
) STRICT;

-- Small facts: the rule set in force, a refused one, the pause of a mail server, counters.
CREATE TABLE fact (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
