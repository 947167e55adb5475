-- Devices that take push notifications.

CREATE TABLE push_devices (
    id            uuid PRIMARY KEY,
    user_id       uuid NOT NULL REFERENCES users ON DELETE RESTRICT,
    session_id    uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    platform      text NOT NULL CHECK (platform IN ('APNS', 'FCM', 'WEB_PUSH')),
    address       text NOT NULL,
    p256dh        bytea CHECK (octet_length(p256dh) = 65),
    auth          bytea CHECK (octet_length(auth) = 16),
    name          text,
    refreshed_at  timestamptz NOT NULL,
    failing_since timestamptz,
    CONSTRAINT push_devices_address_key UNIQUE (address, platform),
    CONSTRAINT push_devices_keys_check CHECK (
        (platform = 'WEB_PUSH') = (p256dh IS NOT NULL) AND (platform = 'WEB_PUSH') = (auth IS NOT NULL))
);
COMMENT ON TABLE push_devices IS 'Devices that take push notifications. One goes with its session, and where its service no longer knows it.';
COMMENT ON COLUMN push_devices.address IS 'What its service knows it by: a token, or for WEB_PUSH the endpoint. Whoever registered it last has it.';
COMMENT ON COLUMN push_devices.p256dh IS 'Its public key, a point of P-256, uncompressed (RFC 8291).';
COMMENT ON COLUMN push_devices.auth IS 'The secret that goes with the key.';
COMMENT ON COLUMN push_devices.failing_since IS 'Since when its service has not answered; null where it did.';
CREATE INDEX push_devices_user_id_idx ON push_devices (user_id);
CREATE INDEX push_devices_session_id_idx ON push_devices (session_id);
