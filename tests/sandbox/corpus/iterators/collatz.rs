// A function that returns an iterator, and one with two lints.
pub fn collatz(n: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(n), |&n| match n {
        1 => None,
        n if n % 2 == 0 => Some(n / 2),
        n => Some(3 * n + 1),
    })
}

pub fn longest_start(limit: u64) -> u64 {
    let mut best = (0, 0);
    for start in 1..limit {
        let length = collatz(start).count();
        if length > best.1 {
            best = (start, length);
        }
    }
    return best.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six() {
        assert_eq!(collatz(6).collect::<Vec<_>>(), vec![6, 3, 10, 5, 16, 8, 4, 2, 1]);
    }

    #[test]
    fn below_thirty() {
        assert_eq!(longest_start(30), 27);
    }
}
