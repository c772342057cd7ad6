//! Where in a stylesheet or a `style` attribute a value stands.

use std::fmt;

use crate::error::{Code, Error};
use crate::escape::Rule;
use crate::html::is_space;
use crate::url::{Purpose, Url};
use crate::word::Word;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Css {
    state: State,
    /// The identifier before the cursor; `?` stands for one that is not known.
    word: Word,
    escaped: bool,
    /// Inside `@import …;`, where a value would choose a stylesheet.
    import: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum State {
    Base,
    Slash,
    DoubleQuoted,
    SingleQuoted,
    Comment { star: bool },
    UrlStart,
    Url(Url, UrlQuote),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum UrlQuote {
    None,
    Double,
    Single,
}

impl Css {
    pub(crate) fn new() -> Self {
        Self { state: State::Base, word: Word::default(), escaped: false, import: false }
    }

    pub(crate) fn push(&mut self, c: char) -> Result<(), Error> {
        if self.escaped {
            self.escaped = false;
            return Ok(());
        }
        match &mut self.state {
            State::Slash if c == '*' => self.state = State::Comment { star: false },
            State::Slash => {
                self.state = State::Base;
                self.base(c);
            }
            State::Base => self.base(c),
            State::DoubleQuoted | State::SingleQuoted if c == '\\' => self.escaped = true,
            State::DoubleQuoted | State::SingleQuoted if matches!(c, '\n' | '\r' | '\x0c') => {
                return Err(Error::new(Code::CssString));
            }
            State::DoubleQuoted if c == '"' => self.state = State::Base,
            State::SingleQuoted if c == '\'' => self.state = State::Base,
            State::DoubleQuoted | State::SingleQuoted => {}
            State::Comment { star: true } if c == '/' => self.state = State::Base,
            State::Comment { star } => *star = c == '*',
            State::UrlStart => self.url_start(c)?,
            State::Url(_, _) if c == '\\' => return Err(Error::new(Code::CssEscape)),
            State::Url(_, quote) if *quote != UrlQuote::None && matches!(c, '\n' | '\r' | '\x0c') => {
                return Err(Error::new(Code::CssString));
            }
            State::Url(_, quote) if quote.ends_at(c) => self.state = State::Base,
            State::Url(url, _) => url.push(c),
        }
        Ok(())
    }

    fn base(&mut self, c: char) {
        match c {
            '\\' => {
                self.escaped = true;
                // `@im\port` is `@import`.
                self.import |= self.word.as_str().starts_with('@');
                self.word.push('?');
            }
            '"' => self.enter(State::DoubleQuoted),
            '\'' => self.enter(State::SingleQuoted),
            '/' => self.enter(State::Slash),
            '(' => {
                if matches!(self.word.as_str(), "url" | "src") {
                    self.state = State::UrlStart;
                }
                self.word.clear();
            }
            ';' | '{' | '}' => {
                self.import = false;
                self.word.clear();
            }
            c if c.is_alphanumeric() || matches!(c, '-' | '_' | '@') => {
                self.word.push(c.to_ascii_lowercase());
                self.import |= matches!(self.word.as_str(), "@import" | "@namespace" | "@charset");
            }
            _ => self.word.clear(),
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.word.clear();
    }

    fn url_start(&mut self, c: char) -> Result<(), Error> {
        let mut url = Url::new(Purpose::Media);
        self.state = match c {
            c if is_space(c) => State::UrlStart,
            '"' => State::Url(url, UrlQuote::Double),
            '\'' => State::Url(url, UrlQuote::Single),
            ')' => State::Base,
            '\\' => return Err(Error::new(Code::CssEscape)),
            c => {
                url.push(c);
                State::Url(url, UrlQuote::None)
            }
        };
        Ok(())
    }

    pub(crate) fn emit(&mut self) -> Result<Rule, Error> {
        if self.escaped {
            return Err(Error::new(Code::PartialEscape));
        }
        if self.import && !matches!(self.state, State::Comment { .. }) {
            return Err(Error::new(Code::CssImport));
        }
        self.settle();
        match &mut self.state {
            State::Base | State::Slash => {
                let word = self.word.as_str();
                if matches!(word, "url" | "src") || word.starts_with('@') {
                    return Err(Error::with(Code::CssIdentifier, word));
                }
                self.word = Word::of('?');
                Ok(Rule::CssValue)
            }
            State::DoubleQuoted | State::SingleQuoted => Ok(Rule::CssString),
            State::Comment { .. } => Ok(Rule::Nothing),
            State::UrlStart => {
                self.state = State::Url(Url::dynamic(Purpose::Media), UrlQuote::None);
                Ok(Rule::CssUrl)
            }
            State::Url(url, _) => match url.emit()? {
                Rule::UrlMedia => Ok(Rule::CssUrl),
                Rule::UrlHost => Err(Error::new(Code::CssUrlHost)),
                Rule::UrlComponent | Rule::UrlOpaque => Ok(Rule::CssUrlComponent),
                Rule::UrlPathStart => Ok(Rule::UrlPathStart),
                _ => Ok(Rule::CssUrlPath),
            },
        }
    }

    pub(crate) fn end(&self) -> Result<(), Error> {
        match self.state {
            State::Base | State::Slash if !self.escaped => Ok(()),
            _ => Err(Error::new(Code::CssEnd)),
        }
    }

    pub(crate) fn settle(&mut self) {
        if self.state == State::Slash {
            self.state = State::Base;
        }
    }

    pub(crate) fn widen(&mut self) {
        self.forget_word(None);
        if let State::Url(url, _) = &mut self.state {
            url.widen();
        }
    }

    /// Whether this, the exit of a block, is right for an override that ends in `exit`.
    pub(crate) fn covers(&self, exit: &Self) -> bool {
        let import = exit.import || exit.word.as_str().starts_with('@');
        let url = matches!(exit.word.as_str(), "url" | "src") && self.word != exit.word;
        let address = match (&self.state, &exit.state) {
            (State::Url(wide, _), State::Url(exit, _)) => wide.covers(exit),
            _ => true,
        };
        (self.import || !import) && !url && address
    }

    /// Half a name behind an `@` could become `@import`: it counts as one.
    fn forget_word(&mut self, other: Option<&Word>) {
        let mut rule = self.word.as_str().starts_with('@');
        rule |= other.is_some_and(|other| other.as_str().starts_with('@'));
        self.import |= rule;
        if other.is_some() || !matches!(self.word.as_str(), "url" | "src") {
            self.word = Word::of(if rule { '@' } else { '?' });
        }
    }

    pub(crate) fn join(mut self, other: &Self) -> Option<Self> {
        self.state = match (self.state, &other.state) {
            (State::Url(a, quote), State::Url(b, other)) if quote == *other => State::Url(a.join(b)?, quote),
            (a, b) => (a == *b).then_some(a)?,
        };
        if self.word != other.word {
            self.forget_word(Some(&other.word));
        }
        // A value behind it is refused if either branch would refuse it.
        self.import |= other.import;
        (self.escaped == other.escaped).then_some(self)
    }
}

impl UrlQuote {
    fn ends_at(self, c: char) -> bool {
        match self {
            Self::None => c == ')',
            Self::Double => c == '"',
            Self::Single => c == '\'',
        }
    }
}

impl fmt::Display for Css {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Base | State::Slash if self.import => f.write_str("@import"),
            State::Base | State::Slash => f.write_str("value"),
            State::DoubleQuoted | State::SingleQuoted => f.write_str("string"),
            State::Comment { .. } => f.write_str("comment"),
            State::UrlStart => f.write_str("URL, start"),
            State::Url(url, _) => write!(f, "URL, {url}"),
        }
    }
}
