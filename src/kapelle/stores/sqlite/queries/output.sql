-- Statements about what runs print and log.

-- name: attempt
-- The run's number in this file, and how far the output of an attempt is kept, current or not.
SELECT r.seq, a.number, a.output_bytes FROM runs r JOIN attempts a ON a.run = r.seq
WHERE {{runs.visible}} AND a.generation = :generation AND a.id = :attempt_id

-- name: last_cursor
-- The cursor behind everything of a generation.
SELECT COALESCE(MAX(behind), 0) FROM output_chunks WHERE run = :run AND generation = :generation

-- name: add_chunk
-- Keeps whole lines.
INSERT INTO output_chunks (run, generation, behind, lines) VALUES (:run, :generation, :behind, :lines)

-- name: advance
-- Says how far the output is kept now, if nobody else has said so meanwhile.
UPDATE attempts SET output_bytes = :kept
WHERE run = :run AND generation = :generation AND number = :attempt AND output_bytes = :kept_before

-- name: shipped
-- How far the output of an attempt is kept.
SELECT a.output_bytes FROM runs r JOIN attempts a ON a.run = r.seq
WHERE {{runs.visible}} AND a.id = :attempt_id

-- name: run
-- The run's number in this file.
SELECT r.seq FROM runs r WHERE {{runs.visible}}

-- name: chunks_behind
-- The next chunks behind a cursor.
SELECT behind, lines FROM output_chunks
WHERE run = :run AND generation = :generation AND behind > :after
ORDER BY behind LIMIT 8
