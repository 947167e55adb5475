-- Accounts that can be trusted: addresses are proven, passwords are reset by mail, a second factor guards signing in.

ALTER TABLE accounts ALTER COLUMN email DROP NOT NULL;
ALTER TABLE accounts ADD COLUMN pending_email text;
ALTER TABLE accounts ADD COLUMN second_factor_at timestamptz;
ALTER TABLE accounts ADD CONSTRAINT accounts_email_check CHECK (email IS NOT NULL OR email_verified_at IS NULL);
COMMENT ON COLUMN accounts.email IS 'In lower case. Nobody''s until it is proven: who proves it takes it from all others.';
COMMENT ON COLUMN accounts.pending_email IS 'What takes its place once it is proven.';
COMMENT ON COLUMN accounts.second_factor_at IS 'Since when signing in takes a second factor; null where it does not.';
CREATE INDEX accounts_pending_email_idx ON accounts (pending_email) WHERE pending_email IS NOT NULL;

CREATE TABLE mailed_tokens (
    digest     bytea PRIMARY KEY,
    purpose    text NOT NULL CHECK (purpose IN ('VERIFY_EMAIL', 'RESET_PASSWORD', 'EMAIL_TAKEN')),
    user_id    uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    email      text NOT NULL,
    sent_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE mailed_tokens IS 'What was mailed to an address, so that whoever brings it has read mail there. The row goes when it is used.';
COMMENT ON COLUMN mailed_tokens.digest IS 'SHA-256 of the token, which is kept nowhere.';
COMMENT ON COLUMN mailed_tokens.purpose IS 'What it is good for. Of EMAIL_TAKEN for nothing: the row remembers that there was a mail.';
CREATE INDEX mailed_tokens_user_id_idx ON mailed_tokens (user_id);
CREATE INDEX mailed_tokens_email_purpose_sent_at_idx ON mailed_tokens (email, purpose, sent_at);
CREATE INDEX mailed_tokens_expires_at_idx ON mailed_tokens (expires_at);

CREATE TABLE second_factors (
    user_id   uuid PRIMARY KEY REFERENCES users ON DELETE RESTRICT,
    secret    bytea NOT NULL,
    begun_at  timestamptz NOT NULL,
    last_step bigint NOT NULL DEFAULT 0,
    failures  integer NOT NULL DEFAULT 0,
    failed_at timestamptz
);
COMMENT ON TABLE second_factors IS 'Authenticator apps (TOTP); in force where accounts.second_factor_at is set.';
COMMENT ON COLUMN second_factors.secret IS 'Encrypted by a key that is not in the database, and for this user alone.';
COMMENT ON COLUMN second_factors.last_step IS 'The half minute of the latest code that was taken: no code is taken twice.';
COMMENT ON COLUMN second_factors.failures IS 'Wrong codes since the last right one.';

CREATE TABLE recovery_codes (
    user_id uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    digest  bytea NOT NULL,
    CONSTRAINT recovery_codes_pkey PRIMARY KEY (user_id, digest)
);
COMMENT ON TABLE recovery_codes IS 'What opens an account whose authenticator app is lost. The row goes when it is used.';
COMMENT ON COLUMN recovery_codes.digest IS 'A MAC, by a key that is not in the database: the codes are short.';

CREATE TABLE sign_in_challenges (
    digest         bytea PRIMARY KEY,
    user_id        uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    client_name    text,
    token_delivery text NOT NULL CHECK (token_delivery IN ('COOKIE', 'PAYLOAD')),
    expires_at     timestamptz NOT NULL
);
COMMENT ON TABLE sign_in_challenges IS 'Sign-ins whose password was right and which wait for the second factor.';
COMMENT ON COLUMN sign_in_challenges.token_delivery IS 'Where the client wants its refresh token.';
COMMENT ON COLUMN sign_in_challenges.digest IS 'SHA-256 of the challenge, which is kept nowhere.';
CREATE INDEX sign_in_challenges_user_id_idx ON sign_in_challenges (user_id);
CREATE INDEX sign_in_challenges_expires_at_idx ON sign_in_challenges (expires_at);
