// A linter evaluates a constant that a build never needs: in a generic that nobody uses.
struct Pair<const A: usize, const B: usize>;

impl<const A: usize, const B: usize> Pair<A, B> {
    const ORDERED: usize = if A < B { B - A } else { panic!("not in order") };
}

fn dead<T: Into<usize>>(x: T) -> bool {
    let x = x.into();
    x <= Pair::<3, 1>::ORDERED && x / Pair::<3, 1>::ORDERED == 1
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
