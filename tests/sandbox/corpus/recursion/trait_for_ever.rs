// A trait bound that needs itself for a larger type.
trait Size {
    fn size() -> usize;
}

struct Pair<T>(T);

impl<T> Size for Pair<T>
where
    Pair<Pair<T>>: Size,
{
    fn size() -> usize {
        1 + <Pair<Pair<T>>>::size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size() {
        assert_eq!(Pair::<u8>::size(), 1);
    }
}
