//! A secret is not searched.

use haechi_db::{Model, Secret};

#[derive(Model)]
struct User {
    id: i64,
    password: Secret<String>,
}

fn main() {
    let _ = User::query().filter(user::password.starts_with("pbkdf2"));
}
