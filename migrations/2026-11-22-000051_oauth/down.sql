DROP TABLE oauth_states, oauth_accounts;
