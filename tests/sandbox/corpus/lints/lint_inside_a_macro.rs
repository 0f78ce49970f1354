// Lints whose place is inside a macro of the program or of the library.
macro_rules! unused {
    ($name:ident) => {
        let $name = 4;
    };
}

fn f() -> String {
    unused!(x);
    let s = format!("{}", "text".to_string());
    println!("");
    vec![1, 2].len().to_string() + &s
}

#[cfg(test)]
mod tests {
    #[test]
    fn f() {
        assert_eq!(super::f(), "2text");
    }
}
