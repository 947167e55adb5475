-- Who may come, and under which name.

CREATE TABLE held_usernames (
    username   text PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    held_until timestamptz NOT NULL
);
COMMENT ON TABLE held_usernames IS 'Handles that somebody has left. Until they are free again nobody else gets them.';
CREATE INDEX held_usernames_user_id_idx ON held_usernames (user_id);
CREATE INDEX held_usernames_held_until_idx ON held_usernames (held_until);

CREATE TABLE invitations (
    id            uuid PRIMARY KEY,
    token_hash    bytea NOT NULL CONSTRAINT invitations_token_hash_key UNIQUE CHECK (octet_length(token_hash) = 32),
    created_by_id uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    group_id      uuid REFERENCES groups ON DELETE RESTRICT,
    use_limit     integer NOT NULL,
    use_count     integer NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    revoked_at    timestamptz,
    CONSTRAINT invitations_use_count_check CHECK (use_count BETWEEN 0 AND use_limit)
);
COMMENT ON TABLE invitations IS 'Leave to register, for whoever has the token.';
COMMENT ON COLUMN invitations.token_hash IS 'SHA-256 of the token, which is shown once and not kept.';
COMMENT ON COLUMN invitations.group_id IS 'The group that those who use it become members of.';
CREATE INDEX invitations_created_by_id_idx ON invitations (created_by_id);
CREATE INDEX invitations_group_id_idx ON invitations (group_id, id);
