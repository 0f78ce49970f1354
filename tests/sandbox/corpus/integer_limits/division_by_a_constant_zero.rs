// A division by a constant that is zero: rustc's lint and clippy's at once.
const PARTS: u32 = 0;

fn part(total: u32) -> u32 {
    total / PARTS
}

fn rest(total: u32) -> u32 {
    total % 0
}

#[cfg(test)]
mod tests {
    #[test]
    fn parts() {
        assert_eq!(super::part(3), 3);
    }
}
