// Constants that need each other.
const A: u32 = B + 1;
const B: u32 = A - 1;

fn a() -> u32 {
    A
}

#[cfg(test)]
mod tests {
    #[test]
    fn a() {
        assert_eq!(super::a(), 1);
    }
}
