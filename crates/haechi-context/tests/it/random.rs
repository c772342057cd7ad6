//! A small seeded generator: the same numbers in every run.

pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let end = u64::try_from(end).unwrap();
        usize::try_from((self.0 >> 11) % end).unwrap()
    }

    pub(crate) fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len())]
    }

    /// Up to `most` pieces in a row.
    pub(crate) fn text(&mut self, pieces: &[&str], most: usize) -> String {
        (0..=self.below(most)).map(|_| self.pick(pieces)).collect()
    }

    /// A place between two characters.
    pub(crate) fn cut(&mut self, text: &str) -> usize {
        let mut cut = self.below(text.len() + 1);
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        cut
    }
}
