-- Statements about many runs. A listing is `runs`, the predicates that are set, and `newest_first`.

-- name: runs
-- Fragment: all runs.
{{runs.select_runs}} WHERE true

-- name: where_seen
-- Predicate: in a project of the scope. The plus keeps the planner from gathering and sorting whole projects.
AND :projects <> '[]' AND +r.project IN (SELECT value FROM json_each(:projects))

-- name: where_project
-- Predicate: in this project.
AND r.project = :project

-- name: where_only
-- Predicate: in the one project of the scope, so that its index is used.
AND r.project = :only

-- name: where_flow
-- Predicate: of the flow with this full name or last part.
AND r.flow_last_part = :flow_last_part AND :flow IN (r.flow, r.flow_last_part)

-- name: where_state
-- Predicate: in this state.
AND r.state = :state

-- name: where_states
-- Predicate: in one of these states.
AND r.state IN (SELECT value FROM json_each(:states))

-- name: where_id_prefix
-- Predicate: with an id that begins so.
AND r.id >= :id_prefix AND r.id < :id_prefix_end

-- name: where_name
-- Predicate: with this name.
AND r.name = :name

-- name: where_tag
-- Predicate: with this tag.
AND EXISTS (SELECT 1 FROM run_tags g WHERE g.tag = :tag AND g.run = r.seq)

-- name: where_since_us
-- Predicate: created then or later.
AND r.created_at_us >= :since_us

-- name: where_behind
-- Predicate: on the pages behind a cursor.
AND (r.created_at_us, r.id) < (:behind_us, :behind_id)

-- name: newest_first
-- Fragment: a page.
ORDER BY r.created_at_us DESC, r.id DESC LIMIT :limit

-- name: durations
-- How long the last successful runs of a flow took.
SELECT r.ended_at_us - r.started_at_us FROM runs r
WHERE r.project = :project AND r.state = 'succeeded'
  AND (:projects IS NULL OR r.project IN (SELECT value FROM json_each(:projects)))
  {{where_flow}}
  AND r.started_at_us IS NOT NULL AND r.ended_at_us IS NOT NULL
{{newest_first}}
