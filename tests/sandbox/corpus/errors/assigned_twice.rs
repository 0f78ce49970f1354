// Assigns to a variable and to a field that are not mutable.
struct Point {
    x: i32,
}

fn total(xs: &[i32]) -> i32 {
    let sum = 0;
    for x in xs {
        sum += x;
    }
    sum
}

fn shift(p: &Point) {
    p.x += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals() {
        assert_eq!(total(&[1, 2]), 3);
    }
}
