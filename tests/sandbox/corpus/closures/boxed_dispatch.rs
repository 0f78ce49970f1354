// A table of boxed closures.
use std::collections::HashMap;

type Operation = Box<dyn Fn(f64, f64) -> Option<f64>>;

fn operations() -> HashMap<&'static str, Operation> {
    let mut table: HashMap<&'static str, Operation> = HashMap::new();
    table.insert("+", Box::new(|a, b| Some(a + b)));
    table.insert("-", Box::new(|a, b| Some(a - b)));
    table.insert("/", Box::new(|a, b| if b == 0.0 { None } else { Some(a / b) }));
    table
}

/// Evaluates `a op b`; `None` for an unknown operator or a division by zero.
fn calculate(a: f64, op: &str, b: f64) -> Option<f64> {
    operations().get(op)?(a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_operators() {
        assert_eq!(calculate(1.0, "+", 2.0), Some(3.0));
        assert_eq!(calculate(1.0, "-", 2.0), Some(-1.0));
    }

    #[test]
    fn nothing_comes_of_nonsense() {
        assert_eq!(calculate(1.0, "/", 0.0), None);
        assert_eq!(calculate(1.0, "%", 2.0), None);
    }
}
