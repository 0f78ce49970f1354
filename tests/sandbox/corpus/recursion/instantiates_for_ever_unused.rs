// The same generic, and nobody begins with it.
struct Wrap<T>(T);

fn deep<T>(x: T, n: u32) -> u32 {
    if n == 0 {
        return 0;
    }
    1 + deep(Wrap(x), n - 1)
}

fn three() -> u32 {
    3
}

#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::three(), 3);
    }
}
