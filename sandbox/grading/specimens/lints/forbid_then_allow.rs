// Something forbidden may not be allowed again.
#![forbid(unused_mut)]

#[allow(unused_mut)]
fn f() -> u32 {
    let mut x = 1;
    x
}

#[cfg(test)]
mod tests {
    #[test]
    fn f() {
        assert_eq!(super::f(), 1);
    }
}
