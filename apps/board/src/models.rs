//! The tables of the board, and the columns of the user table that its pages show.

use haechi::{FilterSet, Input, Migration, MigrationSet, Model, UserId};
use jiff::Timestamp;

/// The tables that the board adds to those of the users.
pub(crate) struct BoardTables;

impl MigrationSet for BoardTables {
    const APP: &'static str = "board";
    const REQUIRES: &'static [&'static str] = &["haechi_auth"];
    const MIGRATIONS: &'static [Migration] = &[Migration {
        name: "0001_board",
        sqlite: include_str!("../migrations/0001_board/up.sqlite.sql"),
        postgres: include_str!("../migrations/0001_board/up.postgres.sql"),
    }];
}

/// Who wrote something. Only what everybody may see is read from the table of users.
#[derive(Model, Clone, Debug)]
#[model(table = "auth_user")]
pub(crate) struct Writer {
    pub(crate) id: UserId,
    pub(crate) username: String,
    pub(crate) is_active: bool,
    pub(crate) date_joined: Timestamp,
}

/// A post.
#[derive(Model, Clone, Debug)]
pub(crate) struct Post {
    pub(crate) id: i64,
    #[model(belongs_to = Writer)]
    pub(crate) author_id: UserId,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) created: Timestamp,
    pub(crate) changed: Option<Timestamp>,
}

/// A comment below a post.
#[derive(Model, Clone, Debug)]
pub(crate) struct Comment {
    pub(crate) id: i64,
    #[model(belongs_to = Post)]
    pub(crate) post_id: i64,
    #[model(belongs_to = Writer)]
    pub(crate) author_id: UserId,
    pub(crate) body: String,
    pub(crate) created: Timestamp,
}

/// What a person says of themselves.
#[derive(Model, Clone, Debug)]
pub(crate) struct Profile {
    #[model(key, unique)]
    pub(crate) user_id: UserId,
    pub(crate) website: String,
    pub(crate) biography: String,
}

/// What the form of a post sets.
#[derive(Input, Clone, Debug)]
#[input(model = Post)]
pub(crate) struct NewPost {
    #[input(max_length = 200)]
    pub(crate) title: String,
    #[input(max_length = 20000)]
    pub(crate) body: String,
}

/// What the form of a comment sets.
#[derive(Input, Clone, Debug)]
#[input(model = Comment)]
pub(crate) struct NewComment {
    #[input(max_length = 5000)]
    pub(crate) body: String,
}

/// What the form of a profile sets.
#[derive(Input, Clone, Debug)]
#[input(model = Profile)]
pub(crate) struct NewProfile {
    #[input(max_length = 200)]
    pub(crate) website: String,
    #[input(max_length = 5000)]
    pub(crate) biography: String,
}

/// What an outsider may search by, and how far; everything else is 400.
#[derive(FilterSet, Debug)]
#[filterset(model = Post, sort(id, title, created), per_page = 20, max_per_page = 50)]
pub(crate) struct PostFilter {
    #[filter(eq, contains)]
    title: String,
    #[filter(contains)]
    body: String,
    #[filter(eq, any_of)]
    author_id: UserId,
}
