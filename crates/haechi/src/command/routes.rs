//! `routes`: every route with its methods and who may reach it.

use std::process::ExitCode;

use crate::App;

pub(super) fn run(app: &App, json: bool) -> ExitCode {
    print!("{}", if json { as_json(app) } else { as_table(app) });
    ExitCode::SUCCESS
}

fn as_table(app: &App) -> String {
    let mut rows: Vec<[String; 3]> = app
        .routes()
        .iter()
        .map(|route| [route.path.clone(), route.methods.join(","), route.policy.to_string()])
        .collect();
    rows.push(["/static/{*name}".to_owned(), "GET".to_owned(), "public".to_owned()]);
    rows.sort();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let (paths, methods) = (width(0), width(1));
    rows.iter()
        .map(|[path, method, policy]| format!("{path:paths$}  {method:methods$}  {policy}\n"))
        .collect()
}

fn as_json(app: &App) -> String {
    let rows: Vec<serde_json::Value> = app
        .routes()
        .iter()
        .map(|route| {
            serde_json::json!({
                "path": route.path,
                "methods": route.methods,
                "policy": route.policy.to_string(),
            })
        })
        .collect();
    format!("{}\n", serde_json::Value::Array(rows))
}
