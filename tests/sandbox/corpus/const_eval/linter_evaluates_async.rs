// A linter evaluates a constant that a build never needs, in an async function that nobody calls.
struct Pair<const A: usize, const B: usize>;

impl<const A: usize, const B: usize> Pair<A, B> {
    const ORDERED: usize = if A < B { B - A } else { panic!("not in order") };
}

async fn dead(x: usize) -> bool {
    x <= Pair::<3, 1>::ORDERED
}

fn alive() -> usize {
    Pair::<1, 3>::ORDERED
}

#[cfg(test)]
mod tests {
    #[test]
    fn two() {
        assert_eq!(super::alive(), 2);
    }
}
