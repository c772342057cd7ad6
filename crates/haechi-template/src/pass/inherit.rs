//! Blocks, extends, includes and imports.

use haechi_context::Context;
use minijinja::machinery::{Span, ast};

use super::Reached;
use super::expr::literal_names;
use super::walk::{Refused, Walk, Walked};
use crate::canon::offset_of;
use crate::edit::Rename;
use crate::problem::Spot;
use crate::rule;

impl<'s> Walk<'_, 's> {
    /// Walks the whole template: its text, or the blocks it gives to the parent it extends.
    pub(super) fn whole(
        &mut self,
        statements: &[ast::Stmt<'s>],
        entry: &Context,
    ) -> Result<Context, Refused> {
        let extends = statements.iter().enumerate().find_map(|(index, statement)| match statement {
            ast::Stmt::Extends(node) => Some((index, node)),
            _ => None,
        });
        let Some((index, node)) = extends else {
            return Ok(self.walk_all(statements, entry.clone())?.unwrap_or_else(|| entry.clone()));
        };
        self.nothing_before(&statements[..index])?;
        let exit = self.parent(node, entry)?;
        for statement in statements {
            if !matches!(statement, ast::Stmt::Extends(_)) {
                self.unshown(statement)?;
            }
        }
        Ok(exit)
    }

    fn nothing_before(&mut self, statements: &[ast::Stmt<'s>]) -> Result<(), Refused> {
        for statement in statements {
            let message = "something is printed before {% extends %}".to_owned();
            match statement {
                ast::Stmt::EmitRaw(node) if without_comments(node.raw).is_empty() => {}
                ast::Stmt::EmitRaw(node) => {
                    let text = without_comments(node.raw);
                    let offset = offset_of(self.source, text);
                    let end = offset + text.trim_end().len();
                    let spot = Spot { template: self.name, source: self.source, offset, end };
                    return Err(self.refuse_at(spot, rule::EXTENDS_FIRST, message));
                }
                ast::Stmt::EmitExpr(node) => {
                    return Err(self.refuse(node.span(), rule::EXTENDS_FIRST, message));
                }
                ast::Stmt::Include(node) => {
                    return Err(self.refuse(node.span(), rule::EXTENDS_FIRST, message));
                }
                ast::Stmt::Block(node) => return Err(self.refuse(node.span(), rule::EXTENDS_FIRST, message)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Analyses the parent and takes over its blocks.
    fn parent(&mut self, node: &ast::Spanned<ast::Extends<'s>>, entry: &Context) -> Result<Context, Refused> {
        let Some([(name, start, end)]) =
            literal_names(&node.name).as_deref().map(<[_; 1]>::try_from).and_then(Result::ok)
        else {
            return Err(self.refuse(node.span(), rule::EXTENDS_DYNAMIC, rule::EXTENDS_DYNAMIC.cause.into()));
        };
        self.found.uses.insert(name.to_owned());
        match self.pass.analyse(name, entry) {
            Reached::Done(parent) => {
                self.rename(name, &parent.variant, start, end);
                self.found.blocks = parent.blocks.clone();
                parent.exit.clone().ok_or(Refused)
            }
            Reached::Again(_) => {
                let message = format!("`{name}` is already a parent of itself");
                Err(self.refuse(node.span(), rule::EXTENDS_CYCLE, message))
            }
            Reached::Missing => Err(self.missing(name, node.span())),
            Reached::TooDeep => Err(self.too_deep(node.span())),
        }
    }

    /// Statements of a child outside of its blocks are run, but never shown; their blocks are.
    fn unshown(&mut self, statement: &ast::Stmt<'s>) -> Result<(), Refused> {
        match statement {
            ast::Stmt::Block(node) => self.block_of_child(node),
            ast::Stmt::Extends(_) => Ok(()),
            ast::Stmt::EmitRaw(node) => {
                let text = node.raw.trim_start();
                if !text.is_empty() {
                    let offset = offset_of(self.source, text);
                    self.dead(Spot { template: self.name, source: self.source, offset, end: offset });
                }
                Ok(())
            }
            ast::Stmt::EmitExpr(node) => {
                self.dead(self.spot(node.span()));
                self.inspect(&node.expr)
            }
            ast::Stmt::IfCond(node) => {
                self.inspect(&node.expr)?;
                node.true_body.iter().chain(&node.false_body).try_for_each(|inner| self.unshown(inner))
            }
            ast::Stmt::ForLoop(node) => {
                self.bind(&node.target)?;
                self.inspect_all(std::iter::once(&node.iter).chain(&node.filter_expr))?;
                node.body.iter().chain(&node.else_body).try_for_each(|inner| self.unshown(inner))
            }
            ast::Stmt::WithBlock(node) => {
                for (target, value) in &node.assignments {
                    self.bind(target)?;
                    self.inspect(value)?;
                }
                node.body.iter().try_for_each(|inner| self.unshown(inner))
            }
            ast::Stmt::Continue(_) | ast::Stmt::Break(_) => Ok(()),
            _ => self.walk(statement, self.base.clone()).map(drop),
        }
    }

    fn dead(&mut self, spot: Spot<'_>) {
        let message = "this stands outside of the blocks and is never shown; move it into one".to_owned();
        self.warn(spot, "dead-text", message);
    }

    fn block_of_child(&mut self, node: &ast::Spanned<ast::Block<'s>>) -> Result<(), Refused> {
        let Some(entry) = self.found.blocks.get(node.name).cloned() else {
            let message = format!("no parent has a block called `{}`", node.name);
            return Err(self.refuse_at(self.name_spot(node.name), rule::UNKNOWN_BLOCK, message));
        };
        self.block_body(node, &entry).map(drop)
    }

    /// A block: whoever replaces it starts and ends where it does.
    pub(super) fn block(
        &mut self,
        node: &ast::Spanned<ast::Block<'s>>,
        context: &Context,
    ) -> Result<Context, Refused> {
        let known = self.found.blocks.get(node.name);
        if known.is_some_and(|known| known != context) && self.loops.is_empty() {
            let message = format!("block `{}` stands in two different places", node.name);
            return Err(self.refuse_at(self.name_spot(node.name), rule::BLOCK_CONTEXT, message));
        }
        self.found.blocks.insert(node.name.to_owned(), context.clone());
        self.block_body(node, context)
    }

    /// Walks a block's body. A problem in it does not stop the walk behind the block, as the exit is known.
    fn block_body(
        &mut self,
        node: &ast::Spanned<ast::Block<'s>>,
        entry: &Context,
    ) -> Result<Context, Refused> {
        let wide = entry.widen();
        let outer = self.block.replace(entry.clone());
        let loops = std::mem::take(&mut self.loops);
        let noted = self.found.problems.len();
        let exit = self.walk_all(&node.body, entry.clone());
        self.block = outer;
        self.loops = loops;
        match exit {
            Ok(Some(exit)) if !wide.covers(&exit) => {
                let message = format!("block `{}` starts in {entry}, but ends in {exit}", node.name);
                Err(self.refuse_at(self.name_spot(node.name), rule::BLOCK_CONTEXT, message))
            }
            Err(Refused) if self.found.problems.len() == noted => Err(Refused),
            _ => Ok(wide),
        }
    }

    pub(super) fn include(
        &mut self,
        node: &ast::Spanned<ast::Include<'s>>,
        context: &Context,
    ) -> Result<Context, Refused> {
        let span = node.span();
        let Some(names) = literal_names(&node.name) else {
            return Err(self.refuse(span, rule::INCLUDE_DYNAMIC, rule::INCLUDE_DYNAMIC.cause.into()));
        };
        self.inspect(&node.name)?;
        let mut exit = node.ignore_missing.then(|| context.clone());
        let mut found = node.ignore_missing;
        for (name, start, end) in &names {
            if let Some(next) = self.included(name, *start, *end, span, context)? {
                found = true;
                exit = Some(match exit {
                    Some(exit) => self.join(span, &exit, &next)?,
                    None => next,
                });
            }
        }
        if !found {
            return Err(self.missing(names.first().map_or("", |name| name.0), span));
        }
        Ok(exit.unwrap_or_else(|| context.clone()))
    }

    fn included(
        &mut self,
        name: &str,
        start: usize,
        end: usize,
        span: Span,
        context: &Context,
    ) -> Result<Option<Context>, Refused> {
        self.found.uses.insert(name.to_owned());
        match self.pass.analyse(name, context) {
            Reached::Done(done) => {
                self.rename(name, &done.variant, start, end);
                done.exit.clone().map(Some).ok_or(Refused)
            }
            Reached::Again(variant) => {
                self.rename(name, &variant, start, end);
                Ok(Some(context.clone()))
            }
            Reached::Missing => Ok(None),
            Reached::TooDeep => Err(self.too_deep(span)),
        }
    }

    fn rename(&mut self, name: &str, variant: &str, start: usize, end: usize) {
        if name == variant {
            self.found.edits.renames.remove(&start);
        } else {
            self.found.edits.renames.insert(start, (end, Rename::Template(variant.to_owned())));
        }
    }

    fn missing(&mut self, name: &str, span: Span) -> Refused {
        self.refuse(span, rule::NOT_FOUND, format!("template `{name}` does not exist"))
    }

    fn too_deep(&mut self, span: Span) -> Refused {
        self.refuse(span, rule::TOO_DEEP, "too many templates stand in one another".into())
    }

    pub(super) fn import(&mut self, node: &ast::Spanned<ast::Import<'s>>, context: Context) -> Walked {
        self.bind(&node.name)?;
        self.imported(&node.expr, node.span())?;
        Ok(Some(context))
    }

    pub(super) fn import_names(
        &mut self,
        node: &ast::Spanned<ast::FromImport<'s>>,
        context: Context,
    ) -> Walked {
        for (name, alias) in &node.names {
            self.bind(alias.as_ref().unwrap_or(name))?;
        }
        self.imported(&node.expr, node.span())?;
        Ok(Some(context))
    }

    fn imported(&mut self, expr: &ast::Expr<'s>, span: Span) -> Result<(), Refused> {
        let Some(names) = literal_names(expr) else {
            return Err(self.refuse(span, rule::IMPORT_DYNAMIC, rule::IMPORT_DYNAMIC.cause.into()));
        };
        self.inspect(expr)?;
        let mut found = false;
        for (name, start, end) in &names {
            found |= self.included(name, *start, *end, span, &self.base.clone())?.is_some();
        }
        if found { Ok(()) } else { Err(self.missing(names.first().map_or("", |name| name.0), span)) }
    }
}

/// What is left behind white space and whole HTML comments, which show nothing wherever they stand.
fn without_comments(raw: &str) -> &str {
    let mut rest = raw.trim_start();
    while let Some((comment, behind)) = rest.strip_prefix("<!--").and_then(|rest| rest.split_once("-->")) {
        // `<!-->` and `<!--->` end at once, and `--!>` ends a comment too.
        if comment.starts_with('>') || comment.starts_with("->") || comment.contains("--!>") {
            break;
        }
        rest = behind.trim_start();
    }
    rest
}
