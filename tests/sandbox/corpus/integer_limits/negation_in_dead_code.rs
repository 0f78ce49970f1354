// Negating the least number, and a subtraction below zero, in code that comes after a return.
fn f(early: bool) -> i32 {
    if !early {
        return 0;
    }
    let least = i32::MIN;
    -least
}

fn g(x: usize) -> usize {
    return x;
    #[allow(unreachable_code)]
    {
        let zero: usize = 0;
        zero - 1
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn g() {
        assert_eq!(super::g(4), 4);
    }
}
