//! A statement is made by `sql!` and by the builder.

use haechi_db::Statement;

fn main() {
    let input = std::env::args().collect::<String>();
    let _ = Statement::from_const(String::leak(input), Vec::new(), unreachable!());
}
