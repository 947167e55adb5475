-- Signing in at other providers.

CREATE TABLE oauth_accounts (
    id        uuid PRIMARY KEY,
    user_id   uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    issuer    text NOT NULL,
    subject   text NOT NULL,
    label     text NOT NULL,
    linked_at timestamptz NOT NULL,
    CONSTRAINT oauth_accounts_issuer_subject_key UNIQUE (issuer, subject)
);
COMMENT ON TABLE oauth_accounts IS 'Accounts at other providers that somebody signs in with. No token of a provider is kept.';
COMMENT ON COLUMN oauth_accounts.issuer IS 'Whose account it is, as a URL: a name in the configuration may come to mean another provider.';
COMMENT ON COLUMN oauth_accounts.subject IS 'What the issuer knows it by, for ever.';
COMMENT ON COLUMN oauth_accounts.label IS 'What its owner knows it by, as it was when it was linked.';
CREATE INDEX oauth_accounts_user_id_idx ON oauth_accounts (user_id);

CREATE TABLE oauth_states (
    digest         bytea PRIMARY KEY,
    session_id     uuid REFERENCES sessions ON DELETE CASCADE,
    provider       text NOT NULL,
    redirect_url   text NOT NULL,
    code_challenge text NOT NULL,
    expires_at     timestamptz NOT NULL
);
COMMENT ON TABLE oauth_states IS 'Round trips to a provider that have begun. The row goes when somebody comes back.';
COMMENT ON COLUMN oauth_states.digest IS 'SHA-256 of the state, which is kept nowhere.';
COMMENT ON COLUMN oauth_states.session_id IS 'To whose viewer the account is to be linked; null to sign in.';
COMMENT ON COLUMN oauth_states.provider IS 'As the configuration names it.';
CREATE INDEX oauth_states_session_id_idx ON oauth_states (session_id);
CREATE INDEX oauth_states_expires_at_idx ON oauth_states (expires_at);
