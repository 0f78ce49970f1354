// A macro that never ends.
macro_rules! count {
    () => { 0 };
    ($head:tt $($tail:tt)*) => { 1 + count!($head $($tail)*) };
}

fn three() -> usize {
    count!(a b c)
}

#[cfg(test)]
mod tests {
    #[test]
    fn counts() {
        assert_eq!(super::three(), 3);
    }
}
