// Lints: PartialEq by hand next to a derived Hash, and PartialOrd that disagrees with Ord.
use std::cmp::Ordering;

#[derive(Debug, Hash, Eq, Clone)]
struct Version {
    major: u32,
    minor: u32,
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.major == other.major
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.major.partial_cmp(&other.major)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.major.cmp(&other.major)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_by_major() {
        assert_eq!(Version { major: 1, minor: 2 }, Version { major: 1, minor: 3 });
        assert!(Version { major: 1, minor: 9 } < Version { major: 2, minor: 0 });
    }
}
