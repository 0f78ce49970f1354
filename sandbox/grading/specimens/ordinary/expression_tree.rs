// A recursive enum and an evaluator.
#[derive(Debug, Clone, PartialEq)]
enum Expr {
    Num(i64),
    Add(Box<Expr>, Box<Expr>),
    Mul(Box<Expr>, Box<Expr>),
    Neg(Box<Expr>),
}

use Expr::*;

fn eval(e: &Expr) -> i64 {
    match e {
        Num(n) => *n,
        Add(a, b) => eval(a) + eval(b),
        Mul(a, b) => eval(a) * eval(b),
        Neg(a) => -eval(a),
    }
}

fn simplify(e: Expr) -> Expr {
    match e {
        Mul(a, b) => match (simplify(*a), simplify(*b)) {
            (Num(0), _) | (_, Num(0)) => Num(0),
            (Num(1), x) | (x, Num(1)) => x,
            (x, y) => Mul(Box::new(x), Box::new(y)),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn num(n: i64) -> Box<Expr> {
        Box::new(Num(n))
    }

    #[test]
    fn evaluates() {
        assert_eq!(eval(&Add(num(2), Box::new(Mul(num(3), Box::new(Neg(num(4))))))), -10);
    }

    #[test]
    fn simplifies() {
        assert_eq!(simplify(Mul(num(1), num(7))), Num(7));
        assert_eq!(simplify(Mul(num(0), Box::new(Add(num(1), num(2))))), Num(0));
    }
}
