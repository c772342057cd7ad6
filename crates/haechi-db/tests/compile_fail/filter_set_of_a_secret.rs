//! An outsider cannot filter by a secret: each answer would tell a letter of it.

use haechi_db::{FilterSet, Model, Secret};

#[derive(Model)]
struct User {
    id: i64,
    password: Secret<String>,
}

#[derive(FilterSet)]
#[filterset(model = User)]
struct UserFilter {
    #[filter(startswith)]
    password: String,
}

fn main() {}
