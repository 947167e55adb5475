-- What is looked for again and again, to be tidied up, is found without reading all there is.

CREATE INDEX presences_status_expires_at_idx ON presences (status_expires_at) WHERE status_expires_at IS NOT NULL;
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);
