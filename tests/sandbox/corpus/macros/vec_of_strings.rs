// A macro with a trailing comma, one with nested repetitions, one that counts.
macro_rules! strings {
    ($($s:expr),* $(,)?) => { vec![$($s.to_string()),*] };
}

macro_rules! matrix {
    ($([$($x:expr),*]),*) => { vec![$(vec![$($x),*]),*] };
}

macro_rules! count {
    () => { 0usize };
    ($_head:tt $($tail:tt)*) => { 1usize + count!($($tail)*) };
}

fn days() -> Vec<String> {
    strings!["Mon", 2, 'c',]
}

fn identity() -> Vec<Vec<i32>> {
    matrix!([1, 0], [0, 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expands() {
        assert_eq!(days(), ["Mon", "2", "c"]);
        assert_eq!(identity(), matrix!([1, 0], [0, 1]));
        assert_eq!(count!(a b (c d) [e]), 4);
    }
}
