//! The secret of a visitor, derived from the session or from a cookie.

use std::fmt;
use std::sync::OnceLock;

use haechi_core::{CsrfSecret, KeyRing, SecureCookie, Token};
use haechi_session::Session;
use http::header::SET_COOKIE;
use http::{HeaderMap, Response};

use crate::Error;

/// A visitor, and the secret that is derived when a page or a form asks for it.
#[derive(Debug)]
pub(super) struct Visitor {
    keys: KeyRing,
    known: Option<Known>,
    /// The name that a visitor gets who has neither session nor cookie, once a page asks.
    fresh: OnceLock<Token>,
    secret: OnceLock<CsrfSecret>,
}

/// By what a visitor is known.
enum Known {
    Session(String),
    Cookie(String),
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session(_) => "Session(..)",
            Self::Cookie(_) => "Cookie(..)",
        })
    }
}

impl Visitor {
    /// Finds what the secret of a request is bound to: whoever signed in, the visitor's cookie, or nothing yet.
    ///
    /// A session in which nobody signed in changes nothing: it may begin after a page with a form was shown.
    ///
    /// # Security
    ///
    /// The secret is derived by the site's key from what a sign-in made: it ends the tokens of the visitor before, and
    /// nobody who can write a cookie can choose the secret of somebody who is signed in.
    pub(super) async fn of(
        session: &Session,
        headers: &HeaderMap,
        cookie: &SecureCookie,
        keys: &KeyRing,
    ) -> Result<Self, Error> {
        let known = match session.binding().await? {
            Some(binding) => Some(Known::Session(binding)),
            None => {
                let sent = cookie.find(headers).filter(|value| value.len() == COOKIE_LENGTH);
                sent.map(|id| Known::Cookie(id.to_owned()))
            }
        };
        let (fresh, secret) = (OnceLock::new(), OnceLock::new());
        Ok(Self { keys: keys.clone(), known, fresh, secret })
    }

    /// Sets the cookie of a new visitor, where a page asked for a token.
    pub(super) fn close<B>(&self, response: &mut Response<B>, cookie: &SecureCookie) -> Result<(), Error> {
        if let Some(id) = self.fresh.get() {
            response.headers_mut().append(SET_COOKIE, cookie.set(&id.expose())?);
        }
        Ok(())
    }

    pub(super) fn verifies(&self, token: &str) -> bool {
        self.known.is_some() && self.secret().verifies(token)
    }

    pub(super) fn secret(&self) -> &CsrfSecret {
        self.secret.get_or_init(|| match &self.known {
            Some(Known::Session(binding)) => derive(&self.keys, SESSION, binding),
            Some(Known::Cookie(id)) => derive(&self.keys, VISITOR, id),
            None => derive(&self.keys, VISITOR, &self.fresh.get_or_init(Token::generate).expose()),
        })
    }
}

fn derive(keys: &KeyRing, salt: &str, id: &str) -> CsrfSecret {
    const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let text: String = keys
        .mac(salt, id.as_bytes())
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 62)]))
        .collect();
    CsrfSecret::parse(&text).expect("32 letters and digits are a secret")
}

const SESSION: &str = "haechi.csrf.session";
const VISITOR: &str = "haechi.csrf.visitor";
/// A token of 256 bits in base64url.
const COOKIE_LENGTH: usize = 43;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use haechi_core::SecretKey;

    use super::*;

    #[test]
    fn a_secret_has_all_letters_and_is_of_its_key_purpose_and_id_alone() {
        let keys = [(); 2].map(|()| KeyRing::new(SecretKey::generate()));
        let secrets: Vec<String> =
            (0..200).map(|id| derive(&keys[0], VISITOR, &id.to_string()).expose()).collect();
        let letters: BTreeSet<char> = secrets.iter().flat_map(|secret| secret.chars()).collect();
        assert_eq!(letters.len(), 62);
        assert!(secrets.iter().all(|secret| secret.len() == 32));
        assert_eq!(secrets.iter().collect::<BTreeSet<_>>().len(), 200);
        assert_eq!(derive(&keys[0], VISITOR, "0").expose(), secrets[0]);
        assert_ne!(derive(&keys[0], SESSION, "0").expose(), secrets[0]);
        assert_ne!(derive(&keys[1], VISITOR, "0").expose(), secrets[0]);
    }
}
