// A generic that instantiates itself for ever, and only a test begins with it.
struct Wrap<T>(T);

fn deep<T>(x: T, n: u32) -> u32 {
    if n == 0 {
        return 0;
    }
    1 + deep(Wrap(x), n - 1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::deep(1u8, 3), 3);
    }
}
