//! The control: what the other programs do wrong, done right. If this did not compile, they would prove nothing.

use haechi_db::{FilterSet, Input, Model, Query, Secret, SqlText, sql};

#[derive(Model)]
#[model(table = "board_post")]
struct Post {
    id: i64,
    #[model(column = "headline")]
    title: String,
    views: i64,
}

#[derive(Model)]
#[model(tenant = org_id)]
struct Article {
    id: i64,
    org_id: i64,
    body: String,
}

#[derive(Model)]
struct User {
    id: i64,
    password: Secret<String>,
}

#[derive(Input)]
#[input(model = Post)]
struct NewPost {
    title: String,
}

#[derive(FilterSet)]
#[filterset(model = Post, sort(title))]
struct PostFilter {
    #[filter(eq, contains, startswith)]
    #[allow(dead_code)]
    title: String,
}

struct Text;

impl SqlText for Text {
    const SQLITE: &'static str = "select 1";
    const POSTGRES: &'static str = "select 1";
    const SQLITE_ORDER: &'static [usize] = &[];
    const POSTGRES_ORDER: &'static [usize] = &[];
}

fn main() {
    let input = std::env::args().collect::<String>();
    let _ = Post::query().filter(post::title.eq(input.as_str())).order_by(post::title.asc());
    let _ = Post::query().filter(post::views.eq(1).and(post::title.contains(input.as_str())));
    let _ = sql!("select * from board_post where headline = {title}", title = input);
    let id = 1;
    let _ = sql!("select ';', '--' from board_post where id = {id}");
    let _ = haechi_db::Sql::<Text>::new(vec![]);
    let _ = Article::of_tenant(1);
    let _ = Query::<Article>::of_tenant(1);
    let _ = Post::insert(NewPost { title: String::new() }).set(post::views, 0);
    let _ = User::query().filter(user::id.eq(1)).order_by(user::id.asc());
    let _ = PostFilter::parse([("title__contains", "x"), ("sort", "-title")]);
}
