//! A page of posts as the lists show it: who wrote them is read in one statement for all of them.

use haechi::db::{Count, Page};
use haechi::{Db, Result};
use serde::Serialize;

use crate::models::{Post, Writer, post};
use crate::moment::Moment;

/// A page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Listing {
    pub(crate) posts: Vec<Line>,
    page: u32,
    total: Count,
    newer: Option<String>,
    older: Option<String>,
}

/// A post as a list shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    id: i64,
    title: String,
    author: String,
    created: Moment,
}

impl Listing {
    /// Makes the page of a list; `link` is the address of another page of it.
    pub(crate) async fn of(page: Page<Post>, db: &Db, link: impl Fn(u32) -> String) -> Result<Self> {
        Ok(Self {
            posts: lines(page.items, db).await?,
            page: page.page,
            total: page.total,
            newer: (page.page > 1).then(|| link(page.page - 1)),
            older: page.has_next.then(|| link(page.page + 1)),
        })
    }
}

/// Reads who wrote the posts.
pub(crate) async fn lines(posts: Vec<Post>, db: &Db) -> Result<Vec<Line>> {
    let authors = post::author.load(&posts, Writer::query(), db).await?;
    let line = |row: &Post| Line {
        id: row.id,
        title: row.title.clone(),
        author: authors.of(row).map(|author| author.username.clone()).unwrap_or_default(),
        created: row.created.into(),
    };
    Ok(posts.iter().map(line).collect())
}
