//! Letters, as they come to people through a real mail server.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use chinwag::mail::{self, Letter};
use chrono::TimeDelta;

use crate::harness::{MailServer, Mood, TestServer};

async fn server_with(mails: &MailServer) -> TestServer {
    TestServer::start_with(|config| {
        config.mail.smtp_url = Some(mails.url());
        config.mail.from = Some("Chinwag <chat@example.org>".into());
        config.http.public_url = "https://chat.example.org".into();
    })
    .await
}

async fn send(server: &TestServer, to: &str, letter: &Letter) {
    let app = &server.app;
    app.db
        .transaction(async move |tx| {
            mail::send(app, tx, to, letter, None);
            Ok(())
        })
        .await
        .unwrap();
}

fn letter() -> Letter {
    Letter::new("Grüße")
        .paragraph("Hello Alice,")
        .quote(".\nzwölf Boxkämpfer\n.")
        .link("Open", "https://chat.example.org")
}

async fn until_jobs_are(server: &TestServer, count: i64, which: &str) {
    let query = format!("SELECT count(*) FROM jobs WHERE kind = 'mail' AND {which}");
    server.database.until(&query, &count.to_string()).await;
}

#[tokio::test]
async fn a_letter_arrives_in_both_forms_and_with_the_headers_of_a_good_sender() {
    let mails = MailServer::start().await;
    let server = server_with(&mails).await;
    send(&server, "alice@example.org", &letter()).await;
    let taken = mails.mail(1).await;
    assert_eq!((taken.from.as_str(), taken.to.as_slice()), ("chat@example.org", &["alice@example.org".to_owned()][..]));
    let mail = taken.read();
    assert_eq!(mail.subject(), Some("Grüße"));
    assert_eq!(mail.from().unwrap().first().unwrap().name(), Some("Chinwag"));
    assert!(taken.text().contains("> zwölf Boxkämpfer\n> .\n\nOpen: https://chat.example.org\n"), "{}", taken.text());
    assert!(taken.html().contains("zwölf Boxkämpfer") && !taken.html().contains("<img"), "{}", taken.html());
    assert!(mail.message_id().unwrap().ends_with("@chat.example.org"), "{:?}", mail.message_id());
    assert_eq!(mail.date().unwrap().to_timestamp() / 60, server.clock.now().timestamp() / 60);
    assert_eq!(taken.header("Auto-Submitted").as_deref(), Some("auto-generated"));
    assert_eq!(taken.header("List-Unsubscribe"), None, "nobody asked for it to come again");
    until_jobs_are(&server, 0, "true").await;
}

#[tokio::test]
async fn a_mail_server_that_is_down_or_busy_is_asked_again() {
    let mails = MailServer::start().await;
    let server = server_with(&mails).await;
    mails.be(Mood::IsDown);
    send(&server, "alice@example.org", &letter()).await;
    until_jobs_are(&server, 1, "attempts = 1 AND lease IS NULL").await;
    mails.be(Mood::Refuses("450 try again later"));
    server.clock.advance(TimeDelta::minutes(1));
    until_jobs_are(&server, 1, "attempts = 2 AND lease IS NULL AND last_error LIKE '%450%'").await;
    mails.be(Mood::Refuses("530 sign in first"));
    server.clock.advance(TimeDelta::minutes(1));
    until_jobs_are(&server, 1, "attempts = 3 AND lease IS NULL AND last_error LIKE '%530%'").await;
    assert!(mails.taken().is_empty());
    mails.be(Mood::Takes);
    server.clock.advance(TimeDelta::minutes(1));
    mails.mail(1).await;
    until_jobs_are(&server, 0, "true").await;
}

#[tokio::test]
async fn what_is_refused_for_good_is_a_dead_letter_at_once() {
    let mails = MailServer::start().await;
    let server = server_with(&mails).await;
    mails.be(Mood::Refuses("550 no such person here"));
    send(&server, "nobody@example.org", &letter()).await;
    until_jobs_are(&server, 1, "attempts = 1 AND died_at IS NOT NULL AND last_error LIKE '%no such person%'").await;
    // Nor is anybody asked to take what is no address.
    send(&server, "alice@example.org\r\nBcc: mallory@example.org", &letter()).await;
    until_jobs_are(&server, 2, "died_at IS NOT NULL").await;
    assert_eq!((mails.connections(), mails.taken().len()), (1, 0));
}

#[tokio::test]
async fn strangers_fill_no_dead_letters_with_addresses_that_they_make_up() {
    let mails = MailServer::start().await;
    let server = server_with(&mails).await;
    mails.be(Mood::Refuses("550 no such person here"));
    server.register("mallory").await;
    mails.until_asked(1).await;
    until_jobs_are(&server, 0, "true").await;
    // A server that is only busy is asked again.
    mails.be(Mood::Refuses("450 try again later"));
    server.register("alice").await;
    until_jobs_are(&server, 1, "attempts = 1 AND lease IS NULL").await;
    mails.be(Mood::Takes);
    server.clock.advance(TimeDelta::minutes(1));
    assert_eq!(mails.mail(1).await.to, ["alice@example.org"]);
    // But not for ever: some say no more than that of hosts that are none.
    mails.be(Mood::Refuses("450 no such host"));
    server.register("oscar").await;
    until_jobs_are(&server, 1, "attempts = 1 AND lease IS NULL").await;
    server.clock.advance(TimeDelta::hours(8));
    until_jobs_are(&server, 0, "true").await;
    assert_eq!(mails.taken().len(), 1);
}

#[tokio::test]
async fn a_mail_server_that_hangs_holds_up_nothing_else() {
    let mails = MailServer::start().await;
    let server = server_with(&mails).await;
    mails.be(Mood::Hangs);
    for _ in 0..10 {
        send(&server, "alice@example.org", &letter()).await;
    }
    mails.until_asked(3).await;
    let alice = server.register("alice").await;
    let channel = alice.public_channel("general").await;
    alice.say(&channel, "hello").await;
    until_jobs_are(&server, 3, "lease IS NOT NULL").await;
    assert_eq!(mails.connections(), 3);
}

/// The mail was taken, and nobody here learned of it: the other end can tell that the second one is the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_while_it_sends_leaves_the_letter_to_another() {
    let mails = MailServer::start().await;
    let server = server_with(&mails).await;
    let another = server.another_that_works(chinwag::jobs::Kinds::default()).await;
    drop(server);
    mails.be(Mood::TakesInSilence);
    send(&another, "alice@example.org", &letter()).await;
    let mut child = Command::new(env!("CARGO_BIN_EXE_chinwag"))
        .env_clear()
        .env("DATABASE_URL", &another.database.url)
        .env("DATA_DIR", std::env::temp_dir())
        .env("JWT_SECRET", "a secret of the tests, long enough for HS256")
        .env("LISTEN", "127.0.0.1:0")
        .env("SMTP_URL", mails.url())
        .env("MAIL_FROM", "chat@example.org")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let first = mails.mail(1).await;
    child.kill().unwrap();
    child.wait().unwrap();
    until_jobs_are(&another, 1, "lease IS NOT NULL AND attempts = 1").await;

    mails.be(Mood::Takes);
    let clock = another.clock.clone();
    let heir = another
        .another_with(|config| {
            config.mail.smtp_url = Some(mails.url());
            config.mail.from = Some("chat@example.org".into());
        })
        .await;
    clock.advance(TimeDelta::seconds(91));
    let second = mails.mail(2).await;
    assert_eq!(second.header("Message-ID"), first.header("Message-ID"));
    assert_eq!(second.header("Date"), first.header("Date"));
    until_jobs_are(&heir, 0, "true").await;
}

#[tokio::test]
async fn without_a_mail_server_letters_go_into_files_that_only_the_server_reads() {
    let folder = tempfile::tempdir().unwrap();
    let server = TestServer::start_with(|config| config.data.dir = folder.path().to_owned()).await;
    send(&server, "alice@example.org", &letter()).await;
    until_jobs_are(&server, 0, "true").await;
    let files: Vec<_> =
        std::fs::read_dir(folder.path().join("mail")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(files[0].extension().unwrap(), "eml");
    assert_eq!(std::fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = std::fs::read(&files[0]).unwrap();
    let mail = mail_parser::MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(mail.subject(), Some("Grüße"));
}
