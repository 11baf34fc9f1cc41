-- burdenwatch, schema 3.

-- The entry the last document was cut off in, too early to know it by: what came of it, hashed. NULL: none.
ALTER TABLE feed ADD COLUMN cut_key INTEGER;
