//! A database for each test, cloned from a template: 22 ms instead of running the migrations.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use chinwag::db::embedded::Cluster;
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

const TEMPLATE: &str = "template_of_tests";

/// Of jobs. Devices are told, and letters go, in their own time, and write nothing that is compared.
const WRITES_HERE: &str = "kind NOT IN ('push', 'push_device', 'mail')";

/// A database of the test's own; dropped with it.
pub struct Database {
    pub name: String,
    pub url: String,
    /// For `rows`, opened when first needed.
    client: OnceCell<Client>,
    /// The statement of `contents`.
    digests: OnceCell<String>,
}

impl Database {
    pub async fn create() -> Self {
        Self::made(&format!("TEMPLATE {TEMPLATE} {}", strategy().await)).await
    }

    /// Without any tables.
    pub async fn empty() -> Self {
        Self::made("").await
    }

    async fn made(how: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let cluster = cluster();
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        run(&cluster.url("postgres"), format!("CREATE DATABASE {name} {how}")).await;
        Self { url: cluster.url(&name), name, client: OnceCell::new(), digests: OnceCell::new() }
    }

    /// Runs statements on it, as an operator would.
    pub async fn execute(&self, sql: &str) {
        run(&self.url, sql.to_owned()).await;
    }

    /// The same, where the database may refuse.
    pub async fn try_execute(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        try_run(&self.url, sql).await
    }

    /// What a query finds, as text; null is empty.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let client = self.client.get_or_init(async || {
            let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
            tokio::spawn(connection);
            client
        });
        let messages = client.await.simple_query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| (0..row.len()).map(|column| row.get(column).unwrap_or_default().to_owned()).collect()).collect()
    }

    /// A digest of each table: two that are equal prove that nothing was changed in between. What an earlier change left to
    /// be done at once is done before.
    pub async fn contents(&self) -> Vec<Vec<String>> {
        let at_once = format!(
            "SELECT count(*) FROM jobs WHERE {WRITES_HERE} AND died_at IS NULL AND (lease IS NOT NULL OR due_at <= enqueued_at)"
        );
        self.until(&at_once, "0").await;
        let statement = self.digests.get_or_init(async || {
            let digest = "SELECT %L, count(*), md5(string_agg(row::text, '' ORDER BY row::text)) FROM %I AS row";
            let tables = "information_schema.tables WHERE table_schema = 'public' AND table_name <> 'pushes'";
            // There is always one of what recurs, as soon as a server works.
            let own = format!(
                "CASE table_name WHEN 'jobs' THEN $$ WHERE unique_key IS DISTINCT FROM 'recurring' AND {WRITES_HERE}$$ \
                 ELSE '' END"
            );
            let of_each = format!("format($${digest}$$, table_name, table_name) || {own}");
            let all = self.rows(&format!("SELECT string_agg({of_each}, ' UNION ALL ') FROM {tables}")).await;
            format!("{} ORDER BY 1", all[0][0])
        });
        self.rows(statement.await).await
    }

    /// Waits until the first of what a query finds is this text.
    pub async fn until(&self, sql: &str, wanted: &str) {
        let mut found = Vec::new();
        for _ in 0..6_000 {
            found = self.rows(sql).await;
            if found.first().is_some_and(|row| row[0] == wanted) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("{sql} should find {wanted:?}: {found:?}");
    }

    /// Keeps what a statement locks, until this is dropped.
    pub async fn hold(&self, sql: &str) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("BEGIN; {sql}")).await.unwrap();
        client
    }

    /// Waits until somebody waits for a row that somebody else has locked.
    pub async fn until_somebody_waits(&self) {
        let wait = "SELECT count(*) > 0 FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
            WHERE d.datname = current_database() AND l.locktype = 'tuple'";
        self.until(wait, "t").await;
    }

    /// Waits until nothing is being written any more that is older than this call, by whatever test: a position in a
    /// viewer's stream stands before it until then, and whoever resumes is told again of what came since.
    pub async fn settle(&self) {
        let now = &self.rows("SELECT pg_current_xact_id()").await[0][0];
        self.until(&format!("SELECT pg_snapshot_xmin(pg_current_snapshot()) > '{now}'::xid8"), "t").await;
    }

    /// One number.
    pub async fn count(&self, sql: &str) -> i64 {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let count = client.query_one(sql, &[]).await.unwrap().get(0);
        drop(client);
        connection.await.unwrap().unwrap();
        count
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop_it = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let url = cluster().url("postgres");
        // The test's own runtime is about to end. What fails here goes with the cluster.
        std::thread::spawn(move || block_on(async move { try_run(&url, &drop_it).await.ok() }));
    }
}

/// The cluster of this run, made when first asked for; gone when the process ends, however it ends.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        // On a thread of its own: the cluster blocks, and each test has a runtime of its own.
        let made = std::thread::spawn(|| {
            let cluster = Cluster::throwaway().unwrap_or_else(|error| panic!("{error}"));
            block_on(async {
                run(&cluster.url("postgres"), format!("CREATE DATABASE {TEMPLATE}")).await;
                chinwag::db::migrate(&cluster.url(TEMPLATE)).await.unwrap();
                // Nobody may be connected to it while it is copied.
                let close = format!("ALTER DATABASE {TEMPLATE} ALLOW_CONNECTIONS false");
                run(&cluster.url("postgres"), close).await;
            });
            cluster
        });
        made.join().unwrap()
    })
}

/// How a template is copied fastest. Before 15 there was no other way, and no word for it.
async fn strategy() -> &'static str {
    static IS_NAMED: OnceCell<bool> = OnceCell::const_new();
    let find_out = async || {
        let (client, connection) = tokio_postgres::connect(&cluster().url("postgres"), NoTls).await.unwrap();
        tokio::spawn(connection);
        let version: i32 =
            client.query_one("SELECT current_setting('server_version_num')::int", &[]).await.unwrap().get(0);
        version >= 150_000
    };
    match IS_NAMED.get_or_init(find_out).await {
        true => "STRATEGY file_copy",
        false => "",
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn run(url: &str, sql: String) {
    try_run(url, &sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

async fn try_run(url: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await?;
    drop(client);
    connection.await.unwrap()
}
