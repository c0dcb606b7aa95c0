//! Black-box tests over the running system: journeys, faults, browser, rules, benches.
