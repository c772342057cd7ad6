//! Expressions, branches, loops, captures and macros.

use haechi_context::Context;
use minijinja::machinery::{Span, ast};

use super::walk::{Refused, Walk, Walked};
use crate::problem::Place;
use crate::report::Explained;
use crate::rule;

impl<'s> Walk<'_, 's> {
    /// An expression that is printed.
    pub(super) fn emit(
        &mut self,
        node: &ast::Spanned<ast::EmitExpr<'s>>,
        mut context: Context,
    ) -> Result<Context, Refused> {
        let spot = self.spot(node.span());
        if let Some(exit) = self.emit_special(node, &context)? {
            return Ok(exit);
        }
        let before = context.clone();
        let stays = super::expr::stays_here(&node.expr, &self.settings().path_functions);
        let escaper = if stays { context.emit_path() } else { context.emit() };
        let escaper = escaper.map_err(|error| self.refuse_context(spot, &error))?;
        if let ast::Expr::Filter(filter) = &node.expr
            && filter.name == "safe"
            && !self.is_text(&before)
        {
            let message = format!("`|safe` says HTML, but this is {before}");
            return Err(self.refuse_at(self.name_spot(filter.name), rule::SAFE_MISUSE, message));
        }
        self.inspect(&node.expr)?;
        if before.is_text() {
            self.warn_of_client_template(spot);
        }
        self.found.edits.escapers.insert(spot.offset, (spot.end, escaper));
        let place = Place::of(self.source, spot.offset);
        let explained = Explained {
            line: place.line,
            column: place.column,
            expression: self.source[spot.offset..spot.end].into(),
            context: before.to_string(),
            escaper: escaper.to_string(),
        };
        self.found.explained.insert(spot.offset, explained);
        Ok(context)
    }

    /// `super()`, `self.name()` and `loop(…)` print code of the template: no escaper, but the right place.
    fn emit_special(
        &mut self,
        node: &ast::Spanned<ast::EmitExpr<'s>>,
        context: &Context,
    ) -> Result<Option<Context>, Refused> {
        let ast::Expr::Call(call) = &node.expr else { return Ok(None) };
        let (meant, rule) = match call.identify_call() {
            ast::CallType::Function("super") if call.args.is_empty() => {
                (self.block.clone(), rule::SUPER_CONTEXT)
            }
            ast::CallType::Block(name) => (self.found.blocks.get(name).cloned(), rule::SELF_CONTEXT),
            ast::CallType::Function("loop") => {
                self.inspect_parts(&node.expr)?;
                if !self.is_text(context) {
                    return Err(self.refuse(
                        node.span(),
                        rule::RECURSIVE_LOOP,
                        rule::RECURSIVE_LOOP.cause.into(),
                    ));
                }
                return Ok(Some(context.clone()));
            }
            _ => return Ok(None),
        };
        self.inspect_all(call.args.iter().map(super::expr::value))?;
        let Some(meant) = meant else {
            return Err(self.refuse(node.span(), rule, "there is no such block here".into()));
        };
        if meant != *context {
            let message = format!("the block was written for {meant}, but this is {context}");
            return Err(self.refuse(node.span(), rule, message));
        }
        Ok(Some(context.widen()))
    }

    pub(super) fn branches(&mut self, node: &ast::Spanned<ast::IfCond<'s>>, context: Context) -> Walked {
        self.inspect(&node.expr)?;
        let yes = self.walk_all(&node.true_body, context.clone())?;
        let no = self.walk_all(&node.false_body, context)?;
        self.join_reached(node.span(), yes, no)
    }

    fn join_reached(&mut self, span: Span, a: Option<Context>, b: Option<Context>) -> Walked {
        match (a, b) {
            (Some(a), Some(b)) => self.join(span, &a, &b).map(Some),
            (a, b) => Ok(a.or(b)),
        }
    }

    /// A loop: its body is walked until the context at its start no longer changes.
    pub(super) fn for_loop(&mut self, node: &ast::Spanned<ast::ForLoop<'s>>, context: &Context) -> Walked {
        let span = node.span();
        self.bind(&node.target)?;
        self.inspect(&node.iter)?;
        self.inspect_all(node.filter_expr.iter())?;
        if node.recursive && !self.is_text(context) {
            return Err(self.refuse(span, rule::RECURSIVE_LOOP, rule::RECURSIVE_LOOP.cause.into()));
        }
        let mut start = context.clone();
        for _ in 0..MAX_ROUNDS {
            let end = self.round(node, &start)?;
            if end == start {
                if node.else_body.is_empty() {
                    return Ok(Some(start));
                }
                // minijinja runs `else` also behind a `break` in the first round, so it may stand behind the body.
                let otherwise = self.walk_all(&node.else_body, start.clone())?;
                return self.join_reached(span, Some(start), otherwise);
            }
            start = end;
        }
        let message = format!("the loop body starts in {context} and ends elsewhere each time");
        Err(self.refuse(span, rule::LOOP, message))
    }

    /// One walk over a loop's body: the join of its start with all its ends.
    fn round(&mut self, node: &ast::Spanned<ast::ForLoop<'s>>, start: &Context) -> Result<Context, Refused> {
        self.loops.push(Vec::new());
        let end = self.walk_all(&node.body, start.clone());
        let jumps = self.loops.pop().unwrap_or_default();
        let mut joined = start.clone();
        for end in end?.into_iter().chain(jumps) {
            joined = joined.join(&end).map_err(|_| {
                let message = format!("the loop body starts in {start}, but ends in {end}");
                self.refuse(node.span(), rule::LOOP, message)
            })?;
        }
        Ok(joined)
    }

    pub(super) fn with(&mut self, node: &ast::Spanned<ast::WithBlock<'s>>, context: Context) -> Walked {
        for (target, value) in &node.assignments {
            self.bind(target)?;
            self.inspect(value)?;
        }
        self.walk_all(&node.body, context)
    }

    pub(super) fn set_block(&mut self, node: &ast::Spanned<ast::SetBlock<'s>>, context: Context) -> Walked {
        self.bind(&node.target)?;
        self.inspect_all(node.filter.iter())?;
        self.fragment(&node.body, "a {% set %} block", node.span())?;
        Ok(Some(context))
    }

    pub(super) fn filter_block(
        &mut self,
        node: &ast::Spanned<ast::FilterBlock<'s>>,
        context: Context,
    ) -> Walked {
        if !self.is_text(&context) {
            let message = format!("{{% filter %}} prints HTML text, but this is {context}");
            return Err(self.refuse(node.span(), rule::FILTER_BLOCK, message));
        }
        self.inspect(&node.filter)?;
        self.fragment(&node.body, "a {% filter %} block", node.span())?;
        Ok(Some(context))
    }

    /// A macro; a problem in it does not stop the walk behind it.
    pub(super) fn macro_(&mut self, node: &ast::Macro<'s>, span: Span, context: Context) -> Walked {
        let noted = self.found.problems.len();
        match self.macro_parts(node, span) {
            Err(Refused) if self.found.problems.len() == noted => Err(Refused),
            _ => Ok(Some(context)),
        }
    }

    fn macro_parts(&mut self, node: &ast::Macro<'s>, span: Span) -> Result<(), Refused> {
        self.bind_name(node.name)?;
        node.args.iter().try_for_each(|arg| self.bind(arg))?;
        self.inspect_all(&node.defaults)?;
        self.fragment(&node.body, "the macro", span)
    }

    pub(super) fn call_block(&mut self, node: &ast::Spanned<ast::CallBlock<'s>>, context: Context) -> Walked {
        if !self.is_text(&context) {
            let message = format!("{{% call %}} prints HTML text, but this is {context}");
            return Err(self.refuse(node.span(), rule::CALL_BLOCK, message));
        }
        self.inspect(&node.call.expr)?;
        self.inspect_all(node.call.args.iter().map(super::expr::value))?;
        let body = &node.macro_decl;
        body.args.iter().try_for_each(|arg| self.bind(arg))?;
        self.inspect_all(&body.defaults)?;
        self.fragment(&body.body, "the {% call %} body", node.span())?;
        Ok(Some(context))
    }
}

/// How often a loop body may widen its start: URL part, then slash, then "in a tag".
const MAX_ROUNDS: usize = 4;
