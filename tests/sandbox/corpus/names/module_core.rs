// Modules that are called core, alloc and test.
mod core {
    pub mod test {
        pub const ONE: u8 = 1;
    }
}

mod test {
    pub use super::core::test::ONE;
}

mod alloc {
    pub type Vec = super::Pair;
}

struct Pair(u8, u8);

fn sum() -> u8 {
    let alloc::Vec { 0: a, 1: b } = Pair(test::ONE, core::test::ONE);
    a + b
}

#[cfg(test)]
mod tests {
    #[test]
    fn two() {
        assert_eq!(super::sum(), 2);
    }
}
