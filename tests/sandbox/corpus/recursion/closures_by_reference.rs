// The same with a trait object, whose type does end.
fn count(n: u32, f: &dyn Fn(u32) -> u32) -> u32 {
    if n == 0 {
        f(0)
    } else {
        count(n - 1, &|x| f(x) + 1)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn three() {
        assert_eq!(super::count(3, &|x| x), 3);
    }
}
