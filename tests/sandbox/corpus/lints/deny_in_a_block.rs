// A lint that is denied for one block alone.
fn f(x: u32) -> u32 {
    #[deny(unused_variables)]
    {
        let y = x;
    }
    x
}

#[cfg(test)]
mod tests {
    #[test]
    fn f() {
        assert_eq!(super::f(3), 3);
    }
}
