//! A connection that hears what is said on a channel.

use std::{future::poll_fn, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc::{self, Receiver, Sender, error::TrySendError},
    time::timeout,
};
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, Notification};
use uuid::Uuid;

use super::{Postgres, address::Address, failure};
use crate::{Error, ErrorKind, Prepared, Result};

/// What was said and not yet taken. The connection ends with it.
pub(crate) struct Notifications {
    said: Receiver<Notification>,
    channel: &'static str,
    client: Client,
}

impl Notifications {
    /// Returns `None` when the connection is lost.
    pub(crate) async fn next(&mut self) -> Option<String> {
        self.next_on(self.channel).await
    }

    async fn next_on(&mut self, channel: &str) -> Option<String> {
        loop {
            let said = self.said.recv().await?;
            if said.channel() == channel {
                return Some(said.payload().to_owned());
            }
        }
    }

    async fn open(address: &Address, channel: &'static str) -> Result<Notifications, tokio_postgres::Error> {
        let mut config = address.config.clone();
        // Nothing is sent over it, so that only the system notices that the other side is gone.
        config.keepalives_idle(LOOK).keepalives_interval(LOOK).keepalives_retries(LOOKS);
        let (say, said) = mpsc::channel(UNREAD);
        let client = match &address.tls {
            Some(tls) => {
                let (client, connection) = config.connect(tls.clone()).await?;
                tokio::spawn(drive(connection, say));
                client
            }
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                tokio::spawn(drive(connection, say));
                client
            }
        };
        client.batch_execute(&format!("listen {TRIAL}")).await?;
        Ok(Notifications { said, channel, client })
    }

    /// Listens to its channel once it has heard `word`; others that start at the same moment say words of theirs.
    async fn listen(&mut self, word: &str) -> Result<()> {
        while let Some(said) = self.next_on(TRIAL).await {
            if said == word {
                // The name is a const of this program, of letters that need no quotes.
                let turn = format!("unlisten {TRIAL}; listen {}", self.channel);
                return self.client.batch_execute(&turn).await.map_err(|error| failure::translate(&error));
            }
        }
        Err(Error::unavailable())
    }
}

impl Postgres {
    /// Opens a connection that listens, and says something to it over another.
    pub(crate) async fn listen(&self, channel: &'static str) -> Result<Notifications> {
        if self.options.prepared == Prepared::Drop {
            return Err(unheard());
        }
        let opened =
            timeout(self.options.wait_timeout, Notifications::open(self.pool.address(), channel)).await;
        let mut notifications = match opened {
            Ok(Ok(notifications)) => notifications,
            Ok(Err(error)) => return Err(failure::connecting(&error)),
            Err(_) => return Err(Error::unavailable()),
        };
        let word = Uuid::new_v4().to_string();
        // Nothing is prepared: where the trial fails, a pooler has the statement prepared elsewhere.
        self.pool.take().await?.batch(&format!("select pg_notify('{TRIAL}', '{word}')")).await?;
        timeout(HEARD, notifications.listen(&word)).await.unwrap_or_else(|_| Err(unheard()))?;
        Ok(notifications)
    }
}

fn unheard() -> Error {
    Error::new(ErrorKind::Configuration("behind a pooler of PostgreSQL nothing is heard on a channel"))
}

/// Moves the bytes of the connection until it is lost, nobody listens, or too much lies unread.
async fn drive<S, T>(mut connection: Connection<S, T>, say: Sender<Notification>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(word))) => match say.try_send(word) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => {
                    return tracing::warn!("what is said on a channel is not taken; the listener is closed");
                }
                Err(TrySendError::Closed(_)) => return,
            },
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                return tracing::warn!(code = %failure::code(&error), "a listener of postgres was lost");
            }
            None => return,
        }
    }
}

const TRIAL: &str = "haechi_trial";

/// How long the way of a word may be.
const HEARD: Duration = Duration::from_secs(2);

const UNREAD: usize = 1_024;

/// Together half a minute.
const LOOK: Duration = Duration::from_secs(6);
const LOOKS: u32 = 4;
