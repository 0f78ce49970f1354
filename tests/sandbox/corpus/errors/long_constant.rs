// A constant that takes a hundred thousand steps to compute.
const TOTAL: u64 = {
    let mut sum = 0u64;
    let mut i = 0;
    while i < 100_000 {
        sum += i;
        i += 1;
    }
    sum
};

fn total() -> u64 {
    TOTAL
}

#[cfg(test)]
mod tests {
    #[test]
    fn totals() {
        assert_eq!(super::total(), 4_999_950_000);
    }
}
