//! The string behind `import` and `from`: whoever chooses the module chooses the code.

use crate::error::{Code, Error};
use crate::escape::Rule;
use crate::url::{Purpose, Url};
use crate::word::Word;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Module {
    No,
    /// Behind `import`, where a `(` may follow.
    Import,
    /// Behind `from`.
    From,
    /// In the string, or right behind it.
    Name(Url),
}

impl Module {
    /// Takes a character of code that ends `word`, if that is not empty.
    pub(super) fn after(&mut self, word: &Word, dots: u8, c: char) {
        match word.as_str() {
            "" => {}
            "import" if dots != 1 => *self = Self::Import,
            "from" if dots != 1 => *self = Self::From,
            _ => *self = Self::No,
        }
        match (&self, c) {
            (Self::Import | Self::From, '"' | '\'' | '`') => *self = Self::Name(Url::new(Purpose::Resource)),
            // White space, and what may begin a comment.
            (Self::Import | Self::From, c) if c.is_whitespace() || c == '\u{feff}' || c == '/' => {}
            (Self::Import, '(') => {}
            _ => *self = Self::No,
        }
    }

    /// Takes a character of a literal.
    pub(super) fn push(&mut self, c: char, escaped: bool) {
        match self {
            // What an escape stands for is not known here.
            Self::Name(url) if escaped || c == '\\' => url.widen(),
            Self::Name(url) => url.push(c),
            _ => {}
        }
    }

    /// Checks a value that stands in code, behind `word` if that is not empty.
    pub(super) fn in_code(&mut self, word: &Word) -> Result<(), Error> {
        let behind = matches!(self, Self::Import | Self::From) && word.is_empty();
        *self = Self::No;
        if behind { Err(Error::new(Code::JsImport)) } else { Ok(()) }
    }

    /// The rule of a value in a literal that otherwise has the rule `plain`.
    pub(super) fn emit(&mut self, plain: Rule) -> Result<Rule, Error> {
        let Self::Name(url) = self else { return Ok(plain) };
        Ok(match url.emit()? {
            Rule::UrlResource => Rule::JsModule,
            // A path and a component are percent-encoded: nothing is left that ends a literal.
            rule => rule,
        })
    }

    pub(super) fn widen(&mut self) {
        if let Self::Name(url) = self {
            url.widen();
        }
    }

    /// Whether this, the exit of a block, is right for an override that ends in `exit` behind `word`.
    pub(super) fn covers(&self, exit: &Self, word: &Word) -> bool {
        (*exit == Self::No || exit == self) && !Self::begins(word)
    }

    pub(super) fn begins(word: &Word) -> bool {
        matches!(word.as_str(), "import" | "from")
    }

    /// What either branch would refuse is refused.
    pub(super) fn join(self, other: &Self) -> Self {
        match (&self, other) {
            (one, other) if *one == *other => self,
            (Self::Name(url), _) | (_, Self::Name(url)) => {
                let mut url = url.clone();
                url.widen();
                Self::Name(url)
            }
            (Self::No, other) => other.clone(),
            _ => self,
        }
    }
}
