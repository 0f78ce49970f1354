// A recursive enum without indirection has no size.
#[derive(Debug)]
enum List {
    Nil,
    Cons(i32, List),
}

fn sum(list: &List) -> i32 {
    match list {
        List::Nil => 0,
        List::Cons(x, rest) => x + sum(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        assert_eq!(sum(&List::Cons(1, List::Nil)), 1);
    }
}
