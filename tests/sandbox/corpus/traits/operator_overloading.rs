// Add, Mul, Neg and Index for a vector type.
use std::ops::{Add, Index, Mul, Neg};

#[derive(Debug, Clone, Copy, PartialEq)]
struct Vec3 {
    xyz: [f64; 3],
}

impl Vec3 {
    fn new(x: f64, y: f64, z: f64) -> Self {
        Vec3 { xyz: [x, y, z] }
    }
}

impl Add for Vec3 {
    type Output = Vec3;
    fn add(self, other: Vec3) -> Vec3 {
        Vec3::new(self[0] + other[0], self[1] + other[1], self[2] + other[2])
    }
}

impl Mul<f64> for Vec3 {
    type Output = Vec3;
    fn mul(self, k: f64) -> Vec3 {
        Vec3 { xyz: self.xyz.map(|c| c * k) }
    }
}

impl Neg for Vec3 {
    type Output = Vec3;
    fn neg(self) -> Vec3 {
        self * -1.0
    }
}

impl Index<usize> for Vec3 {
    type Output = f64;
    fn index(&self, i: usize) -> &f64 {
        &self.xyz[i]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_and_scales() {
        let v = Vec3::new(1.0, 2.0, 3.0);
        assert_eq!(v + v, v * 2.0);
        assert_eq!(-v, Vec3::new(-1.0, -2.0, -3.0));
    }

    #[test]
    #[should_panic(expected = "index out of bounds")]
    fn has_three_components() {
        let _ = Vec3::new(0.0, 0.0, 0.0)[3];
    }
}
