//! Where letters go.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::io::AsyncWriteExt;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::jobs::Failure;

/// For the server to answer one step.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// Carries letters away.
pub struct Mailer {
    way: Way,
    from: Mailbox,
    domain: String,
}

enum Way {
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    /// Each into a file of this folder.
    Folder(PathBuf),
}

impl Mailer {
    pub fn new(config: &Config) -> Result<Self> {
        let host = config.http.host();
        // Of a number in brackets nothing can be made that mail programs take for a name.
        let domain = if host.contains(['[', ']']) { "localhost" } else { host }.to_owned();
        let way = match &config.mail.smtp_url {
            Some(url) => Way::Smtp(Box::new(smtp(url, &domain).map_err(Error::internal)?)),
            None => Way::Folder(config.data.dir.join("mail")),
        };
        let from = config.mail.from.clone().unwrap_or_else(|| format!("chinwag@{domain}"));
        let from = from.parse().map_err(|_| Error::internal("MAIL_FROM is not an address"))?;
        Ok(Self { way, from, domain })
    }

    /// Who they come from.
    pub fn from(&self) -> &Mailbox {
        &self.from
    }

    /// What names are made unique by.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Where they are kept instead of being sent.
    pub fn folder(&self) -> Option<&Path> {
        match &self.way {
            Way::Smtp(_) => None,
            Way::Folder(folder) => Some(folder),
        }
    }

    pub(super) async fn deliver(&self, id: &str, message: &Message) -> Result<(), Failure> {
        match &self.way {
            Way::Smtp(smtp) => smtp.send(message.clone()).await.map(drop).map_err(refused),
            Way::Folder(folder) => keep(folder, id, message).await.map_err(|error| Error::internal(error).into()),
        }
    }
}

/// The way to a server, which is greeted by our name. Says what is wrong with the address.
pub fn smtp(url: &str, domain: &str) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|error| error.to_string())?;
    let name = ClientId::Domain(domain.to_owned());
    Ok(builder.hello_name(name).timeout(Some(ANSWERS_WITHIN)).build())
}

/// What the other end says of this letter for good is not asked again; what it says of us (530 to 538: sign in, or use TLS)
/// is put right by whoever runs this server.
fn refused(error: lettre::transport::smtp::Error) -> Failure {
    let is_about_us = error.status().is_some_and(|code| (530..=538).contains(&u16::from(code)));
    let is_final = (error.is_permanent() && !is_about_us) || error.is_client();
    let error = Error::unavailable(explain(&error));
    if is_final { Failure::for_good(error) } else { error.into() }
}

/// With its cause, which its own text may leave out.
fn explain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// Whole or not at all, and the same file however often it is tried.
async fn keep(folder: &Path, id: &str, message: &Message) -> std::io::Result<()> {
    tokio::fs::create_dir_all(folder).await?;
    let name = id.trim_matches(['<', '>']).split('@').next().unwrap_or_default();
    let draft = folder.join(format!("{name}.part"));
    let mut options = tokio::fs::OpenOptions::new();
    // People's letters, and what they sign in with.
    #[cfg(unix)]
    options.mode(0o600);
    let mut file = options.write(true).create(true).truncate(true).open(&draft).await?;
    file.write_all(&message.formatted()).await?;
    file.sync_all().await?;
    tokio::fs::rename(&draft, folder.join(format!("{name}.eml"))).await
}
