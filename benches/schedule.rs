//! Simulation of polling policies at one request budget.
fn main() {}
