DROP TABLE sign_in_challenges, recovery_codes, second_factors, mailed_tokens;
DROP INDEX accounts_pending_email_idx;
ALTER TABLE accounts DROP CONSTRAINT accounts_email_check;
-- Nobody's, and no address that mail could be sent to.
UPDATE accounts SET email = user_id::text WHERE email IS NULL;
ALTER TABLE accounts ALTER COLUMN email SET NOT NULL;
ALTER TABLE accounts DROP COLUMN second_factor_at;
ALTER TABLE accounts DROP COLUMN pending_email;
COMMENT ON COLUMN accounts.email IS 'In lower case. Nobody''s until it is proven: unique among proven ones only.';
