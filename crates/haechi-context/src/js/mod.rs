//! Where in JavaScript a value stands: code, string, template literal, regular expression or comment.
//!
//! The hard part is the slash: `a / b` divides, `return /b/` starts a regular expression. Taking one for the other
//! makes the machine believe that code is a string, and a value would be escaped without getting quotes. So where
//! the words before a slash do not decide, it is refused.

mod module;
mod parts;

use std::fmt;

use self::module::Module;
pub(crate) use self::parts::Kind;
use self::parts::{Bracket, Doubt, Escaped, Head, Operand, Slash, State};
use crate::context::Place;
use crate::error::{Code, Error};
use crate::escape::Rule;
use crate::word::Word;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Js {
    kind: Kind,
    state: State,
    slash: Slash,
    escaped: Escaped,
    /// The identifier or number before the cursor.
    word: Word,
    /// What a `(` would open.
    head: Head,
    dots: u8,
    /// What stood before a `+` or `-`: tells `a++ /` from `+ ++/`.
    operand: Operand,
    /// One sign stands alone: the same again makes `++` or `--`.
    single_sign: bool,
    brackets: Vec<Bracket>,
    /// The last characters of code, for `<!--`, `-->` and `#!`.
    tail: [u8; 4],
    line_start: bool,
    /// Whether a string here names a module.
    module: Module,
}

impl Js {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            state: State::Code,
            slash: Slash::Regex,
            escaped: Escaped::No,
            word: Word::default(),
            head: Head::Plain,
            dots: 0,
            operand: Operand::Absent,
            single_sign: false,
            brackets: Vec::new(),
            tail: [0; 4],
            line_start: true,
            module: Module::No,
        }
    }

    pub(crate) fn push(&mut self, c: char) -> Result<(), Error> {
        match self.state {
            State::Code => self.code(c),
            State::Slash if c == '/' => self.enter(State::LineComment),
            State::Slash if c == '*' => self.enter(State::BlockComment { star: false }),
            State::Slash | State::Dollar => {
                if self.state == State::Dollar && c == '{' {
                    self.brackets.push(Bracket::Template);
                    self.back_to_code(Slash::Regex);
                    return Ok(());
                }
                self.decide()?;
                self.push(c)
            }
            State::DollarUnclear if c == '{' => Err(Error::new(Code::TokenCut)),
            State::DollarUnclear => {
                self.state = State::Template;
                self.literal(c)
            }
            State::DoubleQuoted | State::SingleQuoted | State::Template => self.literal(c),
            State::Regex { class } => self.regex(c, class),
            State::LineComment => {
                if is_line_end(c) {
                    let slash = self.slash;
                    self.back_to_code(slash);
                    self.line_start = true;
                }
                Ok(())
            }
            State::BlockComment { star: true } if c == '/' => {
                let slash = self.slash;
                self.back_to_code(slash);
                Ok(())
            }
            State::BlockComment { .. } => {
                // A comment with a line end counts as one: `-->` behind it is a comment too.
                self.line_start |= is_line_end(c);
                self.enter(State::BlockComment { star: c == '*' })
            }
        }
    }

    fn enter(&mut self, state: State) -> Result<(), Error> {
        self.state = state;
        Ok(())
    }

    fn back_to_code(&mut self, slash: Slash) {
        self.state = State::Code;
        self.slash = slash;
        self.tail = [0; 4];
    }

    fn literal(&mut self, c: char) -> Result<(), Error> {
        self.module.push(c, self.escaped != Escaped::No);
        if self.take_escape(c) {
            return Ok(());
        }
        match (self.state, c) {
            (_, '\\') => self.escaped = Escaped::Yes,
            (State::DoubleQuoted, '"') | (State::SingleQuoted, '\'') | (State::Template, '`') => {
                self.back_to_code(Slash::Division);
            }
            (State::Template, '$') => self.state = State::Dollar,
            (State::DoubleQuoted | State::SingleQuoted, '\n' | '\r') if self.kind != Kind::Json => {
                return Err(Error::new(Code::JsString));
            }
            _ => {}
        }
        Ok(())
    }

    fn regex(&mut self, c: char, class: bool) -> Result<(), Error> {
        if is_line_end(c) {
            return Err(Error::new(Code::JsRegex));
        }
        if self.take_escape(c) {
            return Ok(());
        }
        match c {
            '\\' => self.escaped = Escaped::Yes,
            '[' => self.state = State::Regex { class: true },
            ']' => self.state = State::Regex { class: false },
            '/' if !class => self.back_to_code(Slash::Division),
            _ => {}
        }
        Ok(())
    }

    /// Whether the character belongs to an escape sequence that began before it.
    fn take_escape(&mut self, c: char) -> bool {
        let was = std::mem::replace(&mut self.escaped, Escaped::No);
        match was {
            Escaped::No => false,
            Escaped::Yes => {
                if c == '\r' {
                    self.escaped = Escaped::CarriageReturn;
                }
                true
            }
            Escaped::CarriageReturn => c == '\n',
        }
    }

    fn code(&mut self, c: char) -> Result<(), Error> {
        let first_on_line = self.line_start;
        self.remember(c)?;
        if is_word(c) {
            if self.word.is_empty() && self.dots != 1 {
                self.dots = 0;
            }
            self.word.push(c);
            if self.head == Head::Glued {
                self.slash = Slash::After(Doubt::Branches);
            } else {
                // `for await (` is a condition like `for (`.
                if self.head != Head::Condition {
                    self.head = Head::Plain;
                }
                self.slash = self.after_word();
            }
            return Ok(());
        }
        self.module.after(&self.word, self.dots, c);
        let head = match self.head {
            Head::Plain if self.is_condition_word() => Head::Condition,
            Head::Condition if !self.word.is_empty() && self.word.as_str() != "await" => Head::Plain,
            Head::Glued if is_space(c) => Head::Unclear,
            head => head,
        };
        if !self.word.is_empty() {
            self.dots = 0;
            self.word.clear();
        }
        if is_space(c) {
            self.head = head;
            return Ok(());
        }
        self.head = Head::Plain;
        // A comment is white space: it does not separate a name from its dot.
        if c == '/' {
            self.head = head;
            self.state = State::Slash;
            return Ok(());
        }
        let dots = std::mem::take(&mut self.dots);
        match c {
            '"' => self.state = State::DoubleQuoted,
            '\'' => self.state = State::SingleQuoted,
            '`' => self.state = State::Template,
            '(' if head == Head::Condition => self.open(Bracket::Condition),
            '(' if head != Head::Plain => self.open(Bracket::Unclear),
            '(' => self.open(Bracket::Round),
            '[' => self.open(Bracket::Square),
            '{' => self.open(Bracket::Curly),
            ')' | ']' | '}' => return self.close(c),
            '+' | '-' => self.sign(c, first_on_line),
            '.' => {
                // `...` is the spread operator: a regular expression may follow.
                self.slash = if dots >= 2 { Slash::Regex } else { Slash::Division };
                self.dots = if dots >= 2 { 0 } else { dots + 1 };
            }
            _ => self.slash = Slash::Regex,
        }
        Ok(())
    }

    /// Keeps the last characters and refuses what HTML or the first line of a file would read as a comment.
    fn remember(&mut self, c: char) -> Result<(), Error> {
        let byte = u8::try_from(c).unwrap_or(0);
        self.tail = [self.tail[1], self.tail[2], self.tail[3], byte];
        if self.tail.ends_with(b"#!") {
            return Err(Error::new(Code::JsHashbang));
        }
        if &self.tail == b"<!--" || (self.line_start && self.tail.ends_with(b"-->")) {
            return Err(Error::new(Code::JsHtmlComment));
        }
        if is_line_end(c) {
            self.line_start = true;
        } else if !is_space(c) && c != '-' && c != '>' {
            self.line_start = c == '/' && self.line_start;
        }
        Ok(())
    }

    fn after_word(&self) -> Slash {
        if self.dots == 1 {
            return Slash::Division;
        }
        match self.word.as_str() {
            "break" | "case" | "continue" | "debugger" | "default" | "delete" | "do" | "else" | "extends"
            | "finally" | "in" | "instanceof" | "new" | "return" | "throw" | "try" | "typeof" | "void" => {
                Slash::Regex
            }
            // Names in some places, operators in others.
            "await" | "of" | "yield" | "let" | "static" | "async" | "get" | "set" => {
                Slash::After(Doubt::Word)
            }
            _ => Slash::Division,
        }
    }

    fn is_condition_word(&self) -> bool {
        self.dots != 1 && matches!(self.word.as_str(), "if" | "while" | "for" | "with")
    }

    fn open(&mut self, bracket: Bracket) {
        self.brackets.push(bracket);
        self.slash = Slash::Regex;
    }

    fn close(&mut self, c: char) -> Result<(), Error> {
        self.slash = match (self.brackets.pop(), c) {
            (Some(Bracket::Round), ')') | (Some(Bracket::Square), ']') => Slash::Division,
            (Some(Bracket::Condition), ')') => Slash::Regex,
            (Some(Bracket::Unclear), ')') => Slash::After(Doubt::Branches),
            (Some(Bracket::Curly), '}') => Slash::After(Doubt::Brace),
            (Some(Bracket::Template), '}') => {
                self.state = State::Template;
                Slash::Division
            }
            _ => return Err(Error::with(Code::JsBrackets, c)),
        };
        Ok(())
    }

    fn sign(&mut self, c: char, first_on_line: bool) {
        if self.single_sign && u8::try_from(c).is_ok_and(|byte| self.tail[2] == byte) {
            self.slash = match self.operand {
                Operand::Absent => Slash::Regex,
                Operand::Present => Slash::Division,
                Operand::Unclear => Slash::After(Doubt::Sign),
            };
            self.single_sign = false;
            return;
        }
        self.single_sign = true;
        self.operand = match self.slash {
            Slash::Regex => Operand::Absent,
            Slash::Division if !first_on_line => Operand::Present,
            _ => Operand::Unclear,
        };
        self.slash = Slash::Regex;
    }

    pub(crate) fn emit(&mut self) -> Result<Rule, Error> {
        if matches!(self.state, State::Dollar | State::DollarUnclear) {
            // The value may be empty, and a `{` follow.
            self.state = State::DollarUnclear;
            return self.escaped_in_template();
        }
        self.decide()?;
        if self.escaped == Escaped::Yes {
            return Err(Error::new(Code::PartialEscape));
        }
        self.escaped = Escaped::No;
        match self.state {
            State::Code | State::Slash => {
                let keyword = self.slash == Slash::Regex;
                if !self.word.is_empty() && !keyword {
                    return Err(Error::with(Code::JsIdentifier, self.word.as_str()));
                }
                if self.dots == 1 {
                    return Err(Error::with(Code::JsIdentifier, "."));
                }
                self.module.in_code(&self.word)?;
                self.word.clear();
                self.head = Head::Plain;
                self.dots = 0;
                self.line_start = false;
                self.back_to_code(Slash::Division);
                Ok(Rule::JsValue)
            }
            State::DoubleQuoted | State::SingleQuoted => self.module.emit(Rule::JsString),
            State::Template | State::Dollar | State::DollarUnclear => self.escaped_in_template(),
            State::Regex { class: false } => Ok(Rule::JsRegex),
            State::Regex { class: true } => Err(Error::new(Code::JsRegexClass)),
            State::LineComment => Ok(Rule::Nothing),
            State::BlockComment { .. } => {
                self.state = State::BlockComment { star: false };
                Ok(Rule::Nothing)
            }
        }
    }

    pub(crate) fn end(&self) -> Result<(), Error> {
        match self.state {
            State::Code | State::LineComment | State::Slash
                if self.brackets.is_empty() || self.kind == Kind::Attribute =>
            {
                Ok(())
            }
            State::Code | State::LineComment | State::Slash => {
                Err(Error::with(Code::JsEnd, "with an open bracket"))
            }
            _ => Err(Error::with(
                Code::JsEnd,
                "inside a string, template literal, regular expression or comment",
            )),
        }
    }

    /// Decides what waits for the next character: a slash, a `$`.
    fn escaped_in_template(&mut self) -> Result<Rule, Error> {
        if std::mem::replace(&mut self.escaped, Escaped::No) == Escaped::Yes {
            return Err(Error::new(Code::PartialEscape));
        }
        self.module.emit(Rule::JsTemplate)
    }

    /// Decides what waits because a template tag stands here: what is behind it may complete it.
    pub(crate) fn settle(&mut self) -> Result<(), Error> {
        match (self.state, self.slash) {
            (State::Dollar, _) => self.state = State::DollarUnclear,
            (State::Slash, Slash::Division) => {
                self.decide()?;
                // A second one would make a comment of the two.
                self.slash = Slash::After(Doubt::Branches);
            }
            _ => self.decide()?,
        }
        Ok(())
    }

    fn decide(&mut self) -> Result<(), Error> {
        match (self.state, self.slash) {
            (State::Slash, Slash::Regex) => {
                self.state = State::Regex { class: false };
                self.head = Head::Plain;
                self.dots = 0;
            }
            (State::Slash, Slash::Division) => {
                self.head = Head::Plain;
                self.dots = 0;
                self.back_to_code(Slash::Regex);
                self.line_start = false;
            }
            (State::Slash, Slash::After(doubt)) => return Err(Error::with(Code::JsSlash, doubt.name())),
            (State::Dollar, _) => self.state = State::Template,
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn widen(&mut self) {
        self.slash = Slash::After(Doubt::Block);
        self.operand = Operand::Unclear;
        self.head = Head::Glued;
        self.module.widen();
        if self.state == State::Template {
            self.state = State::DollarUnclear;
        }
    }

    /// Whether this, the exit of a block, is right for an override that ends in `exit`: it may not end in half a sign.
    pub(crate) fn covers(&self, exit: &Self) -> bool {
        let half = exit.state == State::Code && exit.tail.last().is_some_and(|last| b"<!-+#".contains(last));
        !half && exit.dots == 0 && self.module.covers(&exit.module, &exit.word)
    }

    /// The branches may disagree on what a slash would mean, on nothing else.
    pub(crate) fn join(mut self, other: &Self) -> Option<Self> {
        let dollar = matches!(
            (self.state, other.state),
            (State::Template, State::DollarUnclear) | (State::DollarUnclear, State::Template)
        );
        if dollar {
            self.state = other.state;
        }
        let same = self.kind == other.kind
            && self.state == other.state
            && self.escaped == other.escaped
            && self.brackets == other.brackets;
        if !same {
            return None;
        }
        if dollar {
            self.state = State::DollarUnclear;
        }
        if self.slash != other.slash {
            self.slash = Slash::After(Doubt::Branches);
        }
        if self.operand != other.operand || self.tail != other.tail {
            self.operand = Operand::Unclear;
        }
        if self.word != other.word || self.dots != other.dots || self.head != other.head {
            // What the words would have said about a bracket or a slash behind them is lost.
            let other_word = self.word.is_empty() || Module::begins(&other.word);
            self.word = if other_word { other.word.clone() } else { self.word };
            self.dots = self.dots.max(other.dots);
            self.head = Head::Glued;
            self.slash = Slash::After(Doubt::Branches);
        }
        self.module = self.module.join(&other.module);
        self.single_sign |= other.single_sign;
        self.line_start |= other.line_start;
        self.tail = if self.tail == other.tail { self.tail } else { [0; 4] };
        Some(self)
    }

    pub(crate) fn place(&self) -> Place {
        match self.state {
            State::Code | State::Slash => Place::JsCode,
            State::DoubleQuoted | State::SingleQuoted => Place::JsString,
            State::Template | State::Dollar | State::DollarUnclear => Place::JsTemplate,
            State::Regex { .. } => Place::JsRegex,
            State::LineComment | State::BlockComment { .. } => Place::JsComment,
        }
    }
}

impl fmt::Display for Js {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Code | State::Slash => "code",
            State::DoubleQuoted | State::SingleQuoted => "string",
            State::Template | State::Dollar | State::DollarUnclear => "template literal",
            State::Regex { .. } => "regular expression",
            State::LineComment | State::BlockComment { .. } => "comment",
        })?;
        match self.brackets.len() {
            0 => Ok(()),
            1 => f.write_str(", 1 open bracket"),
            n => write!(f, ", {n} open brackets"),
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '#' | '\\') || (!c.is_ascii() && !is_space(c))
}

/// ECMAScript's white space and line ends (CVE-2023-24540: more than ASCII).
fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}
