//! The rows of a tenant model cannot be queried without saying whose.

use haechi_db::Model;

#[derive(Model)]
#[model(tenant = org_id)]
struct Article {
    id: i64,
    org_id: i64,
    body: String,
}

fn main() {
    let _ = Article::query();
}
