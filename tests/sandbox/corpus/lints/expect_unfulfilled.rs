// Expectations that are not fulfilled: one always, one only where the tests are compiled.
#[expect(unused_variables)]
fn area(width: u32, height: u32) -> u32 {
    width * height
}

#[expect(unused_imports)]
use std::collections::BTreeMap;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas() {
        let areas = BTreeMap::from([(2, area(2, 1))]);
        assert_eq!(areas[&2], 2);
    }
}
