//! What the state of JavaScript is made of.

/// What kind of code this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Script,
    /// A data block; also a line break in a string is nothing to refuse.
    Json,
    /// An attribute: a handler or an expression of a client library.
    Attribute,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    Code,
    /// One slash in code.
    Slash,
    DoubleQuoted,
    SingleQuoted,
    Template,
    /// One `$` in a template literal.
    Dollar,
    /// In a template literal, where a branch or a block may have written a `$`.
    DollarUnclear,
    Regex {
        class: bool,
    },
    LineComment,
    BlockComment {
        star: bool,
    },
}

/// What a slash would mean here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Slash {
    Regex,
    Division,
    After(Doubt),
}

/// Why a slash cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Doubt {
    Brace,
    Word,
    Sign,
    Branches,
    Block,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Escaped {
    No,
    Yes,
    /// A carriage return was escaped; a line feed behind it belongs to it.
    CarriageReturn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Operand {
    Absent,
    Present,
    Unclear,
}

/// What stands before a `(`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Head {
    Plain,
    /// White space ended `if`, `while`, `for` or `with`: its `(` closes before a statement.
    Condition,
    /// A branch or a block, which may have written half of a word.
    Glued,
    /// A branch or a block, then white space.
    Unclear,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Bracket {
    Round,
    /// The round bracket behind a branch or a block.
    Unclear,
    /// The round bracket of `if (…)` and its like.
    Condition,
    Square,
    Curly,
    /// `${` in a template literal.
    Template,
}

impl Doubt {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Brace => "`}`",
            Self::Word => "a word that is a name in some places and an operator in others",
            Self::Sign => "`++` or `--` at the start of a line",
            Self::Branches => "branches that end differently",
            Self::Block => "a block",
        }
    }
}
