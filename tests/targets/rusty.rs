// Rust: generics, closures and inlined iterators; three shares that arithmetic gives.
use std::arch::asm;

/// A value that the compiler knows nothing about (hint::black_box is younger than Debian 12's).
#[inline(always)]
fn opaque(mut value: u64) -> u64 {
    unsafe { asm!("/* {0} */", inout(reg) value) };
    value
}

struct Stepper<T> {
    value: T,
}

trait Step {
    fn step(&mut self, rounds: u64);
}

impl Step for Stepper<u64> {
    #[inline(never)]
    fn step(&mut self, rounds: u64) {
        for _ in 0..rounds {
            self.value = opaque(self.value / opaque(3) + 1); /* known: step */
        }
    }
}

#[inline(always)]
fn written(value: u64) -> u64 {
    opaque(value / opaque(7) + 1) /* known: written */
}

#[inline(never)]
fn closure(rounds: u64) -> u64 {
    let add = |sum: u64, each: u64| written(sum ^ each);
    (0..rounds).fold(1, add) /* known: called */
}

fn main() {
    let mut stepper = Stepper { value: 1u64 };
    println!("ready");
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(300);
    let start = std::time::Instant::now();
    while start.elapsed().as_secs() < seconds {
        stepper.step(300_000); /* known: three */
        opaque(closure(100_000)); /* known: one */
    }
}
