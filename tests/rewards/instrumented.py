"""Programs for the tests of instrumentation, each with the inside of a test that notices every change of its result."""

from __future__ import annotations

from completions import module

__all__ = ["CHANGED", "FORMS", "UNSEEN"]

CHANGED = {  # a program whose tests notice every change of the kind
    "return": "fn f(x: i32) -> i32 {\n    x\n}\n" + module("assert_eq!((f(70), f(-80)), (70, -80));"),
    "nothing": "fn f(x: &mut i32) {\n    *x = 70;\n}\n" + module("let mut x = 1;\n f(&mut x);\n assert_eq!(x, 70);"),
    "operator": "fn f(x: i32) -> i32 {\n    (x + 2) * 3 - 7 / 2 % 5\n}\n" + module("assert_eq!(f(70), 213);"),
    "relation": "fn f(x: i32) -> bool {\n    x > 3\n}\n" + module("assert!(f(4));\n assert!(!f(3));"),
    "condition": "fn f(b: bool) -> i32 {\n    if b {\n        70\n    } else {\n        80\n    }\n}\n"
    + module("assert_eq!((f(true), f(false)), (70, 80));"),
    "constant": 'fn f() -> (i32, f64, &\'static str, bool) {\n    (70, 1.5, "seventy", true)\n}\n'
    + module('assert_eq!(f(), (70, 1.5, "seventy", true));'),
    "statement": "fn f(v: &mut Vec<i32>) -> i32 {\n    v.push(70);\n    let mut n = 0;\n    n += 71;\n    n\n}\n"
    + module("let mut v = vec![];\n assert_eq!(f(&mut v), 71);\n assert_eq!(v, [70]);"),
}


FORMS = {
    "a text": ('fn f(s: &str) -> String {\n    s.to_string() + "!" + s\n}\n', 'assert_eq!(f("aa"), "aa!aa");'),
    "generic operands": (
        "fn f<T: std::ops::Add<Output = T> + Copy>(a: T, b: T) -> T {\n    a + b\n}\n"
        "fn g() -> i32 {\n    f(40, 30)\n}\n",
        "assert_eq!(g(), 70);\n assert_eq!(f(1.5, 2.0), 3.5);",
    ),
    "a constant function": (
        "const fn f(x: u32) -> u32 {\n    if x > 70 { x } else { x + 70 }\n}\n",
        "assert_eq!((f(1), f(90)), (71, 90));",
    ),
    "its own struct": (
        "#[derive(Debug, PartialEq, Clone)]\nstruct P {\n    x: i32,\n    name: String,\n}\n"
        'fn f(x: i32) -> P {\n    P { x, name: "p".into() }\n}\n',
        'assert_eq!(f(70), P { x: 70, name: "p".into() });',
    ),
    "its own enum that holds itself": (
        "#[derive(Debug, PartialEq)]\nenum L {\n    Nil,\n    Cons(i32, Box<L>),\n}\n"
        "fn f(x: i32) -> L {\n    L::Cons(x, Box::new(L::Nil))\n}\n",
        "assert_eq!(f(70), L::Cons(70, Box::new(L::Nil)));",
    ),
    "a struct with a lifetime": (
        "#[derive(Debug, PartialEq)]\nstruct W<'a>(&'a str);\nfn f(s: &str) -> W<'_> {\n    W(&s[1..])\n}\n"
        "fn g(s: &str) -> usize {\n    f(s).0.len()\n}\n",
        'assert_eq!(f("abc"), W("bc"));\n assert_eq!(g(&"x".repeat(71)), 70);',
    ),
    "a lifetime in the result": (
        "fn f<'a>(a: &'a str, _b: &str) -> &'a str {\n    &a[1..]\n}\n",
        'assert_eq!(f("ab!", ""), "b!");',
    ),
    "an option and a result": (
        "fn f(x: i32) -> Result<Option<i32>, String> {\n"
        '    if x < 0 { Err("neg".into()) } else { Ok(Some(x)) }\n}\n',
        'assert_eq!(f(70), Ok(Some(70)));\n assert_eq!(f(-1), Err("neg".into()));',
    ),
    "an asynchronous function": (
        "async fn f(x: i32) -> i32 {\n    x + 70\n}\n"
        "fn g(x: i32) -> i32 {\n    use std::future::Future;\n    use std::task::{Context, Poll, Waker};\n"
        "    let mut made = Box::pin(f(x));\n"
        "    match made.as_mut().poll(&mut Context::from_waker(Waker::noop())) {\n"
        "        Poll::Ready(x) => x,\n        Poll::Pending => 0,\n    }\n}\n",
        "assert_eq!(g(1), 71);",
    ),
    "closures": (
        "fn f(v: &[i32]) -> Vec<i32> {\n    let twice = |x: i32| -> i32 { return x * 2; };\n"
        "    v.iter().filter(|x| **x > 1).map(|x| twice(*x)).collect()\n}\n",
        "assert_eq!(f(&[1, 35]), [70]);",
    ),
    "a function in a function": (
        "fn f(x: i32) -> i32 {\n    fn inner(x: i32) -> i32 {\n        x + 69\n    }\n    inner(x) + 1\n}\n",
        "assert_eq!(f(1), 71);",
    ),
    "methods": (
        "#[derive(Default)]\nstruct C(i32);\nimpl C {\n"
        "    fn add(&mut self, x: i32) -> &mut Self {\n        self.0 += x;\n"
        "        self\n    }\n    fn get(&self) -> i32 {\n        self.0\n    }\n}\n",
        "let mut c = C::default();\n c.add(70).add(1);\n assert_eq!(c.get(), 71);",
    ),
    "a trait with a method of its own": (
        "trait T {\n    fn base(&self) -> i32;\n    fn f(&self) -> i32 {\n        self.base() + 1\n"
        "    }\n}\nstruct S;\n"
        "impl T for S {\n    fn base(&self) -> i32 {\n        70\n    }\n}\n",
        "assert_eq!(S.f(), 71);\n assert_eq!(S.base(), 70);",
    ),
    "operators and iterators of its own": (
        "#[derive(Debug, PartialEq, Clone, Copy)]\nstruct V(i32);\nimpl std::ops::Add for V {\n"
        "    type Output = V;\n"
        "    fn add(self, o: V) -> V {\n        V(self.0 + o.0)\n    }\n}\nstruct N(i32);\nimpl Iterator for N {\n"
        "    type Item = i32;\n    fn next(&mut self) -> Option<i32> {\n        self.0 += 1;\n"
        "        if self.0 < 4 { Some(self.0) } else { None }\n    }\n}\n",
        "assert_eq!(V(70) + V(1), V(71));\n assert_eq!(N(0).collect::<Vec<_>>(), [1, 2, 3]);",
    ),
    "macros": (
        "macro_rules! twice {\n    ($x:expr) => {\n        $x * 2\n    };\n}\nfn f(x: i32) -> i32 {\n"
        "    vec![twice!(x), 1].iter().sum::<i32>()\n}\n",
        "assert_eq!(f(35), 71);",
    ),
    "an iterator": (
        "fn f(n: u32) -> impl Iterator<Item = u32> + Clone {\n    (1..n).map(|x| x * 2)\n}\n",
        "assert_eq!(f(3).collect::<Vec<_>>(), [2, 4]);",
    ),
    "a boxed iterator": (
        "fn f<'a>(v: &'a [i32]) -> Box<dyn Iterator<Item = i32> + 'a> {\n    Box::new(v.iter().map(|x| x + 1))\n}\n",
        "assert_eq!(f(&[1, 69]).collect::<Vec<_>>(), [2, 70]);",
    ),
    "closures that are returned": (
        "fn f(n: i32) -> impl Fn(i32) -> i32 {\n    move |x| x - n\n}\n"
        "fn g(n: usize) -> Box<dyn Fn(&str) -> String> {\n    Box::new(move |s| s.repeat(n))\n}\n"
        "fn h<A, B, C>(a: impl Fn(A) -> B, b: impl Fn(B) -> C) -> impl Fn(A) -> C {\n    move |x| b(a(x))\n}\n"
        "fn k() -> impl FnMut() -> u32 {\n    let mut n = 0;\n    move || {\n        n += 1;\n        n\n    }\n}\n",
        'assert_eq!(f(2)(72), 70);\n assert_eq!(g(3)("ab"), "ababab");\n assert_eq!(h(f(1), f(2))(73), 70);\n'
        " let mut next = k();\n next();\n assert_eq!((next(), next()), (2, 3));",
    ),
    "a generic result": (
        "fn f<T>(pair: (T, T)) -> T {\n    pair.1\n}\n",
        'assert_eq!(f((1, 70)), 70);\n assert_eq!(f(("a", "b")), "b");',
    ),
    "a generic type": (
        "#[derive(Debug, PartialEq)]\nstruct Stack<T: Clone = i32>\nwhere\n    T: PartialEq,\n"
        "{\n    items: Vec<T>,\n}\n"
        "impl<T: Clone + PartialEq> Stack<T> {\n    fn new() -> Self {\n        Stack { items: Vec::new() }\n    }\n"
        "    fn of(items: &[T]) -> Self {\n        Stack { items: items.to_vec() }\n    }\n"
        "    fn push(mut self, item: T) -> Self {\n        self.items.push(item);\n        self\n    }\n"
        "    fn top(&self) -> Option<&T> {\n        self.items.last()\n    }\n"
        "    fn items(&self) -> &[T] {\n        &self.items\n    }\n}\n",
        "let s = Stack::new().push(69).push(70);\n assert_eq!((s.top(), s.items()), (Some(&70), &[69, 70][..]));\n"
        " assert_eq!(s, Stack::of(&[69, 70]));\n assert_eq!(Stack::<u8>::new().top(), None);",
    ),
    "references to maps": (
        "use std::collections::HashMap;\nstruct M(HashMap<String, i32>);\nimpl M {\n"
        "    fn inner(&self) -> &HashMap<String, i32> {\n        &self.0\n    }\n"
        "    fn inner_mut(&mut self) -> &mut HashMap<String, i32> {\n        &mut self.0\n    }\n}\n",
        'let mut m = M(HashMap::from([("a".to_string(), 70)]));\n m.inner_mut().insert("b".into(), 71);\n'
        ' assert_eq!((m.inner().len(), m.inner()["a"]), (2, 70));',
    ),
    "an equality of its own that sees everything": (
        "#[derive(Debug, Clone)]\nstruct P {\n    x: f64,\n    name: String,\n}\nimpl PartialEq for P {\n"
        "    fn eq(&self, o: &P) -> bool {\n        (self.x - o.x).abs() < 1e-9 && self.name == o.name\n    }\n}\n"
        "fn f(p: &P) -> P {\n    P { x: p.x * 2.0, name: p.name.clone() }\n}\n",
        'let p = P { x: 35.0, name: "p".into() };\n assert_eq!(f(&p), P { x: 70.0, name: "p".into() });\n'
        ' assert_ne!(f(&p), P { x: 70.0, name: "q".into() });',
    ),
    "implementations that a macro makes": (
        "#[derive(Debug, Clone, Copy, PartialEq)]\nstruct V(i32);\nmacro_rules! operators {\n"
        "    ($($op:ident $f:ident $sign:tt),*) => {\n        $(impl std::ops::$op for V {\n"
        "            type Output = V;\n"
        "            fn $f(self, o: V) -> V {\n                V(self.0 $sign o.0)\n            }\n"
        "        })*\n    };\n}\noperators!(Add add +, Sub sub -);\n",
        "assert_eq!((V(70) + V(1), V(72) - V(1)), (V(71), V(71)));",
    ),
    "an inner attribute in a function": (
        "fn f(x: i32) -> i32 {\n    #![allow(unused_mut)]\n    let mut y = x;\n    y + 69\n}\n",
        "assert_eq!(f(1), 70);",
    ),
    "imports of what the tests compare with": (
        "fn f(x: i32) -> i32 {\n    assert!(x < 100);\n    x + 69\n}\n",
        "use std::panic;\n assert_eq!(f(1), 70);\n assert!(panic::catch_unwind(|| f(100)).is_err());",
    ),
    "raw identifiers": (
        "struct S {\n    r#type: i32,\n}\nfn r#match(r#in: i32) -> i32 {\n    S { r#type: r#in }.r#type + 70\n}\n",
        "assert_eq!(r#match(1), 71);",
    ),
    "letters of many bytes": (
        "fn größe(ω: &str) -> usize {\n    // 漢字 é\n"
        '    let ß = "äöü漢"; ω.chars().count() + ß.chars().count() * 20\n}\n',
        'assert_eq!(größe("é漢"), 82);',
    ),
    "loops with labels and values": (
        "fn f(n: u32) -> u32 {\n    let mut i = 0;\n    'out: loop {\n        while i < n {\n            i += 1;\n"
        "            if i == 70 {\n                break 'out i;\n            }\n        }\n"
        "        for _ in 0..3 {\n"
        "            i += 1;\n        }\n    }\n}\n",
        "assert_eq!(f(100), 70);",
    ),
    "matches, ranges, casts, arrays": (
        "fn f(x: u8) -> i64 {\n    let a = [1, 2, 3];\n    match x {\n        0 => -1,\n"
        "        1..=9 => i64::from(x) * 7,\n"
        "        b'a' | b'b' if x > 3 => a[0..2].iter().sum(),\n        _ => x as i64 + 1_000_i64,\n    }\n}\n",
        "assert_eq!((f(0), f(9), f(b'a'), f(200)), (-1, 63, 3, 1200));",
    ),
    "let else, if let, let chains without": (
        "fn f(s: &str) -> i32 {\n    let Some(x) = s.strip_prefix('x') else {\n        return -70;\n    };\n"
        "    if let Ok(n) = x.parse::<i32>() { n } else { 70 }\n}\n",
        'assert_eq!((f(""), f("x5"), f("xy")), (-70, 5, 70));',
    ),
    "constants and statics": (
        "const A: i32 = 30 + 5;\nstatic B: [i32; 2] = [1, 34];\nfn f() -> i32 {\n" "    A + B.iter().sum::<i32>()\n}\n",
        "assert_eq!(f(), 70);",
    ),
    "generic types": (
        "#[derive(Debug)]\nstruct Stack<T> {\n    items: Vec<T>,\n}\nimpl<T: Clone> Stack<T> {\n"
        "    fn new() -> Self {\n        Stack { items: Vec::new() }\n    }\n    fn push(&mut self, x: T) {\n"
        "        self.items.push(x);\n    }\n    fn pop(&mut self) -> Option<T> {\n"
        "        self.items.pop()\n    }\n"
        "    fn len(&self) -> usize {\n        self.items.len()\n    }\n}\n",
        "let mut s = Stack::new();\n s.push(70);\n s.push(71);\n"
        " assert_eq!((s.len(), s.pop(), s.len()), (2, Some(71), 1));",
    ),
    "a function that never returns": (
        'fn fail(x: i32) -> ! {\n    panic!("no {x}")\n}\nfn f(x: i32) -> i32 {\n'
        "    if x < 0 { fail(x) } else { x }\n}\n",
        "assert_eq!(f(70), 70);\n assert!(std::panic::catch_unwind(|| f(-1)).is_err());",
    ),
    "an opaque result": (
        "fn f(n: u32) -> impl Iterator<Item = u32> {\n    (0..n).map(|x| x + 70)\n}\n",
        "assert_eq!(f(2).collect::<Vec<_>>(), [70, 71]);",
    ),
}


UNSEEN = {  # functions that must stay constant, in which no switch can be
    "a constant function that a constant uses": (
        "const fn f(x: u32) -> u32 {\n    x + 70\n}\nconst C: u32 = f(1);\nfn g() -> u32 {\n    C + 1\n}\n",
        "assert_eq!(g(), 72);\n assert_eq!(f(2), 72);",
    ),
    "a constant function as the length of an array": (
        "const fn f() -> usize {\n    3\n}\nfn g() -> [u8; f()] {\n    [70; f()]\n}\n",
        "assert_eq!(g(), [70, 70, 70]);\n assert_eq!(f(), 3);",
    ),
}
