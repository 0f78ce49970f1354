// A trait with a default method that one type overrides.
trait Shape {
    fn area(&self) -> f64;

    /// A short description of the shape.
    fn describe(&self) -> String {
        format!("a shape with area {:.2}", self.area())
    }
}

struct Circle {
    radius: f64,
}

struct Square {
    side: f64,
}

impl Shape for Circle {
    fn area(&self) -> f64 {
        std::f64::consts::PI * self.radius * self.radius
    }
}

impl Shape for Square {
    fn area(&self) -> f64 {
        self.side * self.side
    }

    fn describe(&self) -> String {
        String::from("a square")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circle_uses_the_default() {
        assert_eq!(Circle { radius: 1.0 }.describe(), "a shape with area 3.14");
    }

    #[test]
    fn square_overrides_it() {
        assert_eq!(Square { side: 2.0 }.describe(), "a square");
        assert!((Square { side: 2.0 }.area() - 4.0).abs() < 1e-9);
    }
}
