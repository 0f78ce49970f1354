// A dead function with a concrete use of a const that panics.
struct Pair<const A: usize, const B: usize>;

impl<const A: usize, const B: usize> Pair<A, B> {
    const ORDERED: usize = if A < B { B - A } else { panic!("not in order") };
}

fn dead() -> usize {
    Pair::<3, 1>::ORDERED
}

fn alive() -> usize {
    Pair::<1, 3>::ORDERED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance() {
        assert_eq!(alive(), 2);
    }
}
