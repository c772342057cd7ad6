//! A form cannot choose whose row it makes.

use haechi_db::{Input, Model};

#[derive(Model)]
#[model(tenant = org_id)]
struct Article {
    id: i64,
    org_id: i64,
    body: String,
}

#[derive(Input)]
#[input(model = Article)]
struct NewArticle {
    org_id: i64,
}

fn main() {}
