// A function with a concrete use of a const that panics; only a test calls it.
struct Pair<const A: usize, const B: usize>;

impl<const A: usize, const B: usize> Pair<A, B> {
    const ORDERED: usize = if A < B { B - A } else { panic!("not in order") };
}

fn called() -> usize {
    Pair::<3, 1>::ORDERED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance() {
        assert_eq!(called(), 2);
    }
}
