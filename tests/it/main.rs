//! Through the public door: real HTTP and real sockets, a real PostgreSQL. One binary, so that all tests share one
//! cluster and are linked once.

mod harness;

mod accounts;
mod architecture;
mod authorization;
mod bad_input;
mod blocks;
mod clients;
mod command_line;
mod conversations;
mod costs;
mod direct;
mod documents;
mod embedded;
mod event_stream;
mod groups;
mod http;
mod import;
mod mentions;
mod messages;
mod null_propagation;
mod old_protocol;
mod people;
mod permissions;
mod pins;
mod preferences;
mod presence;
mod pressure;
mod reactions;
mod reads;
mod reconnects;
mod replay;
mod roles;
mod schema;
mod sends;
mod sessions;
mod settings;
mod sharing;
mod socket;
mod story;
mod streams;
mod threads;
mod toy;
mod unread;
mod viewer_events;
