//! The working memory of argon2, kept between hashes.

use std::fmt;

use argon2::Block;

/// Memory that argon2 computes in.
///
/// Fresh memory of 19 MiB costs 10 of the 25 ms of a hash (page faults); kept memory costs nothing. An arena
/// that a foreign row made larger than [`Arena::KEPT`] gives the surplus back.
#[derive(Default)]
pub struct Arena {
    blocks: Vec<Block>,
}

impl Arena {
    /// What an arena keeps between hashes, in KiB: the memory of the preferred hasher.
    pub const KEPT: usize = 19 * 1_024;

    /// Lends `count` blocks of one KiB to `work`.
    pub(crate) fn lend<T>(&mut self, count: usize, work: impl FnOnce(&mut [Block]) -> T) -> T {
        if self.blocks.len() < count {
            self.blocks.resize(count, Block::new());
        }
        let result = work(&mut self.blocks[..count]);
        if self.blocks.len() > Self::KEPT {
            self.blocks.truncate(Self::KEPT);
            self.blocks.shrink_to_fit();
        }
        result
    }

    /// Returns how many KiB are held now.
    #[must_use]
    pub fn kibibytes(&self) -> usize {
        self.blocks.len()
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arena({} KiB)", self.blocks.len())
    }
}
