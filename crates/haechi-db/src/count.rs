//! A count that stops counting.

/// How many rows there are, as far as was counted.
///
/// Counting a large table reads it whole, and an outsider who may filter may ask for that with every request: so
/// counting stops at a cap.
///
/// ```
/// use haechi_db::Count;
/// assert_eq!(Count::Exactly(12).to_string(), "12");
/// assert_eq!(Count::AtLeast(10_000).to_string(), "10000+");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Exactly(u64),
    /// So many and more.
    AtLeast(u64),
}

impl Count {
    /// Returns how many were counted.
    pub fn counted(self) -> u64 {
        match self {
            Count::Exactly(rows) | Count::AtLeast(rows) => rows,
        }
    }

    /// Makes the count of what a query over at most `cap + 1` rows found.
    pub(crate) fn of(found: i64, cap: u32) -> Count {
        let found = u64::try_from(found).unwrap_or(0);
        if found > u64::from(cap) { Count::AtLeast(u64::from(cap)) } else { Count::Exactly(found) }
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Count::Exactly(rows) => write!(f, "{rows}"),
            Count::AtLeast(rows) => write!(f, "{rows}+"),
        }
    }
}

impl serde::Serialize for Count {
    /// As a template shows it: `12`, or `"10000+"`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Count::Exactly(rows) => serializer.serialize_u64(*rows),
            Count::AtLeast(_) => serializer.collect_str(self),
        }
    }
}
