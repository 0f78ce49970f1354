// Operands that are equal, in dead code.
struct Point {
    x: i32,
    y: i32,
}

impl Point {
    fn is_origin(&self) -> bool {
        self.x == self.x && self.y == 0
    }
}

fn sign(x: i32) -> i32 {
    x.signum()
}

#[cfg(test)]
mod tests {
    #[test]
    fn signs() {
        assert_eq!(super::sign(-3), -1);
    }
}
