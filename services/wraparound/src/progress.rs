//! What a person sees while something takes long: a bar on a terminal, plain lines elsewhere. All on standard error.

use std::io::IsTerminal as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Says one line of progress.
pub fn say(line: &str) {
    eprintln!("{line}");
}

/// A job with a number of steps.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    plain: Option<Mutex<Plain>>,
}

#[derive(Debug)]
struct Plain {
    last: Instant,
    label: String,
}

/// Lines of a job that nobody watches on a terminal come no oftener than this.
const EVERY: Duration = Duration::from_secs(5);

impl Progress {
    /// A job; `total` 0 where not known yet.
    pub fn new(label: &str, total: u64) -> Self {
        if !std::io::stderr().is_terminal() {
            eprintln!("{label} …");
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
            return Self { bar, plain: Some(Mutex::new(Plain { last: Instant::now(), label: label.to_owned() })) };
        }
        let bar = ProgressBar::new(total);
        // A wrong template would be our typing error; the default one still shows the same numbers.
        let style = ProgressStyle::with_template("{msg:32!} {bar:32} {pos:>9}/{len:<9} {elapsed}").unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("##-"));
        bar.set_message(label.to_owned());
        Self { bar, plain: None }
    }

    /// Where the job stands.
    pub fn at(&self, label: &str, done: u64, total: u64) {
        self.bar.set_length(total.max(done));
        self.bar.set_position(done);
        self.bar.set_message(label.to_owned());
        self.tell(Some(label));
    }

    /// Some steps more.
    pub fn add(&self, steps: u64) {
        self.bar.inc(steps);
        self.tell(None);
    }

    fn tell(&self, label: Option<&str>) {
        let Some(plain) = &self.plain else { return };
        let mut plain = plain.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let other = label.is_some_and(|l| l != plain.label);
        if other || plain.last.elapsed() >= EVERY {
            if let Some(label) = label {
                label.clone_into(&mut plain.label);
            }
            plain.last = Instant::now();
            eprintln!("{}: {} of {}", plain.label, self.bar.position(), self.bar.length().unwrap_or(0));
        }
    }

    /// The end, with what came of it.
    pub fn done(&self, line: &str) {
        self.bar.finish_and_clear();
        eprintln!("{line}");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// `12,345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(3_000), "3,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
