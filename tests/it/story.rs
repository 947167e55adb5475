//! The whole story, with the program itself: from registering to a stream that resumes after the server was killed in the
//! middle of sending.

use std::collections::{BTreeMap, HashMap};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Actor, Socket};

/// The program, serving; killed when it is dropped.
struct Program(Child);

impl Program {
    /// Serves from this folder, and waits until it answers.
    async fn serve(folder: &Path, address: SocketAddr) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_chinwag"))
            .env("DATA_DIR", folder)
            .env("LISTEN", address.to_string())
            .env("LOG", "warn")
            // These try again at once until they get through, more often than people do.
            .env("RATE_LIMIT", "off")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut program = Self(child);
        loop {
            assert_eq!(program.0.try_wait().unwrap(), None, "it does not start");
            match reqwest::get(format!("http://{address}/health")).await {
                Ok(health) if health.status() == 200 => return program,
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// As by `kill -9`.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where the program may listen, now and after a restart.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Entered by every user, as the database's may be another one.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

const SEND: &str =
    "mutation($input: SendMessageInput!) { sendMessage(input: $input) { isReplay message { id seq content } } }";

fn input(channel: &str, key: &str) -> Value {
    json!({ "input": { "conversationId": channel, "clientKey": key, "content": format!("says {key}") } })
}

/// Sends under keys of its own until the server is gone: what was acknowledged, and the key that got no answer.
async fn send_until_it_dies(sender: Actor, channel: String, name: usize) -> (HashMap<String, Value>, String) {
    let mut acknowledged = HashMap::new();
    for number in 0.. {
        let key = format!("sender-{name}-{number}");
        match sender.send(SEND, input(&channel, &key)).await {
            Ok(answer) if answer["data"]["sendMessage"].is_object() => {
                acknowledged.insert(key, answer["data"]["sendMessage"]["message"].clone());
            }
            // Cut off, or told that the database is gone: whether it arrived is unknown.
            _ => return (acknowledged, key),
        }
    }
    unreachable!("keys do not run out")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_message_is_lost_or_doubled_when_the_server_is_killed() {
    let (folder, address) = (folder(), free_address());
    let mut program = Program::serve(folder.path(), address).await;
    let alice = Actor::register(address, "alice").await;
    let bob = Actor::register(address, "bob").await;
    let channel = alice.public_channel("Release planning").await;
    bob.join(&channel).await;

    let mut heard = BTreeMap::new();
    let mut resume_after = 0;
    let mut acknowledged = HashMap::new();
    for round in 0..3 {
        let mut socket = Socket::connect(address, bob.token.as_deref()).await;
        let mut log = socket.follow(&channel, Some(resume_after));
        let senders: Vec<_> = (0..4)
            .map(|name| tokio::spawn(send_until_it_dies(alice.clone(), channel.clone(), 10 * round + name)))
            .collect();
        // Bob listens until the server dies; what he heard last is where he goes on.
        let goal = resume_after + 60;
        while let Some(message) = log.message_until_closed().await {
            let batch = &message["payload"]["data"]["conversationEvents"];
            assert_eq!(batch["hasGap"], false, "{message}");
            for event in batch["events"].as_array().unwrap() {
                heard.insert(event["seq"].as_i64().unwrap(), event.clone());
            }
            resume_after = batch["seq"].as_i64().unwrap();
            if resume_after > goal {
                program.kill();
            }
        }
        program = Program::serve(folder.path(), address).await;
        for sender in senders {
            let (sent, in_doubt) = sender.await.unwrap();
            acknowledged.extend(sent);
            // The same input again: whether or not it had arrived, it is there once.
            let answer = alice.ask(SEND, input(&channel, &in_doubt)).await.data("sendMessage");
            acknowledged.insert(in_doubt, answer["message"].clone());
        }
    }
    let head = alice.say(&channel, "the end").await["seq"].as_i64().unwrap();
    let mut socket = Socket::connect(address, bob.token.as_deref()).await;
    for event in socket.follow(&channel, Some(resume_after)).events_until(head).await {
        heard.insert(event["seq"].as_i64().unwrap(), event);
    }

    // Without a hole, and nothing twice.
    assert_eq!(heard.keys().copied().collect::<Vec<_>>(), (1..=head).collect::<Vec<_>>());
    let mut by_key = HashMap::new();
    for event in heard.values().filter(|event| event["__typename"] == "MessageSentEvent") {
        let message = &event["message"];
        let earlier = by_key.insert(message["clientKey"].as_str().unwrap().to_owned(), message.clone());
        assert_eq!(earlier, None, "sent twice");
    }
    assert!(acknowledged.len() > 150, "{}", acknowledged.len());
    for (key, message) in &acknowledged {
        assert_eq!(by_key[key]["id"], message["id"], "{key}");
        assert_eq!(by_key[key]["seq"], message["seq"], "{key}");
    }
    // And a fresh look sees what the stream told.
    let newest = "query($id: ID!) { conversation(id: $id) { seq messages(last: 100) { nodes { id seq } } } }";
    let fresh = bob.ask(newest, json!({ "id": channel })).await.data("conversation");
    assert_eq!(fresh["seq"], head);
    for message in fresh["messages"]["nodes"].as_array().unwrap() {
        assert_eq!(heard[&message["seq"].as_i64().unwrap()]["message"]["id"], message["id"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_dies_is_started_again_while_requests_hear_of_it_and_streams_go_on() {
    let (folder, address) = (folder(), free_address());
    let _program = Program::serve(folder.path(), address).await;
    let alice = Actor::register(address, "alice").await;
    let channel = alice.public_channel("Release planning").await;
    let mut socket = alice.socket().await;
    let mut log = socket.follow(&channel, None);
    log.batch().await;
    alice.say(&channel, "before").await;
    log.batch().await;

    let postmaster = std::fs::read_to_string(folder.path().join("postgres/postmaster.pid")).unwrap();
    let postmaster = rustix::process::Pid::from_raw(postmaster.lines().next().unwrap().parse().unwrap()).unwrap();
    rustix::process::kill_process(postmaster, rustix::process::Signal::KILL).unwrap();
    let mut refusals = Vec::new();
    let sent = loop {
        let answer = alice.send(SEND, input(&channel, "after the fall")).await.unwrap();
        match answer["errors"][0]["extensions"]["code"].as_str() {
            None => break answer["data"]["sendMessage"]["message"].clone(),
            Some(code) => refusals.push(code.to_owned()),
        }
    };
    assert!(refusals.iter().all(|code| code == "UNAVAILABLE"), "{refusals:?}");
    let events = log.events_until(sent["seq"].as_i64().unwrap()).await;
    assert_eq!(events.last().unwrap()["message"]["id"], sent["id"]);
}
