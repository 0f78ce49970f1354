// Trait objects that can be cloned.
trait Shape: CloneShape {
    fn area(&self) -> u32;
}

trait CloneShape {
    fn clone_box(&self) -> Box<dyn Shape>;
}

impl<T: Shape + Clone + 'static> CloneShape for T {
    fn clone_box(&self) -> Box<dyn Shape> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Shape> {
    fn clone(&self) -> Self {
        (**self).clone_box()
    }
}

#[derive(Clone)]
struct Square(u32);

impl Shape for Square {
    fn area(&self) -> u32 {
        self.0 * self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones() {
        let shapes: Vec<Box<dyn Shape>> = vec![Box::new(Square(2)), Box::new(Square(3))];
        let copies = shapes.clone();
        drop(shapes);
        assert_eq!(copies.iter().map(|s| s.area()).sum::<u32>(), 13);
    }
}
