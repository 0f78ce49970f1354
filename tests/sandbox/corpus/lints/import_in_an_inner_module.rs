// A module of the program has an import of its own, of the same name as one that only the tests use.
use std::collections::VecDeque;

mod queue {
    use std::collections::VecDeque;

    pub fn last(n: u8) -> Option<u8> {
        let queue: VecDeque<u8> = (0..n).collect();
        queue.back().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lasts() {
        let expected = VecDeque::from([2]);
        assert_eq!(queue::last(3), expected.front().copied());
    }
}
