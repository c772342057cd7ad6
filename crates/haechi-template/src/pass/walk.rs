//! The walk over one template from one context.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use haechi_context::Context;
use minijinja::machinery::{Span, ast};

use super::{Analysis, Pass};
use crate::canon::{canonical, offset_of, span_of};
use crate::edit::Edits;
use crate::parse::Tree;
use crate::problem::{Problem, Spot};
use crate::report::{Explained, TrustSite, Warning};
use crate::rule::{self, Rule};
use crate::settings::Settings;

/// The template was refused here; the problem is noted.
pub(super) struct Refused;

/// Where the walk arrived, or nothing if the code behind is never reached (`break`).
pub(super) type Walked = Result<Option<Context>, Refused>;

/// What the walk gathers.
#[derive(Default)]
pub(super) struct Found {
    pub(super) edits: Edits,
    pub(super) blocks: BTreeMap<String, Context>,
    pub(super) uses: BTreeSet<String>,
    pub(super) problems: Vec<Problem>,
    pub(super) explained: BTreeMap<usize, Explained>,
    pub(super) warnings: BTreeMap<(usize, &'static str), Warning>,
    pub(super) trust_sites: BTreeMap<usize, TrustSite>,
}

/// One walk.
pub(super) struct Walk<'p, 's> {
    pub(super) pass: &'p mut Pass<'s>,
    pub(super) name: &'s str,
    pub(super) source: &'s str,
    /// Where a fragment (a macro, a captured block) starts and ends: HTML text, or plain text in a plain file.
    pub(super) base: Context,
    pub(super) found: Found,
    /// The entry of the block around.
    pub(super) block: Option<Context>,
    /// For each loop around, where `break` and `continue` stood.
    pub(super) loops: Vec<Vec<Context>>,
    /// An attribute of a client template that stands before.
    pub(super) client_template: Option<String>,
}

impl<'p, 's> Walk<'p, 's> {
    pub(super) fn run(
        pass: &'p mut Pass<'s>,
        name: &'s Arc<str>,
        source: &'s Arc<str>,
        entry: &Context,
    ) -> Analysis {
        let base = if *entry == Context::text() { Context::text() } else { Context::html() };
        let found = Found::default();
        let mut walk =
            Self { pass, name, source, base, found, block: None, loops: Vec::new(), client_template: None };
        let exit = walk.template(entry);
        let found = walk.found;
        let (exit, rewritten) = match exit {
            Some((exit, rewritten)) if found.problems.is_empty() => (Some(exit), rewritten),
            _ => (None, String::new()),
        };
        Analysis {
            name: name.clone(),
            variant: String::new(),
            exit,
            blocks: found.blocks,
            rewritten,
            uses: found.uses,
            problems: found.problems,
            explained: found.explained.into_values().collect(),
            warnings: found.warnings.into_values().collect(),
            trust_sites: found.trust_sites.into_values().collect(),
            escapers: found.edits.escapers.values().map(|(_, escaper)| *escaper).collect(),
        }
    }

    fn template(&mut self, entry: &Context) -> Option<(Context, String)> {
        let tree = match Tree::parse(self.name, self.source) {
            Ok(tree) => tree,
            Err(problem) => {
                self.found.problems.push(*problem);
                return None;
            }
        };
        let exit = self.whole(tree.statements(), entry).ok()?;
        if !self.found.problems.is_empty() {
            return None;
        }
        let mut rewritten = self.found.edits.apply(self.source);
        if !reads_back(self.source, &tree, &self.found.edits, &rewritten) {
            // The span of an operand may leave out its brackets; it is then printed unpaid.
            self.found.edits.paid.clear();
            rewritten = self.found.edits.apply(self.source);
        }
        if !reads_back(self.source, &tree, &self.found.edits, &rewritten) {
            let problem = Problem::of_file(self.name, rule::REWRITE, rule::REWRITE.cause.into());
            self.found.problems.push(problem);
            return None;
        }
        Some((exit, rewritten))
    }

    pub(super) fn settings(&self) -> &'s Settings {
        self.pass.settings
    }

    pub(super) fn is_text(&self, context: &Context) -> bool {
        context.is_text() || *context == self.base
    }

    pub(super) fn spot(&self, span: Span) -> Spot<'s> {
        Spot {
            template: self.name,
            source: self.source,
            offset: span.start_offset as usize,
            end: span.end_offset as usize,
        }
    }

    pub(super) fn refuse(&mut self, span: Span, rule: Rule, message: String) -> Refused {
        self.refuse_at(self.spot(span), rule, message)
    }

    pub(super) fn refuse_at(&mut self, spot: Spot<'s>, rule: Rule, message: String) -> Refused {
        self.found.problems.push(Problem::at(spot, rule.code, message, rule.cure));
        Refused
    }

    /// Notes what the context machine refuses.
    pub(super) fn refuse_context(&mut self, spot: Spot<'s>, error: &haechi_context::Error) -> Refused {
        self.found.problems.push(Problem::at(spot, error.code().id(), error.message(), error.cure()));
        Refused
    }

    pub(super) fn join(&mut self, span: Span, a: &Context, b: &Context) -> Result<Context, Refused> {
        a.join(b).map_err(|error| self.refuse_context(self.spot(span), &error))
    }

    pub(super) fn walk_all(&mut self, statements: &[ast::Stmt<'s>], entry: Context) -> Walked {
        let mut context = entry;
        for statement in statements {
            match self.walk(statement, context)? {
                Some(next) => context = next,
                None => return Ok(None),
            }
        }
        Ok(Some(context))
    }

    /// Walks a fragment: it starts and ends in HTML text, wherever it stands.
    pub(super) fn fragment(&mut self, body: &[ast::Stmt<'s>], what: &str, span: Span) -> Result<(), Refused> {
        let block = self.block.take();
        let loops = std::mem::take(&mut self.loops);
        let exit = self.walk_all(body, self.base.clone());
        self.block = block;
        self.loops = loops;
        match exit? {
            Some(exit) if !self.is_text(&exit) => {
                let message = format!("{what} ends in {exit}");
                Err(self.refuse(span, rule::CAPTURE, message))
            }
            _ => Ok(()),
        }
    }

    /// Walks one statement. A kind of statement that minijinja adds does not compile here.
    pub(super) fn walk(&mut self, statement: &ast::Stmt<'s>, context: Context) -> Walked {
        match statement {
            ast::Stmt::Template(node) => self.walk_all(&node.children, context),
            ast::Stmt::EmitRaw(node) => self.raw(node.raw, context).map(Some),
            ast::Stmt::EmitExpr(node) => self.emit(node, context).map(Some),
            ast::Stmt::IfCond(node) => self.branches(node, context),
            ast::Stmt::ForLoop(node) => self.for_loop(node, &context),
            ast::Stmt::Continue(_) | ast::Stmt::Break(_) => {
                if let Some(inner) = self.loops.last_mut() {
                    inner.push(context);
                }
                Ok(None)
            }
            ast::Stmt::WithBlock(node) => self.with(node, context),
            ast::Stmt::Set(node) => {
                self.bind(&node.target)?;
                self.inspect(&node.expr)?;
                // What a namespace holds outlives a turn of a loop, and each turn could put it into another list.
                if !matches!(node.target, ast::Expr::Var(_)) {
                    self.found.edits.paid.insert(span_of(&node.expr), crate::escape::FLAT);
                }
                Ok(Some(context))
            }
            ast::Stmt::SetBlock(node) => self.set_block(node, context),
            ast::Stmt::Do(node) => {
                self.inspect_all(node.call.args.iter().map(super::expr::value))?;
                self.inspect(&node.call.expr)?;
                Ok(Some(context))
            }
            ast::Stmt::FilterBlock(node) => self.filter_block(node, context),
            ast::Stmt::AutoEscape(node) => {
                Err(self.refuse(node.span(), rule::AUTOESCAPE, rule::AUTOESCAPE.cause.into()))
            }
            ast::Stmt::Block(node) => self.block(node, &context).map(Some),
            ast::Stmt::Import(node) => self.import(node, context),
            ast::Stmt::FromImport(node) => self.import_names(node, context),
            ast::Stmt::Extends(node) => Err(self.refuse(
                node.span(),
                rule::EXTENDS_FIRST,
                "{% extends %} stands inside another tag".into(),
            )),
            ast::Stmt::Include(node) => self.include(node, &context).map(Some),
            ast::Stmt::Macro(node) => self.macro_(node, node.span(), context),
            ast::Stmt::CallBlock(node) => self.call_block(node, context),
        }
    }

    /// Feeds raw text to the machine and writes what belongs into it.
    fn raw(&mut self, raw: &'s str, mut context: Context) -> Result<Context, Refused> {
        let start = offset_of(self.source, raw);
        if !context.is_unescaped() {
            self.look_for_client_template(raw);
        }
        let events = context.advance(raw).map_err(|error| {
            let offset = start + error.offset();
            let spot = Spot { template: self.name, source: self.source, offset, end: offset };
            self.refuse_context(spot, &error)
        })?;
        for event in events {
            self.event(start, raw, event)?;
        }
        Ok(context)
    }
}

/// Parses the rewritten source and compares it with what was meant.
fn reads_back(source: &str, tree: &Tree<'_>, edits: &Edits, rewritten: &str) -> bool {
    let Ok(again) = Tree::parse("", rewritten) else { return false };
    let expected = canonical(source, tree.statements(), edits);
    expected == canonical(rewritten, again.statements(), &Edits::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::Insert;

    /// Rewrites with `edits` and breaks the result: the comparison must notice.
    #[track_caller]
    fn check(source: &str, fault: impl Fn(&str) -> String) {
        let mut edits = Edits::default();
        let mut context = Context::html();
        context.advance("<a href=\"").expect("it is well-formed");
        let escaper = context.emit().expect("a value may stand here");
        let start = source.find("x }}").expect("the source has an expression");
        edits.escapers.insert(start, (start + 1, escaper));
        edits.insert(2, Insert::Value(crate::page::NONCE));
        let tree = Tree::parse("", source).unwrap_or_else(|problem| panic!("{problem}"));
        let rewritten = edits.apply(source);
        assert!(reads_back(source, &tree, &edits, &rewritten), "{rewritten}");
        let broken = fault(&rewritten);
        assert_ne!(broken, rewritten);
        assert!(!reads_back(source, &tree, &edits, &broken), "{broken}");
    }

    #[test]
    fn a_planted_fault_is_noticed() {
        let source = "<p><a href=\"{{ x }}\">{{ y }}{% if z %}{{ z|upper }}{% endif %}";
        check(source, |text| text.replace("(x)|_", "(x)|_1"));
        check(source, |text| text.replace("(x)|_", "x|other_"));
        check(source, |text| text.replace("{{ y }}", "{{ (y)|_hx_safe }}"));
        check(source, |text| text.replace("{{ _hx_nonce }}", ""));
        check(source, |text| text.replace("<p", "<b"));
        check(source, |text| text.replace("z|upper", "z"));
        check(source, |text| text.replace("{% endif %}", "{% else %}-{% endif %}"));
        check(source, |text| text.replace("href", "src"));
    }
}
