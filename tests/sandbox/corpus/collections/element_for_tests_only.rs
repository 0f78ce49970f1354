// An element that an array has in tests alone.
fn fourth() -> i32 {
    let xs = [
        1,
        2,
        3,
        #[cfg(test)]
        4,
    ];
    let i = 3;
    xs[i]
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_four() {
        assert_eq!(super::fourth(), 4);
    }
}
