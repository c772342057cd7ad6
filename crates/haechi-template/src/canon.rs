//! The self-check: a canonical text of a syntax tree, to compare the tree that was meant with the one that came out.
//!
//! The original tree is written down with the edits applied, the rewritten one as it is. If the two texts differ, an
//! edit landed in the wrong place and the template is refused. The matches have no catch-all arm: a kind of statement
//! or expression that a later minijinja adds does not compile here instead of passing unseen.

use minijinja::Value;
use minijinja::machinery::ast::{self, CallArg, Expr, Stmt};

use crate::edit::{Edits, Insert, Rename};
use crate::escape::filter_name;

/// Writes down a tree, as it will be after `edits`.
pub(crate) fn canonical(source: &str, statements: &[Stmt<'_>], edits: &Edits) -> String {
    let mut writer =
        Writer { source, edits, text: String::with_capacity(source.len() * 2), raw: String::new() };
    writer.statements(statements);
    writer.text
}

struct Writer<'a> {
    source: &'a str,
    edits: &'a Edits,
    text: String,
    raw: String,
}

impl Writer<'_> {
    fn statements(&mut self, statements: &[Stmt<'_>]) {
        self.text.push('[');
        for statement in statements {
            self.statement(statement);
        }
        self.flush();
        self.text.push(']');
    }

    /// Raw text is joined, as an insert splits it.
    fn flush(&mut self) {
        if !self.raw.is_empty() {
            let raw = std::mem::take(&mut self.raw);
            self.put(&format!("raw {raw:?};"));
        }
    }

    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn open(&mut self, name: &str) {
        self.flush();
        self.put(name);
        self.put(" ");
    }

    fn raw(&mut self, raw: &str) {
        let start = offset_of(self.source, raw);
        let mut at = start;
        for (offset, inserts) in self.edits.inserts.range(start..=start + raw.len()) {
            self.raw.push_str(&self.source[at..*offset]);
            at = *offset;
            for insert in inserts {
                match insert {
                    Insert::Text(text) => self.raw.push_str(text),
                    Insert::Value(name) => {
                        self.open("emit");
                        self.put(&format!("var {name};"));
                    }
                }
            }
        }
        self.raw.push_str(&self.source[at..start + raw.len()]);
    }

    fn emit(&mut self, emit: &ast::Spanned<ast::EmitExpr<'_>>) {
        self.open("emit");
        let edit = self.edits.escapers.get(&(emit.span().start_offset as usize));
        let filter = edit.and_then(|(_, escaper)| filter_name(*escaper));
        if let Some(filter) = &filter {
            self.put(&format!("filter {filter:?} "));
        }
        self.expr(&emit.expr);
        if filter.is_some() {
            self.put("();");
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of statement")]
    fn statement(&mut self, statement: &Stmt<'_>) {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitExpr(emit) => self.emit(emit),
            Stmt::EmitRaw(raw) => self.raw(raw.raw),
            Stmt::ForLoop(node) => {
                self.open(if node.recursive { "for recursive" } else { "for" });
                self.expr(&node.target);
                self.expr(&node.iter);
                self.option(node.filter_expr.as_ref());
                self.statements(&node.body);
                self.statements(&node.else_body);
            }
            Stmt::IfCond(node) => {
                self.open("if");
                self.expr(&node.expr);
                self.statements(&node.true_body);
                self.statements(&node.false_body);
            }
            Stmt::WithBlock(node) => {
                self.open("with");
                for (target, value) in &node.assignments {
                    self.expr(target);
                    self.expr(value);
                }
                self.statements(&node.body);
            }
            Stmt::Set(node) => {
                self.open("set");
                self.expr(&node.target);
                self.operand(&node.expr);
            }
            Stmt::SetBlock(node) => {
                self.open("set block");
                self.expr(&node.target);
                self.option(node.filter.as_ref());
                self.statements(&node.body);
            }
            Stmt::AutoEscape(node) => {
                self.open("autoescape");
                self.expr(&node.enabled);
                self.statements(&node.body);
            }
            Stmt::FilterBlock(node) => {
                self.open("filter block");
                self.expr(&node.filter);
                self.statements(&node.body);
            }
            Stmt::Block(node) => {
                self.open(if node.required { "block required" } else { "block" });
                self.put(node.name);
                self.statements(&node.body);
            }
            Stmt::Import(node) => {
                self.open("import");
                self.expr(&node.expr);
                self.expr(&node.name);
            }
            Stmt::FromImport(node) => {
                self.open("from");
                self.expr(&node.expr);
                for (name, alias) in &node.names {
                    self.expr(name);
                    self.option(alias.as_ref());
                }
            }
            Stmt::Extends(node) => {
                self.open("extends");
                self.expr(&node.name);
            }
            Stmt::Include(node) => {
                self.open(if node.ignore_missing { "include ignore" } else { "include" });
                self.expr(&node.name);
            }
            Stmt::Macro(node) => self.macro_node(node),
            Stmt::CallBlock(node) => {
                self.open("call");
                self.call(&node.call);
                self.macro_node(&node.macro_decl);
            }
            Stmt::Continue(_) => self.open("continue"),
            Stmt::Break(_) => self.open("break"),
            Stmt::Do(node) => {
                self.open("do");
                self.call(&node.call);
            }
        }
    }

    fn macro_node(&mut self, node: &ast::Macro<'_>) {
        self.open("macro");
        self.put(node.name);
        self.exprs(&node.args);
        self.exprs(&node.defaults);
        self.statements(&node.body);
    }

    fn call(&mut self, call: &ast::Call<'_>) {
        self.expr(&call.expr);
        self.args(&call.args);
    }

    fn args(&mut self, args: &[CallArg<'_>]) {
        self.put("(");
        for arg in args {
            match arg {
                CallArg::Pos(value) => self.expr(value),
                CallArg::Kwarg(name, value) => self.named(name, value),
                CallArg::PosSplat(value) => self.named("*", value),
                CallArg::KwargSplat(value) => self.named("**", value),
            }
        }
        self.put(");");
    }

    fn named(&mut self, name: &str, value: &Expr<'_>) {
        self.put(&format!("{name}="));
        self.expr(value);
    }

    fn exprs(&mut self, exprs: &[Expr<'_>]) {
        self.put("(");
        for expr in exprs {
            self.expr(expr);
        }
        self.put(")");
    }

    fn option(&mut self, expr: Option<&Expr<'_>>) {
        match expr {
            Some(expr) => self.expr(expr),
            None => self.put("-;"),
        }
    }

    fn filter(&mut self, node: &ast::Filter<'_>) {
        let renamed = self.edits.renames.get(&offset_of(self.source, node.name));
        let name = match renamed {
            Some((_, Rename::Filter(name))) => name,
            _ => node.name,
        };
        self.put(&format!("filter {name:?} "));
        self.option(node.expr.as_ref());
        self.args(&node.args);
    }

    fn operand(&mut self, expr: &Expr<'_>) {
        let paid = self.edits.paid.get(&span_of(expr));
        if let Some(filter) = paid {
            self.put(&format!("filter {filter:?} "));
        }
        self.expr(expr);
        if paid.is_some() {
            self.put("();");
        }
    }

    fn constant(&mut self, node: &ast::Spanned<ast::Const>) {
        match self.edits.renames.get(&(node.span().start_offset as usize)) {
            Some((_, Rename::Template(name))) => self.put(&format!("const {:?};", Value::from(name))),
            _ => self.put(&format!("const {:?};", node.value)),
        }
    }

    fn expr(&mut self, expr: &Expr<'_>) {
        match expr {
            Expr::Var(node) => self.put(&format!("var {};", node.id)),
            Expr::Const(node) => self.constant(node),
            Expr::Slice(node) => {
                self.put("slice ");
                self.expr(&node.expr);
                for bound in [&node.start, &node.stop, &node.step] {
                    self.option(bound.as_ref());
                }
            }
            Expr::UnaryOp(node) => self.named(&format!("{:?}", node.op), &node.expr),
            Expr::BinOp(node) => {
                self.put(&format!("{:?}=", node.op));
                self.operand(&node.left);
                self.operand(&node.right);
            }
            Expr::Compare(node) => {
                self.put(&format!("compare {} ", node.ops.len()));
                self.operand(&node.expr);
                for step in &node.ops {
                    self.put(&format!("{:?}=", step.op));
                    self.operand(&step.expr);
                }
            }
            Expr::IfExpr(node) => {
                self.put("choose ");
                self.expr(&node.test_expr);
                self.expr(&node.true_expr);
                self.option(node.false_expr.as_ref());
            }
            Expr::Filter(node) => self.filter(node),
            Expr::Test(node) => {
                self.named(&format!("is {}", node.name), &node.expr);
                self.args(&node.args);
            }
            Expr::GetAttr(node) => self.named(&format!("attr {}", node.name), &node.expr),
            Expr::GetItem(node) => {
                self.named("item", &node.expr);
                self.expr(&node.subscript_expr);
            }
            Expr::Call(node) => {
                self.put("call ");
                self.call(node);
            }
            Expr::List(node) => {
                self.put("list");
                self.exprs(&node.items);
            }
            Expr::Tuple(node) => {
                self.put("tuple");
                self.exprs(&node.items);
            }
            Expr::Map(node) => {
                self.put("map");
                self.exprs(&node.keys);
                self.exprs(&node.values);
            }
        }
    }
}

/// Where an expression starts and ends.
pub(crate) fn span_of(expr: &Expr<'_>) -> (usize, usize) {
    let span = expr.span();
    (span.start_offset as usize, span.end_offset as usize)
}

/// The offset of a slice of `source`; the parser hands out nothing else.
pub(crate) fn offset_of(source: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(source.as_ptr() as usize)
}
