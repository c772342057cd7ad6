//! Nor by the constructor that the macro would have called.

use haechi_db::{Model, Query};

#[derive(Model)]
#[model(tenant = org_id)]
struct Article {
    id: i64,
    org_id: i64,
    body: String,
}

fn main() {
    let _ = Query::<Article>::new();
}
