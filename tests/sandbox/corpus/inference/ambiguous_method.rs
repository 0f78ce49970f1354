// Two traits with one method: a call that both could answer.
trait Walks {
    fn go(&self) -> &'static str {
        "walks"
    }
}

trait Swims {
    fn go(&self) -> &'static str {
        "swims"
    }
}

struct Duck;

impl Walks for Duck {}
impl Swims for Duck {}

fn both(duck: &Duck) -> (&'static str, &'static str) {
    (Walks::go(duck), <Duck as Swims>::go(duck))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        assert_eq!(both(&Duck), ("walks", "swims"));
    }

    #[test]
    fn one_way() {
        assert_eq!(Duck.go(), "walks");
    }
}
