-- Statements about the cache of results, which belongs to a project.

-- name: visible
-- Fragment: the entries of this project, if the scope sees it.
project = :project AND (:projects IS NULL OR :project IN (SELECT value FROM json_each(:projects)))

-- name: select_entries
-- Fragment: the columns of an entry, in the order in which they are read.
SELECT key, task, parts, value, made_at_us, expires_at_us, run_id FROM cache_entries

-- name: find
-- The entry of a key.
{{select_entries}} WHERE {{visible}} AND key = :key

-- name: newest
-- The entry of a task that was made last.
{{select_entries}} WHERE {{visible}} AND task = :task ORDER BY made_at_us DESC, key DESC LIMIT 1

-- name: put
-- Keeps an entry, in place of one with the same key.
INSERT INTO cache_entries (project, key, task, made_at_us, expires_at_us, run_id, parts, value)
SELECT :project, :key, :task, :made_at_us, :expires_at_us, :run_id, :parts, :value
WHERE :projects IS NULL OR :project IN (SELECT value FROM json_each(:projects))
ON CONFLICT (project, key) DO UPDATE
SET task = excluded.task, made_at_us = excluded.made_at_us, expires_at_us = excluded.expires_at_us,
    run_id = excluded.run_id, parts = excluded.parts, value = excluded.value

-- name: clear
-- Forgets the entries of a project, or of one task of it.
DELETE FROM cache_entries WHERE {{visible}} AND (:task IS NULL OR task = :task)
