//! A form sets the columns that it declares and no other.

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
    title: String,
}

fn main() {
    let _ = Post::insert(NewPost { title: String::new(), views: 1_000_000 });
}
