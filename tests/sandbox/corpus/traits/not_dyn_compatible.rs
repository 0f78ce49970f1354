// A trait with a generic method as a trait object.
trait Visitor {
    fn visit<T: std::fmt::Debug>(&mut self, value: T);
}

struct Log(Vec<String>);

impl Visitor for Log {
    fn visit<T: std::fmt::Debug>(&mut self, value: T) {
        self.0.push(format!("{value:?}"));
    }
}

fn run(visitor: &mut dyn Visitor) {
    visitor.visit(1);
    visitor.visit("two");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs() {
        let mut log = Log(vec![]);
        run(&mut log);
        assert_eq!(log.0.len(), 2);
    }
}
