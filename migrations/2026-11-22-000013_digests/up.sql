CREATE TABLE digests (
    user_id      uuid PRIMARY KEY REFERENCES users ON DELETE RESTRICT,
    mailed_up_to timestamptz NOT NULL,
    sent_at      timestamptz NOT NULL
);
COMMENT ON TABLE digests IS 'How far somebody was mailed of their notifications, so that none is mailed twice.';
COMMENT ON COLUMN digests.mailed_up_to IS 'What came before this was in a mail, if it was unread then.';
COMMENT ON COLUMN digests.sent_at IS 'When the latest mail was handed over: the next one keeps its distance.';
