// successors and windows: Pascal's triangle.
/// The first `n` rows of Pascal's triangle.
fn pascal(n: usize) -> Vec<Vec<u32>> {
    std::iter::successors(Some(vec![1]), |row| {
        let mut next = vec![1];
        next.extend(row.windows(2).map(|pair| pair[0] + pair[1]));
        next.push(1);
        Some(next)
    })
    .take(n)
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifth_row() {
        assert_eq!(pascal(5)[4], [1, 4, 6, 4, 1]);
    }

    #[test]
    fn sums_are_powers_of_two() {
        for (i, row) in pascal(10).iter().enumerate() {
            assert_eq!(row.iter().sum::<u32>(), 1 << i);
        }
    }
}
