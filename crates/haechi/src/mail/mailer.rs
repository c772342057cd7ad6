//! The queue between pages and the mail server.

use std::fmt;

use futures_util::future::BoxFuture;
use lettre::message::Mailbox;
use tokio::sync::{mpsc, oneshot};

use super::transport::Transport;
use super::{Mail, MailError};
use crate::Result;
use crate::config::{ConfigError, ErrorKind};

/// Sends mail outside of requests. Cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    queue: mpsc::Sender<Job>,
}

enum Job {
    /// Writes a mail, or finds that there is none to send, and sends it.
    Write(BoxFuture<'static, Result<Option<Mail>>>),
    /// Tells that everything before was sent.
    Flush(oneshot::Sender<()>),
}

impl Mailer {
    /// Starts the queue for a setting such as `console`.
    pub(crate) fn open(setting: &str, from: &str) -> std::result::Result<Self, ConfigError> {
        let transport = Transport::parse(setting)?;
        let from = from.parse().map_err(|_| {
            let text = format!("mail_from \"{from}\" is not an address; write \"Site <site@example.org>\"");
            ConfigError::new(ErrorKind::Value, text)
        })?;
        let (queue, jobs) = mpsc::channel(LONGEST_QUEUE);
        tokio::spawn(work(jobs, transport, from));
        Ok(Self { queue })
    }

    /// Sends a mail after the answer.
    ///
    /// # Errors
    ///
    /// [`MailError::Full`] if too many are waiting.
    pub fn send(&self, mail: Mail) -> std::result::Result<(), MailError> {
        self.write(async { Ok(Some(mail)) })
    }

    /// Writes and sends a mail after the answer: what has to be looked up for it does not show in the answer's time.
    ///
    /// # Errors
    ///
    /// [`MailError::Full`] if too many are waiting.
    pub fn write<F>(&self, mail: F) -> std::result::Result<(), MailError>
    where
        F: Future<Output = Result<Option<Mail>>> + Send + 'static,
    {
        self.queue.try_send(Job::Write(Box::pin(mail))).map_err(|_| MailError::Full)
    }

    /// Waits until every mail that was handed over before has left, or failed to.
    pub async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.queue.send(Job::Flush(done)).await.is_ok() {
            // An error means that the queue has ended, and then nothing is left in it.
            drop(wait.await);
        }
    }
}

async fn work(mut jobs: mpsc::Receiver<Job>, transport: Transport, from: Mailbox) {
    while let Some(job) = jobs.recv().await {
        let mail = match job {
            Job::Write(mail) => mail.await,
            Job::Flush(done) => {
                if done.send(()).is_err() {
                    tracing::debug!("nobody waits for the mail any more");
                }
                continue;
            }
        };
        match mail {
            Ok(None) => {}
            Ok(Some(mail)) => {
                if let Err(error) = transport.deliver(&mail, &from).await {
                    tracing::error!(target: "haechi::failure", %error, "mail not sent");
                }
            }
            Err(error) => tracing::error!(target: "haechi::failure", ?error, "mail not written"),
        }
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").finish_non_exhaustive()
    }
}

/// More waiting mails mean that the server is away; refusing is better than growing.
const LONGEST_QUEUE: usize = 256;
