//! Figures: the binary `drive` is a cheap client, the scripts beside it start servers and measure.
