//! Text that was made at run time and leaked is no const.

use haechi_db::{Sql, SqlText};

fn main() {
    fn injected(input: String) {
        struct Text;
        impl SqlText for Text {
            const SQLITE: &'static str = String::leak(input);
            const POSTGRES: &'static str = "select 1";
            const SQLITE_ORDER: &'static [usize] = &[];
            const POSTGRES_ORDER: &'static [usize] = &[];
        }
        let _ = Sql::<Text>::new(vec![]);
    }
    injected(String::new());
}
