-- burdenwatch, schema 3.

-- The entry the last document was cut off in, too early to know it by: what came of it, hashed. NULL: none.
ALTER TABLE feed ADD COLUMN cut_key INTEGER;

-- The feed whose text it is: the only one whose new wordings replace it. Until now nobody noted it: most likely it is
-- the one that the outlet was first seen in.
ALTER TABLE article_text ADD COLUMN feed_id INTEGER REFERENCES feed (id);
UPDATE article_text SET feed_id = coalesce(
    (SELECT feed_id FROM appearance
     WHERE article_id = article_text.article_id AND source = article_text.source ORDER BY seen_at LIMIT 1),
    (SELECT feed_id FROM article WHERE id = article_text.article_id));
