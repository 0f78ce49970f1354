// Code for tests only outside the test module, with warnings and a lint that is an error.
#[cfg(test)]
fn aside(x: f64) -> bool {
    let mut y = x;
    return y == y && y < 3.1415;
}

fn f(x: f64) -> f64 {
    x
}

#[cfg(test)]
mod tests {
    #[test]
    fn helps() {
        assert!(super::aside(super::f(1.0)));
    }
}
