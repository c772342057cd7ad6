//! A form cannot choose the key that the database numbers.

use haechi_db::{Input, Model};

#[derive(Model)]
struct Post {
    id: i64,
    title: String,
    views: i64,
}

#[derive(Input)]
#[input(model = Post)]
struct NewPost {
    id: i64,
}

fn main() {}
