// Constants whose evaluation fails: in an index, in a division and by a panic.
const TABLE: [u32; 3] = [1, 2, 4];
const FOURTH: u32 = TABLE[3];
const RATIO: u32 = 1 / (TABLE[0] - 1);
const CHECK: () = assert!(TABLE[2] == 5, "the last one is five");

fn sum() -> u32 {
    TABLE.iter().sum::<u32>() + FOURTH + RATIO
}

#[cfg(test)]
mod tests {
    #[test]
    fn sums() {
        assert_eq!(super::sum(), 7);
    }
}
