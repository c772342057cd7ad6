//! Also if the column is written without the macro.

use haechi_db::{Column, Field, Model};

#[derive(Model)]
struct Post {
    id: i64,
    title: String,
    views: i64,
}

#[derive(Clone, Copy)]
struct Evil;

impl Column for Evil {
    type Model = Post;
    type Type = String;
    const NAME: &'static str = "x\" = 1 or \"y";
    const HAS_DEFAULT: bool = false;
    fn of(post: &Post) -> &String {
        &post.title
    }
}

fn main() {
    let _ = Post::query().filter(Field::<Evil>::new().eq("x"));
}
