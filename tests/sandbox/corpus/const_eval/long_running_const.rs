// A const that takes many steps, but fewer than the lint on long evaluations wants to see.
const fn collatz(mut n: u64) -> u64 {
    let mut steps = 0;
    while n != 1 {
        n = if n % 2 == 0 { n / 2 } else { 3 * n + 1 };
        steps += 1;
    }
    steps
}

const fn longest(limit: u64) -> u64 {
    let (mut best, mut n) = (1, 1);
    while n < limit {
        if collatz(n) > collatz(best) {
            best = n;
        }
        n += 1;
    }
    best
}

const LONGEST: u64 = longest(900);

#[cfg(test)]
mod tests {
    #[test]
    fn known() {
        assert_eq!(super::LONGEST, 871);
    }
}
