CREATE OR REPLACE FUNCTION put_level_in_force() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.notification_level IS NULL THEN
        PERFORM FROM users WHERE id = NEW.user_id FOR SHARE;
        -- A statement of its own: it sees what was committed while the row was waited for.
        NEW.level_in_force := coalesce((SELECT default_level FROM preferences WHERE user_id = NEW.user_id), 'MENTIONS');
    ELSE
        NEW.level_in_force := NEW.notification_level;
    END IF;
    RETURN NEW;
END $$;
