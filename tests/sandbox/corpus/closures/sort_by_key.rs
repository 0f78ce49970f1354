// Closures that decide an order.
#[derive(Debug, Clone, PartialEq)]
struct Employee {
    name: &'static str,
    salary: u32,
}

fn ranked(mut staff: Vec<Employee>) -> Vec<&'static str> {
    staff.sort_by(|a, b| b.salary.cmp(&a.salary).then_with(|| a.name.cmp(b.name)));
    staff.into_iter().map(|e| e.name).collect()
}

fn apply_n<T>(n: usize, f: impl Fn(T) -> T, x: T) -> T {
    (0..n).fold(x, |x, _| f(x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_salary_then_name() {
        let e = |name, salary| Employee { name, salary };
        assert_eq!(ranked(vec![e("Bo", 1), e("Cy", 3), e("Al", 1)]), ["Cy", "Al", "Bo"]);
    }

    #[test]
    fn applied_often() {
        assert_eq!(apply_n(10, |x| x * 2, 1), 1024);
        assert_eq!(apply_n(0, |s: String| s + "!", "hi".into()), "hi");
    }
}
