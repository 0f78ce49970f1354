// Makes a function for a type, which needs one for a larger type, and so on, as deep as it may say itself.
// protected: timeout (used up its CPU time)
// control: passed
// limits: compile_cpu_s=2
// number: Next::<Next<T>>, control End

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
        NUMBER::depth() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_an_end() {
        assert_eq!(Next::<End>::depth(), 1);
    }
}
