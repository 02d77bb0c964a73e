//! What processes of this machine spent, as Linux counts it.

/// Clock ticks a second: what Linux has used for `/proc` on every architecture for decades.
const TICKS: f64 = 100.0;

/// CPU seconds of a process since it started: its own and the kernel's for it.
pub(crate) fn seconds(pid: u32) -> Result<f64, String> {
    let stat =
        std::fs::read_to_string(format!("/proc/{pid}/stat")).map_err(|error| format!("process {pid}: {error}"))?;
    // The name, in parentheses, may hold anything; user and system time are the 12th and 13th field after it.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks: Vec<f64> = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse().ok()).collect();
    match ticks[..] {
        [user, system] => Ok((user + system) / TICKS),
        _ => Err(format!("process {pid}: /proc tells no times")),
    }
}
