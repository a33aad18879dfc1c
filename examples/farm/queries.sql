-- Questions about the runs of a regression, for DuckDB and for Spark. `tables` has the views `runs` and `requests`
-- (docs/farm.md); a question begins with `-- name:`.

-- name: slowest_methods
-- The slowest methods of the last week. Calls without a response have no latency.
SELECT design, method, count(*) AS calls, avg(answered - taken) AS mean_ticks,
       median(answered - taken) AS median_ticks, max(answered - taken) AS most_ticks
FROM requests
WHERE method IS NOT NULL AND answered IS NOT NULL AND date >= current_date - 7
GROUP BY design, method
ORDER BY most_ticks DESC, design, method
LIMIT 20;

-- name: failures
-- Failures by signature, with the earliest of each: its tick and the command that repeats it.
WITH ordered AS (
    SELECT *, count(*) OVER (PARTITION BY design, signature) AS failed_runs,
           row_number() OVER (PARTITION BY design, signature ORDER BY first_error_tick NULLS LAST, run_id) AS place
    FROM runs
    WHERE verdict <> 'passed'
)
SELECT design, signature, failed_runs, first_error_tick, run_id, command
FROM ordered
WHERE place = 1
ORDER BY failed_runs DESC, design, signature NULLS LAST;

-- name: departures
-- Runs with a request that differs from the one at its place in most other runs: kind, method,
-- error, or no response. The result has the first such request of each run. The totals are an
-- aggregate, too: engines would compute an aggregate again for a window over it. The last condition
-- is a filter by integers before the join.
WITH places AS (
    SELECT design, channel, channel_number, kind, method, errno, answered IS NULL AS is_open, count(*) AS alike
    FROM requests
    GROUP BY design, channel, channel_number, kind, method, errno, answered IS NULL
),
totals AS (
    SELECT design, channel, channel_number, sum(alike) AS all_runs
    FROM places
    GROUP BY design, channel, channel_number
    HAVING count(*) > 1
),
minorities AS (
    SELECT p.*
    FROM places AS p
    JOIN totals AS t ON p.design = t.design AND p.channel = t.channel AND p.channel_number = t.channel_number
    WHERE p.alike * 2 < t.all_runs
),
departing AS (
    SELECT r.run_id, r.design, r.channel, r.channel_number, r.kind, r.method, r.error, r.answered,
           row_number() OVER (PARTITION BY r.run_id ORDER BY r.number) AS place
    FROM requests AS r
    JOIN minorities AS m
      ON r.design = m.design AND r.channel = m.channel AND r.channel_number = m.channel_number AND r.kind = m.kind
     AND r.method IS NOT DISTINCT FROM m.method AND r.errno IS NOT DISTINCT FROM m.errno
     AND (r.answered IS NULL) = m.is_open
    WHERE r.channel_number IN (SELECT channel_number FROM minorities)
)
SELECT run_id, design, channel, channel_number, kind, method, error, answered
FROM departing
WHERE place = 1
ORDER BY run_id;

-- name: flaky_seeds
-- Seeds that pass and fail in one revision.
SELECT design, revision, seed, count(*) AS all_runs, count_if(verdict = 'passed') AS passed
FROM runs
WHERE seed IS NOT NULL
GROUP BY design, revision, seed
HAVING count_if(verdict = 'passed') > 0 AND count_if(verdict = 'failed') > 0
ORDER BY design, revision NULLS LAST, seed;

-- name: latency_by_revision
-- Mean latency of each method by revision, in the order of their first runs, and its growth.
WITH means AS (
    SELECT q.design, q.method, r.revision, count(*) AS calls, avg(q.answered - q.taken) AS mean_ticks,
           min(r.started) AS first_run
    FROM requests AS q
    JOIN runs AS r ON q.run_id = r.run_id
    WHERE q.method IS NOT NULL AND q.answered IS NOT NULL
    GROUP BY q.design, q.method, r.revision
)
SELECT design, method, revision, calls, mean_ticks,
       mean_ticks - lag(mean_ticks) OVER (PARTITION BY design, method ORDER BY first_run NULLS LAST, revision NULLS LAST) AS growth
FROM means
ORDER BY design, method, first_run NULLS LAST, revision NULLS LAST;

-- name: coverage
-- Designs and runs that call each method.
WITH calls AS (
    SELECT design, method, run_id, count(*) AS calls
    FROM requests
    WHERE method IS NOT NULL
    GROUP BY design, method, run_id
)
SELECT design, method, count(*) AS calling_runs, sum(calls) AS calls
FROM calls
GROUP BY design, method
ORDER BY design, method;
