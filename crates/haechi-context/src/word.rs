//! A name that is still being read, kept in the state so that a template may be cut inside it.

use std::fmt;

/// The characters of a name read so far.
///
/// Longer names are cut: no table holds a name of that length, so two long names are alike to every rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Word(String);

impl Word {
    pub(crate) fn of(c: char) -> Self {
        let mut word = Self::default();
        word.push(c);
        word
    }

    pub(crate) fn push(&mut self, c: char) {
        if self.0.len() < LONGEST {
            self.0.push(c);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const LONGEST: usize = 64;

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        let mut word = Self::default();
        text.chars().for_each(|c| word.push(c));
        word
    }
}
