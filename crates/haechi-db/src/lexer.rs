//! The lexer that decides whether a text may be a statement; the compiler runs it over every `sql!`.
//!
//! It is compiled twice: here as the gate that no text passes by, and in `haechi-db-macros`, which shows the fault
//! at the place where the text stands. It knows both engines' quoting and refuses what they read differently, so
//! that a text means the same to us, to SQLite and to PostgreSQL.

/// Why a text is not one statement, and the byte where that shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) message: &'static str,
    pub(crate) at: usize,
}

/// Returns the first fault of `text`, a statement whose values are written `$1`, `$2` and so on.
pub(crate) const fn fault(text: &str) -> Option<Fault> {
    let bytes = text.as_bytes();
    if let Some(fault) = first_word(bytes) {
        return Some(fault);
    }
    let mut at = 0;
    while at < bytes.len() {
        if let Some(message) = refused(bytes, at) {
            return Some(Fault { message, at });
        }
        at = match bytes[at] {
            b'\'' | b'"' => match quote_end(bytes, at) {
                Some(end) => end,
                None => return Some(Fault { message: UNBALANCED, at }),
            },
            _ => at + 1,
        };
    }
    None
}

/// Returns whether the statement changes rows; SQLite runs such a one on its only writer.
pub(crate) const fn writes(text: &str) -> bool {
    let bytes = text.as_bytes();
    let start = skip_space(bytes, 0);
    let end = word_end(bytes, start);
    if !is_word(bytes, start, end, b"with") {
        return is_change(bytes, start, end);
    }
    let mut at = end;
    while at < bytes.len() {
        let end = word_end(bytes, at);
        if end > at && is_change(bytes, at, end) {
            return true;
        }
        at = match bytes[at] {
            b'\'' | b'"' => match quote_end(bytes, at) {
                Some(end) => end,
                None => return false,
            },
            _ if end > at => end,
            _ => at + 1,
        };
    }
    false
}

/// Returns the byte behind the quoted part that starts at `start`; a doubled quote stands for itself.
pub(crate) const fn quote_end(bytes: &[u8], start: usize) -> Option<usize> {
    let quote = bytes[start];
    let mut at = start + 1;
    while at < bytes.len() {
        if bytes[at] == quote {
            if at + 1 < bytes.len() && bytes[at + 1] == quote {
                at += 1;
            } else {
                return Some(at + 1);
            }
        }
        if bytes[at] == 0 || bytes[at] == b'\\' {
            return None;
        }
        at += 1;
    }
    None
}

/// Returns whether `name` may name a table or a column: `[a-z_][a-z0-9_]{0,62}`.
pub(crate) const fn is_identifier(name: &str) -> bool {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() > 63 || bytes[0].is_ascii_digit() {
        return false;
    }
    let mut at = 0;
    while at < bytes.len() {
        if !(bytes[at] == b'_' || bytes[at].is_ascii_lowercase() || bytes[at].is_ascii_digit()) {
            return false;
        }
        at += 1;
    }
    true
}

const UNBALANCED: &str =
    "a quote is not closed, or a quoted part holds a backslash or NUL: give such text as a value, {name}";

const fn first_word(bytes: &[u8]) -> Option<Fault> {
    let start = skip_space(bytes, 0);
    let end = word_end(bytes, start);
    let known = is_word(bytes, start, end, b"select")
        || is_word(bytes, start, end, b"with")
        || is_word(bytes, start, end, b"values")
        || is_change(bytes, start, end);
    if known {
        return None;
    }
    // SET, RESET, PRAGMA and ATTACH would undo what the connection was opened with; DDL is for migrations.
    let message = "a statement starts with select, insert, update, delete, with or values; \
                   all else belongs into a migration";
    Some(Fault { message, at: start })
}

const fn refused(bytes: &[u8], at: usize) -> Option<&'static str> {
    let next = if at + 1 < bytes.len() { bytes[at + 1] } else { 0 };
    let before = if at > 0 { bytes[at - 1] } else { b' ' };
    let quotes_follow = next == b'\'' || (next == b'&' && at + 2 < bytes.len() && bytes[at + 2] != b' ');
    match bytes[at] {
        b';' => Some("`;` would start a second statement: write one statement in each sql!"),
        b'-' if next == b'-' => Some("`--` starts a comment, which can hide half a statement: leave it out"),
        b'/' if next == b'*' => Some("`/*` starts a comment, which can hide half a statement: leave it out"),
        b'\\' => {
            Some("a backslash is read differently by the engines: leave it out, or give the text as a value")
        }
        b'`' => Some("write \"name\" instead of `name`: only SQLite knows backticks"),
        b'?' => Some("write {name} for a value; for PostgreSQL's `?` operator write jsonb_exists(…)"),
        b'$' if !next.is_ascii_digit() || next == b'0' || is_word_byte(before) => {
            Some("write {name} for a value, and no dollar-quoted text")
        }
        b':' if before != b':' && (next.is_ascii_alphabetic() || next == b'_') => {
            Some("write {name} for a value, not :name")
        }
        b'@' if next.is_ascii_alphabetic() || next == b'_' => Some("write {name} for a value, not @name"),
        b'e' | b'E' | b'u' | b'U' if quotes_follow && !is_word_byte(before) && bytes[at] | 32 != b'u' => {
            Some("E'…' reads backslashes as escapes: give the text as a value, {name}")
        }
        b'u' | b'U' if next == b'&' && quotes_follow && !is_word_byte(before) => {
            Some("U&'…' reads backslashes as escapes: give the text as a value, {name}")
        }
        b's' | b'S' if !is_word_byte(before) && is_set_config(bytes, at) => Some(SET_CONFIG),
        b'"' if is_set_config(bytes, at + 1) => Some(SET_CONFIG),
        byte if byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r') => {
            Some("a control character stands in the text")
        }
        byte if !byte.is_ascii() => Some("outside quotes only ASCII is read alike by both engines"),
        _ => None,
    }
}

/// A function that does what SET does; on a connection of a pool the next caller would inherit it.
const fn is_set_config(bytes: &[u8], at: usize) -> bool {
    is_word(bytes, at, word_end(bytes, at), b"set_config")
}

const SET_CONFIG: &str = "set_config would change the connection for whoever gets it next: \
                          give the setting with the URL or to the role";

const fn is_change(bytes: &[u8], start: usize, end: usize) -> bool {
    is_word(bytes, start, end, b"insert")
        || is_word(bytes, start, end, b"update")
        || is_word(bytes, start, end, b"delete")
}

const fn skip_space(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while at < bytes.len() && bytes[at].is_ascii_whitespace() {
        at += 1;
    }
    at
}

const fn word_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while at < bytes.len() && is_word_byte(bytes[at]) {
        at += 1;
    }
    at
}

const fn is_word_byte(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

const fn is_word(bytes: &[u8], start: usize, end: usize, word: &[u8]) -> bool {
    if end - start != word.len() {
        return false;
    }
    let mut at = 0;
    while at < word.len() {
        if bytes[start + at].to_ascii_lowercase() != word[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::{fault, is_identifier, writes};

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let found = fault(text).map(|fault| fault.message);
        match (found, expected) {
            (None, None) => {}
            (Some(found), Some(expected)) if found.contains(expected) => {}
            (found, expected) => panic!("{text:?}: {found:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn one_statement_passes() {
        check("select 1", None);
        check("  SELECT * FROM \"order\" WHERE a = $1 AND b <> 'it''s; -- fine /* too'", None);
        check("with x as (select 1) select * from x", None);
        check("values (1), (2)", None);
        check("select a::text, b->>'k', c - -1, d[1:2] from t where e @> $1 and f <@ $12", None);
        check("select 'ümlaut', x'00ff' from table_e", None);
        check("update t set a = $1 where b = 'E'", None);
    }

    #[test]
    fn what_could_hide_a_second_statement_is_refused() {
        check("select 1; drop table t", Some("second statement"));
        check("select 1;", Some("second statement"));
        check("select 1 -- x", Some("comment"));
        check("select 1/* x */", Some("comment"));
        check("select 'a", Some("not closed"));
        check("select \"a", Some("not closed"));
        check("select 'a''", Some("not closed"));
        check("select $$a;b$$", Some("dollar"));
        check("select $tag$a;b$tag$", Some("dollar"));
        check("select a$1", Some("dollar"));
        check("select $0", Some("dollar"));
        check("select E'\\''", Some("E'…'"));
        check("select e'a'", Some("E'…'"));
        check("select U&'a'", Some("U&'…'"));
        check("select u&\"a\"", Some("U&'…'"));
        check("select 'a\\'", Some("backslash"));
        check("select \\ 1", Some("backslash"));
        check("select `a`", Some("backticks"));
        check("select 1\0", Some("control"));
        check("select 'a\0b'", Some("NUL"));
        check("select\u{a0}1", Some("ASCII"));
        check("select 1 \u{2003}", Some("ASCII"));
    }

    #[test]
    fn other_placeholders_are_refused() {
        check("select ?", Some("{name}"));
        check("select ?1", Some("{name}"));
        check("select :a", Some(":name"));
        check("select @a", Some("@name"));
        check("select $a", Some("{name}"));
    }

    #[test]
    fn statements_that_undo_the_lock_down_are_refused() {
        for text in
            ["SET statement_timeout = 0", "reset all", "PRAGMA writable_schema = 1", "attach 'x' as y"]
        {
            check(text, Some("migration"));
        }
        for text in
            ["drop table t", "copy t to program 'x'", "do 'x'", "vacuum", "begin", "explain select 1", ""]
        {
            check(text, Some("migration"));
        }
        for text in [
            "select set_config('statement_timeout', '0', false)",
            "select pg_catalog.SET_CONFIG($1, $2, false)",
            "select \"set_config\"('a', 'b', false)",
            "with x as (select Set_Config ('a', 'b', false)) select 1",
        ] {
            check(text, Some("set_config"));
        }
        check("select 'set_config', reset_config, set_configs from t", None);
    }

    #[test]
    fn a_change_is_told_from_a_read() {
        for text in ["insert into t values (1)", " UPDATE t set a = 1", "delete from t where a = 1"] {
            assert!(writes(text), "{text}");
        }
        assert!(writes("with x as (delete from t returning id) select * from x"));
        for text in ["select 'delete'", "with x as (select 'delete' as \"update\") select updated from x"] {
            assert!(!writes(text), "{text}");
        }
    }

    #[test]
    fn a_name_is_plain() {
        for name in ["id", "_a", "author_id", "a1"] {
            assert!(is_identifier(name), "{name}");
        }
        for name in ["", "1a", "A", "a b", "a\"b", "a;b", "ä", "a\0", &"a".repeat(64)] {
            assert!(!is_identifier(name), "{name}");
        }
    }
}
