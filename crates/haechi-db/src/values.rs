//! The values of a statement.

use crate::Value;

/// Values in order; one alone, as in a look-up by key, needs no memory of its own.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Values {
    One(Value),
    Many(Vec<Value>),
}

impl Values {
    pub(crate) const fn new() -> Values {
        Values::Many(Vec::new())
    }

    pub(crate) fn push(&mut self, value: Value) {
        match self {
            Values::Many(values) if values.capacity() == 0 => *self = Values::One(value),
            Values::Many(values) => values.push(value),
            Values::One(first) => {
                let first = std::mem::take(first);
                // Room for what most statements bind: growing costs more than the memory.
                let mut values = Vec::with_capacity(4);
                values.extend([first, value]);
                *self = Values::Many(values);
            }
        }
    }

    #[inline]
    pub(crate) fn as_slice(&self) -> &[Value] {
        match self {
            Values::One(value) => std::slice::from_ref(value),
            Values::Many(values) => values,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.as_slice().len()
    }
}

impl From<Vec<Value>> for Values {
    fn from(values: Vec<Value>) -> Values {
        Values::Many(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_in_the_order_in_which_they_were_pushed() {
        for count in [0, 1, 2, 3, 4, 5, 9] {
            let expected: Vec<Value> = (0..count).map(Value::Int).collect();
            let mut pushed = Values::new();
            expected.iter().cloned().for_each(|value| pushed.push(value));
            assert_eq!(pushed.as_slice(), expected, "{count} values");
            assert_eq!(pushed.len(), expected.len());
        }
    }

    #[test]
    fn a_value_goes_behind_those_of_a_vec() {
        let mut values = Values::from(vec![Value::Int(1)]);
        values.push(Value::Int(2));
        assert_eq!(values.as_slice(), [Value::Int(1), Value::Int(2)]);
    }
}
