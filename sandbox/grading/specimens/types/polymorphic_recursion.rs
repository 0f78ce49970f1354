// Every call instantiates a larger type: the limit is reached only where code is made, in the tests.
#[derive(Clone)]
struct Pair<T>(T, T);

fn nest<T: Clone>(value: T, depth: u32) -> u32 {
    if depth == 0 {
        0
    } else {
        1 + nest(Some(value), depth - 1)
    }
}

fn pairs() -> Pair<u8> {
    Pair(1, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth() {
        assert_eq!(nest(pairs().0, 3), 3);
    }
}
