DROP TABLE channel_readers;
