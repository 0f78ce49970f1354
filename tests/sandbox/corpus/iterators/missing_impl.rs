// A for loop over something that is no iterator.
struct Range {
    from: u32,
    to: u32,
}

fn total(range: Range) -> u32 {
    let mut sum = 0;
    for n in range {
        sum += n;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        assert_eq!(total(Range { from: 1, to: 4 }), 6);
    }
}
