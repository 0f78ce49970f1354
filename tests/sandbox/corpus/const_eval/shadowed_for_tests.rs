// A constant for tests only makes a generic's constant valid, in a function that nobody calls.
struct Pair<const A: usize, const B: usize>;

impl<const A: usize, const B: usize> Pair<A, B> {
    const ORDERED: usize = if A < B { B - A } else { panic!("not in order") };
}

mod defaults {
    pub const LOW: usize = 9;
}

#[allow(unused_imports)]
use defaults::*;

#[cfg(test)]
const LOW: usize = 1;

fn distance() -> usize {
    Pair::<LOW, 5>::ORDERED
}

#[cfg(test)]
mod tests {
    #[test]
    fn four() {
        assert_eq!(super::distance(), 4);
    }
}
