// Something forbidden is allowed again, in the tests only.
#![forbid(unused_variables)]

fn f() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    #[test]
    #[allow(unused_variables)]
    fn f() {
        let x = 3;
        assert_eq!(super::f(), 1);
    }
}
