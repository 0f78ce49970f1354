// The same generic, and a dead function that is not generic begins with it.
struct Wrap<T>(T);

fn deep<T>(x: T, n: u32) -> u32 {
    if n == 0 {
        return 0;
    }
    1 + deep(Wrap(x), n - 1)
}

fn dead() -> u32 {
    deep(1u8, 3)
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing() {
        assert_eq!("a".len(), 1);
    }
}
