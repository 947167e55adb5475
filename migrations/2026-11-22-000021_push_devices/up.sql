-- Devices that take push notifications.

CREATE TABLE push_devices (
    id            uuid PRIMARY KEY,
    user_id       uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    session_id    uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    platform      text NOT NULL CHECK (platform IN ('APNS', 'FCM', 'WEB_PUSH')),
    address       text NOT NULL,
    p256dh        bytea,
    auth          bytea,
    name          text,
    refreshed_at  timestamptz NOT NULL,
    failing_since timestamptz,
    asked_from    timestamptz NOT NULL,
    CONSTRAINT push_devices_address_platform_key UNIQUE (address, platform),
    CONSTRAINT push_devices_p256dh_check CHECK (
        (platform = 'WEB_PUSH') = (p256dh IS NOT NULL) AND octet_length(p256dh) = 65),
    CONSTRAINT push_devices_auth_check CHECK ((platform = 'WEB_PUSH') = (auth IS NOT NULL) AND octet_length(auth) = 16)
);
COMMENT ON TABLE push_devices IS 'Devices that take push notifications. One goes with its session, and where its service no longer knows it.';
COMMENT ON COLUMN push_devices.address IS 'What its service knows it by: a token, or for WEB_PUSH the endpoint. Whoever registered it last has it.';
COMMENT ON COLUMN push_devices.p256dh IS 'Its public key, a point of P-256, uncompressed (RFC 8291).';
COMMENT ON COLUMN push_devices.auth IS 'The secret that goes with the key.';
COMMENT ON COLUMN push_devices.asked_from IS 'When its service is asked again: one that does not answer, or not soon, is left alone for a while.';
COMMENT ON COLUMN push_devices.failing_since IS 'Since when its service has not answered; null where it did.';
CREATE INDEX push_devices_user_id_idx ON push_devices (user_id);
CREATE INDEX push_devices_session_id_idx ON push_devices (session_id);

CREATE TABLE pushes (
    device_id       uuid NOT NULL REFERENCES push_devices ON DELETE CASCADE,
    notification_id uuid NOT NULL,
    is_shown        boolean NOT NULL,
    CONSTRAINT pushes_pkey PRIMARY KEY (device_id, notification_id)
);
COMMENT ON TABLE pushes IS 'What was settled between a device and an unread notification of its owner. The row goes when that is read or gone.';
COMMENT ON COLUMN pushes.is_shown IS 'Whether it was pushed, so that it has to be taken back; otherwise it was left out, and stays so.';
