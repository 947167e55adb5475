// The tables as diesel sees them: a test compares this file with the database. `changed_xid` is left out: only SQL
// reads it.

diesel::table! {
    users (id) {
        id -> Uuid,
        username -> Text,
        display_name -> Text,
        bio -> Nullable<Text>,
        role -> Text,
        is_claimed -> Bool,
        version -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    accounts (user_id) {
        user_id -> Uuid,
        email -> Nullable<Text>,
        email_verified_at -> Nullable<Timestamptz>,
        password_hash -> Nullable<Text>,
        created_at -> Timestamptz,
        pending_email -> Nullable<Text>,
        second_factor_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    oauth_accounts (id) {
        id -> Uuid,
        user_id -> Uuid,
        issuer -> Text,
        subject -> Text,
        label -> Text,
        linked_at -> Timestamptz,
    }
}

diesel::table! {
    oauth_states (digest) {
        digest -> Bytea,
        session_id -> Nullable<Uuid>,
        provider -> Text,
        redirect_url -> Text,
        code_challenge -> Text,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    mailed_tokens (digest) {
        digest -> Bytea,
        purpose -> Text,
        user_id -> Uuid,
        email -> Text,
        sent_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    second_factors (user_id) {
        user_id -> Uuid,
        secret -> Bytea,
        begun_at -> Timestamptz,
        last_step -> Int8,
        failures -> Int4,
        failed_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    recovery_codes (user_id, digest) {
        user_id -> Uuid,
        digest -> Bytea,
    }
}

diesel::table! {
    sign_in_challenges (digest) {
        digest -> Bytea,
        user_id -> Uuid,
        client_name -> Nullable<Text>,
        token_delivery -> Text,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    sessions (id) {
        id -> Uuid,
        user_id -> Uuid,
        client_name -> Text,
        ip_address -> Nullable<Text>,
        seed -> Bytea,
        generation -> Int4,
        refreshed_at -> Timestamptz,
        created_at -> Timestamptz,
        last_used_at -> Timestamptz,
        expires_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    held_usernames (username) {
        username -> Text,
        user_id -> Uuid,
        held_until -> Timestamptz,
    }
}

diesel::table! {
    push_devices (id) {
        id -> Uuid,
        user_id -> Uuid,
        session_id -> Uuid,
        platform -> Text,
        address -> Text,
        p256dh -> Nullable<Bytea>,
        auth -> Nullable<Bytea>,
        name -> Nullable<Text>,
        refreshed_at -> Timestamptz,
        failing_since -> Nullable<Timestamptz>,
        asked_from -> Timestamptz,
    }
}

diesel::table! {
    pushes (device_id, notification_id) {
        device_id -> Uuid,
        notification_id -> Uuid,
        is_shown -> Bool,
    }
}

diesel::table! {
    preferences (user_id) {
        user_id -> Uuid,
        language -> Text,
        time_zone -> Text,
        theme -> Text,
        shares_read_position -> Bool,
        shares_typing -> Bool,
        shares_last_seen -> Bool,
        direct_conversations_from -> Text,
        version -> Int4,
        is_email_enabled -> Bool,
        is_push_enabled -> Bool,
        default_level -> Text,
        shows_previews -> Bool,
        quiet_start -> Nullable<Time>,
        quiet_end -> Nullable<Time>,
        urgent_words -> Array<Text>,
    }
}

diesel::table! {
    blocks (blocker_id, blocked_id) {
        blocker_id -> Uuid,
        blocked_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    presences (user_id) {
        user_id -> Uuid,
        last_seen_at -> Nullable<Timestamptz>,
        status_text -> Nullable<Text>,
        status_emoji -> Nullable<Text>,
        status_expires_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    creation_keys (user_id, mutation, client_key) {
        user_id -> Uuid,
        mutation -> Text,
        client_key -> Text,
        input_digest -> Bytea,
        created_id -> Uuid,
    }
}

diesel::table! {
    groups (id) {
        id -> Uuid,
        name -> Text,
        slug -> Nullable<Text>,
        description -> Nullable<Text>,
        visibility -> Text,
        member_count -> Int4,
        version -> Int4,
        created_by_id -> Uuid,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        archived_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    group_members (group_id, user_id) {
        group_id -> Uuid,
        user_id -> Uuid,
        id -> Uuid,
        role -> Text,
        rank -> Int2,
        joined_at -> Timestamptz,
        added_by_id -> Nullable<Uuid>,
        left_at -> Nullable<Timestamptz>,
        departure -> Nullable<Text>,
        departure_note -> Nullable<Text>,
    }
}

diesel::table! {
    invitations (id) {
        id -> Uuid,
        token_hash -> Bytea,
        created_by_id -> Uuid,
        group_id -> Nullable<Uuid>,
        use_limit -> Int4,
        use_count -> Int4,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    channel_categories (id) {
        id -> Uuid,
        group_id -> Nullable<Uuid>,
        name -> Text,
        position -> Int4,
        version -> Int4,
    }
}

diesel::table! {
    channel_lists (id) {
        id -> Uuid,
        changed_at -> Timestamptz,
    }
}

diesel::table! {
    conversations (id) {
        id -> Uuid,
        kind -> Text,
        last_seq -> Int4,
        last_msg_no -> Int4,
        last_message_seq -> Nullable<Int4>,
        last_activity_at -> Timestamptz,
        member_count -> Int4,
        version -> Int4,
        created_by_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        archived_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    channel_readers (user_id, conversation_id) {
        user_id -> Uuid,
        conversation_id -> Uuid,
    }
}

diesel::table! {
    channels (conversation_id) {
        conversation_id -> Uuid,
        name -> Text,
        slug -> Nullable<Text>,
        topic -> Nullable<Text>,
        visibility -> Text,
        posting_role -> Text,
        group_id -> Nullable<Uuid>,
        category_id -> Nullable<Uuid>,
        position -> Int4,
        archived_with_group -> Bool,
    }
}

diesel::table! {
    direct_conversations (conversation_id) {
        conversation_id -> Uuid,
        opened_for -> Nullable<Bytea>,
        name -> Nullable<Text>,
    }
}

diesel::table! {
    conversation_members (conversation_id, user_id) {
        conversation_id -> Uuid,
        user_id -> Uuid,
        id -> Uuid,
        role -> Text,
        rank -> Int2,
        joined_at -> Timestamptz,
        added_by_id -> Nullable<Uuid>,
        left_at -> Nullable<Timestamptz>,
        departure -> Nullable<Text>,
        departure_note -> Nullable<Text>,
        last_read_seq -> Int4,
        last_read_no -> Int4,
        last_read_at -> Nullable<Timestamptz>,
        own_unread -> Int4,
        muted_until -> Nullable<Timestamptz>,
        is_favorite -> Bool,
        hidden_no -> Nullable<Int4>,
        joined_seq -> Int4,
        notification_level -> Nullable<Text>,
        level_in_force -> Text,
    }
}

diesel::table! {
    messages (conversation_id, seq) {
        conversation_id -> Uuid,
        seq -> Int4,
        id -> Uuid,
        author_id -> Uuid,
        kind -> Text,
        msg_no -> Nullable<Int4>,
        thread_root_seq -> Nullable<Int4>,
        reply_to_seq -> Nullable<Int4>,
        client_key -> Nullable<Text>,
        input_digest -> Nullable<Bytea>,
        content -> Nullable<Text>,
        version -> Int4,
        created_at -> Timestamptz,
        edited_at -> Nullable<Timestamptz>,
        deleted_at -> Nullable<Timestamptz>,
        deleted_by_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    message_revisions (conversation_id, seq, version) {
        conversation_id -> Uuid,
        seq -> Int4,
        version -> Int4,
        content -> Text,
        replaced_at -> Timestamptz,
        replaced_by_id -> Uuid,
    }
}

diesel::table! {
    threads (conversation_id, root_seq) {
        conversation_id -> Uuid,
        root_seq -> Int4,
        reply_count -> Int4,
        last_reply_seq -> Nullable<Int4>,
        last_reply_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    thread_followers (conversation_id, root_seq, user_id) {
        conversation_id -> Uuid,
        root_seq -> Int4,
        user_id -> Uuid,
        is_following -> Bool,
        last_read_seq -> Int4,
        last_written_seq -> Nullable<Int4>,
    }
}

diesel::table! {
    mentions (conversation_id, seq, user_id) {
        conversation_id -> Uuid,
        seq -> Int4,
        user_id -> Uuid,
        thread_root_seq -> Nullable<Int4>,
        author_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    broadcast_mentions (conversation_id, seq, kind) {
        conversation_id -> Uuid,
        seq -> Int4,
        kind -> Text,
        thread_root_seq -> Nullable<Int4>,
        author_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    reactions (conversation_id, seq, user_id, emoji) {
        conversation_id -> Uuid,
        seq -> Int4,
        user_id -> Uuid,
        emoji -> Text,
        added_seq -> Int4,
        reacted_at -> Timestamptz,
    }
}

diesel::table! {
    reaction_counts (conversation_id, seq, emoji) {
        conversation_id -> Uuid,
        seq -> Int4,
        emoji -> Text,
        count -> Int4,
        first_seq -> Int4,
    }
}

diesel::table! {
    pins (conversation_id, seq) {
        conversation_id -> Uuid,
        seq -> Int4,
        pinned_seq -> Int4,
        pinned_at -> Timestamptz,
        pinned_by_id -> Uuid,
    }
}

diesel::table! {
    notifications (user_id, id) {
        user_id -> Uuid,
        id -> Uuid,
        kind -> Text,
        is_urgent -> Bool,
        actor_id -> Nullable<Uuid>,
        conversation_id -> Nullable<Uuid>,
        seq -> Nullable<Int4>,
        message_seq -> Nullable<Int4>,
        thread_root_seq -> Nullable<Int4>,
        group_id -> Nullable<Uuid>,
        detail -> Nullable<Text>,
        created_at -> Timestamptz,
        read_at -> Nullable<Timestamptz>,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    conversation_events (conversation_id, seq) {
        conversation_id -> Uuid,
        seq -> Int4,
        kind -> Int2,
        actor_id -> Nullable<Uuid>,
        subject_seq -> Nullable<Int4>,
        payload -> Nullable<Jsonb>,
        occurred_at -> Timestamptz,
    }
}

diesel::table! {
    audit_entries (id) {
        id -> Uuid,
        at -> Timestamptz,
        actor_id -> Nullable<Uuid>,
        action -> Text,
        subject_id -> Text,
        details -> Jsonb,
    }
}

diesel::table! {
    import_sources (id) {
        id -> Int4,
        name -> Text,
    }
}

diesel::table! {
    import_channels (source_id, name) {
        source_id -> Int4,
        name -> Text,
        conversation_id -> Uuid,
        last_line -> Int4,
    }
}

diesel::table! {
    import_people (source_id, nick) {
        source_id -> Int4,
        nick -> Text,
        user_id -> Uuid,
    }
}

diesel::table! {
    import_lines (conversation_id, line) {
        conversation_id -> Uuid,
        line -> Int4,
        seq -> Int4,
        thread_root_seq -> Nullable<Int4>,
    }
}

diesel::table! {
    digests (user_id) {
        user_id -> Uuid,
        mailed_up_to -> Timestamptz,
        sent_at -> Timestamptz,
    }
}

diesel::table! {
    jobs (id) {
        id -> Uuid,
        kind -> Text,
        unique_key -> Nullable<Text>,
        payload -> Jsonb,
        due_at -> Timestamptz,
        attempts -> Int4,
        lease -> Nullable<Uuid>,
        again_at -> Nullable<Timestamptz>,
        last_error -> Nullable<Text>,
        died_at -> Nullable<Timestamptz>,
        enqueued_at -> Timestamptz,
    }
}

diesel::joinable!(accounts -> users (user_id));
diesel::joinable!(channel_readers -> conversations (conversation_id));
diesel::joinable!(channel_readers -> users (user_id));
diesel::joinable!(channels -> conversations (conversation_id));
diesel::joinable!(conversation_members -> conversations (conversation_id));
diesel::joinable!(conversation_members -> users (user_id));
diesel::joinable!(direct_conversations -> conversations (conversation_id));
diesel::joinable!(preferences -> users (user_id));
diesel::joinable!(presences -> users (user_id));
diesel::joinable!(push_devices -> sessions (session_id));
diesel::joinable!(sessions -> users (user_id));

diesel::allow_tables_to_appear_in_same_query!(
    accounts,
    audit_entries,
    blocks,
    broadcast_mentions,
    channel_categories,
    channel_lists,
    channel_readers,
    channels,
    conversation_events,
    conversation_members,
    conversations,
    creation_keys,
    digests,
    direct_conversations,
    group_members,
    groups,
    held_usernames,
    import_channels,
    import_lines,
    import_people,
    import_sources,
    invitations,
    jobs,
    mailed_tokens,
    mentions,
    message_revisions,
    messages,
    notifications,
    oauth_accounts,
    oauth_states,
    pins,
    preferences,
    presences,
    push_devices,
    pushes,
    reaction_counts,
    reactions,
    recovery_codes,
    second_factors,
    sessions,
    sign_in_challenges,
    thread_followers,
    threads,
    users,
);

diesel::allow_columns_to_appear_in_same_group_by_clause!(channels::group_id, conversation_members::user_id);
