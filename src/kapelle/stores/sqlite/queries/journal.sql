-- Statements about journals and the rows of calls.

-- name: current_attempt
-- The run's number in this file, and how far the spool of its current attempt is kept.
SELECT r.seq, a.number, a.journal_bytes
FROM runs r JOIN attempts a ON a.run = r.seq AND a.generation = r.generation AND a.number = r.attempt_number
WHERE {{runs.current}}

-- name: add_chunk
-- Keeps whole lines.
INSERT INTO journal_chunks (run, generation, attempt, at_offset, lines)
VALUES (:run, :generation, :attempt, :at_offset, :lines)

-- name: last_chunk
-- The newest chunk of an attempt, if it begins at this offset or behind it.
SELECT at_offset, lines FROM journal_chunks
WHERE run = :run AND generation = :generation AND attempt = :attempt AND at_offset >= :least
ORDER BY at_offset DESC LIMIT 1

-- name: replace_chunk
-- Keeps more lines in a chunk that was small.
UPDATE journal_chunks SET lines = :lines
WHERE run = :run AND generation = :generation AND attempt = :attempt AND at_offset = :at_offset

-- name: advance
-- Says how far the spool is kept now, if nobody else has said so meanwhile.
UPDATE attempts SET journal_bytes = :kept
WHERE run = :run AND generation = :generation AND number = :attempt AND journal_bytes = :kept_before

-- name: put_rows
-- Keeps the rows of calls, in place of those of the same calls.
INSERT INTO calls (run, generation, id, call, task, state, content)
SELECT :run, :generation, j.value ->> 'id', j.value ->> 'call', j.value ->> 'task', j.value ->> 'state',
       CAST(j.value AS BLOB)
FROM json_each(CAST(:rows AS TEXT)) j WHERE true
ON CONFLICT (run, generation, id) DO UPDATE
SET call = excluded.call, task = excluded.task, state = excluded.state, content = excluded.content

-- name: shipped
-- How far the spool of an attempt is kept.
SELECT a.journal_bytes FROM runs r JOIN attempts a ON a.run = r.seq
WHERE {{runs.visible}} AND a.id = :attempt_id

-- name: run
-- The run's number in this file.
SELECT r.seq FROM runs r WHERE {{runs.visible}}

-- name: chunks_behind
-- The next chunks of a generation, attempt by attempt.
SELECT attempt, at_offset, lines FROM journal_chunks
WHERE run = :run AND generation = :generation AND (attempt, at_offset) > (:attempt, :at_offset)
ORDER BY attempt, at_offset LIMIT 8

-- name: rows
-- The rows of calls of a generation.
SELECT content FROM calls WHERE run = :run AND generation = :generation ORDER BY call, id

-- name: bytes_stored
-- What the journals of a run take.
SELECT COALESCE(SUM(LENGTH(lines)), 0) FROM journal_chunks WHERE run = :run
