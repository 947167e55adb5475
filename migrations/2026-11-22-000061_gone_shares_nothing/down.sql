COMMENT ON TABLE preferences IS 'How somebody wants things to be. Who has no row has changed nothing: everything is as it is for newcomers, who share.';
DELETE FROM preferences USING users WHERE id = user_id AND deleted_at IS NOT NULL;
