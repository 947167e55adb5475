DROP TABLE pushes, push_devices;
