DROP TABLE import_lines, import_people, import_channels, import_sources, audit_entries, conversation_events,
    broadcast_mentions, mentions, threads, message_revisions, messages, conversation_members, channels, conversations, creation_keys,
    sessions, accounts, users;
DROP FUNCTION refuse_change, touch_changed_xid;
