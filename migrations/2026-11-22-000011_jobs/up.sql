-- Work that is done after the transaction that causes it. A row is all there is of a job: it waits until `due_at`, is
-- leased while a server runs it, and is deleted when it is done.

CREATE TABLE jobs (
    id          uuid PRIMARY KEY,
    kind        text NOT NULL,
    unique_key  text,
    payload     jsonb NOT NULL,
    due_at      timestamptz NOT NULL,
    attempts    integer NOT NULL DEFAULT 0,
    lease       uuid,
    again_at    timestamptz,
    last_error  text,
    died_at     timestamptz,
    enqueued_at timestamptz NOT NULL,
    CONSTRAINT jobs_again_at_check CHECK (again_at IS NULL OR lease IS NOT NULL),
    CONSTRAINT jobs_died_at_check CHECK (died_at IS NULL OR lease IS NULL)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
COMMENT ON TABLE jobs IS 'Work that waits, that a server runs at the moment, or that failed for good.';
COMMENT ON COLUMN jobs.unique_key IS 'Of a kind and a key there is one at most, dead ones aside.';
COMMENT ON COLUMN jobs.due_at IS 'From when a server may take it: when it is to run or, while one runs it, when that one''s lease ends.';
COMMENT ON COLUMN jobs.attempts IS 'How often it was begun.';
COMMENT ON COLUMN jobs.lease IS 'Of the server that runs it; who comes back with another one has lost it.';
COMMENT ON COLUMN jobs.again_at IS 'When it is to run once more: it was enqueued again while it ran.';
COMMENT ON COLUMN jobs.died_at IS 'When it failed for good; it stays until an operator has it tried again or dropped.';
CREATE UNIQUE INDEX jobs_kind_unique_key_key ON jobs (kind, unique_key) WHERE died_at IS NULL;
CREATE INDEX jobs_kind_due_at_idx ON jobs (kind, due_at) WHERE died_at IS NULL;
CREATE INDEX jobs_died_at_idx ON jobs (died_at) WHERE died_at IS NOT NULL;
