//! A secret is not sorted by: the order would tell it.

use haechi_db::{Model, Secret};

#[derive(Model)]
struct User {
    id: i64,
    password: Secret<String>,
}

fn main() {
    let _ = User::query().order_by(user::password.asc());
}
