//! Its constructor is private.

use haechi_db::{Model, Predicate};

#[derive(Model)]
struct Post {
    id: i64,
    title: String,
    views: i64,
}

fn main() {
    let _ = Predicate::<Post>::new(unreachable!());
}
