// Two branches return two closures: two types.
fn pick(double: bool) -> impl Fn(i32) -> i32 {
    if double {
        |x| x * 2
    } else {
        let n = 3;
        move |x| x * n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles() {
        assert_eq!(pick(true)(2), 4);
        assert_eq!(pick(false)(2), 6);
    }
}
