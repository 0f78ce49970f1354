// Names inside a macro are not names outside it.
macro_rules! using_a {
    ($e:expr) => {{
        let a = 42;
        let _ = a;
        $e
    }};
}

macro_rules! using_given {
    ($a:ident, $e:expr) => {{
        let $a = 42;
        $e
    }};
}

fn four() -> i32 {
    let a = 4;
    using_a!(a)
}

fn fourth() -> i32 {
    using_given!(a, a / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hygienic() {
        assert_eq!(four(), 4);
        assert_eq!(fourth(), 4);
    }
}
