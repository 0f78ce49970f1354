//! What a mutant does: returns another value, another number, another operator.

use std::ops::{Add, Div, Mul, Rem, Sub};

use crate::{on, unknown};

#[macro_export]
macro_rules! returns {
    ($id:expr, $t:ty, $seed:expr) => {
        if $crate::on($id) {
            match $crate::of_type!($t, $seed, 0) {
                ::core::option::Option::Some(value) => return value,
                ::core::option::Option::None => $crate::unknown($id),
            }
        }
    };
}

// Another operator where both types have it, else the program's own.
pub struct Two<A, B, O>(pub ::std::marker::PhantomData<(A, B, O)>);
macro_rules! operators {
    ($($name:ident $known:ident $unknown:ident: $op:tt $own:ident, $other_op:tt $other:ident;)*) => { $(
        pub trait $known<A, B, O> {
            fn other_secret_word(&self, id: usize, a: A, b: B) -> O;
        }
        impl<A: $other<B, Output = O>, B, O> $known<A, B, O> for &Two<A, B, O> {
            fn other_secret_word(&self, _: usize, a: A, b: B) -> O {
                a $other_op b
            }
        }
        pub trait $unknown<A, B, O> {
            fn other_secret_word(&self, id: usize, a: A, b: B) -> O;
        }
        impl<A: $own<B, Output = O>, B, O> $unknown<A, B, O> for Two<A, B, O> {
            fn other_secret_word(&self, id: usize, a: A, b: B) -> O {
                unknown(id);
                a $op b
            }
        }
    )* };
}
operators! {
    add KnownAdd UnknownAdd: + Add, - Sub;
    sub KnownSub UnknownSub: - Sub, + Add;
    mul KnownMul UnknownMul: * Mul, + Add;
    div KnownDiv UnknownDiv: / Div, * Mul;
    rem KnownRem UnknownRem: % Rem, + Add;
}
pub fn types<A, B, O>(_: &A, _: &B, _: Option<&O>) -> Two<A, B, O> {
    Two(::std::marker::PhantomData)
}
#[macro_export]
macro_rules! add { ($id:expr, $a:expr, $b:expr) => { match ($a, $b) { (a, b) => {
    if !$crate::on($id) { a + b } else {
        use $crate::{KnownAdd as _, UnknownAdd as _}; (&&$crate::types(&a, &b, None)).other_secret_word($id, a, b) }
} } }; }
#[macro_export]
macro_rules! sub { ($id:expr, $a:expr, $b:expr) => { match ($a, $b) { (a, b) => {
    if !$crate::on($id) { a - b } else {
        use $crate::{KnownSub as _, UnknownSub as _}; (&&$crate::types(&a, &b, None)).other_secret_word($id, a, b) }
} } }; }
#[macro_export]
macro_rules! mul { ($id:expr, $a:expr, $b:expr) => { match ($a, $b) { (a, b) => {
    if !$crate::on($id) { a * b } else {
        use $crate::{KnownMul as _, UnknownMul as _}; (&&$crate::types(&a, &b, None)).other_secret_word($id, a, b) }
} } }; }
#[macro_export]
macro_rules! div { ($id:expr, $a:expr, $b:expr) => { match ($a, $b) { (a, b) => {
    if !$crate::on($id) { a / b } else {
        use $crate::{KnownDiv as _, UnknownDiv as _}; (&&$crate::types(&a, &b, None)).other_secret_word($id, a, b) }
} } }; }
#[macro_export]
macro_rules! rem { ($id:expr, $a:expr, $b:expr) => { match ($a, $b) { (a, b) => {
    if !$crate::on($id) { a % b } else {
        use $crate::{KnownRem as _, UnknownRem as _}; (&&$crate::types(&a, &b, None)).other_secret_word($id, a, b) }
} } }; }

pub trait Number: Copy {
    fn next(self) -> Self;
    fn twice(self) -> Self;
}

pub fn plus<T: Number>(id: usize, value: T) -> T {
    if on(id) {
        value.next()
    } else {
        value
    }
}

macro_rules! integers {
    ($($t:ty)*) => { $(
        impl Number for $t {
            fn next(self) -> Self {
                self.wrapping_add(1)
            }
            fn twice(self) -> Self {
                self.wrapping_mul(2)
            }
        }
    )* };
}
integers! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }
impl Number for f32 {
    fn next(self) -> Self {
        self + 1.0
    }
    fn twice(self) -> Self {
        self * 2.0
    }
}
impl Number for f64 {
    fn next(self) -> Self {
        self + 1.0
    }
    fn twice(self) -> Self {
        self * 2.0
    }
}

pub fn text(id: usize, value: &'static str) -> &'static str {
    if on(id) {
        "mutant"
    } else {
        value
    }
}
