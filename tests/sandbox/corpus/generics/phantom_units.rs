// Units as types: metres and feet cannot be added.
use std::marker::PhantomData;
use std::ops::Add;

#[derive(Debug, PartialEq, Clone, Copy)]
struct Metre;
#[derive(Debug, PartialEq, Clone, Copy)]
struct Foot;

#[derive(Debug, PartialEq, Clone, Copy)]
struct Length<U> {
    value: f64,
    unit: PhantomData<U>,
}

impl<U> Length<U> {
    fn new(value: f64) -> Self {
        Self { value, unit: PhantomData }
    }
}

impl<U> Add for Length<U> {
    type Output = Self;
    fn add(self, rhs: Self) -> Self {
        Self::new(self.value + rhs.value)
    }
}

impl From<Length<Foot>> for Length<Metre> {
    fn from(feet: Length<Foot>) -> Self {
        Self::new(feet.value * 0.3048)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_after_conversion() {
        let total = Length::<Metre>::new(1.0) + Length::<Foot>::new(10.0).into();
        assert!((total.value - 4.048).abs() < 1e-12);
    }
}
