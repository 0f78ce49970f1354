// A generic stack with Default, FromIterator and IntoIterator.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack<T> {
    items: Vec<T>,
}

impl<T> Default for Stack<T> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

impl<T> Stack<T> {
    pub fn push(&mut self, item: T) -> &mut Self {
        self.items.push(item);
        self
    }

    pub fn pop(&mut self) -> Option<T> {
        self.items.pop()
    }

    pub fn peek(&self) -> Option<&T> {
        self.items.last()
    }
}

impl<T> FromIterator<T> for Stack<T> {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        Stack { items: iter.into_iter().collect() }
    }
}

impl<T> IntoIterator for Stack<T> {
    type Item = T;
    type IntoIter = std::iter::Rev<std::vec::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_in_first_out() {
        let mut stack = Stack::default();
        stack.push(1).push(2).push(3);
        assert_eq!(stack.pop(), Some(3));
        assert_eq!(stack.peek(), Some(&2));
    }

    #[test]
    fn iterates_from_the_top() {
        let stack: Stack<char> = "abc".chars().collect();
        assert_eq!(stack.into_iter().collect::<String>(), "cba");
    }
}
