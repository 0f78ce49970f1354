// Macros with the names of the library's, and a function called assert.
macro_rules! vec {
    ($($x:expr),*) => {
        [$($x + 1),*]
    };
}

fn assert(x: bool) -> bool {
    !x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shadows() {
        assert_eq!(vec![1, 2], [2, 3]);
        assert!(assert(false));
    }
}
