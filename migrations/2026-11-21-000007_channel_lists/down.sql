DROP TABLE channel_lists;
