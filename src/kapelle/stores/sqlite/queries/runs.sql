-- Statements about runs. A run that the scope does not see does not exist: every statement that names a run holds it
-- against `:projects`, a JSON list, or NULL for all projects.

-- name: visible
-- Fragment: the run of this id, if the scope sees it.
r.id = :run_id AND (:projects IS NULL OR r.project IN (SELECT value FROM json_each(:projects)))

-- name: select_runs
-- Fragment: the columns of a run, in the order in which they are read.
SELECT r.id, r.project, r.flow, r.name, r.state, r.reason, r.entry, r.parameters, r.parameters_text, r.tags,
       r.generation, r.attempt_number, r.attempt_id, r.created_at_us, r.started_at_us, r.ended_at_us,
       r.result, r.failure, t.counts, r.kapelle_version, r.started_by, r.previous
FROM runs r
LEFT JOIN tallies t ON t.run = r.seq AND t.generation = r.generation

-- name: create
-- Keeps a new run, unless its id is taken or its project is not the scope's.
INSERT INTO runs (
    id, project, flow, flow_last_part, name, state, reason, entry, parameters, parameters_text, tags, generation,
    opened_at_us, attempt_number, attempt_id, created_at_us, kapelle_version, started_by, previous
)
SELECT :run_id, :project, :flow, :flow_last_part, :name, :state, '', :entry, :parameters, :parameters_text, :tags, 1,
       :created_at_us, 0, '', :created_at_us, :kapelle_version, :started_by, :previous
WHERE :projects IS NULL OR :project IN (SELECT value FROM json_each(:projects))
ON CONFLICT (id) DO NOTHING

-- name: add_tags
-- Makes a run findable by its tags.
INSERT INTO run_tags (tag, run)
SELECT DISTINCT j.value, r.seq FROM json_each(:tags) j, runs r WHERE r.id = :run_id
ON CONFLICT (tag, run) DO NOTHING

-- name: get
-- One run.
{{select_runs}} WHERE {{visible}}

-- name: find_attempt
-- The attempt that an id belongs to, in whatever generation.
SELECT a.generation, a.number FROM runs r JOIN attempts a ON a.run = r.seq
WHERE {{visible}} AND a.id = :attempt_id

-- name: begin_attempt
-- Hands the run to a new attempt; the former one may not write from here on.
UPDATE runs AS r
SET state = 'running', reason = '', attempt_number = attempt_number + 1, attempt_id = :attempt_id,
    started_at_us = COALESCE(started_at_us, :at_us)
WHERE {{visible}} AND r.generation = :generation AND r.state IN ('scheduled', 'queued', 'running', 'waiting')

-- name: add_attempt
-- Remembers the attempt that `begin_attempt` has just made.
INSERT INTO attempts (run, generation, number, id, began_at_us, journal_bytes, output_bytes)
SELECT r.seq, r.generation, r.attempt_number, r.attempt_id, :at_us, 0, 0 FROM runs r WHERE {{visible}}

-- name: current
-- Fragment: the run, as long as this attempt is its current one.
{{visible}} AND r.generation = :generation AND r.attempt_id = :attempt_id AND r.attempt_id <> ''

-- name: end
-- Ends the generation.
UPDATE runs AS r
SET state = :state, reason = :reason, ended_at_us = :at_us, result = :result, failure = :failure
WHERE {{current}} AND r.state IN ('running', 'waiting', 'cancelling')

-- name: abandon
-- The process is gone, the run waits for somebody to go on with it.
UPDATE runs AS r SET state = 'waiting', reason = :reason WHERE {{current}} AND r.state = 'running'

-- name: cancelling
-- A cancel is under way.
UPDATE runs AS r SET state = 'cancelling' WHERE {{current}} AND r.state IN ('running', 'cancelling')

-- name: next_generation
-- Opens the next generation; the end of the one before is in `:previous`.
UPDATE runs AS r
SET state = 'queued', reason = '', generation = generation + 1, opened_at_us = :at_us, attempt_number = 0,
    attempt_id = '', started_at_us = NULL, ended_at_us = NULL, result = NULL, failure = NULL, previous = :previous
WHERE {{visible}} AND r.generation = :generation AND r.state IN ('succeeded', 'failed', 'cancelled')

-- name: opened_at
-- When the newest generation was opened, and its number.
SELECT r.generation, r.opened_at_us FROM runs r WHERE {{visible}}

-- name: count
-- Replaces the counts of the attempt's generation.
INSERT INTO tallies (run, generation, counts, groups)
SELECT r.seq, r.generation, :counts, :groups FROM runs r WHERE {{current}}
ON CONFLICT (run, generation) DO UPDATE SET counts = excluded.counts, groups = excluded.groups

-- name: groups
-- The counts per group of the newest generation.
SELECT t.groups FROM runs r LEFT JOIN tallies t ON t.run = r.seq AND t.generation = r.generation WHERE {{visible}}

-- name: delete
-- Forgets a run; what refers to it goes with it.
DELETE FROM runs AS r WHERE {{visible}}
