// A semicolon and a comma are missing, each in a function.
fn area(w: f64, h: f64) -> f64 {
    let result = w * h
    result
}

fn pair() -> (i32, i32) {
    (1 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas() {
        assert_eq!(area(2.0, 3.0), 6.0);
    }
}
