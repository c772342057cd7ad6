//! A secret does not reach a template or a JSON answer.

use haechi_db::Secret;

fn to_a_template<T: serde::Serialize>(_: T) {}

fn main() {
    to_a_template(Secret::new(1_i64));
}
