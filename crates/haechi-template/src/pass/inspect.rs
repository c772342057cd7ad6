//! What is looked for in every expression: reserved names, unknown filters, `|safe`, captured blocks.

use minijinja::machinery::ast::{self, BinOpKind, CallType, CompareOpKind, Expr};

use super::expr::children;
use super::walk::{Refused, Walk};
use crate::canon::{offset_of, span_of};
use crate::edit::Rename;
use crate::escape::{PAID, is_own_filter};
use crate::page::is_reserved;
use crate::problem::Spot;
use crate::report::TrustSite;
use crate::rule;

impl<'s> Walk<'_, 's> {
    /// Looks through an expression that is not printed by itself, or the parts of one that is.
    pub(super) fn inspect(&mut self, expr: &Expr<'s>) -> Result<(), Refused> {
        match expr {
            Expr::Var(node) if node.id.starts_with("_hx_") => return self.reserved(node.id),
            Expr::Filter(node) => self.inspect_filter(node)?,
            Expr::Test(node) if !self.settings().tests.contains(node.name) => {
                let message = format!("no test is called `{}`", node.name);
                return Err(self.refuse_at(self.name_spot(node.name), rule::UNKNOWN_TEST, message));
            }
            Expr::Call(node) => self.inspect_call(node)?,
            _ => {}
        }
        self.inspect_parts(expr)
    }

    pub(super) fn inspect_parts(&mut self, expr: &Expr<'s>) -> Result<(), Refused> {
        self.found.edits.paid.extend(texts(expr).into_iter().map(|part| (span_of(part), PAID)));
        children(expr).into_iter().try_for_each(|part| self.inspect(part))
    }

    pub(super) fn inspect_all<'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e Expr<'s>>,
    ) -> Result<(), Refused>
    where
        's: 'e,
    {
        exprs.into_iter().try_for_each(|expr| self.inspect(expr))
    }

    /// A name that a template binds: it may not be one of ours.
    pub(super) fn bind(&mut self, target: &Expr<'s>) -> Result<(), Refused> {
        match target {
            Expr::Var(node) if is_reserved(node.id) => self.reserved(node.id),
            _ => children(target).into_iter().try_for_each(|part| self.bind(part)),
        }
    }

    pub(super) fn bind_name(&mut self, name: &'s str) -> Result<(), Refused> {
        if is_reserved(name) { self.reserved(name) } else { Ok(()) }
    }

    pub(super) fn reserved(&mut self, name: &'s str) -> Result<(), Refused> {
        let message = format!("the name `{name}` is reserved");
        Err(self.refuse_at(self.name_spot(name), rule::RESERVED, message))
    }

    pub(super) fn name_spot(&self, name: &'s str) -> Spot<'s> {
        let offset = offset_of(self.source, name);
        Spot { template: self.name, source: self.source, offset, end: offset + name.len() }
    }

    fn inspect_filter(&mut self, node: &ast::Filter<'s>) -> Result<(), Refused> {
        if is_own_filter(node.name) {
            return self.reserved(node.name);
        }
        if node.name == "safe" {
            return self.trust(node.name);
        }
        if !self.settings().filters.contains(node.name) {
            let message = format!("no filter is called `{}`", node.name);
            return Err(self.refuse_at(self.name_spot(node.name), rule::UNKNOWN_FILTER, message));
        }
        Ok(())
    }

    /// Lists a `|safe` and gives it the name by which it exists: data cannot name it in `map(filter)`.
    fn trust(&mut self, name: &'s str) -> Result<(), Refused> {
        let spot = self.name_spot(name);
        if self.settings().deny_safe {
            return Err(self.refuse_at(spot, rule::SAFE_DENIED, "`|safe` is switched off".into()));
        }
        self.found.trust_sites.insert(spot.offset, TrustSite::of(spot));
        self.found.edits.renames.insert(spot.offset, (spot.end, Rename::Filter(crate::escape::SAFE)));
        Ok(())
    }

    /// `super()` and `self.x()` as a part of an expression give the text of a block as HTML.
    fn inspect_call(&mut self, node: &ast::Spanned<ast::Call<'s>>) -> Result<(), Refused> {
        let place = match node.identify_call() {
            CallType::Function("super") => self.block.as_ref(),
            CallType::Block(name) => self.found.blocks.get(name),
            _ => return Ok(()),
        };
        if place.is_some_and(|context| !self.is_text(context)) {
            let message = "the text of this block is escaped for its place and cannot be changed".into();
            return Err(self.refuse(node.span(), rule::CAPTURED_BLOCK, message));
        }
        Ok(())
    }
}

/// The operands that the engine turns into text by itself, and those that it compares when it compiles the template,
/// where no fuel is counted.
fn texts<'e, 's>(expr: &'e Expr<'s>) -> Vec<&'e Expr<'s>> {
    match expr {
        Expr::BinOp(node) => match node.op {
            BinOpKind::Concat => {
                [&node.left, &node.right].into_iter().filter(|part| may_be_large(part)).collect()
            }
            BinOpKind::In => sought(&node.left, &node.right),
            BinOpKind::Eq
            | BinOpKind::Ne
            | BinOpKind::Lt
            | BinOpKind::Lte
            | BinOpKind::Gt
            | BinOpKind::Gte => [&node.left, &node.right].into_iter().filter(|part| repeats(part)).collect(),
            _ => Vec::new(),
        },
        Expr::Compare(node) => {
            let lefts = std::iter::once(&node.expr).chain(node.ops.iter().map(|step| &step.expr));
            let pairs = lefts.zip(&node.ops).map(|(left, step)| match step.op {
                CompareOpKind::In | CompareOpKind::NotIn => sought(left, &step.expr),
                _ => [left, &step.expr].into_iter().filter(|part| repeats(part)).collect(),
            });
            pairs.flatten().collect()
        }
        _ => Vec::new(),
    }
}

/// Of `left in right`: a text is searched for the text of what is sought.
fn sought<'e, 's>(left: &'e Expr<'s>, right: &'e Expr<'s>) -> Vec<&'e Expr<'s>> {
    let left = Some(left).filter(|left| may_be_large(left));
    left.into_iter().chain(Some(right).filter(|right| repeats(right))).collect()
}

/// Whether an operand can be a container.
fn may_be_large(expr: &Expr<'_>) -> bool {
    match expr {
        Expr::Const(_) | Expr::UnaryOp(_) | Expr::Compare(_) | Expr::Test(_) => false,
        Expr::BinOp(node) => !matches!(node.op, BinOpKind::Concat),
        _ => true,
    }
}

/// Whether a list in it may be repeated.
fn repeats(expr: &Expr<'_>) -> bool {
    matches!(expr, Expr::BinOp(node) if matches!(node.op, BinOpKind::Mul))
        || children(expr).into_iter().any(repeats)
}
