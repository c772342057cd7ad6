//! A value that must not be printed, logged or left in memory.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Holds a password, a key or a token: `Debug` shows `Secret(…)`, there is no `Display`, and dropping it wipes its memory.
///
/// # Security
///
/// Keeps a secret out of logs, error pages and panics, and out of freed memory. Copies that `expose` hands out are the caller's to
/// guard, and a `String` that grew before it came here has left its earlier buffers behind.
///
/// # Examples
///
/// ```
/// use haechi_core::Secret;
///
/// let password = Secret::new(String::from("correct horse"));
/// assert_eq!(format!("{password:?}"), "Secret(…)");
/// assert!(password.equals("correct horse"));
/// ```
///
/// ```compile_fail
/// # use haechi_core::Secret;
/// println!("{}", Secret::new(String::from("correct horse")));
/// ```
pub struct Secret<T: Zeroize> {
    value: T,
}

impl<T: Zeroize> Secret<T> {
    /// Takes a value into keeping.
    pub const fn new(value: T) -> Self {
        Self { value }
    }

    /// Returns the value; where this word stands, a secret is in use.
    pub const fn expose(&self) -> &T {
        &self.value
    }
}

impl<T: Zeroize + AsRef<[u8]>> Secret<T> {
    /// Compares in a time that depends on the lengths only, never on the content.
    #[must_use]
    pub fn equals(&self, other: impl AsRef<[u8]>) -> bool {
        self.value.as_ref().ct_eq(other.as_ref()).into()
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

impl<T: Zeroize + Clone> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone() }
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn comparing_needs_the_whole_value() {
        let secret = Secret::new(b"0123".to_vec());
        for (other, expected) in
            [("0123", true), ("012", false), ("01234", false), ("", false), ("0124", false)]
        {
            assert_eq!(secret.equals(other), expected, "{other}");
        }
    }

    /// asvs_11_2_4: a comparison that ends at the first byte that differs is a thousand times as fast for the one as for the
    /// other of these.
    #[test]
    fn asvs_11_2_4_comparing_takes_as_long_wherever_the_first_difference_is() {
        const LENGTH: usize = 1 << 20;
        let secret = Secret::new(vec![7_u8; LENGTH]);
        let with = |at: usize| {
            let mut other = vec![7_u8; LENGTH];
            other[at] = 8;
            other
        };
        let fastest = |other: &[u8]| {
            let time = || {
                let start = std::time::Instant::now();
                assert!(!secret.equals(std::hint::black_box(other)));
                start.elapsed()
            };
            (0..10).map(|_| time()).min().unwrap()
        };
        let (first, last) = (fastest(&with(0)), fastest(&with(LENGTH - 1)));
        assert!(first * 4 > last && last * 4 > first, "{first:?} against {last:?}");
    }

    /// asvs_11_7_2: a secret does not stay in memory.
    #[test]
    fn dropping_wipes() {
        static WIPED: AtomicBool = AtomicBool::new(false);
        struct Probe;
        impl Zeroize for Probe {
            fn zeroize(&mut self) {
                WIPED.store(true, Ordering::SeqCst);
            }
        }
        drop(Secret::new(Probe));
        assert!(WIPED.load(Ordering::SeqCst));
    }
}
