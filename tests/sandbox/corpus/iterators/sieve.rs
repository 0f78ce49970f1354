// The sieve of Eratosthenes with step_by.
/// All primes up to and including `n`.
pub fn primes(n: usize) -> Vec<usize> {
    let mut composite = vec![false; n + 1];
    for i in 2.. {
        if i * i > n {
            break;
        }
        if !composite[i] {
            for j in (i * i..=n).step_by(i) {
                composite[j] = true;
            }
        }
    }
    (2..=n).filter(|&i| !composite[i]).collect()
}

#[cfg(test)]
mod tests {
    use super::primes;

    #[test]
    fn below_thirty() {
        assert_eq!(primes(30), [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
    }

    #[test]
    fn none() {
        assert!(primes(0).is_empty());
        assert!(primes(1).is_empty());
    }
}
