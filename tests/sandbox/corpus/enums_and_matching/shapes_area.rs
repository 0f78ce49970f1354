// An enum with data of three kinds.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    Circle(f64),
    Rectangle { width: f64, height: f64 },
    Point,
}

impl Shape {
    pub fn area(&self) -> f64 {
        match *self {
            Shape::Circle(r) => std::f64::consts::PI * r * r,
            Shape::Rectangle { width, height } => width * height,
            Shape::Point => 0.0,
        }
    }

    pub fn scale(self, k: f64) -> Self {
        match self {
            Self::Circle(r) => Self::Circle(r * k),
            Self::Rectangle { width: w, height: h } => Self::Rectangle { width: w * k, height: h * k },
            point @ Self::Point => point,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas() {
        assert!((Shape::Circle(1.0).area() - 3.14159).abs() < 1e-4);
        assert_eq!(Shape::Point.area(), 0.0);
    }

    #[test]
    fn scales() {
        let r = Shape::Rectangle { width: 1.0, height: 2.0 };
        assert_eq!(r.clone().scale(2.0), Shape::Rectangle { width: 2.0, height: 4.0 });
        assert_eq!(r.scale(3.0).area(), 18.0);
        assert_eq!(Shape::Point.scale(2.0), Shape::Point);
    }
}
