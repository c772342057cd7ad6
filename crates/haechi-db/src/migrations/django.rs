//! The tables of Django that haechi can work with, and how those of a site differ from them.
//!
//! They are the tables of `contrib.auth`, `contrib.contenttypes` and `contrib.sessions` as Django 4.2 to 6.1 make them.

use std::{collections::BTreeSet, fmt};

/// A table as it stands in a database.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: Vec<Column>,
    /// Each set of columns that is unique together, the primary key among them.
    pub(super) unique: Vec<BTreeSet<String>>,
}

/// A column as it stands in a database.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) limit: Option<i64>,
    pub(super) nullable: bool,
    pub(super) default: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Bool,
    Text,
    Moment,
    Other,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Integer => "an integer",
            Kind::Bool => "a boolean",
            Kind::Text => "text",
            Kind::Moment => "a timestamp",
            Kind::Other => "of another type",
        })
    }
}

/// What is needed of a table.
struct Need {
    table: &'static str,
    columns: &'static [(&'static str, Kind, Filled)],
    unique: &'static [&'static [&'static str]],
}

/// Whether a column must have a value, and how long a text must be able to be.
#[derive(Clone, Copy)]
enum Filled {
    Always,
    UpTo(i64),
    Maybe,
}

pub(super) fn names() -> Vec<&'static str> {
    NEEDS.iter().map(|need| need.table).collect()
}

/// Compares what was found with what is needed; a line for each difference that matters.
pub(super) fn differences(found: &[Table]) -> Vec<String> {
    let mut lines = Vec::new();
    for need in NEEDS {
        match found.iter().find(|table| table.name == need.table) {
            None => lines.push(format!("{}: the table is missing", need.table)),
            Some(table) => compare(need, table, &mut lines),
        }
    }
    lines
}

fn compare(need: &Need, table: &Table, lines: &mut Vec<String>) {
    for (name, kind, filled) in need.columns {
        let place = format!("{}.{name}", need.table);
        match table.columns.iter().find(|column| column.name == *name) {
            None => lines.push(format!("{place}: the column is missing")),
            Some(column) => compare_column(&place, column, *kind, *filled, lines),
        }
    }
    for extra in &table.columns {
        let known = need.columns.iter().any(|(name, ..)| *name == extra.name);
        if !known && !extra.nullable && !extra.default {
            let place = format!("{}.{}", need.table, extra.name);
            lines.push(format!("{place}: haechi does not fill this column, and it has no default"));
        }
    }
    for unique in need.unique {
        let set: BTreeSet<String> = unique.iter().map(|&name| name.to_owned()).collect();
        if !table.unique.contains(&set) {
            lines.push(format!("{}: ({}) must be unique", need.table, unique.join(", ")));
        }
    }
}

fn compare_column(place: &str, column: &Column, kind: Kind, filled: Filled, lines: &mut Vec<String>) {
    if column.kind != kind {
        lines.push(format!("{place}: is {}, must be {kind}", column.kind));
    }
    match filled {
        Filled::Maybe if !column.nullable => {
            lines.push(format!("{place}: must be able to be null"));
        }
        Filled::Always | Filled::UpTo(_) if column.nullable => {
            lines.push(format!("{place}: must be not null"));
        }
        _ => {}
    }
    if let (Filled::UpTo(need), Some(limit)) = (filled, column.limit)
        && limit < need
    {
        lines.push(format!("{place}: takes {limit} characters, must take {need}"));
    }
}

const ID: (&str, Kind, Filled) = ("id", Kind::Integer, Filled::Always);

const NEEDS: &[Need] = &[
    Need {
        table: "auth_user",
        columns: &[
            ID,
            ("password", Kind::Text, Filled::UpTo(128)),
            ("last_login", Kind::Moment, Filled::Maybe),
            ("is_superuser", Kind::Bool, Filled::Always),
            ("username", Kind::Text, Filled::UpTo(150)),
            ("first_name", Kind::Text, Filled::UpTo(150)),
            ("last_name", Kind::Text, Filled::UpTo(150)),
            ("email", Kind::Text, Filled::UpTo(254)),
            ("is_staff", Kind::Bool, Filled::Always),
            ("is_active", Kind::Bool, Filled::Always),
            ("date_joined", Kind::Moment, Filled::Always),
        ],
        unique: &[&["id"], &["username"]],
    },
    Need {
        table: "auth_group",
        columns: &[ID, ("name", Kind::Text, Filled::UpTo(150))],
        unique: &[&["id"], &["name"]],
    },
    Need {
        table: "auth_permission",
        columns: &[
            ID,
            ("name", Kind::Text, Filled::UpTo(255)),
            ("content_type_id", Kind::Integer, Filled::Always),
            ("codename", Kind::Text, Filled::UpTo(100)),
        ],
        unique: &[&["id"], &["content_type_id", "codename"]],
    },
    Need {
        table: "django_content_type",
        columns: &[
            ID,
            ("app_label", Kind::Text, Filled::UpTo(100)),
            ("model", Kind::Text, Filled::UpTo(100)),
        ],
        unique: &[&["id"], &["app_label", "model"]],
    },
    Need {
        table: "auth_user_groups",
        columns: &[
            ID,
            ("user_id", Kind::Integer, Filled::Always),
            ("group_id", Kind::Integer, Filled::Always),
        ],
        unique: &[&["user_id", "group_id"]],
    },
    Need {
        table: "auth_group_permissions",
        columns: &[
            ID,
            ("group_id", Kind::Integer, Filled::Always),
            ("permission_id", Kind::Integer, Filled::Always),
        ],
        unique: &[&["group_id", "permission_id"]],
    },
    Need {
        table: "auth_user_user_permissions",
        columns: &[
            ID,
            ("user_id", Kind::Integer, Filled::Always),
            ("permission_id", Kind::Integer, Filled::Always),
        ],
        unique: &[&["user_id", "permission_id"]],
    },
    Need {
        table: "django_session",
        columns: &[
            ("session_key", Kind::Text, Filled::UpTo(40)),
            ("session_data", Kind::Text, Filled::Always),
            ("expire_date", Kind::Moment, Filled::Always),
        ],
        unique: &[&["session_key"]],
    },
];
