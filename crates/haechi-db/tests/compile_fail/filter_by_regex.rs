//! An outsider has no regular expressions: their cost is unbounded.

use haechi_db::{FilterSet, Model};

#[derive(Model)]
struct Post {
    id: i64,
    title: String,
    views: i64,
}

#[derive(FilterSet)]
#[filterset(model = Post)]
struct PostFilter {
    #[filter(regex)]
    title: String,
}

fn main() {}
