//! The program as a newcomer and an operator run it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use chinwag::config;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// The program, in a folder of the test's own and without the tests' environment.
fn chinwag(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chinwag"));
    command
        .args(arguments)
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("DATA_DIR", folder.join("data"))
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

/// Entered by every user, as the database's may be another one.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// A server, which ends with the test that started it.
struct Server(Child);

impl Deref for Server {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Server {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A subcommand that stops before it starts a database.
fn stopped(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = told(&output);
    assert_eq!(told.lines().count(), 1, "{told}");
    told
}

#[test]
fn keys_are_rotated_where_there_are_some() {
    let folder = folder();
    let rotate = |secret: Option<&str>| {
        let mut command = chinwag(folder.path(), &["rotate-keys"]);
        command.envs(secret.map(|secret| ("JWT_SECRET", secret)));
        command
    };
    assert!(stopped(&mut rotate(None)).contains("there are no keys in"));
    assert!(stopped(&mut rotate(Some("a secret of the operator's own, long enough"))).contains("JWT_SECRET"));
    assert!(!folder.path().join("data").exists());
}

#[test]
fn a_bad_value_stops_the_start_with_a_line_that_names_it() {
    let folder = folder();
    for (name, value) in [
        ("LISTEN", "everywhere"),
        ("DATABASE_URL", "mysql://secret@host/chinwag"),
        ("JWT_SECRET", "secret"),
        ("PUBLIC_URL", "chat.example.org"),
        ("REGISTRATION", "everybody"),
        ("LOG_RETENTION_DAYS", "0"),
        ("LOG_RETENTION_DAYS", "ever"),
        ("SMTP_URL", "mail.example.org"),
        ("SMTP_URL", "http://mail.example.org"),
        ("SMTP_URL", "smtp://me:secret@mail.example.org"),
        ("SMTP_URL", "smtp://me:secret@mail.example.org?tls=opportunistic"),
        ("MAIL_FROM", "nobody"),
        ("MAIL_FROM", "a@example.org, b@example.org"),
        ("MAIL_DELAY", "0"),
        ("MAIL_DELAY", "soon"),
        ("APP_URL", "app.example.org"),
        ("APP_VERIFY_EMAIL", "/verify?token={token}"),
        ("APP_RESET_PASSWORD", "/reset"),
        ("APP_MESSAGE", "{message}"),
        ("CORS_ORIGINS", "https://a.example.org/path"),
        ("TRUSTED_PROXIES", "10.0.0.0/33"),
        ("TRUSTED_PROXIES", "proxy.lan"),
        ("GRAPHIQL", "maybe"),
        ("GRAPHIQL_DIR", "/nowhere"),
        ("RATE_LIMIT", "maybe"),
        ("RATE_LIMIT_ANONYMOUS", "0"),
        ("RATE_LIMIT_OBJECTS", "many"),
        ("RATE_LIMIT_MESSAGES", "-1"),
        ("RATE_LIMIT_SUBSCRIPTIONS", ""),
        ("RATE_LIMIT_SIGN_INS", "1.5"),
        ("RATE_LIMIT_REGISTRATIONS", "5000000000"),
        ("OAUTH_REDIRECT_URLS", "http://app.example.org/oauth"),
        ("OAUTH_REDIRECT_URLS", "app:/oauth"),
        ("GOOGLE_CLIENT_ID", ""),
        ("OIDC_PROVIDERS", "google"),
        ("OIDC_PROVIDERS", "work,work"),
        ("OIDC_PROVIDERS", "Work"),
        ("PROVIDER_HOSTS", "https://id.lan"),
        ("VAPID_PRIVATE_KEY", "c2hvcnQ"),
        // No private key of the curve is zero.
        ("VAPID_PRIVATE_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        ("PUSH_HOSTS", "push.lan:8443/path"),
        ("PUSH_HOSTS", "me@push.lan"),
        ("PUSH_WEBHOOK_URL", "localhost:9000"),
        ("EXTRA_CA_FILE", "/nowhere/ca.pem"),
        ("TRUSTED_DOCUMENTS", "nowhere.json"),
        ("TRUSTED_DOCUMENTS_ONLY", "maybe"),
        ("TRUSTED_DOCUMENTS_ONLY", "on"),
        ("INTROSPECTION", "maybe"),
        ("LOG", "chinwag=loudly"),
        ("LOG_FORMAT", "xml"),
        ("CHINWAG_ENV", "nowhere"),
    ] {
        let told = stopped(chinwag(folder.path(), &["serve"]).env(name, value));
        assert!(told.starts_with(&format!("chinwag: {name}: ")), "{told}");
        assert!(!told.contains("secret"), "{told}");
    }
    // What is set wants more.
    for (set, wanting) in [
        (&[("SMTP_URL", "smtp://localhost")][..], "MAIL_FROM"),
        (&[("APP_OAUTH", "/signed-in")], "APP_OAUTH"),
        (&[("GOOGLE_CLIENT_ID", "chinwag")], "GOOGLE_CLIENT_SECRET"),
        (&[("GITHUB_CLIENT_ID", "chinwag")], "GITHUB_CLIENT_SECRET"),
        (
            &[
                ("GITHUB_CLIENT_ID", "chinwag"),
                ("GITHUB_CLIENT_SECRET", "confidential"),
                ("GITHUB_URL", "http://github.example.org"),
            ],
            "GITHUB_URL",
        ),
        (&[("OIDC_PROVIDERS", "work")], "OIDC_WORK_ISSUER"),
        (&[("OIDC_PROVIDERS", "work"), ("OIDC_WORK_ISSUER", "http://id.example.org")], "OIDC_WORK_ISSUER"),
        (&[("OIDC_PROVIDERS", "work"), ("OIDC_WORK_ISSUER", "https://id.example.org")], "OIDC_WORK_CLIENT_ID"),
    ] {
        let told = stopped(chinwag(folder.path(), &["serve"]).envs(set.iter().copied()));
        assert!(told.starts_with(&format!("chinwag: {wanting}: ")) && !told.contains("confidential"), "{told}");
    }
    // Links in mails would lead to whoever reads them.
    let mut mails = chinwag(folder.path(), &["serve"]);
    mails.env("SMTP_URL", "smtp://localhost").env("MAIL_FROM", "chat@example.org").env("LISTEN", "0.0.0.0:8080");
    let told = stopped(&mut mails);
    assert!(told.starts_with("chinwag: PUBLIC_URL: ") && told.contains("SMTP_URL"), "{told}");
    assert!(!folder.path().join("data").exists());
}

#[test]
fn help_and_readme_know_the_same_variables() {
    let help = config::VARIABLES.lines().filter_map(|line| line.strip_prefix("  ")?.split("  ").next());
    let help: BTreeSet<&str> = help.flat_map(|names| names.split(", ")).filter(|name| is_variable(name)).collect();
    let readme = include_str!("../../README.md").lines().filter_map(|line| line.strip_prefix("| `")?.split('|').next());
    let readme: BTreeSet<&str> = readme.flat_map(|names| names.split('`')).filter(|name| is_variable(name)).collect();
    assert!(help.len() > 30);
    assert_eq!(help, readme);
}

fn is_variable(name: &str) -> bool {
    name.len() > 2 && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

#[test]
fn the_environment_wins_over_the_named_file_and_that_over_the_common_one() {
    let folder = folder();
    fs::write(folder.path().join(".env"), "LOG_FORMAT=common\nCHINWAG_ENV=named\n").unwrap();
    fs::write(folder.path().join(".env.named"), "RATE_LIMIT=named\n").unwrap();
    let migrate = || chinwag(folder.path(), &["migrate"]);

    let complains_of = |command: &mut Command| stopped(command).split(':').nth(1).unwrap().trim().to_owned();
    assert_eq!(complains_of(&mut migrate()), "RATE_LIMIT");
    assert_eq!(complains_of(migrate().env("RATE_LIMIT", "on")), "LOG_FORMAT");
    fs::write(folder.path().join(".env.named"), "LOG_FORMAT=json\nLOG=named=loudly\n").unwrap();
    assert_eq!(complains_of(&mut migrate()), "LOG");
    fs::write(folder.path().join(".env.other"), "LOG_FORMAT=json\nRATE_LIMIT=other\n").unwrap();
    assert_eq!(complains_of(migrate().env("CHINWAG_ENV", "other")), "RATE_LIMIT");
    fs::write(folder.path().join(".env"), "a secret without a name\n").unwrap();
    let told = stopped(&mut migrate());
    assert!(told.contains(".env") && !told.contains("secret"), "{told}");
}

#[test]
fn a_wrong_call_is_no_skipped_line() {
    let folder = folder();
    for arguments in [&["import"][..], &["dance"], &["user", "promote", "alice", "--role", "KING"]] {
        let output = chinwag(folder.path(), arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
    }
    for arguments in [&["--help"][..], &["import", "--help"], &["--version"]] {
        let output = chinwag(folder.path(), arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
    }
}

#[test]
fn the_schema_needs_nothing_set_up() {
    let folder = folder();
    let output = chinwag(folder.path(), &["schema"]).env("LISTEN", "nowhere").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), chinwag::api::sdl());
}

/// From nothing: the server makes its database, others use it while it runs, and each makes do without it.
#[test]
fn subcommands_share_the_database_of_a_running_server() {
    const LINE: &str = r#"{"channel": "irc", "id": 1, "at": "2010-01-01T00:00:00Z", "kind": "message", "nick": "alice", "text": "hi"}"#;
    let folder = folder();
    let file = folder.path().join("irc.jsonl");
    fs::write(&file, LINE).unwrap();
    let import = || chinwag(folder.path(), &["import", file.to_str().unwrap()]).output().unwrap();

    let mut server =
        Server(chinwag(folder.path(), &["serve"]).env("LISTEN", "127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap());
    // As soon as the server holds the folder, while the cluster is still being made: before that it would be this one's.
    let lock = folder.path().join("data/server.lock");
    while fs::read_to_string(&lock).unwrap_or_default().trim() != server.id().to_string() {
        assert_eq!(server.try_wait().unwrap(), None, "the server starts");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let promoted = chinwag(folder.path(), &["user", "promote", "nobody", "--role", "ADMIN"]).output().unwrap();
    assert_eq!(promoted.status.code(), Some(1), "{promoted:?}");
    assert!(told(&promoted).contains("There is no such user"), "{promoted:?}");
    let mut greeting = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first: Vec<String> = greeting.by_ref().take(4).collect();
    assert!(first.iter().any(|line| line.contains("/graphql")), "{first:?}");
    assert!(first.iter().any(|line| line.contains(folder.path().to_str().unwrap())), "{first:?}");

    let imported = import();
    assert_eq!(imported.status.code(), Some(0), "{imported:?}");
    assert!(String::from_utf8_lossy(&imported.stdout).starts_with("1 message, 1 new person"), "{imported:?}");

    kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(0));
    assert!(!folder.path().join("data/postgres/postmaster.pid").exists());

    let again = import();
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    assert!(String::from_utf8_lossy(&again.stdout).contains("1 line was here already"), "{again:?}");
    assert!(!folder.path().join("data/postgres/postmaster.pid").exists());
}
