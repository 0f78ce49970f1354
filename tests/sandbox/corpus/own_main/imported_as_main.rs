// A function that is imported under the name main.
mod app {
    pub fn run() {}
}

use app::run as main;

#[cfg(test)]
mod tests {
    #[test]
    fn runs() {
        super::app::run();
    }
}
