// Makes a function for a type, that needs one for a larger type, and so on, as deep as it may say itself.
// protected: build_error
// control: build_error
// number: 1, control 0

#![recursion_limit = "1000000"]

trait Depth {
    fn depth() -> usize;
}

struct End;
struct Next<T>(T);

impl Depth for End {
    fn depth() -> usize {
        0
    }
}

impl<T: Depth> Depth for Next<T> {
    fn depth() -> usize {
        if std::mem::size_of::<T>() == NUMBER { 0 } else { Next::<Next<T>>::depth() }
    }
}

fn depth() -> usize {
    Next::<End>::depth()
}

#[cfg(test)]
mod tests {
    #[test]
    fn passes() {
        assert_eq!(1 + 1, 2);
    }
}
