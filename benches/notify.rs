//! What it costs that servers tell one another what they committed: once for each transaction, so for each batch.

use tokio_postgres::{Client, Statement};

use crate::common::database::{Cluster, Database};
use crate::common::server::Server;
use crate::common::table::{Aim, row};
use crate::common::turns::{TURN, Took, by_turns, of, turn};
use crate::send::{SENDERS, senders};

/// Who commits at once: as many as a server has connections.
const COMMITTERS: usize = 16;

pub async fn run(cluster: &Cluster) {
    let database = cluster.database("notify").await;
    commits(&database).await;
    let (senders, channels) = senders(&database).await;
    let senders = tokio::sync::Mutex::new(senders);
    let channels = &channels[..];
    let send = async || turn(&mut senders.lock().await, TURN, async |sender| sender.send(channels).await).await;
    let rounds = by_turns(
        async || {
            let _second = Server::start(&database);
            send().await
        },
        &send,
    )
    .await;
    let what = format!("{SENDERS} senders at the rule, heard by a second server, beside unheard");
    row(&what, "sends/s", of(&rounds, Took::per_second), Aim::Nothing);
}

/// In the database alone: a transaction of one row, which notifies, beside one that does not. Nobody listens.
async fn commits(database: &Database) {
    let table = "CREATE TABLE told (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, content text NOT NULL)";
    database.connect().await.batch_execute(table).await.expect("a table");
    let mut committers = Vec::new();
    for _ in 0..COMMITTERS {
        let client = database.connect().await;
        let insert = client.prepare("INSERT INTO told (content) VALUES ('row')").await.expect("a statement");
        let notify = "SELECT pg_notify('chinwag', gen_random_uuid()::text)";
        let notify = client.prepare(notify).await.expect("a statement");
        committers.push(Committer { client, insert, notify });
    }
    for count in [1, COMMITTERS] {
        let committers = tokio::sync::Mutex::new(&mut committers[..count]);
        let commit = async |tells: bool| {
            turn(&mut committers.lock().await, TURN, async |committer| committer.commit(tells).await).await
        };
        let rounds = by_turns(async || commit(true).await, async || commit(false).await).await;
        let what = format!("{count} connections, a commit with NOTIFY, beside one without");
        row(&what, "per s", of(&rounds, Took::per_second), Aim::Nothing);
    }
}

struct Committer {
    client: Client,
    insert: Statement,
    notify: Statement,
}

impl Committer {
    async fn commit(&self, tells: bool) {
        self.client.batch_execute("BEGIN").await.expect("a transaction");
        self.client.execute(&self.insert, &[]).await.expect("a row");
        if tells {
            self.client.execute(&self.notify, &[]).await.expect("a notification");
        }
        self.client.batch_execute("COMMIT").await.expect("a commit");
    }
}
