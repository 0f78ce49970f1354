// A function that calls the main that follows, in a program that has no tests.
fn again() {
    main();
}
