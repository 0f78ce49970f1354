// The program denies what the line before it allows.
#![deny(dead_code)]

fn used_by_tests() -> u32 {
    4
}

#[cfg(test)]
mod tests {
    #[test]
    fn four() {
        assert_eq!(super::used_by_tests(), 4);
    }
}
