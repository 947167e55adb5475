//! A chat server with a GraphQL API and subscriptions.
//!
//! # One message, from keyboard to socket
//!
//! `http` takes a request or a socket's message, finds out who asks (`accounts::authenticate`), and hands the operation
//! to `api::execute`, which parses its document or knows it already (`api::documents`), weighs it (`api::guard`) and
//! runs it. The resolver in `messages::graphql` makes a `Draft` of the input and calls the rule `messages::send`, which
//! serves it together with all that others send at that moment (`gather`): one transaction locks the conversations
//! (`conversations::gather`), looks for what decides, judges each draft (`conversations::may`) and writes the messages,
//! their events with the next `seq`, the counters, and who is mentioned, follows and is told (`notifications`). When
//! that is committed, and not before, `db::Tx` lets go of its outbox: each event goes through `log::Hub` to every
//! `log::Follower` of that conversation, and as a notification to other servers, which read the table. One follower
//! hears for all who are shown the same (`subscription`): the event is executed once, when it is delivered, so it shows
//! the present and never what was deleted, and its bytes go to every socket. `conversations::follow` has each catch up
//! before, and ends the stream where their sight ends.
//!
//! # The map
//!
//! A folder is an area, a file name is a layer.
//!
//! - Core: `app` (what is shared), `config`, `clock`, `id`, `error`, `viewer`, `context` (a request's viewer and
//!   loaders), `cookie` (a browser's refresh token), `page` (Relay connections), `text` (checks), `scalar`,
//!   `directive`, `keys`, `signing` (access tokens), `password`, `limits` (how much anybody may ask for in a while),
//!   `links` (to pages for people), `providers` (where people sign in besides here), `gather` (those who want the
//!   same at once), `urgency` (what passes quiet hours), `creations` (what a `clientKey` made), `schema` (the
//!   tables), `db` (pool, transactions, the private PostgreSQL), `jobs` (work that is done after the transaction that
//!   causes it), `mail` (letters to people), `recount` (counters against what they count), `log` (append, read,
//!   follow, forget), `realtime` (what holds at this moment: who is here, what passes, which sessions have just
//!   ended, who is to be told what of their own), `subscription` (source streams, and those who share one), `answer`
//!   (what goes back), `outgoing` (requests to other hosts) and `tls` (whom to believe there).
//! - Areas, bottom up, the rules of each using those before it (GraphQL types refer to one another in circles):
//!   `audit`, `users` (profiles, the directory, blocks), `accounts` (sign-in, sessions, preferences, devices), `push`
//!   (how something gets to a device), `notifications` (the bell, which those above it ring), `groups` (members and
//!   roles there), `invitations` (who may come), `oauth` (signing in at other providers), `conversations` (channels,
//!   their order, direct conversations, members, roles), `presence` (who is here, what they say about it, who types),
//!   `reads` (what is unread, the sidebar, the inbox), `messages` (threads, mentions, reactions, pins), `farewell`
//!   (leaving for good), `import`, `admin` (the desk of those who run the server), `viewer_events` (everything that
//!   concerns somebody, in one stream). In each: `mod.rs` is the front door; a verb a file is a rule; `store.rs`, or
//!   the folder `store`, is SQL; `events.rs` is what stands in the log; `loaders.rs` looks up many at once; `graphql`
//!   is the face. A folder within an area is the same in small.
//! - The top, which knows all areas: `api` (the schema and the door to executing), `http` (router, requests, streams,
//!   sockets), `start` (from nothing to a running server).
//!
//! # Invariants
//!
//! - SQL only in `store` and `db`; a store writes only its own tables.
//! - Nothing is published that was not committed. What has to reach the world outside, however often a server dies, is
//!   a job (`Tx::enqueue`): it runs at least once, so it is written such that twice does no harm.
//! - Commit order is `seq` order within a conversation: whatever takes a `seq`, or changes what a send checks, first
//!   locks the conversation's row, in a statement of its own; but for blocks, which are of people and hold for what
//!   begins after them. A reader that sees a gap reads the table.
//! - Rows are locked from the group to its channels, and of several channels in the order of their ids. Whatever takes
//!   something from somebody in a group holds all of its channels.
//! - Nothing reads the clock but `Clock`; ids are typed and carry its time.
//! - Out of sight is *not found*: `conversations::Sight` is the only way to read, `conversations::lock` the only way to
//!   write (`gather`, where many write at once), but for what is each member's own, which takes their `Seat` and no
//!   lock; `conversations::Chronicle` is for the import, which nobody asks for over the network. Authorization sits in
//!   the rule, never in the resolver.
//! - A subscription never outlives the sight or the session that opened it.
//! - The hub and all of `realtime` may vanish at any moment; nothing stored depends on them.
//! - A loader's answer depends on its key alone.
//! - Whatever is somebody's own leaves a mark when it changes (`Outbox::marks`), and in its row the number of the
//!   transaction, which a trigger writes: what was told live, and what is told on resuming, are found by these two.
//! - What is shown to several at once is executed without a viewer: a field whose value depends on who asks is
//!   `@perViewer`, and asks `Ask::viewer`.
//! - Whatever a stranger names is asked through `Outgoing::post_to_stranger`, and by nothing else.
//! - What lets somebody keep an account that is not theirs takes an `accounts::Fresh`, and its owner is told
//!   (`accounts::alarm`).
//! - Mutations run in a task of their own: who hangs up does not cut a transaction.
//!
//! Deliberately absent: an extension on the schema (any makes a large query half as slow again), mocks, permission
//! caches, foreign keys on messages and events.

pub mod accounts;
pub mod admin;
pub mod answer;
pub mod api;
pub mod app;
pub mod audit;
pub mod clock;
pub mod config;
pub mod context;
pub mod conversations;
pub mod cookie;
pub mod creations;
pub mod db;
pub mod directive;
pub mod error;
pub mod farewell;
pub mod gather;
pub mod groups;
pub mod http;
pub mod id;
pub mod import;
pub mod invitations;
pub mod jobs;
pub mod keys;
pub mod limits;
pub mod links;
pub mod log;
pub mod mail;
pub mod messages;
pub mod notifications;
pub mod oauth;
pub mod outgoing;
pub mod page;
pub mod password;
pub mod presence;
pub mod providers;
pub mod push;
pub mod reads;
pub mod realtime;
pub mod recount;
pub mod scalar;
pub mod schema;
pub mod signing;
pub mod start;
pub mod subscription;
pub mod text;
pub mod tls;
pub mod urgency;
pub mod users;
pub mod viewer;
pub mod viewer_events;
