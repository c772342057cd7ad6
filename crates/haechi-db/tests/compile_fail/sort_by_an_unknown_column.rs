//! A sort key is a column of the model.

use haechi_db::{FilterSet, Model};

#[derive(Model)]
struct Post {
    id: i64,
    title: String,
    views: i64,
}

#[derive(FilterSet)]
#[filterset(model = Post, sort(password))]
struct PostFilter {
    #[filter(eq)]
    title: String,
}

fn main() {}
