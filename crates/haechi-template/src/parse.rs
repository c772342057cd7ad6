//! Bounded parsing: minijinja's parser and tree recurse, so what is too deep is refused by its tokens first.

use minijinja::machinery::{Span, Token, ast, parse as parse_jinja, tokenize};

use crate::problem::{Problem, Spot};
use crate::rule;

/// The statements of a parsed template.
pub(crate) struct Tree<'s>(ast::Stmt<'s>);

impl<'s> Tree<'s> {
    /// Parses a template, or says why not: a syntax error, more than [`MAX_BYTES`], deeper than [`MAX_DEPTH`].
    pub(crate) fn parse(name: &'s str, source: &'s str) -> Result<Self, Box<Problem>> {
        if source.len() > MAX_BYTES {
            let message = format!("the template has {} bytes", source.len());
            return Err(Problem::of_file(name, rule::TOO_LARGE, message).into());
        }
        // The tokenizer counts columns in 16 bits, and adds one for an error: built with overflow checks it panics.
        let Ok(deep) = std::panic::catch_unwind(|| too_deep(source)) else {
            let message = "a syntax error stands behind column 65535 of a line: an unclosed tag or comment";
            return Err(Problem::of_file(name, rule::SYNTAX, message.into()).into());
        };
        if let Some(offset) = deep {
            let spot = Spot { template: name, source, offset, end: offset };
            let message = format!("more than {MAX_DEPTH} operators stand in one another");
            return Err(Problem::at(spot, rule::TOO_DEEP.code, message, rule::TOO_DEEP.cure).into());
        }
        match parse_jinja(source, name, Default::default()) {
            Ok(tree) => Ok(Self(tree)),
            Err(error) => Err(syntax(name, source, &error).into()),
        }
    }

    pub(crate) fn statements(&self) -> &[ast::Stmt<'s>] {
        match &self.0 {
            ast::Stmt::Template(template) => &template.children,
            single => std::slice::from_ref(single),
        }
    }
}

fn syntax(name: &str, source: &str, error: &minijinja::Error) -> Problem {
    let offset =
        error.range().map_or_else(|| line_start(source, error.line().unwrap_or(1)), |range| range.start);
    let end = error.range().map_or(offset, |range| range.end);
    let message = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let spot = Spot { template: name, source, offset, end };
    Problem::at(spot, rule::SYNTAX.code, message, rule::SYNTAX.cure)
}

fn line_start(source: &str, line: usize) -> usize {
    source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum()
}

/// Finds the offset where an expression, or a chain of `elif`, becomes deeper than [`MAX_DEPTH`].
fn too_deep(source: &str) -> Option<usize> {
    let mut depth = Depth::default();
    let mut previous_opens_block = false;
    for token in tokenize(source, false, Default::default()) {
        let Ok((token, span)) = token else { return None };
        depth.see(&token, previous_opens_block);
        previous_opens_block = matches!(token, Token::BlockStart);
        if depth.total() > MAX_DEPTH {
            return Some(offset(span));
        }
    }
    None
}

fn offset(span: Span) -> usize {
    span.start_offset as usize
}

/// Counts the operators that can nest: a chain `a + a + a` is a tree as deep as it is long.
#[derive(Default)]
struct Depth {
    brackets: Vec<usize>,
    branches: Vec<usize>,
}

impl Depth {
    fn total(&self) -> usize {
        self.brackets.iter().sum::<usize>() + self.branches.last().copied().unwrap_or_default()
    }

    fn see(&mut self, token: &Token<'_>, in_head: bool) {
        match token {
            Token::VariableStart | Token::BlockStart => self.brackets = vec![0],
            Token::VariableEnd | Token::BlockEnd => self.brackets.clear(),
            Token::Ident("if") if in_head => self.branches.push(0),
            Token::Ident("elif") if in_head => self.count_branch(),
            Token::Ident("endif") if in_head => drop(self.branches.pop()),
            Token::BracketOpen | Token::ParenOpen | Token::BraceOpen => {
                self.count();
                self.brackets.push(0);
            }
            Token::BracketClose | Token::ParenClose | Token::BraceClose => drop(self.brackets.pop()),
            Token::Comma => self.restart(),
            Token::Ident("not" | "if" | "else" | "and" | "or" | "in" | "is") => self.count(),
            Token::Ident(_) | Token::Str(_) | Token::String(_) | Token::Int(_) => {}
            Token::Int128(_) | Token::Float(_) | Token::TemplateData(_) | Token::Colon | Token::Assign => {}
            _ => self.count(),
        }
    }

    fn count(&mut self) {
        if let Some(last) = self.brackets.last_mut() {
            *last += 1;
        }
    }

    fn count_branch(&mut self) {
        if let Some(last) = self.branches.last_mut() {
            *last += 1;
        }
    }

    /// Elements of a list stand beside each other, not in one another.
    fn restart(&mut self) {
        if let Some(last) = self.brackets.last_mut() {
            *last = 0;
        }
    }
}

/// The longest template.
pub(crate) const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The most operators in one another; a real template has a dozen.
pub(crate) const MAX_DEPTH: usize = 200;
