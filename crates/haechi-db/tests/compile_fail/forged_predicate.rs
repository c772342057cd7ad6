//! A predicate comes from a column only.

use haechi_db::{Model, Predicate};

#[derive(Model)]
struct Post {
    id: i64,
    title: String,
    views: i64,
}

fn main() {
    let _ = Predicate::<Post> { node: unreachable!(), model: std::marker::PhantomData };
}
