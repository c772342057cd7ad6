//! A few items, mostly one.

use std::mem::replace;

use crate::Value;

/// The values of a statement.
pub(crate) type Values = Few<Value>;

/// Items in order; one alone, as in a look-up by key, needs no memory of its own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Few<T> {
    None,
    One(T),
    Many(Vec<T>),
}

impl<T> Few<T> {
    #[inline]
    pub(crate) fn push(&mut self, item: T) {
        match self {
            Few::None => *self = Few::One(item),
            Few::One(_) => self.push_second(item),
            Few::Many(items) => items.push(item),
        }
    }

    fn push_second(&mut self, item: T) {
        // Room for what most statements bind: growing costs more than the memory.
        let mut items = Vec::with_capacity(4);
        items.extend(replace(self, Few::None).into_vec());
        items.push(item);
        *self = Few::Many(items);
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[T] {
        match self {
            Few::None => &[],
            Few::One(item) => std::slice::from_ref(item),
            Few::Many(items) => items,
        }
    }

    pub(crate) fn into_vec(self) -> Vec<T> {
        match self {
            Few::None => Vec::new(),
            Few::One(item) => vec![item],
            Few::Many(items) => items,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.as_slice().len()
    }
}

impl<T> From<Vec<T>> for Few<T> {
    fn from(items: Vec<T>) -> Few<T> {
        Few::Many(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_back_in_the_order_in_which_they_were_pushed() {
        for count in [0, 1, 2, 3, 4, 5, 9] {
            let expected: Vec<i64> = (0..count).collect();
            let mut pushed = Few::None;
            expected.iter().for_each(|item| pushed.push(*item));
            assert_eq!(pushed.as_slice(), expected, "{count} items");
            assert_eq!(pushed.len(), expected.len());
            assert_eq!(pushed.into_vec(), expected);
        }
    }

    #[test]
    fn an_item_goes_behind_those_of_a_vec() {
        let mut items = Few::from(vec![1]);
        items.push(2);
        assert_eq!(items.as_slice(), [1, 2]);
    }
}
