//! The parts of an expression.

use std::collections::BTreeSet;

use minijinja::machinery::ast::{CallArg, Expr};

/// Returns the expressions directly inside `expr`; a new kind of expression does not compile here.
pub(super) fn children<'e, 's>(expr: &'e Expr<'s>) -> Vec<&'e Expr<'s>> {
    match expr {
        Expr::Var(_) | Expr::Const(_) => Vec::new(),
        Expr::Slice(node) => {
            let bounds = [&node.start, &node.stop, &node.step].into_iter().filter_map(Option::as_ref);
            std::iter::once(&node.expr).chain(bounds).collect()
        }
        Expr::UnaryOp(node) => vec![&node.expr],
        Expr::BinOp(node) => vec![&node.left, &node.right],
        Expr::Compare(node) => {
            std::iter::once(&node.expr).chain(node.ops.iter().map(|step| &step.expr)).collect()
        }
        Expr::IfExpr(node) => {
            [&node.test_expr, &node.true_expr].into_iter().chain(node.false_expr.as_ref()).collect()
        }
        Expr::Filter(node) => node.expr.iter().chain(node.args.iter().map(value)).collect(),
        Expr::Test(node) => std::iter::once(&node.expr).chain(node.args.iter().map(value)).collect(),
        Expr::GetAttr(node) => vec![&node.expr],
        Expr::GetItem(node) => vec![&node.expr, &node.subscript_expr],
        Expr::Call(node) => std::iter::once(&node.expr).chain(node.args.iter().map(value)).collect(),
        Expr::List(node) => node.items.iter().collect(),
        Expr::Tuple(node) => node.items.iter().collect(),
        Expr::Map(node) => node.keys.iter().chain(&node.values).collect(),
    }
}

pub(super) fn value<'e, 's>(arg: &'e CallArg<'s>) -> &'e Expr<'s> {
    match arg {
        CallArg::Pos(value)
        | CallArg::Kwarg(_, value)
        | CallArg::PosSplat(value)
        | CallArg::KwargSplat(value) => value,
    }
}

/// Whether the expression is a `SafePath` if it is anything: a function that was added as one, or `|local_path`.
pub(super) fn stays_here(expr: &Expr<'_>, functions: &BTreeSet<String>) -> bool {
    match expr {
        Expr::Call(node) => matches!(&node.expr, Expr::Var(name) if functions.contains(name.id)),
        Expr::Filter(node) => node.name == "local_path",
        Expr::IfExpr(node) => {
            stays_here(&node.true_expr, functions)
                && node.false_expr.as_ref().is_some_and(|other| stays_here(other, functions))
        }
        _ => false,
    }
}

/// The literal template names of an include: one, a list, or a choice between them.
pub(super) fn literal_names<'e, 's>(expr: &'e Expr<'s>) -> Option<Vec<(&'e str, usize, usize)>> {
    match expr {
        Expr::Const(node) => {
            let span = node.span();
            Some(vec![(node.value.as_str()?, span.start_offset as usize, span.end_offset as usize)])
        }
        Expr::List(node) => {
            let names: Option<Vec<_>> = node.items.iter().map(literal_names).collect();
            names.map(|names| names.concat())
        }
        Expr::IfExpr(node) => {
            let mut names = literal_names(&node.true_expr)?;
            names.extend(literal_names(node.false_expr.as_ref()?)?);
            Some(names)
        }
        _ => None,
    }
}
