//! Character references in attribute values: `href="java&#115;cript:"` is read as the browser reads it.

use crate::word::Word;

/// A character reference that is still being read, from the `&` on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Entity {
    Named(Word),
    /// `&#`
    Hash,
    /// `&#x`, with the letter as it was written.
    HashX(char),
    Decimal(u32),
    Hex(u32),
}

/// What a character did to a reference.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It belongs to the reference.
    Taken,
    /// It ended the reference and belongs to it (`;`).
    Ended(Decoded),
    /// It ended the reference and stands for itself.
    Before(Decoded),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decoded {
    Char(char),
    /// It was no reference: these characters stand as written.
    Literal(String),
    /// A name with `;` that is none of the ASCII characters: some other character, or text.
    Unknown(Word),
}

impl Entity {
    pub(crate) fn new() -> Self {
        Self::Named(Word::default())
    }

    pub(crate) fn push(&mut self, c: char) -> Step {
        match self {
            Self::Named(word) if word.is_empty() && c == '#' => *self = Self::Hash,
            Self::Named(word) if c.is_ascii_alphanumeric() => word.push(c),
            Self::Hash if matches!(c, 'x' | 'X') => *self = Self::HashX(c),
            Self::Hash if c.is_ascii_digit() => *self = Self::Decimal(c.to_digit(10).unwrap_or(0)),
            Self::HashX(_) if c.is_ascii_hexdigit() => *self = Self::Hex(c.to_digit(16).unwrap_or(0)),
            Self::Decimal(n) if c.is_ascii_digit() => *n = grown(*n, 10, c),
            Self::Hex(n) if c.is_ascii_hexdigit() => *n = grown(*n, 16, c),
            Self::Decimal(_) | Self::Hex(_) | Self::Named(_) if c == ';' => return self.at_semicolon(),
            _ => return Step::Before(self.end(Some(c))),
        }
        Step::Taken
    }

    fn at_semicolon(&self) -> Step {
        match self {
            Self::Named(word) if word.is_empty() => Step::Before(self.literal()),
            Self::Named(word) => Step::Ended(match named(word.as_str()) {
                Some(c) => Decoded::Char(c),
                None => Decoded::Unknown(word.clone()),
            }),
            _ => Step::Ended(self.end(None)),
        }
    }

    /// What the reference means when `next`, or the end of the value, follows without a `;`.
    pub(crate) fn end(&self, next: Option<char>) -> Decoded {
        match self {
            Self::Decimal(n) | Self::Hex(n) => Decoded::Char(character(*n)),
            Self::Named(word) if next != Some('=') => match word.as_str() {
                // The other names that need no `;` are not ASCII: no machine tells them from letters.
                "amp" | "AMP" | "lt" | "LT" | "gt" | "GT" | "quot" | "QUOT" => {
                    named(word.as_str()).map_or_else(|| self.literal(), Decoded::Char)
                }
                _ => self.literal(),
            },
            _ => self.literal(),
        }
    }

    fn literal(&self) -> Decoded {
        Decoded::Literal(match self {
            Self::Named(word) => format!("&{word}"),
            Self::HashX(x) => format!("&#{x}"),
            _ => "&#".to_owned(),
        })
    }
}

/// Decodes the references of trusted HTML, so that it can stand as text in another language.
pub(crate) fn decode(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut pending: Option<Entity> = None;
    for c in html.chars() {
        if let Some(entity) = &mut pending {
            match entity.push(c) {
                Step::Taken => continue,
                Step::Ended(decoded) => {
                    write(decoded, &mut out);
                    pending = None;
                    continue;
                }
                Step::Before(decoded) => {
                    write(decoded, &mut out);
                    pending = None;
                }
            }
        }
        if c == '&' {
            pending = Some(Entity::new());
        } else {
            out.push(c);
        }
    }
    if let Some(entity) = pending {
        write(entity.end(None), &mut out);
    }
    out
}

fn write(decoded: Decoded, out: &mut String) {
    match decoded {
        Decoded::Char(c) => out.push(c),
        Decoded::Literal(text) => out.push_str(&text),
        Decoded::Unknown(word) => match latin(word.as_str()) {
            Some(c) => out.push(c),
            None => {
                out.push('&');
                out.push_str(word.as_str());
                out.push(';');
            }
        },
    }
}

fn grown(n: u32, base: u32, c: char) -> u32 {
    n.saturating_mul(base).saturating_add(c.to_digit(base).unwrap_or(0))
}

fn character(n: u32) -> char {
    match n {
        0 => char::REPLACEMENT_CHARACTER,
        0x80..=0x9f => WINDOWS_1252.chars().nth((n - 0x80) as usize).unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::from_u32(n).unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

/// Every named reference whose character is ASCII; only these can move a machine.
fn named(name: &str) -> Option<char> {
    Some(match name {
        "Tab" => '\t',
        "NewLine" => '\n',
        "excl" => '!',
        "quot" | "QUOT" => '"',
        "num" => '#',
        "dollar" => '$',
        "percnt" => '%',
        "amp" | "AMP" => '&',
        "apos" => '\'',
        "lpar" => '(',
        "rpar" => ')',
        "ast" | "midast" => '*',
        "plus" => '+',
        "comma" => ',',
        "period" => '.',
        "sol" => '/',
        "colon" => ':',
        "semi" => ';',
        "lt" | "LT" => '<',
        "equals" => '=',
        "gt" | "GT" => '>',
        "quest" => '?',
        "commat" => '@',
        "lsqb" | "lbrack" => '[',
        "bsol" => '\\',
        "rsqb" | "rbrack" => ']',
        "Hat" => '^',
        "lowbar" | "UnderBar" => '_',
        "grave" | "DiacriticalGrave" => '`',
        "lcub" | "lbrace" => '{',
        "verbar" | "vert" | "VerticalLine" => '|',
        "rcub" | "rbrace" => '}',
        _ => return None,
    })
}

/// References that writers of HTML use and that [`named`] does not hold; for [`decode`] only.
fn latin(name: &str) -> Option<char> {
    Some(match name {
        "nbsp" => '\u{a0}',
        "copy" => '©',
        "reg" => '®',
        "trade" => '™',
        "hellip" => '…',
        "mdash" => '—',
        "ndash" => '–',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "laquo" => '«',
        "raquo" => '»',
        "bull" => '•',
        "middot" => '·',
        "euro" => '€',
        "times" => '×',
        "larr" => '←',
        "rarr" => '→',
        _ => return None,
    })
}

/// What the bytes 0x80 to 0x9F mean in windows-1252; a numeric reference to them means these characters.
const WINDOWS_1252: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
