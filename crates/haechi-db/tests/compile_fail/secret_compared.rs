//! Nor can the program itself.

use haechi_db::{Model, Secret};

#[derive(Model)]
struct User {
    id: i64,
    password: Secret<String>,
}

fn main() {
    let _ = User::query().filter(user::password.eq(Secret::new(String::from("x"))));
}
