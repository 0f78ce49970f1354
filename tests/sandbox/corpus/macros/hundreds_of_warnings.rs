// Some hundred warnings that say two dozen things.
macro_rules! unused {
    ($($name:ident)*) => {
        $(let $name = 1;)*
    };
}

macro_rules! eightfold {
    ($($t:ident)*) => {
        $(pub fn $t() {
            unused!(a b c d e f g h);
            unused!(i j k l m n o p);
            unused!(q r s t u v w x);
        })*
    };
}

eightfold!(a1 a2 a3 a4 a5 a6 a7 a8 b1 b2 b3 b4 b5 b6 b7 b8 c1 c2 c3 c4 c5 c6 c7 c8);

fn two() -> i32 {
    2
}

#[cfg(test)]
mod tests {
    #[test]
    fn is_two() {
        assert_eq!(super::two(), 2);
    }
}
