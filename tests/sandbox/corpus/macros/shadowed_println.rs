// A macro of the program hides one of the standard library, in the program's main too.
macro_rules! println {
    ($($arg:tt)*) => {
        std::print!("{}\n", std::format!($($arg)*).to_uppercase())
    };
}

macro_rules! test {
    ($x:expr) => { $x };
}

fn shout(s: &str) -> usize {
    println!("{s}");
    test!(s.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shouts() {
        assert_eq!(shout("hey"), 3);
    }
}
