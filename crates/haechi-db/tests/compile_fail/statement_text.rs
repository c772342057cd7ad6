//! The text of a statement does not grow from outside.

use haechi_db::Statement;

fn grow(mut statement: Statement) {
    let input = std::env::args().collect::<String>();
    statement.push_literal(String::leak(input));
}

fn main() {
    let _ = grow;
}
