// Functions that return closures.
fn make_adder(n: i32) -> impl Fn(i32) -> i32 {
    move |x| x + n
}

fn compose<A, B, C>(f: impl Fn(A) -> B, g: impl Fn(B) -> C) -> impl Fn(A) -> C {
    move |x| g(f(x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds() {
        let add5 = make_adder(5);
        assert_eq!(add5(1), 6);
        assert_eq!(add5(-5), 0);
    }

    #[test]
    fn composes() {
        let f = compose(make_adder(1), |x| x * 2);
        assert_eq!(f(3), 8);
    }
}
